//! Devices at the door: what they sign, and the port through which a code becomes a device. Who may come in lies in
//! [`crate::Tokens`]; where devices are kept is the engine's business.

use async_trait::async_trait;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kata_protocol::{Ms, Scope};
use secrecy::SecretString;

/// What precedes the 65 bytes of an uncompressed P-256 point in a SubjectPublicKeyInfo (RFC 5480: id-ecPublicKey, prime256v1).
const SPKI_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];
/// Length of such a key.
const KEY: usize = SPKI_P256.len() + 65;

/// A device's public key, ECDSA P-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKey([u8; KEY]);

impl DeviceKey {
    /// Reads a SubjectPublicKeyInfo in base64url without padding; `None` for anything but a point of P-256.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_bytes(&URL_SAFE_NO_PAD.decode(text).ok()?)
    }

    /// Reads a SubjectPublicKeyInfo.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key: [u8; KEY] = bytes.try_into().ok()?;
        let point = key.strip_prefix(&SPKI_P256)?;
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()?;
        Some(Self(key))
    }

    /// The SubjectPublicKeyInfo, to be kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `signature` is this key's over the nonce and the device.
    pub(crate) fn signed(&self, nonce: &str, device: &str, signature: &str) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        let Some(point) = self.0.strip_prefix(&SPKI_P256) else {
            return false;
        };
        let Ok(key) = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point) else {
            return false;
        };
        key.verify_sig(signed_text(nonce, device).as_bytes(), &signature).is_ok()
    }
}

/// What a device signs: a use, the nonce of its connection, and who it is.
fn signed_text(nonce: &str, device: &str) -> String {
    format!("kata-connect-1\n{nonce}\n{device}")
}

/// Somebody shows a code. `Debug` leaves it out.
pub struct PairAsk {
    /// Code, as it was typed.
    pub code: String,
    /// Key of the device; without one a token is made for it.
    pub key: Option<DeviceKey>,
    /// Name the client gave.
    pub client: String,
}

impl std::fmt::Debug for PairAsk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairAsk").field("client", &self.client).finish_non_exhaustive()
    }
}

/// A new device.
#[derive(Debug)]
pub struct Paired {
    /// Device.
    pub device: String,
    /// Token, where it gave no key. Said once, and kept nowhere.
    pub token: Option<SecretString>,
    /// What it may do.
    pub scope: Scope,
    /// When it has to be paired again.
    pub expires_at: Option<Ms>,
}

/// Why no device was made.
#[derive(Debug, thiserror::Error)]
pub enum NotPaired {
    /// No offer has this code: it is wrong, used, or over. Counts as an attempt.
    #[error("the code is not right, or its time is over; ask for a new one")]
    Code,
    /// The device could not be kept; the code is still good.
    #[error("the device could not be kept: {0}; try again")]
    Failed(String),
}

/// Where devices are kept.
#[async_trait]
pub trait Devices: Send + Sync + 'static {
    /// Makes a device of whoever shows an offered code. It is in force, and survives a restart, when this returns.
    async fn pair(&self, ask: PairAsk) -> Result<Paired, NotPaired>;
    /// A device came in. Must not wait.
    fn came(&self, device: &str);
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

    fn spki(pair: &EcdsaKeyPair) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    #[test]
    fn a_signature_counts_for_its_nonce_and_its_device_only() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = DeviceKey::parse(&URL_SAFE_NO_PAD.encode(spki(&pair))).unwrap();
        let sign = |text: &str| URL_SAFE_NO_PAD.encode(pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap());
        let right = sign("kata-connect-1\nabc\ndev_1");
        assert!(key.signed("abc", "dev_1", &right));
        assert!(!key.signed("abd", "dev_1", &right), "another connection");
        assert!(!key.signed("abc", "dev_2", &right), "another device");
        assert!(!key.signed("abc", "dev_1", &sign("abc")), "another use");
        assert!(!key.signed("abc", "dev_1", "") && !key.signed("abc", "dev_1", "AAAA") && !key.signed("abc", "dev_1", "%%%"));
    }

    #[test]
    fn only_a_point_of_p_256_is_a_key() {
        let good = spki(&EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
        assert!(DeviceKey::from_bytes(&good).is_some());
        let other = spki(&EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap());
        let mut off = good.clone();
        *off.last_mut().unwrap() ^= 1;
        let mut compressed = good.clone();
        compressed[26] = 2;
        for bad in [&other[..], &off[..], &compressed[..], &good[1..], &good[..90], &[]] {
            assert!(DeviceKey::from_bytes(bad).is_none(), "{bad:?}");
        }
        assert!(DeviceKey::parse("not base64!").is_none());
    }
}
