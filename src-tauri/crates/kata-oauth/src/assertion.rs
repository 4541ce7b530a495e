//! The app's own word for itself (RFC 7523 §2.2, `private_key_jwt`): who it is, at whom it is meant, for five minutes and once, signed with
//! a key that never leaves this machine.
//!
//! A key is PKCS #8 in PEM: EC on P-256 (ES256), or RSA (RS256). Deliberately absent: keys behind a passphrase, and other curves.

use crate::provider::Misfit;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kata_protocol::Ms;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

/// How long it counts, seconds.
const LIFE: u64 = 300;
/// Around the key.
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

enum Signer {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// A new one. `id` is said in it once and never again.
pub(crate) fn assertion(key: &SecretString, client: &str, audience: &str, now: Ms, id: &str) -> Result<String, Misfit> {
    let signer = Signer::of(key.expose_secret()).ok_or_else(|| Misfit {
        field: "clientKey",
        reason: "is no private key in PEM (PKCS #8) on P-256 or of RSA".into(),
    })?;
    let at = now.0 / 1000;
    let header = json!({ "alg": signer.algorithm(), "typ": "JWT" });
    let claims = json!({ "iss": client, "sub": client, "aud": audience, "iat": at, "exp": at + LIFE, "jti": id });
    let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let said = format!("{}.{}", encode(&header), encode(&claims));
    let signature = signer.sign(said.as_bytes()).ok_or_else(|| Misfit {
        field: "clientKey",
        reason: "does not sign".into(),
    })?;
    Ok(format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

impl Signer {
    fn of(pem: &str) -> Option<Self> {
        let (_, rest) = pem.split_once(BEGIN)?;
        let (body, _) = rest.split_once(END)?;
        let der = STANDARD.decode(body.split_whitespace().collect::<String>()).ok()?;
        let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok().map(Self::Ec);
        ec.or_else(|| RsaKeyPair::from_pkcs8(&der).ok().map(Self::Rsa))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Ec(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    fn sign(&self, said: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(pair) => pair.sign(&random, said).ok().map(|signature| signature.as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, said, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::Value;

    pub(crate) fn pem(der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
    }

    /// A key of one's own, and what its signatures are held against.
    pub(crate) fn ec() -> (SecretString, Vec<u8>) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        (pem(der.as_ref()).into(), pair.public_key().as_ref().to_vec())
    }

    /// Its header and claims, where the signature is good.
    pub(crate) fn read(word: &str, public: &[u8]) -> (Value, Value) {
        let parts: Vec<&str> = word.split('.').collect();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
        let said = format!("{}.{}", parts[0], parts[1]);
        let signature = decode(parts[2]);
        match header["alg"].as_str().unwrap() {
            "ES256" => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(said.as_bytes(), &signature),
            _ => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(said.as_bytes(), &signature),
        }
        .unwrap();
        (header, serde_json::from_slice(&decode(parts[1])).unwrap())
    }

    #[test]
    fn the_apps_word_names_it_and_whom_it_is_meant_for_and_counts_for_five_minutes_under_either_kind_of_key() {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap();
        let rsa = (SecretString::from(pem(der.as_ref())), rsa.public_key().as_ref().to_vec());
        for ((key, public), algorithm) in [(ec(), "ES256"), (rsa, "RS256")] {
            let word = assertion(&key, "app", "https://id.example.org", Ms(1_700_000_000_999), "once").unwrap();
            let (header, claims) = read(&word, &public);
            assert_eq!(header, json!({ "alg": algorithm, "typ": "JWT" }));
            let wanted = json!({ "iss": "app", "sub": "app", "aud": "https://id.example.org", "iat": 1_700_000_000, "exp": 1_700_000_300, "jti": "once" });
            assert_eq!(claims, wanted);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for wrong in [
            "canary",
            "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\ncanary",
        ] {
            let error = assertion(&wrong.to_owned().into(), "app", "x", Ms(0), "1").unwrap_err();
            assert!(error.field == "clientKey" && !error.to_string().contains("canary"), "{error}");
        }
    }
}
