//! The first and the last thing of a process around an update: has this version shown that it works, and if not, the way back.
//!
//! A new version is watched twice. In itself: a thread that goes back when the engine is not ready in time. From outside: a guard,
//! which is the version before, run from its own file that the swap has replaced; it goes back when the new one ends or hangs, and
//! ends as soon as the matter is settled. After a power cut there is no guard, and the note on the shelf counts the starts.
//! Deliberately absent: the engine, the display, anything a new version could break on before this has run.

use super::package;
use kata_engine::updates::{AtStart, Pending, Shelf};
use kata_protocol::Ms;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time a new version has to become ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Time the guard gives it beyond that.
const GRACE: Duration = Duration::from_secs(20);
/// First argument of the guard: the next one is the process it watches.
const GUARD: &str = "--guard-update";
/// The guard, once it stands by itself.
const GUARD_ALONE: &str = "--guard-update-alone";

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
static PROOF: OnceLock<(SyncSender<()>, Pending)> = OnceLock::new();

/// What a start has to do about an update.
pub(crate) enum Start {
    /// The process ends with this code.
    End(ExitCode),
    /// It goes on, and the version has nothing to show.
    Plain,
    /// It goes on, watched; see [`watch`].
    Prove(Shelf, Pending),
}

/// Looks whether this start has to do with an update; before anything else, and while there is one thread.
pub(crate) fn at_start(home: &Path, version: &str) -> Start {
    let _ = PROGRAM.set(program());
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some(GUARD), Some(pid)) => return Start::End(stand_alone(&pid)),
        (Some(GUARD_ALONE), Some(pid)) => return Start::End(guard(home, &pid)),
        _ => {}
    }
    let shelf = Shelf::of(home);
    if shelf.pending().is_none() {
        return Start::Plain;
    }
    // Whoever is going back holds it; what is installed afterwards may be another version than this one.
    let lock = Lock::take(&shelf);
    if lock.as_ref().is_some_and(|lock| lock.waited) && shelf.pending().is_none() {
        drop(lock);
        return begin_again(None).map_or(Start::Plain, |e| Start::End(say(&format!("{}: {e}", path().display()))));
    }
    match shelf.at_start(version, now()) {
        AtStart::Plain => Start::Plain,
        AtStart::Prove(pending) => Start::Prove(shelf, pending),
        AtStart::GoBack(pending) => {
            let words = format!("Version {} ended before it was ready each time it was started", pending.to);
            go_back(&shelf, &pending, &words);
            drop(lock);
            begin_again(None).map_or(Start::Plain, |e| Start::End(say(&format!("{}: {e}", path().display()))))
        }
    }
}

/// The engine stands and its gateway answers: a new version has shown that it works.
pub(crate) fn ready() -> Option<Pending> {
    let (proof, pending) = PROOF.get()?;
    proof.try_send(()).is_ok().then(|| pending.clone())
}

/// In the version that is about to be replaced: has it watched from outside. Without one the note alone holds.
pub(crate) fn set_guard() {
    if !cfg!(target_os = "linux") {
        return;
    }
    // The file of this program may have been replaced; this is it all the same (proc_pid_exe(5)).
    let mut command = Command::new("/proc/self/exe");
    command.args([GUARD, &std::process::id().to_string()]).stdin(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => {}
        other => tracing::warn!(?other, "the new version is watched by itself alone"),
    }
}

/// Begins again as the program that is installed now, in this process, with the arguments it had; `hidden` says whether without a
/// window, where that is known. Comes back only with an error.
pub(crate) fn begin_again(hidden: Option<bool>) -> Option<std::io::Error> {
    let mut command = Command::new(path());
    let kept = |argument: &std::ffi::OsString| !(hidden.is_some() && argument == "--hidden");
    command.args(std::env::args_os().skip(1).filter(kept));
    if hidden == Some(true) {
        command.arg("--hidden");
    }
    replace_process(command)
}

#[cfg(unix)]
fn replace_process(mut command: Command) -> Option<std::io::Error> {
    // The same process for whoever supervises it.
    Some(std::os::unix::process::CommandExt::exec(&mut command))
}

