//! What can be looked at without an engine: the home and its files, the machine, the program. Nothing is changed.

use super::machine::Machine;
use crate::life::background::{Desk, Launch};
use crate::life::reports::Reports;
use crate::secrets::Kept;
use crate::{Options, Secrets, SettingsFile};
use kata_gateway::{FoundGateway, read_gateway_file};
use kata_protocol::{Check, CheckOutcome, Ms};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

/// Less free space is a failure, and less than that a warning.
const SPACE: (u64, u64) = (100 << 20, 1 << 30);
/// Fewer files at once are too few for many channels.
const OPEN_FILES: u64 = 1024;
/// Fewer watched folders are too few for workspaces with many files.
const WATCHES: u64 = 8192;
/// 1 January 2026: no version is older.
const BUILT: Ms = Ms(1_767_225_600_000);
/// A crash is news for a day, milliseconds.
const DAY: u64 = 24 * 3600 * 1000;

/// Everything that can be looked at without an engine. Blocks: the database is read whole.
pub fn of_a_home(options: &Options) -> Vec<Check> {
    let machine = Machine::this(&options.home);
    let login = crate::life::operations::launch(options).ok().zip(Desk::of_this_machine());
    let mut checks = home(&options.home, &machine);
    checks.extend(files(options, &machine));
    checks.extend(surroundings(&machine));
    checks.push(sandbox(kata_tools::Sandbox::default().lacks()));
    checks.extend(login.map(|(launch, desk)| login_start(&desk, &launch)));
    checks.push(program(options));
    checks
}

pub(super) fn check(id: &str, title: &str, outcome: CheckOutcome, detail: impl Into<String>, mend: Option<String>) -> Check {
    Check {
        id: id.into(),
        title: title.into(),
        outcome,
        detail: detail.into(),
        mend,
    }
}

pub(super) fn ok(id: &str, title: &str, detail: impl Into<String>) -> Check {
    check(id, title, CheckOutcome::Ok, detail, None)
}

/// The folder, who may read it, and whether it takes what is written.
fn home(home: &Path, machine: &Machine) -> Vec<Check> {
    let (folder, title) = (home.display(), "Home folder");
    if !home.is_dir() {
        let mend = Some(format!(
            "start Kata Agents once, or name another home: kata --home PATH doctor ({folder} is not there)"
        ));
        return vec![check(
            "home.folder",
            title,
            CheckOutcome::Failed,
            format!("{folder} is no folder"),
            mend,
        )];
    }
    let mut checks = vec![match mode(home) {
        Some(mode) if mode & 0o077 != 0 => check(
            "home.folder",
            title,
            CheckOutcome::Failed,
            format!("others on this machine may look into {folder} (mode {mode:o})"),
            Some(format!("chmod 700 '{folder}'")),
        ),
        _ => ok("home.folder", title, format!("{folder}, yours alone")),
    }];
    let open = open_files(home);
    checks.push(match open.as_slice() {
        [] => ok("home.files", "Private files", "nobody else may read them"),
        [first, ..] => check(
            "home.files",
            "Private files",
            CheckOutcome::Failed,
            format!("others on this machine may read {} file(s), {first} among them", open.len()),
            Some(format!(
                "chmod 600 {}",
                open.iter().map(|f| format!("'{f}'")).collect::<Vec<_>>().join(" ")
            )),
        ),
    });
    checks.push(match tempfile_in(home) {
        Ok(()) => ok("disk.write", "Writing", "the home takes what is written"),
        Err(error) => check(
            "disk.write",
            "Writing",
            CheckOutcome::Failed,
            format!("nothing can be written in {folder}: {error}"),
            Some(format!("make room, or make the folder yours: sudo chown -R \"$USER\" '{folder}'")),
        ),
    });
    checks.extend((machine.free)(home).map(|free| {
        let words = format!("{} MB free", free >> 20);
        let outcome = match free {
            free if free < SPACE.0 => CheckOutcome::Failed,
            free if free < SPACE.1 => CheckOutcome::Warning,
            _ => return ok("disk.space", "Free space", words),
        };
        let mend = Some(format!(
            "make room on that disk; what Kata Agents has: du -sh '{folder}'/*; and see `kata hygiene preview`"
        ));
        check("disk.space", "Free space", outcome, words, mend)
    }));
    checks
}

