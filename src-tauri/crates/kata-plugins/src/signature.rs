//! The signature a published plugin may carry: `kata-plugin.minisig` beside the manifest, made by minisign over the content
//! hash as a text, that is 64 lower-case hexadecimal digits and a line feed (what `echo HASH` writes).
//!
//! The signer's public key is `kata-plugin.pub`, as minisign writes it. A key a person chose to remember is taken from
//! memory instead, so that an update cannot bring its own.

use base64::Engine as _;
use kata_protocol::PluginSignature;
use minisign_verify::{PublicKey, Signature};
use std::path::Path;

/// The signature's file.
pub const SIGNATURE_FILE: &str = "kata-plugin.minisig";
/// The public key's file.
pub const KEY_FILE: &str = "kata-plugin.pub";
/// Longest accepted file of either kind, bytes.
const MAX: u64 = 8 << 10;

/// What a signature says about a plugin's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// There is no signature file.
    No,
    /// It fits the files.
    Yes {
        /// Key id, 16 upper-case hexadecimal digits, as minisign shows it.
        key_id: String,
        /// The public key in base64, to remember.
        key: String,
        /// Whether it was remembered before.
        known: bool,
        /// The signer's trusted comment.
        comment: String,
    },
    /// Nothing to check it with: the key is neither remembered nor beside it.
    Unknown {
        /// Why, and what mends it.
        reason: String,
    },
    /// It does not fit.
    Bad {
        /// Why, and what mends it.
        reason: String,
    },
}

