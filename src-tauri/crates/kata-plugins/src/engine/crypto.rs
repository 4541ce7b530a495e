//! What `crypto.subtle` computes, by the library that TLS uses anyway (aws-lc-rs). Private keys are kept as PKCS#8, public
//! ones as their point or, for RSA, as SubjectPublicKeyInfo. Nothing here knows JavaScript.

use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, PublicKeyX509Der};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use aws_lc_rs::{aead, digest, hkdf, hmac, pbkdf2, rand};
use std::num::NonZeroU32;

/// Most rounds of PBKDF2; it runs on the host's pool, where nothing interrupts it.
pub(crate) const MAX_ROUNDS: u32 = 2_000_000;
/// Most bytes PBKDF2 gives.
pub(crate) const MAX_DERIVED: usize = 1024;

pub(crate) fn hash(name: &str, data: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match name {
        "SHA-1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "SHA-256" => &digest::SHA256,
        "SHA-384" => &digest::SHA384,
        "SHA-512" => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, data).as_ref().to_vec())
}

fn mac(name: &str) -> Option<hmac::Algorithm> {
    Some(match name {
        "SHA-1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "SHA-256" => hmac::HMAC_SHA256,
        "SHA-384" => hmac::HMAC_SHA384,
        "SHA-512" => hmac::HMAC_SHA512,
        _ => return None,
    })
}

pub(crate) fn hmac_sign(name: &str, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    Some(hmac::sign(&hmac::Key::new(mac(name)?, key), data).as_ref().to_vec())
}

/// In constant time.
pub(crate) fn hmac_verify(name: &str, key: &[u8], signature: &[u8], data: &[u8]) -> bool {
    mac(name).is_some_and(|algorithm| hmac::verify(&hmac::Key::new(algorithm, key), data, signature).is_ok())
}

/// AES-GCM with a tag of 128 bits at the end; `None` when key, iv or tag do not fit.
pub(crate) fn gcm(encrypt: bool, key: &[u8], iv: &[u8], aad: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match key.len() {
        16 => &aead::AES_128_GCM,
        24 => &aead::AES_192_GCM,
        _ => &aead::AES_256_GCM,
    };
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(algorithm, key).ok()?);
    let nonce = aead::Nonce::try_assume_unique_for_key(iv).ok()?;
    let mut bytes = data.to_vec();
    if encrypt {
        key.seal_in_place_append_tag(nonce, aead::Aad::from(aad), &mut bytes).ok()?;
        return Some(bytes);
    }
    let plain = key.open_in_place(nonce, aead::Aad::from(aad), &mut bytes).ok()?.len();
    bytes.truncate(plain);
    Some(bytes)
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

pub(crate) fn hkdf_derive(name: &str, secret: &[u8], salt: &[u8], info: &[u8], length: usize) -> Option<Vec<u8>> {
    let algorithm = match name {
        "SHA-1" => hkdf::HKDF_SHA1_FOR_LEGACY_USE_ONLY,
        "SHA-256" => hkdf::HKDF_SHA256,
        "SHA-384" => hkdf::HKDF_SHA384,
        "SHA-512" => hkdf::HKDF_SHA512,
        _ => return None,
    };
    let extracted = hkdf::Salt::new(algorithm, salt).extract(secret);
    let info = [info];
    let expanded = extracted.expand(&info, Length(length)).ok()?;
    let mut out = vec![0; length];
    expanded.fill(&mut out).ok()?;
    Some(out)
}

pub(crate) fn pbkdf2_derive(name: &str, secret: &[u8], salt: &[u8], rounds: NonZeroU32, length: usize) -> Option<Vec<u8>> {
    let algorithm = match name {
        "SHA-1" => pbkdf2::PBKDF2_HMAC_SHA1,
        "SHA-256" => pbkdf2::PBKDF2_HMAC_SHA256,
        "SHA-384" => pbkdf2::PBKDF2_HMAC_SHA384,
        "SHA-512" => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return None,
    };
    let mut out = vec![0; length];
    pbkdf2::derive(algorithm, rounds, salt, secret, &mut out);
    Some(out)
}

