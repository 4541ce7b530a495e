//! `gateway.json`: how a client on this machine finds the gateway. Holds no token.

use kata_protocol::Ms;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayFile {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Process that wrote it.
    pub pid: u32,
    /// The boot's nonce; the welcome frame must say the same, or another program took the port.
    pub boot: String,
    /// Version of the program.
    pub version: String,
    /// When it began to listen.
    pub started_at: Ms,
}

/// What was found in the place of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundGateway {
    /// No file: nothing runs.
    Absent,
    /// A file whose process is gone: nothing runs.
    Stale(GatewayFile),
    /// A file whose process lives. Compare [`GatewayFile::boot`] with the welcome frame: a process id can be used again.
    Live(GatewayFile),
}

/// Why the file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum GatewayFileError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// File.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a gateway file.
    #[error("{path} is not a gateway file: {source}")]
    Damaged {
        /// File.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// Reads the file and says whether its process still lives.
pub fn read_gateway_file(path: &Path) -> Result<FoundGateway, GatewayFileError> {
    let Some(file) = read(path)? else { return Ok(FoundGateway::Absent) };
    Ok(if alive(file.pid) {
        FoundGateway::Live(file)
    } else {
        FoundGateway::Stale(file)
    })
}

fn read(path: &Path) -> Result<Option<GatewayFile>, GatewayFileError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(GatewayFileError::Io { path: path.into(), source }),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|source| GatewayFileError::Damaged { path: path.into(), source })
}

/// Replaces the file at once, readable by its owner only.
pub(crate) fn write(path: &Path, content: &GatewayFile) -> Result<(), GatewayFileError> {
    let io = |source| GatewayFileError::Io { path: path.into(), source };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io)?;
    // A temporary file is made with mode 0600, and a rename keeps it.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
    let text = serde_json::to_vec_pretty(content).map_err(|source| GatewayFileError::Damaged { path: path.into(), source })?;
    file.write_all(&text).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist(path).map_err(|e| io(e.error))?;
    Ok(())
}

/// Takes the file away if this boot wrote it; another boot's file stays.
pub(crate) fn remove(path: &Path, boot: &str) -> Result<(), GatewayFileError> {
    match read(path) {
        Ok(Some(file)) if file.boot == boot => fs::remove_file(path).map_err(|source| GatewayFileError::Io { path: path.into(), source }),
        Ok(_) | Err(GatewayFileError::Damaged { .. }) => Ok(()),
        Err(e) => Err(e),
    }
}

#[cfg(unix)]
fn alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    // A process of somebody else answers "not permitted", which is an answer of the living.
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

/// Elsewhere the connection tells.
#[cfg(not(unix))]
fn alive(_pid: u32) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(pid: u32, boot: &str) -> GatewayFile {
        GatewayFile {
            port: 18790,
            pid,
            boot: boot.into(),
            version: "0.1.0".into(),
            started_at: Ms(1),
        }
    }

    #[test]
    fn a_file_is_live_stale_absent_or_damaged() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("gateway.json");
        assert_eq!(read_gateway_file(&path).unwrap(), FoundGateway::Absent);
        write(&path, &sample(std::process::id(), "a")).unwrap();
        assert_eq!(
            read_gateway_file(&path).unwrap(),
            FoundGateway::Live(sample(std::process::id(), "a"))
        );
        // Larger than any process id of Linux and macOS.
        write(&path, &sample(0x7fff_fff0, "a")).unwrap();
        assert!(matches!(read_gateway_file(&path).unwrap(), FoundGateway::Stale(f) if f.port == 18790));
        fs::File::create(&path).unwrap().write_all(b"{").unwrap();
        assert!(matches!(read_gateway_file(&path), Err(GatewayFileError::Damaged { .. })));
    }

    #[test]
    fn only_the_boot_that_wrote_the_file_takes_it_away() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("gateway.json");
        write(&path, &sample(1, "ours")).unwrap();
        remove(&path, "theirs").unwrap();
        assert!(path.exists());
        remove(&path, "ours").unwrap();
        assert!(!path.exists());
        remove(&path, "ours").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("made/gateway.json");
        write(&path, &sample(1, "a")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
