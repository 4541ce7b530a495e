//! Tells Tauri where things lie (the configuration is at the root, capabilities are beside the shell), and lets the shell
//! compile before the window was ever built.
//!
//! `cargo xtask` always builds the window first. Plain cargo in a fresh checkout gets a page that says so instead of an error.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a build script has nobody to report to but cargo"
)]

use std::{fs, path::Path};

const UNBUILT: &str = "<!doctype html><meta charset=utf-8><title>Kata Agents</title><!-- kata:window-not-built -->\
<p style=\"font:16px system-ui;margin:4em\">The window is not built yet. Run <code>cargo xtask run</code>.</p>\n";

fn main() {
    let page = Path::new("ui/dist/index.html");
    if !page.exists() {
        fs::create_dir_all("ui/dist").expect("ui/dist can be made");
        fs::write(page, UNBUILT).expect("ui/dist can be written");
    }
    let attributes = tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*");
    tauri_build::try_build(attributes).expect("tauri.conf.json and the capabilities are valid");
}