/// A kind of key, as JavaScript names it.
enum Kind {
    Curve(
        &'static EcdsaSigningAlgorithm,
        &'static dyn VerificationAlgorithm,
        usize,
        &'static [u8],
    ),
    Edwards,
    Rsa,
}

const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];
const P384: &[u8] = &[
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62,
    0x00,
];
const EDWARDS: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "P-256" => Kind::Curve(
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            &signature::ECDSA_P256_SHA256_FIXED,
            65,
            P256,
        ),
        "P-384" => Kind::Curve(
            &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            &signature::ECDSA_P384_SHA384_FIXED,
            97,
            P384,
        ),
        "Ed25519" => Kind::Edwards,
        "RSASSA-PKCS1-v1_5" => Kind::Rsa,
        _ => return None,
    })
}

/// Checks a key and brings it into the form that is kept. `shape`: `raw`, `pkcs8`, `spki`, or `private` (the secret number
/// followed by the point). An RSA key has its modulus length in bits before it, two bytes.
pub(crate) fn import(name: &str, shape: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    match (kind(name)?, shape) {
        (Kind::Curve(signing, ..), "pkcs8") => EcdsaKeyPair::from_pkcs8(signing, bytes).ok().map(|_| bytes.to_vec()),
        (Kind::Curve(signing, _, point, _), "private") => {
            let (secret, public) = bytes.split_at_checked(bytes.len().checked_sub(point)?)?;
            let pair = EcdsaKeyPair::from_private_key_and_public_key(signing, secret, public).ok()?;
            Some(pair.to_pkcs8v1().ok()?.as_ref().to_vec())
        }
        (Kind::Curve(_, verifying, point, prefix), _) => {
            let raw = if shape == "spki" { bytes.strip_prefix(prefix)? } else { bytes };
            if raw.len() != point {
                return None;
            }
            signature::ParsedPublicKey::new(verifying, raw).ok()?;
            Some(raw.to_vec())
        }
        (Kind::Edwards, "pkcs8") => Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).ok().map(|_| bytes.to_vec()),
        (Kind::Edwards, "private") => {
            let (seed, public) = bytes.split_at_checked(32)?;
            let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).ok()?;
            Some(pair.to_pkcs8v1().ok()?.as_ref().to_vec())
        }
        (Kind::Edwards, _) => {
            let raw = if shape == "spki" { bytes.strip_prefix(EDWARDS)? } else { bytes };
            (raw.len() == 32).then(|| raw.to_vec())
        }
        (Kind::Rsa, "pkcs8") => {
            let bits = RsaKeyPair::from_pkcs8(bytes).ok()?.public_modulus_len() * 8;
            Some(with_length(bits, bytes))
        }
        (Kind::Rsa, "spki") => Some(with_length(modulus_bits(bytes)?, bytes)),
        (Kind::Rsa, _) => None,
    }
}

/// Bits of the modulus in an RSA SubjectPublicKeyInfo.
fn modulus_bits(spki: &[u8]) -> Option<usize> {
    signature::ParsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, spki).ok()?;
    let (_, inner, _) = der(spki)?;
    let (_, _algorithm, rest) = der(inner)?;
    let (_, bits, _) = der(rest)?;
    let (_, key, _) = der(bits.get(1..)?)?;
    let (_, modulus, _) = der(key)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    Some((modulus.len() - first) * 8)
}