#[cfg(not(unix))]
fn replace_process(mut command: Command) -> Option<std::io::Error> {
    command.spawn().err()
}

/// Goes back when the version is not ready in time. A thread of its own: whatever hangs in the rest of the program does not hang here.
pub(crate) fn watch(shelf: Shelf, pending: Pending) {
    let (proof, proven) = sync_channel(1);
    let _ = PROOF.set((proof, pending.clone()));
    let limit = patience();
    let watched = std::thread::Builder::new().name("kata-update".into()).spawn(move || {
        if proven.recv_timeout(limit).is_ok() {
            return;
        }
        let lock = Lock::take(&shelf);
        if shelf.pending().is_some() {
            let words = format!("Version {} did not become ready within {} seconds", pending.to, limit.as_secs());
            go_back(&shelf, &pending, &words);
        }
        drop(lock);
        if let Some(error) = begin_again(None) {
            tracing::error!(%error, "the version before did not start");
        }
    });
    if let Err(error) = watched {
        tracing::error!(%error, "the new version is not watched from within");
    }
}

/// Puts the version before back and keeps how that went.
fn go_back(shelf: &Shelf, pending: &Pending, why: &str) {
    let back = match pending.kind.as_str() {
        "deb" | "rpm" if pending.way_back.is_file() => package::install(&pending.kind, &pending.way_back).map_err(|e| e.to_string()),
        "file" => package::replace_file(&path(), &pending.way_back).map_err(|e| e.to_string()),
        "folder" => put_folder_back(pending).map_err(|e| e.to_string()),
        _ => Err("no package of it was kept".to_owned()),
    };
    let store = back.as_ref().ok().map(|()| shelf.put_store_back(pending));
    if let Some(Err(error)) = &store {
        tracing::error!(%error, "the store of messages was not put back");
    }
    let words = match &back {
        Ok(()) if matches!(store, Some(Ok(true))) => format!(
            "{why}, and had changed the store of messages; the one from before the update is in its place, the other lies beside it. Version {} runs again.",
            pending.from
        ),
        Ok(()) => format!("{why}. Version {} runs again.", pending.from),
        Err(error) => format!(
            "{why}, and version {} could not be put back ({error}). Install it by hand: {}",
            pending.from,
            pending.way_back.display()
        ),
    };
    tracing::error!("{words}");
    if let Err(error) = shelf.settle(&pending.ended(now(), false, words)) {
        tracing::error!(%error, "how the update ended could not be kept");
    }
}

/// macOS: the application's folder is moved aside, and the one that was kept takes its place.
fn put_folder_back(pending: &Pending) -> std::io::Result<()> {
    let program = path();
    let Some(target) = program.ancestors().find(|path| path.extension().is_some_and(|e| e == "app")) else {
        return Err(std::io::Error::other("the application's folder is not known"));
    };
    let aside = target.with_extension("app.failed");
    let _ = std::fs::remove_dir_all(&aside);
    std::fs::rename(target, &aside)?;
    let copied = Command::new("/usr/bin/ditto").arg(&pending.way_back).arg(target).status();
    match copied {
        Ok(status) if status.success() => {
            let _ = std::fs::remove_dir_all(&aside);
            Ok(())
        }
        other => {
            let _ = std::fs::rename(&aside, target);
            Err(std::io::Error::other(format!("ditto: {other:?}")))
        }
    }
}