/// Files in the home that hold something private and that others may read.
fn open_files(home: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(home).into_iter().flatten().flatten().map(|entry| entry.path());
    let private = |path: &std::path::PathBuf| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let known = [
            "kata.db",
            "settings",
            "secrets.",
            "gateway.json",
            "credentials",
            "config.json",
            "sessions.wal",
        ];
        path.is_file() && known.iter().any(|k| name.starts_with(k)) && mode(path).is_some_and(|mode| mode & 0o077 != 0)
    };
    let mut files: Vec<String> = entries.filter(private).map(|path| path.display().to_string()).collect();
    files.sort();
    files
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(path.metadata().ok()?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

fn tempfile_in(home: &Path) -> std::io::Result<()> {
    let path = home.join(format!(".doctor-{}", std::process::id()));
    std::fs::File::create(&path).and_then(|mut file| std::io::Write::write_all(&mut file, b"x"))?;
    std::fs::remove_file(path)
}

/// Settings, database, secrets, the engine's own files.
fn files(options: &Options, machine: &Machine) -> Vec<Check> {
    let home = &options.home;
    let mut checks = vec![settings(home), database(home), secrets(options)];
    checks.extend(gateway(options));
    checks.push(crashes(home, machine.now));
    checks
}

fn settings(home: &Path) -> Check {
    let (id, title) = ("settings.file", "Settings");
    match SettingsFile::look(home) {
        Ok(Some(_)) => ok(id, title, "settings.json can be read"),
        Ok(None) => ok(id, title, "none yet; the defaults are in force"),
        Err(reason) => check(
            id,
            title,
            CheckOutcome::Failed,
            format!("settings.json cannot be read: {reason}"),
            Some(format!(
                "mend {}; until then the settings of the last good start are in force",
                home.join("settings.json").display()
            )),
        ),
    }
}

fn database(home: &Path) -> Check {
    let (id, title, path) = ("store.database", "Message store", home.join("kata.db"));
    match kata_store::SqliteStore::look(&path) {
        Ok(None) => ok(id, title, "none yet; the first start makes it"),
        Ok(Some(pages)) => ok(id, title, format!("sound, {pages} pages")),
        Err(error) => check(
            id,
            title,
            CheckOutcome::Failed,
            error.to_string(),
            Some("stop Kata Agents (kata stop) and start it: it sets a damaged store aside, whole, and makes a fresh one; sessions are in files of their own".into()),
        ),
    }
}

fn secrets(options: &Options) -> Check {
    let (id, title) = ("secrets.store", "Secrets");
    match Secrets::look(&options.home, options.secrets_in_file) {
        Kept::Keychain(name) => ok(id, title, format!("{name} answers")),
        Kept::File if options.secrets_in_file => ok(id, title, "in an encrypted file, as asked for"),
        Kept::File => check(
            id,
            title,
            CheckOutcome::Warning,
            "no keychain answers; secrets are in an encrypted file with its key beside it",
            Some("unlock or install one (Debian: sudo apt-get install gnome-keyring), then restart".into()),
        ),
        Kept::Damaged(path) => check(
            id,
            title,
            CheckOutcome::Failed,
            format!("{} cannot be read with the key beside it", path.display()),
            Some("put both files back from one backup, or start Kata Agents: it sets the file aside and asks for keys again".into()),
        ),
    }
}

fn gateway(options: &Options) -> Vec<Check> {
    let (id, title, path) = ("gateway.file", "Running engine", options.home.join("gateway.json"));
    let settings = SettingsFile::look(&options.home)
        .ok()
        .flatten()
        .and_then(|settings| settings.gateway.port);
    let wanted = options.port.or(settings).unwrap_or_else(Options::default_port);
    match read_gateway_file(&path) {
        Ok(FoundGateway::Live(file)) => {
            let mut checks = vec![if file.version == env!("CARGO_PKG_VERSION") {
                ok(id, title, format!("process {} on port {}", file.pid, file.port))
            } else {
                check(
                    id,
                    title,
                    CheckOutcome::Warning,
                    format!("version {} runs, and this is {}", file.version, env!("CARGO_PKG_VERSION")),
                    Some("kata restart".into()),
                )
            }];
            checks.push(if wanted == 0 || file.port == wanted {
                ok("gateway.port", "Port", format!("{} is ours", file.port))
            } else {
                check(
                    "gateway.port",
                    "Port",
                    CheckOutcome::Warning,
                    format!("another program has port {wanted}; the gateway took {}", file.port),
                    Some(format!(
                        "end what `ss -ltnp 'sport = :{wanted}'` shows, then kata restart; or set another: KATA_PORT"
                    )),
                )
            });
            checks
        }
        Ok(FoundGateway::Stale(file)) => vec![
            check(
                id,
                title,
                CheckOutcome::Warning,
                format!("the engine ended without taking gateway.json away (process {} is gone)", file.pid),
                Some("start the app, or `kata serve`; it writes the file anew".into()),
            ),
            free_port(wanted),
        ],
        Ok(FoundGateway::Absent) => vec![ok(id, title, "none runs"), free_port(wanted)],
        Err(error) => vec![
            check(
                id,
                title,
                CheckOutcome::Failed,
                error.to_string(),
                Some(format!("rm '{}', then start again", path.display())),
            ),
            free_port(wanted),
        ],
    }
}

fn free_port(port: u16) -> Check {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => ok("gateway.port", "Port", "free"),
        Err(error) => check(
            "gateway.port",
            "Port",
            CheckOutcome::Warning,
            format!("port {port} cannot be had ({error}); the next free one would be taken"),
            Some(format!("end what `ss -ltnp 'sport = :{port}'` shows, or set another: KATA_PORT")),
        ),
    }
}