/// The first DER element: tag, contents, what follows.
fn der(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, short], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match usize::from(short) {
        length @ 0..0x80 => (length, rest),
        long => {
            let (digits, rest) = rest.split_at_checked(long - 0x80)?;
            (digits.iter().take(8).fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

fn with_length(bits: usize, bytes: &[u8]) -> Vec<u8> {
    let bits = u16::try_from(bits).unwrap_or(u16::MAX).to_be_bytes();
    bits.into_iter().chain(bytes.iter().copied()).collect()
}

/// A new private key.
pub(crate) fn generate(name: &str) -> Option<Vec<u8>> {
    match kind(name)? {
        Kind::Curve(signing, ..) => Some(EcdsaKeyPair::generate(signing).ok()?.to_pkcs8v1().ok()?.as_ref().to_vec()),
        Kind::Edwards => Some(Ed25519KeyPair::generate().ok()?.to_pkcs8v1().ok()?.as_ref().to_vec()),
        Kind::Rsa => None,
    }
}

/// Out of a private key its public point (`raw`) or secret number (`secret`); of a public one its `spki`.
pub(crate) fn part(name: &str, key: &[u8], what: &str) -> Option<Vec<u8>> {
    match (kind(name)?, what) {
        (Kind::Curve(_, _, _, prefix), "spki") => Some([prefix, key].concat()),
        (Kind::Edwards, "spki") => Some([EDWARDS, key].concat()),
        (Kind::Rsa, "spki") => Some(key.to_vec()),
        (Kind::Curve(signing, ..), _) => {
            let pair = EcdsaKeyPair::from_pkcs8(signing, key).ok()?;
            if what == "raw" {
                return Some(pair.public_key().as_ref().to_vec());
            }
            let secret: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
            Some(secret.as_ref().to_vec())
        }
        (Kind::Edwards, _) => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key).ok()?;
            if what == "raw" {
                return Some(pair.public_key().as_ref().to_vec());
            }
            let seed = pair.seed().ok()?;
            let bytes: aws_lc_rs::encoding::Curve25519SeedBin<'_> = seed.as_be_bytes().ok()?;
            Some(bytes.as_ref().to_vec())
        }
        (Kind::Rsa, _) => {
            let pair = RsaKeyPair::from_pkcs8(key).ok()?;
            let der: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
            Some(der.as_ref().to_vec())
        }
    }
}

/// Signs; `None` where the kind of key and the hash do not go together.
pub(crate) fn sign(name: &str, hash: &str, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let random = rand::SystemRandom::new();
    match kind(name)? {
        Kind::Curve(signing, ..) => {
            fits(name, hash)?;
            let pair = EcdsaKeyPair::from_pkcs8(signing, key).ok()?;
            Some(pair.sign(&random, data).ok()?.as_ref().to_vec())
        }
        Kind::Edwards => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key).ok()?;
            Some(pair.sign(data).as_ref().to_vec())
        }
        Kind::Rsa => {
            let encoding: &dyn signature::RsaEncoding = match hash {
                "SHA-256" => &signature::RSA_PKCS1_SHA256,
                "SHA-384" => &signature::RSA_PKCS1_SHA384,
                "SHA-512" => &signature::RSA_PKCS1_SHA512,
                _ => return None,
            };
            let pair = RsaKeyPair::from_pkcs8(key).ok()?;
            let mut out = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &random, data, &mut out).ok()?;
            Some(out)
        }
    }
}

/// Whether a signature fits; `None` where the kind of key and the hash do not go together.
pub(crate) fn verify(name: &str, hash: &str, key: &[u8], given: &[u8], data: &[u8]) -> Option<bool> {
    let algorithm: &'static dyn VerificationAlgorithm = match kind(name)? {
        Kind::Curve(_, verifying, ..) => {
            fits(name, hash)?;
            verifying
        }
        Kind::Edwards => &signature::ED25519,
        Kind::Rsa => match hash {
            "SHA-1" => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            "SHA-256" => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            "SHA-384" => &signature::RSA_PKCS1_2048_8192_SHA384,
            "SHA-512" => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
            _ => return None,
        },
    };
    Some(UnparsedPublicKey::new(algorithm, key).verify(data, given).is_ok())
}

fn fits(curve: &str, hash: &str) -> Option<()> {
    matches!((curve, hash), ("P-256", "SHA-256") | ("P-384", "SHA-384")).then_some(())
}