/// Leaves the process that started it, so that nobody has to wait for the guard.
fn stand_alone(pid: &str) -> ExitCode {
    let mut command = Command::new("/proc/self/exe");
    command
        .args([GUARD_ALONE, pid])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    match command.spawn() {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Watches the new version until the matter is settled.
fn guard(home: &Path, pid: &str) -> ExitCode {
    let shelf = Shelf::of(home);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    let ended = runtime.block_on(watch_from_outside(&shelf, pid));
    let Some((pending, why)) = ended else { return ExitCode::SUCCESS };
    let lock = Lock::take(&shelf);
    if shelf.pending().is_none() {
        return ExitCode::SUCCESS;
    }
    go_back(&shelf, &pending, &why);
    drop(lock);
    // systemd starts its unit again by itself, once we are gone.
    if std::env::var_os("INVOCATION_ID").is_some() {
        return ExitCode::SUCCESS;
    }
    let mut command = Command::new(path());
    command.arg("--hidden");
    replace_process(command).map_or(ExitCode::SUCCESS, |e| say(&e.to_string()))
}

/// What happened to the new version, once something did; nothing when it has shown that it works.
async fn watch_from_outside(shelf: &Shelf, pid: &str) -> Option<(Pending, String)> {
    // systemd asks what is left of a unit to end before it starts it again; the way back is finished first.
    #[cfg(unix)]
    let _deaf = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    let began = Instant::now();
    let limit = patience() + GRACE;
    let mut look = tokio::time::interval(Duration::from_millis(200));
    loop {
        look.tick().await;
        let pending = shelf.pending()?;
        if !is_alive(pid) {
            let words = format!("Version {} ended before it was ready", pending.to);
            return Some((pending, words));
        }
        if began.elapsed() > limit {
            let words = format!("Version {} did not become ready within {} seconds", pending.to, limit.as_secs());
            let _ = Command::new("kill").args(["-KILL", pid]).status();
            return Some((pending, words));
        }
    }
}

/// Whether a process lives; one that has ended and that nobody has taken note of does not.
fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// One goes back at a time.
struct Lock {
    _file: std::fs::File,
    waited: bool,
}

impl Lock {
    fn take(shelf: &Shelf) -> Option<Self> {
        let file = std::fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(shelf.lock())
            .ok()?;
        let waited = file.try_lock().is_err();
        if waited {
            file.lock().ok()?;
        }
        Some(Self { _file: file, waited })
    }
}

/// In debug builds a test may be less patient.
fn patience() -> Duration {
    let shorter = std::env::var("KATA_UPDATE_PATIENCE").ok().and_then(|text| text.parse().ok());
    match shorter {
        Some(seconds) if cfg!(debug_assertions) => Duration::from_secs(seconds),
        _ => READY_WITHIN,
    }
}

/// In debug builds: the version that a package gives its program, so that tests of updates need not compile each.
#[cfg(debug_assertions)]
pub(crate) fn version_of_the_package() -> Option<String> {
    let place = program().parent()?.join("../lib/Kata Agents/bundled/version");
    std::fs::read_to_string(place).ok().map(|text| text.trim().to_owned())
}

/// The program's own path, as it was before anything replaced the file.
pub(crate) fn path() -> PathBuf {
    PROGRAM.get().cloned().unwrap_or_else(program)
}

fn program() -> PathBuf {
    if let Some(image) = std::env::var_os("APPIMAGE") {
        return image.into();
    }
    let program = std::env::current_exe().unwrap_or_default();
    // Linux says so of a file that was replaced.
    match program.to_string_lossy().strip_suffix(" (deleted)") {
        Some(path) => path.into(),
        None => program,
    }
}

pub(crate) fn now() -> Ms {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[allow(clippy::print_stderr, reason = "there is no log yet")]
fn say(words: &str) -> ExitCode {
    eprintln!("{words}");
    ExitCode::FAILURE
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ended_is_not_alive_also_while_nobody_took_note() {
        assert!(is_alive(&std::process::id().to_string()));
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id().to_string();
        assert!(is_alive(&pid));
        child.kill().unwrap();
        let began = Instant::now();
        while is_alive(&pid) {
            assert!(began.elapsed() < Duration::from_secs(10));
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(!is_alive("no process"));
    }

    #[tokio::test]
    async fn the_guard_ends_when_the_matter_is_settled_and_speaks_up_when_the_new_version_ends() {
        let home = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(home.path());
        let pending = Pending {
            from: "1.0.0".into(),
            to: "2.0.0".into(),
            began: Ms(1),
            starts: 1,
            way_back: home.path().join("old.deb"),
            kind: "deb".into(),
        };
        shelf.promise(&pending).unwrap();
        let (_, words) = watch_from_outside(&shelf, "0").await.unwrap();
        assert_eq!(words, "Version 2.0.0 ended before it was ready");
        shelf.settle(&pending.ended(Ms(2), true, "Version 2.0.0 runs.".into())).unwrap();
        assert_eq!(watch_from_outside(&shelf, &std::process::id().to_string()).await, None);
    }
}
