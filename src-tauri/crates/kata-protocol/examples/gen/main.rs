//! Writes the generated files below the given folder (the repository): `cargo xtask gen`.

mod asyncapi;
mod reference;
mod shape;

use kata_protocol::generate;
use std::{error::Error, fs, path::PathBuf};

#[expect(clippy::disallowed_methods, reason = "generated files are written anew by the same command")]
fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::args().nth(1).ok_or("usage: gen REPOSITORY")?);
    let client = generate::client_typescript()?;
    let mut files = vec![
        ("clients/typescript/src/generated/protocol.ts".into(), client.clone()),
        ("ui/src/generated/protocol.ts".into(), client),
        ("plugins/sdk/src/generated.ts".into(), generate::sdk_typescript()?),
        ("clients/typescript/src/generated/contract.ts".into(), generate::sdk_typescript()?),
    ];
    for (name, text) in generate::json_schemas() {
        files.push((format!("docs/schema/{name}"), text));
    }
    let schemas = shape::Schemas::read(&generate::json_schemas())?;
    files.push(("docs/schema/gateway.asyncapi.json".into(), asyncapi::document(&schemas)?));
    files.push(("docs/gateway/protocol.md".into(), reference::protocol(&schemas)?));
    files.push(("docs/gateway/operations.md".into(), reference::operations(&schemas)?));
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
