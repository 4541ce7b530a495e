//! Writes the generated files below the given folder (the repository): `cargo xtask gen`.
use kata_protocol::generate;
use std::{error::Error, fs, path::PathBuf};

#[expect(clippy::disallowed_methods, reason = "generated files are written anew by the same command")]
fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::args().nth(1).ok_or("usage: gen REPOSITORY")?);
    let mut files = vec![
        ("ui/src/generated/protocol.ts".into(), generate::client_typescript()?),
        ("plugins/sdk/src/generated.ts".into(), generate::sdk_typescript()?),
    ];
    for (name, text) in generate::json_schemas() {
        files.push((format!("docs/schema/{name}"), text));
    }
    for (path, text) in files {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            fs::write(&path, text)?;
        }
    }
    Ok(())
}
