//! Floor 2: session files and the only crate that names SQLite.
