//! `latest`: the list of a release, from a folder of signed packages; the format of Tauri's updater (its “static JSON file”).
//!
//! Neighbour: `src-tauri/src/update/server.rs` has the updater read `tests/fixtures/latest.json`, which a test here writes from the
//! same code. Deliberately absent: uploading.

use crate::process::{Failure, command, output};
use std::fs;
use std::path::Path;

/// A package that is offered.
struct Offer {
    target: &'static str,
    name: String,
    signature: String,
}

/// Beginnings and endings of file names, and whom they are for. The first that fits counts.
const TARGETS: &[(&str, &[&str])] = &[
    ("_amd64.deb", &["linux-x86_64-deb"]),
    ("_arm64.deb", &["linux-aarch64-deb"]),
    (".x86_64.rpm", &["linux-x86_64-rpm"]),
    (".aarch64.rpm", &["linux-aarch64-rpm"]),
    ("_amd64.AppImage", &["linux-x86_64-appimage"]),
    ("_aarch64.AppImage", &["linux-aarch64-appimage"]),
    (".app.tar.gz", &["darwin-x86_64-app", "darwin-aarch64-app"]),
    ("_x64-setup.exe", &["windows-x86_64-nsis"]),
    ("_x64_en-US.msi", &["windows-x86_64-msi"]),
];

