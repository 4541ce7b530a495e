//! Packing and laying out: what is packed comes out the same, and a hostile archive leaves nothing outside its folder.

use flate2::Compression;
use flate2::write::GzEncoder;
use kata_plugins::{ArchiveError, Contents, lay_out, pack};
use std::io::Write;
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A `.tgz` with these entries, written as they are: the tar crate itself would refuse such paths.
    fn archive(&self, entries: &[(&str, EntryType, &[u8])]) -> PathBuf {
        let mut tar = Vec::new();
        for (path, kind, bytes) in entries {
            tar.extend(entry(path, *kind, bytes));
        }
        tar.extend([0; 1024]);
        self.write("hostile.tgz", &gz(&tar))
    }

    fn lay_out(&self, source: &Path) -> Result<PathBuf, ArchiveError> {
        lay_out(source, &self.path("into"))
    }
}

fn entry(path: &str, kind: EntryType, bytes: &[u8]) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_size(bytes.len() as u64);
    header.set_mode(0o777);
    header.set_cksum();
    let mut out = header.as_bytes().to_vec();
    out.extend(bytes);
    out.resize(out.len().div_ceil(512) * 512, 0);
    out
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn plugin(place: &Place) -> PathBuf {
    place.write("p/kata-plugin.json", br#"{ "id": "p", "name": "P", "version": "1", "api": "1" }"#);
    place.write("p/src/deep/a.ts", b"export const a = 1;");
    place.write("p/kata-plugin.minisig", b"a signature");
    place.write("p/node_modules/x/index.js", b"left out");
    place.write("p/.kata/kata-plugin-sdk.d.ts", b"left out");
    place.write("p/index.ts", b"export default () => {};").parent().unwrap().to_owned()
}

#[test]
fn what_is_packed_comes_out_with_the_same_hash_and_packing_twice_gives_the_same_bytes() {
    let place = Place::new();
    let folder = plugin(&place);
    let mut packed = Vec::new();
    pack(&folder, &mut packed).unwrap();
    let mut again = Vec::new();
    pack(&folder, &mut again).unwrap();
    assert_eq!(packed, again);
    let archive = place.write("p.tgz", &packed);
    let out = place.lay_out(&archive).unwrap();
    assert_eq!(out, place.path("into/package"));
    assert_eq!(Contents::read(&out).unwrap().hash(), Contents::read(&folder).unwrap().hash());
    assert_eq!(std::fs::read(out.join("kata-plugin.minisig")).unwrap(), b"a signature");
    assert!(!out.join("node_modules").exists() && !out.join(".kata").exists());
}

#[test]
fn what_is_no_part_of_a_plugin_is_not_laid_out_whoever_packed_it() {
    let place = Place::new();
    let archive = place.archive(&[
        ("package/index.ts", EntryType::Regular, b"x"),
        ("package/.kata/evil.ts", EntryType::Regular, b"out"),
        ("package/src/node_modules/x/index.js", EntryType::Regular, b"out"),
        ("package/src/.kata.ts", EntryType::Regular, b"a file of its own"),
    ]);
    let out = place.lay_out(&archive).unwrap();
    let files: Vec<_> = Contents::read(&out).unwrap().files().iter().map(|f| f.path.clone()).collect();
    assert_eq!(files, ["index.ts", "src/.kata.ts"]);
    assert!(!out.join(".kata/evil.ts").exists() && !out.join("src/node_modules").exists());
}

#[test]
fn a_folder_a_flat_archive_and_one_packed_by_npm_lay_out_alike() {
    let place = Place::new();
    let folder = plugin(&place);
    let hash = Contents::read(&folder).unwrap().hash().to_owned();
    let out = place.lay_out(&folder).unwrap();
    assert_eq!(
        (out.clone(), Contents::read(&out).unwrap().hash()),
        (place.path("into"), hash.as_str())
    );

    let place = Place::new();
    let mut tar = Builder::new(Vec::new());
    tar.append_dir_all("", &folder).unwrap();
    let archive = place.write("flat.tgz", &gz(&tar.into_inner().unwrap()));
    let out = place.lay_out(&archive).unwrap();
    assert!(out.join("index.ts").is_file() && out == place.path("into"));
}

#[test]
fn a_path_that_leads_out_ends_the_whole_and_nothing_is_written_there() {
    for path in ["../evil.ts", "/evil.ts", "package/../../evil.ts", "a/./../../evil.ts"] {
        let place = Place::new();
        let archive = place.archive(&[("index.ts", EntryType::Regular, b"x"), (path, EntryType::Regular, b"evil")]);
        let error = place.lay_out(&archive).unwrap_err();
        assert!(matches!(error, ArchiveError::LeadsOut(_)), "{path}: {error}");
        assert!(!place.path("evil.ts").exists() && !Path::new("/evil.ts").exists());
    }
    for path in ["a\\..\\evil.ts", "C:evil.ts", "a\u{1}b"] {
        let place = Place::new();
        let archive = place.archive(&[(path, EntryType::Regular, b"evil")]);
        assert!(matches!(place.lay_out(&archive).unwrap_err(), ArchiveError::Name(_)), "{path}");
    }
}

#[test]
fn links_devices_and_pipes_are_refused_by_name() {
    for (kind, word) in [
        (EntryType::Symlink, "link"),
        (EntryType::Link, "link"),
        (EntryType::Char, "device"),
        (EntryType::Block, "device"),
        (EntryType::Fifo, "pipe"),
    ] {
        let place = Place::new();
        let archive = place.archive(&[("index.ts", EntryType::Regular, b"x"), ("odd", kind, b"")]);
        let error = place.lay_out(&archive).unwrap_err().to_string();
        assert!(error.contains("“odd”") && error.contains(word), "{kind:?}: {error}");
        assert!(std::fs::symlink_metadata(place.path("into/odd")).is_err());
    }
}

/// A link that is followed by a file "in" it, the classic way out.
#[test]
fn a_file_below_a_link_is_never_reached() {
    let place = Place::new();
    let archive = place.archive(&[("d", EntryType::Symlink, b""), ("d/evil", EntryType::Regular, b"x")]);
    assert!(matches!(place.lay_out(&archive).unwrap_err(), ArchiveError::Kind { .. }));
}

#[test]
fn too_many_files_and_too_many_bytes_are_refused_before_they_fill_the_disk() {
    let place = Place::new();
    let names: Vec<String> = (0..5_001).map(|n| format!("f{n}")).collect();
    let entries: Vec<(&str, EntryType, &[u8])> = names.iter().map(|n| (n.as_str(), EntryType::Regular, b"".as_slice())).collect();
    let archive = place.archive(&entries);
    assert!(matches!(place.lay_out(&archive).unwrap_err(), ArchiveError::TooMany));

    // 65 MiB of zeros pack into 64 KiB.
    let place = Place::new();
    let zeros = vec![0; 33 << 20];
    let archive = place.archive(&[("a", EntryType::Regular, &zeros), ("b", EntryType::Regular, &zeros)]);
    assert!(std::fs::metadata(&archive).unwrap().len() < 1 << 20);
    assert!(matches!(place.lay_out(&archive).unwrap_err(), ArchiveError::TooLarge));

    // Bytes that belong to no file count as well.
    let place = Place::new();
    let archive = place.archive(&[
        ("g", EntryType::XGlobalHeader, &zeros),
        ("h", EntryType::XGlobalHeader, &zeros),
        ("k", EntryType::XGlobalHeader, &zeros),
    ]);
    assert!(matches!(place.lay_out(&archive).unwrap_err(), ArchiveError::TooLarge));
}

#[test]
fn a_name_twice_a_torn_archive_and_an_empty_one_are_refused() {
    let place = Place::new();
    let archive = place.archive(&[("a", EntryType::Regular, b"1"), ("./a", EntryType::Regular, b"2")]);
    assert!(matches!(place.lay_out(&archive).unwrap_err(), ArchiveError::Twice(_)));

    let place = Place::new();
    let whole = std::fs::read(place.archive(&[("a", EntryType::Regular, &[7; 4096])])).unwrap();
    let torn = place.write("torn.tgz", &whole[..whole.len() / 2]);
    assert!(matches!(place.lay_out(&torn).unwrap_err(), ArchiveError::Io { .. }));

    let place = Place::new();
    let archive = place.archive(&[]);
    assert!(matches!(place.lay_out(&archive).unwrap_err(), ArchiveError::Empty));
    let text = place.write("text.tgz", b"not an archive");
    assert!(lay_out(&text, &place.path("other")).is_err());
}

#[cfg(unix)]
#[test]
fn what_is_laid_out_is_private_whatever_the_archive_says() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let archive = place.archive(&[("src/index.ts", EntryType::Regular, b"x"), ("a", EntryType::Regular, b"x")]);
    let out = place.lay_out(&archive).unwrap();
    let mode = |path: &str| std::fs::metadata(out.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("src"), mode("src/index.ts")), (0o700, 0o600));
}
