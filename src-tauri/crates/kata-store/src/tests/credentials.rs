//! The existing program's secrets, against the vector that its own code made.

use super::world::{World, fixtures, write};
use crate::legacy_credentials::tests::{hex_of, key};
use crate::legacy_credentials::{CredentialsError, Envelope, Password, decrypt, import_with};
use kata_protocol::Ms;
use secrecy::ExposeSecret;
use serde_json::Value;

fn vector() -> Value {
    serde_json::from_slice(&std::fs::read(fixtures().join("credentials.vector.json")).unwrap()).unwrap()
}

fn file() -> Vec<u8> {
    std::fs::read(fixtures().join("kata-agents-home/credentials.enc")).unwrap()
}

fn machine() -> Password {
    Password::of_machine(vector()["machineId"].as_str().unwrap())
}

#[test]
fn the_keys_are_those_of_the_vector() {
    let (vector, file) = (vector(), file());
    let legacy = |name: &str| vector["legacy"][name].as_str().unwrap().to_owned();
    assert_eq!(hex_of(&machine(), &file), vector["keyHex"].as_str().unwrap());
    let account = Password::of_account(&legacy("hostname"), &legacy("username"), &legacy("homedir"));
    assert_eq!(hex_of(&account, &file), legacy("keyHex"));
}

#[test]
fn every_secret_of_the_vector_comes_out_and_none_is_shown() {
    let plain: Value = serde_json::from_str(vector()["plaintext"].as_str().unwrap()).unwrap();
    let credentials = decrypt(&file(), &[machine()]).unwrap();
    assert_eq!(credentials.len(), plain["credentials"].as_object().unwrap().len());
    for (account, credential) in &credentials {
        let expected = &plain["credentials"][account];
        assert_eq!(credential.value.expose_secret(), expected["value"].as_str().unwrap());
        assert_eq!(
            credential.refresh_token.as_ref().map(|token| token.expose_secret()),
            expected["refreshToken"].as_str()
        );
        assert_eq!(credential.expires_at.map(|at| at.0), expected["expiresAt"].as_u64());
        assert_eq!(credential.source.as_deref(), expected["source"].as_str());
    }
    let shown = format!("{credentials:?}");
    assert!(!shown.contains("sk-test-1") && !shown.contains("tok\""), "{shown}");
}

#[test]
fn any_byte_that_is_flipped_outside_the_salt_is_noticed() {
    let good = file();
    let key = key(&machine(), &good);
    assert!(Envelope::parse(&good).unwrap().open(&key).is_some());
    for place in (0..12).chain(44..good.len()) {
        let mut bad = good.clone();
        bad[place] ^= 1;
        let opened = Envelope::parse(&bad).ok().and_then(|envelope| envelope.open(&key));
        assert!(opened.is_none(), "byte {place}");
    }
    for length in 0..good.len() {
        let opened = Envelope::parse(&good[..length]).ok().and_then(|envelope| envelope.open(&key));
        assert!(opened.is_none(), "cut to {length}");
    }
}

#[test]
fn one_flipped_byte_sets_the_file_aside_with_its_bytes_unchanged() {
    // One place per region: magic, flags, salt, zeros, nonce, tag, ciphertext.
    for place in [0, 9, 20, 50, 70, 80, 200] {
        let world = World::fixture();
        let path = world.paths().credentials();
        let mut bad = file();
        bad[place] ^= 0x40;
        write(&path, &bad);
        let imported = import_with(&world.paths(), &[machine()], Ms(77));
        assert!(imported.accounts.is_empty(), "byte {place}");
        let notice = imported.notice.unwrap();
        let aside = world.folder.path().join("credentials.enc.damaged-77");
        assert!(notice.hint.unwrap().contains(aside.to_str().unwrap()));
        assert_eq!(std::fs::read(&aside).unwrap(), bad);
        assert!(!path.exists());
        let again = import_with(&world.paths(), &[machine()], Ms(78));
        assert!(again.accounts.is_empty() && again.notice.is_none(), "it is said once");
    }
}

#[test]
fn a_good_file_is_taken_over_and_stays() {
    let world = World::fixture();
    let other = Password::of_machine("another machine");
    let imported = import_with(&world.paths(), &[other, machine()], Ms(77));
    assert!(imported.notice.is_none());
    let value = |account: &str| {
        imported
            .accounts
            .iter()
            .find(|(name, _)| name == account)
            .map(|(_, value)| value.expose_secret().to_owned())
    };
    assert_eq!(value("anthropic_api_key::global").as_deref(), Some("sk-test-1"));
    assert_eq!(value("claude_oauth::global#refreshToken").as_deref(), Some("rt"));
    assert_eq!(
        value("claude_oauth::global#details").as_deref(),
        Some(r#"{"expiresAt":1700000000000,"source":"native"}"#)
    );
    assert_eq!(std::fs::read(world.paths().credentials()).unwrap(), file());
    assert!(!format!("{imported:?}").contains("sk-test-1"));
}

#[test]
fn the_wrong_machine_and_a_damaged_content_are_told_apart_from_a_damaged_header() {
    assert_eq!(decrypt(&file(), &[]).err(), Some(CredentialsError::NotOpened));
    assert_eq!(decrypt(&file()[..91], &[machine()]).err(), Some(CredentialsError::TooShort));
    assert_eq!(decrypt(&[b'x'; 200], &[machine()]).err(), Some(CredentialsError::BadHeader));
}