/// `cargo xtask latest FOLDER --url ADDRESS [--version V] [--notes FILE] [--beta]`: writes `latest.json` and `latest-beta.json` into
/// the folder; with `--beta` only the second. Who takes versions before a release gets releases, too.
pub(crate) fn command_line(root: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let mut words = arguments.iter();
    let (mut folder, mut url, mut version, mut notes, mut beta) = (None, None, None, None, false);
    while let Some(word) = words.next() {
        match *word {
            "--url" => url = words.next(),
            "--version" => version = words.next(),
            "--notes" => notes = words.next(),
            "--beta" => beta = true,
            _ => folder = Some(word),
        }
    }
    let (Some(folder), Some(url)) = (folder, url) else {
        return Err(Failure::new(
            "cargo xtask latest FOLDER --url https://… [--version V] [--notes FILE] [--beta]",
        ));
    };
    let version = match version {
        Some(version) => (*version).to_owned(),
        None => crate::package::version_of(&fs::read_to_string(root.join("tauri.conf.json"))?)?,
    };
    let notes = notes.map(fs::read_to_string).transpose()?.unwrap_or_default();
    let date = output(&mut command(root, "date -u +%Y-%m-%dT%H:%M:%SZ")).ok_or_else(|| Failure::new("`date` did not say when"))?;
    let folder = root.join(folder);
    let text = list(&folder, url, &version, &notes, date.trim())?;
    let names: &[&str] = if beta {
        &["latest-beta.json"]
    } else {
        &["latest.json", "latest-beta.json"]
    };
    for name in names {
        put(&folder.join(name), &text)?;
        println!("{}", folder.join(name).display());
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a release's file; whoever was cut off makes it again")]
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    Ok(fs::write(path, text)?)
}

/// The list of what lies signed in a folder.
pub(crate) fn list(folder: &Path, url: &str, version: &str, notes: &str, date: &str) -> Result<String, Failure> {
    let mut offers = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(package) = name.strip_suffix(".sig") else { continue };
        let Some((_, targets)) = TARGETS.iter().find(|(ending, _)| package.ends_with(ending)) else {
            return Err(Failure::new(format!("{package}: it is not known for which system this is")));
        };
        if !folder.join(package).is_file() {
            return Err(Failure::new(format!("{package} is not there, only its signature")));
        }
        let signature = fs::read_to_string(entry.path())?.trim().to_owned();
        let signed = signed_version(&signature);
        if signed.as_deref() != Some(version) {
            let signed = signed.unwrap_or_else(|| "no version".into());
            return Err(Failure::new(format!(
                "{package} was signed for {signed}, not for {version}; the updater would refuse it"
            )));
        }
        offers.extend(targets.iter().map(|target| Offer {
            target,
            name: package.to_owned(),
            signature: signature.clone(),
        }));
    }
    if offers.is_empty() {
        return Err(Failure::new(format!("no signed package lies in {}", folder.display())));
    }
    offers.sort_by(|a, b| a.target.cmp(b.target));
    let url = url.trim_end_matches('/');
    let platforms: Vec<_> = offers
        .iter()
        .map(|offer| {
            format!(
                "    {}: {{\n      \"signature\": {},\n      \"url\": {}\n    }}",
                quoted(offer.target),
                quoted(&offer.signature),
                quoted(&format!("{url}/{}", offer.name.replace(' ', "%20")))
            )
        })
        .collect();
    Ok(format!(
        "{{\n  \"version\": {},\n  \"notes\": {},\n  \"pub_date\": {},\n  \"platforms\": {{\n{}\n  }}\n}}\n",
        quoted(version),
        quoted(notes.trim()),
        quoted(date),
        platforms.join(",\n")
    ))
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The version in a signature's trusted comment (`version:1.2.3`, fields with tabs between them).
fn signed_version(signature: &str) -> Option<String> {
    let text = String::from_utf8(decoded(signature)?).ok()?;
    let comment = text.lines().find_map(|line| line.strip_prefix("trusted comment: "))?;
    comment
        .split('\t')
        .find_map(|field| field.strip_prefix("version:"))
        .map(str::to_owned)
}

/// Base64 (RFC 4648), as the signer writes its files.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for c in text.trim().trim_end_matches('=').bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    /// A signature of `tauri signer sign --app-version 0.2.0`, made with a key that is thrown away.
    const SIGNATURE: &str = include_str!("../../tests/fixtures/update-0.2.0.sig");

    fn folder(name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("kata-latest-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_release_lists_each_signed_package_for_its_system_as_the_updater_reads_it() {
        let files = [
            ("kata-agents_0.2.0_amd64.deb", "deb"),
            ("kata-agents_0.2.0_amd64.deb.sig", SIGNATURE),
            ("kata-agents-0.2.0-1.x86_64.rpm", "rpm"),
            ("kata-agents-0.2.0-1.x86_64.rpm.sig", SIGNATURE),
            ("Kata Agents.app.tar.gz", "app"),
            ("Kata Agents.app.tar.gz.sig", SIGNATURE),
            ("Kata Agents_0.2.0_x64-setup.exe", "exe"),
            ("Kata Agents_0.2.0_x64-setup.exe.sig", SIGNATURE),
            ("checksums.txt", "not offered"),
        ];
        let folder = folder("good", &files);
        let notes = "## News\n\n- “Quoted” and \"quoted\".\n";
        let text = list(&folder, "https://example.com/v0.2.0/", "0.2.0", notes, "2026-11-26T18:00:00Z").unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let golden = crate::repository().join("tests/fixtures/latest.json");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&golden, &text).unwrap();
        }
        assert_eq!(
            fs::read_to_string(golden).unwrap(),
            text,
            "UPDATE_FIXTURES=1 writes it anew; then the shell's test reads it"
        );
    }

    #[test]
    fn a_package_that_was_signed_for_another_version_is_not_offered() {
        let folder = folder("other", &[("a_amd64.deb", "deb"), ("a_amd64.deb.sig", SIGNATURE)]);
        let refused = list(&folder, "https://example.com", "0.3.0", "", "").unwrap_err().to_string();
        fs::remove_dir_all(&folder).unwrap();
        assert!(refused.contains("signed for 0.2.0, not for 0.3.0"), "{refused}");
    }

    #[test]
    fn an_unknown_system_a_missing_package_and_an_empty_folder_are_refused() {
        for (name, files) in [
            ("system", vec![("a.pkg", ""), ("a.pkg.sig", SIGNATURE)]),
            ("missing", vec![("a_amd64.deb.sig", SIGNATURE)]),
            ("empty", vec![("a_amd64.deb", "")]),
        ] {
            let folder = folder(name, &files);
            assert!(list(&folder, "https://example.com", "0.2.0", "", "").is_err(), "{name}");
            fs::remove_dir_all(&folder).unwrap();
        }
    }

    #[test]
    fn base64_is_read_as_it_is_written() {
        assert_eq!(decoded("aGVsbG8=").unwrap(), b"hello");
        assert_eq!(decoded("aGk=").unwrap(), b"hi");
        assert_eq!(decoded("*"), None);
    }
}