fn crashes(home: &Path, now: Ms) -> Check {
    let (id, title) = ("crashes.recent", "Unexpected ends");
    let reports = Reports::open(&crate::life::folder(home)).list();
    let fresh: Vec<_> = reports.iter().filter(|r| !r.seen && now.0.saturating_sub(r.at.0) < DAY).collect();
    match fresh.as_slice() {
        [] => ok(id, title, "none that you have not seen"),
        [newest, ..] => check(
            id,
            title,
            CheckOutcome::Warning,
            format!(
                "{} within a day, the newest at {}",
                fresh.len(),
                newest.place.as_deref().unwrap_or("an unknown place")
            ),
            Some(format!("kata crashes show {}", newest.id)),
        ),
    }
}

/// Clock, certificates, limits.
fn surroundings(machine: &Machine) -> Vec<Check> {
    let mut checks = vec![clock(machine)];
    checks.push(match machine.authorities() {
        None => ok("network.certificates", "Certificates", "those of the system"),
        Some(count) if count > 0 => ok("network.certificates", "Certificates", format!("{count} authorities are known")),
        Some(_) => check(
            "network.certificates",
            "Certificates",
            CheckOutcome::Failed,
            "this machine knows no authority, so no server can be trusted",
            Some("sudo apt-get install ca-certificates".into()),
        ),
    });
    checks.extend(machine.open_files.map(|limit| {
        if limit >= OPEN_FILES {
            return ok("machine.files", "Open files", format!("{limit} at once"));
        }
        check(
            "machine.files",
            "Open files",
            CheckOutcome::Warning,
            format!("only {limit} at once; many channels and clients need more"),
            Some("ulimit -n 4096 in the shell that starts it; for good: /etc/security/limits.conf".into()),
        )
    }));
    checks.extend(machine.watches.map(|limit| {
        if limit >= WATCHES {
            return ok("machine.watches", "Watched folders", format!("up to {limit}"));
        }
        check(
            "machine.watches",
            "Watched folders",
            CheckOutcome::Warning,
            format!("only {limit}; a change of a plugin's file may be noticed late"),
            Some("echo fs.inotify.max_user_watches=524288 | sudo tee /etc/sysctl.d/60-inotify.conf && sudo sysctl --system".into()),
        )
    }));
    checks
}

