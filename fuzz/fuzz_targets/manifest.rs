//! A plugin's manifest, from any bytes. It is read before any trust: no input may panic, hang or be taken without the checks
//! that its type promises; every refusal names a field and says what to write instead.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match kata_plugins::parse_manifest(text) {
        Ok(manifest) => {
            let id = manifest.id.as_str();
            assert!(
                !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{id}"
            );
            assert_eq!(manifest.api.split('.').next(), Some("1"));
            // What was read can be written and read again, and is the same.
            let written = serde_json::to_string(&manifest).expect("a manifest can be written");
            let again = kata_plugins::parse_manifest(&written).expect("what was written can be read");
            assert_eq!(manifest, again);
        }
        Err(error) => assert!(!error.field.is_empty() && !error.fix.is_empty(), "{error}"),
    }
});