impl Signed {
    /// As clients see it.
    pub fn shown(&self) -> PluginSignature {
        match self {
            Self::No => PluginSignature::None,
            Self::Yes {
                key_id, known, comment, ..
            } => PluginSignature::Valid {
                key_id: key_id.clone(),
                known: *known,
                comment: comment.clone(),
            },
            Self::Bad { reason } | Self::Unknown { reason } => PluginSignature::Invalid { reason: reason.clone() },
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Bad {
    #[error("{0} cannot be read: {1}")]
    Unreadable(&'static str, std::io::Error),
    #[error("{0} is longer than {MAX} bytes")]
    Long(&'static str),
    #[error("{SIGNATURE_FILE} is no minisign signature: {0}")]
    NoSignature(minisign_verify::Error),
    #[error("{KEY_FILE} is no minisign public key: {0}")]
    NoKey(minisign_verify::Error),
    #[error("{SIGNATURE_FILE} is by the key {0}, which is not remembered, and {KEY_FILE} is not there")]
    Unknown(String),
    #[error("{SIGNATURE_FILE} does not fit the files ({0}); they were changed after signing, or another key signed them")]
    Unfit(minisign_verify::Error),
}

/// Checks a folder's signature over the hash of its contents. `remembered` gives the key (base64) of a key id.
pub fn check_signature(folder: &Path, hash: &str, remembered: &dyn Fn(&str) -> Option<String>) -> Signed {
    match check(folder, hash, remembered) {
        Ok(signed) => signed,
        Err(bad @ Bad::Unknown(_)) => Signed::Unknown { reason: bad.to_string() },
        Err(bad) => Signed::Bad { reason: bad.to_string() },
    }
}

fn check(folder: &Path, hash: &str, remembered: &dyn Fn(&str) -> Option<String>) -> Result<Signed, Bad> {
    let Some(text) = text_of(folder, SIGNATURE_FILE)? else {
        return Ok(Signed::No);
    };
    let signature = Signature::decode(&text).map_err(Bad::NoSignature)?;
    let key_id = text.lines().nth(1).and_then(key_id).unwrap_or_default();
    let (key, known) = match remembered(&key_id) {
        Some(key) => (key, true),
        None => {
            let text = text_of(folder, KEY_FILE)?.ok_or_else(|| Bad::Unknown(key_id.clone()))?;
            let line = text.lines().map(str::trim).rfind(|l| !l.is_empty()).unwrap_or_default();
            (line.to_owned(), false)
        }
    };
    let public = PublicKey::from_base64(&key).map_err(Bad::NoKey)?;
    public
        .verify(format!("{hash}\n").as_bytes(), &signature, true)
        .map_err(Bad::Unfit)?;
    Ok(Signed::Yes {
        key_id,
        key,
        known,
        comment: signature.trusted_comment().to_owned(),
    })
}

/// Bytes 3 to 10 of the decoded line are the key id, little-endian.
fn key_id(line: &str) -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(line.trim()).ok()?;
    let id: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
    Some(format!("{:016X}", u64::from_le_bytes(id)))
}

fn text_of(folder: &Path, name: &'static str) -> Result<Option<String>, Bad> {
    let path = folder.join(name);
    match std::fs::symlink_metadata(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Bad::Unreadable(name, e)),
        Ok(meta) if meta.len() > MAX || !meta.is_file() => Err(Bad::Long(name)),
        Ok(_) => std::fs::read_to_string(&path).map(Some).map_err(|e| Bad::Unreadable(name, e)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;
    use minisign::KeyPair;
    use std::io::Cursor;

    const HASH: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    /// A folder signed by the `minisign` crate, which is not ours.
    fn signed(pair: &KeyPair, hash: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let signature = minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(format!("{hash}\n")), Some("version 2"), None).unwrap();
        std::fs::write(folder.path().join(SIGNATURE_FILE), signature.into_string()).unwrap();
        std::fs::write(folder.path().join(KEY_FILE), pair.pk.to_box().unwrap().into_string()).unwrap();
        folder
    }

    #[test]
    fn a_signature_of_minisign_fits_the_files_it_was_made_for_and_no_others() {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let folder = signed(&pair, HASH);
        let Signed::Yes {
            key_id,
            key,
            known,
            comment,
        } = check_signature(folder.path(), HASH, &|_| None)
        else {
            panic!("{:?}", check_signature(folder.path(), HASH, &|_| None))
        };
        assert_eq!(
            (known, comment.as_str(), key.as_str()),
            (false, "version 2", pair.pk.to_base64().as_str())
        );
        let comment_line = pair.pk.to_box().unwrap().into_string();
        assert!(
            comment_line.lines().next().unwrap().contains(&key_id),
            "minisign itself shows {comment_line}"
        );

        let other = HASH.replace('2', "3");
        let Signed::Bad { reason } = check_signature(folder.path(), &other, &|_| None) else {
            panic!()
        };
        assert!(reason.contains("does not fit the files"), "{reason}");
    }

    /// Made with the program minisign 0.11: `echo HASH > hash.txt; minisign -S -s a.key -m hash.txt -x kata-plugin.minisig`,
    /// the second with `-l`, as older ones sign.
    #[test]
    fn signatures_of_the_program_minisign_fit_new_and_old() {
        let key = "untrusted comment: minisign public key 20C1BAB7D90F402\nRWQC9JB9qxsMAtQsQY1oDqyUhf9NEBSBL8nxQ+J9rtr/pwh3GicQoP0g\n";
        let signatures = [
            (
                "reading-time 1.2.0",
                "untrusted comment: signature from minisign secret key\nRUQC9JB9qxsMAiEXG55ZYDUsVwXFYweXOLlmZZC0dRWWoMAJu7KU09NQhjqFtgHBFGKlBvXbN6jcqs0DAU4LUhZYR6P4fUNiDAo=\ntrusted comment: reading-time 1.2.0\nJG4mIzOY1XOJmWYe797e5zSTgzvvMktWrvjaEoLcUNIi5u9Y9g6xVvcbgxoVbFynfs4xqua+maqMLHO4gPQHDQ==\n",
            ),
            (
                "an older minisign",
                "untrusted comment: signature from minisign secret key\nRWQC9JB9qxsMAuGyTGAZrFRonTFFSILFnEcXcGeIdgQ6aiIRQZtAntDLuJDgnsgo0baw4h8nSxtkNvYXJAQ9SDlLimSM5APEew4=\ntrusted comment: an older minisign\no/FyY3tsDKWDUBDp6TDrbfvriZDBFRVfY2tgNhdKD1uEtFHCU5viRfQRx5gwuv7F3kHZXOmZYiOChkyLZ90QBA==\n",
            ),
        ];
        for (words, signature) in signatures {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(KEY_FILE), key).unwrap();
            std::fs::write(folder.path().join(SIGNATURE_FILE), signature).unwrap();
            let Signed::Yes { key_id, comment, .. } = check_signature(folder.path(), HASH, &|_| None) else {
                panic!("{:?}", check_signature(folder.path(), HASH, &|_| None))
            };
            assert_eq!((key_id.as_str(), comment.as_str()), ("020C1BAB7D90F402", words));
            // The comment is signed too.
            std::fs::write(folder.path().join(SIGNATURE_FILE), signature.replace(words, "something else")).unwrap();
            assert!(matches!(check_signature(folder.path(), HASH, &|_| None), Signed::Bad { .. }));
        }
    }

    #[test]
    fn a_remembered_key_is_believed_and_the_one_in_the_folder_is_not() {
        let (ours, theirs) = (
            KeyPair::generate_unencrypted_keypair().unwrap(),
            KeyPair::generate_unencrypted_keypair().unwrap(),
        );
        let folder = signed(&ours, HASH);
        let remembered = |_: &str| Some(ours.pk.to_base64());
        assert!(matches!(
            check_signature(folder.path(), HASH, &remembered),
            Signed::Yes { known: true, .. }
        ));
        // The same key id, another key: an update that brings its own.
        let other = |_: &str| Some(theirs.pk.to_base64());
        assert!(matches!(check_signature(folder.path(), HASH, &other), Signed::Bad { .. }));
    }

    #[test]
    fn what_is_missing_or_torn_is_named() {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let folder = signed(&pair, HASH);
        std::fs::remove_file(folder.path().join(KEY_FILE)).unwrap();
        let Signed::Unknown { reason } = check_signature(folder.path(), HASH, &|_| None) else {
            panic!()
        };
        assert!(reason.contains("kata-plugin.pub is not there"), "{reason}");
        std::fs::write(folder.path().join(SIGNATURE_FILE), "half").unwrap();
        let Signed::Bad { reason } = check_signature(folder.path(), HASH, &|_| None) else {
            panic!()
        };
        assert!(reason.contains("no minisign signature"), "{reason}");
        assert_eq!(check_signature(tempfile::tempdir().unwrap().path(), HASH, &|_| None), Signed::No);
    }
}