fn clock(machine: &Machine) -> Check {
    let (id, title) = ("machine.clock", "Clock");
    let mend = || Some("timedatectl set-ntp true (Linux), or switch the automatic time on".into());
    if machine.now < BUILT {
        return check(
            id,
            title,
            CheckOutcome::Failed,
            "it is before this program was made: certificates and times are wrong",
            mend(),
        );
    }
    match machine.newest_file {
        Some(newest) if newest.0 > machine.now.0 + DAY => check(
            id,
            title,
            CheckOutcome::Failed,
            "files of the home are from the future: the clock was set back by more than a day",
            mend(),
        ),
        _ => ok(id, title, "plausible"),
    }
}

/// Whether commands can be shut in.
pub(super) fn sandbox(lacks: Option<String>) -> Check {
    let (id, title) = ("commands.sandbox", "Sandbox");
    match lacks {
        None => ok(id, title, "commands of the agent are shut in"),
        Some(why) => check(
            id,
            title,
            CheckOutcome::Warning,
            format!("commands cannot be shut in: {why}; mode safe runs none, the others ask"),
            Some("sudo apt-get install bubblewrap (Linux)".into()),
        ),
    }
}

/// Whether what starts at login is there.
pub(super) fn login_start(desk: &Desk, launch: &Launch) -> Check {
    let (id, title, status) = ("login.start", "Start at login", desk.status(launch));
    if let Some(program) = desk.started_program(launch).filter(|program| status.at_login && !program.exists()) {
        return check(
            id,
            title,
            CheckOutcome::Failed,
            format!("what is started at login is gone: {}", program.display()),
            Some("kata background on".into()),
        );
    }
    match (status.at_login, status.reason, status.restarts) {
        (true, Some(reason), _) => check(
            id,
            title,
            CheckOutcome::Warning,
            reason,
            Some("kata background off && kata background on".into()),
        ),
        (true, None, false) => ok(id, title, "on; nobody starts it again after a crash"),
        (true, None, true) => ok(
            id,
            title,
            format!("on, by {}; started again after a crash", status.by.unwrap_or_default()),
        ),
        (false, _, _) => ok(id, title, "off (`kata background on`)"),
    }
}

/// What comes with the program.
fn program(options: &Options) -> Check {
    let (id, title) = ("program.files", "Program");
    let there = |folder: &Option<std::path::PathBuf>| {
        folder
            .as_ref()
            .is_some_and(|f| std::fs::read_dir(f).is_ok_and(|mut d| d.next().is_some()))
    };
    let version = env!("CARGO_PKG_VERSION");
    if !there(&options.plugins_dir) {
        let detail = "the bundled plugins are not beside it: no channel and no service can run";
        return check(
            id,
            title,
            CheckOutcome::Failed,
            detail,
            Some("install Kata Agents again, or name their folder: KATA_PLUGINS_DIR".into()),
        );
    }
    if !there(&options.ui_dir) {
        let detail = "the pages of the window are not beside it: a browser gets none";
        return check(
            id,
            title,
            CheckOutcome::Warning,
            detail,
            Some("install Kata Agents again, or name their folder: KATA_UI_DIR".into()),
        );
    }
    ok(id, title, format!("version {version}, complete"))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
