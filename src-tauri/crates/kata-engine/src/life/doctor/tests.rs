//! Each check finds what was broken for it, and nothing where all is well.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use super::super::inside;
use super::*;
use crate::life::background::Starts;
use kata_protocol::{PluginSummary, RunState, SourceId, SourceKind, SourceSummary, Status, UserAction};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.mode("", 0o700);
        home
    }
    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }
    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        self.mode(name, 0o600);
        path
    }
    fn mode(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.0.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    fn options(&self) -> Options {
        Options {
            home: self.path(),
            port: Some(0),
            ui_dir: None,
            plugins_dir: None,
            secrets_in_file: true,
            demo_pace: false,
            safe: false,
            env: |_| None,
        }
    }
    /// The check of that name, of all that look at the home.
    fn check(&self, id: &str) -> Check {
        self.check_on(id, &machine())
    }
    fn check_on(&self, id: &str, machine: &Machine) -> Check {
        let mut all = home(&self.path(), machine);
        all.extend(files(&self.options(), machine));
        all.extend(surroundings(machine));
        all.into_iter().find(|check| check.id == id).unwrap()
    }
}

/// One that has everything.
fn machine() -> Machine {
    Machine {
        now: Ms(1_800_000_000_000),
        free: |_| Some(50 << 30),
        newest_file: Some(Ms(1_799_999_000_000)),
        open_files: Some(1 << 16),
        watches: Some(1 << 19),
        authorities: None,
    }
}

fn failed(check: &Check, words: &str) {
    assert_ne!(check.outcome, CheckOutcome::Ok, "{check:?}");
    assert!(check.detail.contains(words), "{check:?}");
    assert!(
        check.mend.as_ref().is_some_and(|mend| !mend.is_empty()),
        "it says what to do: {check:?}"
    );
}

fn fine(check: &Check) {
    assert_eq!((check.outcome, &check.mend), (CheckOutcome::Ok, &None), "{check:?}");
}

#[test]
fn a_home_where_all_is_well_passes_every_check() {
    let home = Home::new();
    home.put("settings.json", b"{}");
    drop(kata_store::SqliteStore::open(&home.path().join("kata.db")).unwrap());
    let mut all = super::home(&home.path(), &machine());
    all.extend(files(&home.options(), &machine()));
    all.extend(surroundings(&machine()));
    assert!(all.len() >= 13, "{}", all.len());
    all.iter().for_each(fine);
}

#[test]
fn a_home_that_is_not_there_or_open_to_others_is_found() {
    let home = Home::new();
    home.mode("", 0o755);
    let check = home.check("home.folder");
    failed(&check, "others on this machine");
    assert!(check.mend.unwrap().starts_with("chmod 700 "));
    let missing = super::home(Path::new("/nonsense/home"), &machine());
    failed(&missing[0], "is no folder");
    assert_eq!(missing.len(), 1, "the rest would only repeat it");
}

#[test]
fn a_private_file_that_others_may_read_is_found_and_named() {
    let home = Home::new();
    home.put("secrets.key", b"k");
    fine(&home.check("home.files"));
    home.mode("secrets.key", 0o644);
    let check = home.check("home.files");
    failed(&check, "secrets.key");
    let mend = check.mend.unwrap();
    assert!(
        std::process::Command::new("sh").args(["-c", &mend]).status().unwrap().success(),
        "{mend}"
    );
    fine(&home.check("home.files"));
}

#[test]
fn a_home_that_takes_no_writing_is_found() {
    let home = Home::new();
    // A folder in the place of the trial file: also for an account that may write everywhere.
    std::fs::create_dir(home.path().join(format!(".doctor-{}", std::process::id()))).unwrap();
    failed(&home.check("disk.write"), "nothing can be written");
}

#[test]
fn a_disk_that_is_nearly_full_is_a_warning_and_a_full_one_a_failure() {
    let home = Home::new();
    let with = |free: fn(&Path) -> Option<u64>| home.check_on("disk.space", &Machine { free, ..machine() });
    assert_eq!(with(|_| Some(500 << 20)).outcome, CheckOutcome::Warning);
    let full = with(|_| Some(1 << 20));
    failed(&full, "1 MB free");
    assert_eq!(full.outcome, CheckOutcome::Failed);
}

#[test]
fn settings_that_cannot_be_read_are_found() {
    let home = Home::new();
    home.put("settings.json", b"{ \"gateway\": ");
    failed(&home.check("settings.file"), "cannot be read");
}

#[test]
fn a_damaged_message_store_is_found_and_left_as_it_is() {
    let home = Home::new();
    let path = home.path().join("kata.db");
    drop(kata_store::SqliteStore::open(&path).unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0xEE);
    home.put("kata.db", &bytes);
    let check = home.check("store.database");
    failed(&check, "kata.db");
    assert_eq!(check.outcome, CheckOutcome::Failed);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    home.put("kata.db", b"no database at all, but long enough to have a header of its own");
    failed(&home.check("store.database"), "kata.db");
}

#[test]
fn secrets_whose_key_is_gone_are_found() {
    let home = Home::new();
    let secrets = Secrets::open(&home.path(), true, Ms(1)).unwrap();
    secrets.set("a", Some("b".into())).unwrap();
    fine(&home.check("secrets.store"));
    home.put("secrets.key", &[7; 32]);
    let check = home.check("secrets.store");
    failed(&check, "secrets.enc");
    assert!(home.path().join("secrets.enc").is_file(), "nothing was changed");
}

#[test]
fn the_file_of_an_engine_that_is_gone_is_found() {
    let home = Home::new();
    home.put(
        "gateway.json",
        br#"{"port":1,"pid":2147483646,"boot":"b","version":"0.1.0","startedAt":1}"#,
    );
    failed(&home.check("gateway.file"), "process 2147483646 is gone");
    home.put("gateway.json", b"nonsense");
    failed(&home.check("gateway.file"), "not a gateway file");
}

#[test]
fn another_version_that_still_runs_is_found() {
    let home = Home::new();
    let text = format!(
        r#"{{"port":1,"pid":{},"boot":"b","version":"0.0.1","startedAt":1}}"#,
        std::process::id()
    );
    home.put("gateway.json", text.as_bytes());
    failed(&home.check("gateway.file"), "version 0.0.1 runs");
}

#[test]
fn a_port_that_another_program_has_is_found() {
    let home = Home::new();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    home.put("settings.json", format!(r#"{{"gateway":{{"port":{port}}}}}"#).as_bytes());
    let options = Options {
        port: None,
        ..home.options()
    };
    let found = |checks: Vec<Check>| checks.into_iter().find(|check| check.id == "gateway.port").unwrap();
    failed(&found(gateway(&options)), &port.to_string());
    let text = format!(
        r#"{{"port":{},"pid":{},"boot":"b","version":"x","startedAt":1}}"#,
        port - 1,
        std::process::id()
    );
    home.put("gateway.json", text.as_bytes());
    failed(&found(gateway(&options)), "another program has port");
}

#[test]
fn a_crash_that_nobody_has_seen_is_found() {
    let home = Home::new();
    let reports = Reports::open(&crate::life::folder(&home.path()));
    std::fs::create_dir(crate::life::folder(&home.path())).unwrap();
    let panic = crate::life::reports::Panic {
        at: machine().now,
        place: "src/x.rs:7",
        thread: "kata",
        task: None,
        backtrace: "",
        log: &[],
    };
    reports.panicked(&panic).unwrap();
    let check = home.check("crashes.recent");
    failed(&check, "src/x.rs:7");
    let id = reports.list().remove(0).id;
    assert_eq!(check.mend.unwrap(), format!("kata crashes show {id}"));
    reports.see(&id).unwrap();
    fine(&home.check("crashes.recent"));
}

#[test]
fn a_clock_that_is_wrong_is_found() {
    let home = Home::new();
    let at = |now: Ms| home.check_on("machine.clock", &Machine { now, ..machine() });
    failed(&at(Ms(1_000_000)), "before this program");
    failed(&at(Ms(1_799_000_000_000)), "from the future");
}

#[test]
fn a_machine_without_authorities_is_found() {
    let home = Home::new();
    let with = |file: PathBuf| {
        home.check_on(
            "network.certificates",
            &Machine {
                authorities: Some(vec![file]),
                ..machine()
            },
        )
    };
    failed(&with("/nonsense/roots.pem".into()), "knows no authority");
    fine(&with(home.put("roots.pem", b"-----BEGIN CERTIFICATE-----\n")));
}

#[test]
fn limits_of_the_machine_that_are_too_low_are_found() {
    let home = Home::new();
    let low = Machine {
        open_files: Some(256),
        watches: Some(100),
        ..machine()
    };
    failed(&home.check_on("machine.files", &low), "only 256");
    failed(&home.check_on("machine.watches", &low), "only 100");
}

#[test]
fn a_machine_that_cannot_shut_commands_in_is_found() {
    failed(&sandbox(Some("no bubblewrap".into())), "no bubblewrap");
    fine(&sandbox(None));
}

#[test]
fn a_start_at_login_that_leads_nowhere_is_found() {
    let home = Home::new();
    let desk = Desk::fake("linux", &home.path(), Box::new(|_, _| Ok(String::new())));
    let launch = |program: &Path| Launch::of(program, Starts::App, &home.path(), &home.path(), &|_| None);
    let program = home.put("kata-agents", b"");
    fine(&login_start(&desk, &launch(&program)));
    desk.switch_on(&launch(&program), false).unwrap();
    let on = login_start(&desk, &launch(&program));
    fine(&on);
    assert!(on.detail.contains("started again after a crash"));
    std::fs::remove_file(&program).unwrap();
    failed(&login_start(&desk, &launch(&program)), "is gone");
}

#[test]
fn a_program_without_its_plugins_or_pages_is_found() {
    let home = Home::new();
    failed(&program(&home.options()), "bundled plugins are not beside it");
    home.put("plugins/echo", b"");
    let plugins = Options {
        plugins_dir: Some(home.path().join("plugins")),
        ..home.options()
    };
    failed(&program(&plugins), "pages of the window");
    let whole = Options {
        ui_dir: Some(home.path().join("plugins")),
        ..plugins
    };
    fine(&program(&whole));
}

fn source(state: RunState) -> SourceSummary {
    SourceSummary {
        id: SourceId::new("channel:telegram").unwrap(),
        kind: SourceKind::Channel,
        name: "Telegram".into(),
        tagline: None,
        icon: None,
        workspace: None,
        plugin: None,
        enabled: true,
        status: Status {
            message: "the token is gone".into(),
            ..Status::plain(state, Ms(0))
        },
        last_activity: None,
    }
}

#[test]
fn what_only_the_engine_knows_is_found_too() {
    failed(&inside::model(None), "the scripted demo answers");
    fine(&inside::model(Some("demo".into())));
    let waits = RunState::NeedsUser {
        action: UserAction::Relogin,
    };
    failed(&inside::sources(&[source(waits)]), "waits for you: the token is gone");
    let broken = inside::sources(&[source(RunState::Running), source(RunState::Failed { recoverable: true })]);
    failed(&broken, "“Telegram” does not work");
    assert_eq!(broken.outcome, CheckOutcome::Failed);
    fine(&inside::sources(&[source(RunState::Running)]));
    failed(&inside::letters(2), "2 did not get through");
    fine(&inside::letters(0));
    failed(
        &inside::trouble(&[("disk-trouble".into(), "the disk is full".into())]),
        "the disk is full",
    );
    fine(&inside::trouble(&[("letters".into(), "x".into())]));
    failed(&inside::safe_mode("3 times", &["loop".into()]), "3 times");
}

#[test]
fn a_plugin_that_failed_is_found_and_named() {
    let plugin = |state: RunState| -> PluginSummary {
        let status = Status {
            message: "line 3".into(),
            ..Status::plain(state, Ms(0))
        };
        serde_json::from_value(serde_json::json!({
            "id": "loop", "name": "Loop", "version": "1.0.0", "description": "", "origin": "bundled", "workspace": null,
            "trust": "bundled", "enabled": true, "path": "", "status": status, "generation": 1, "contributes": {},
            "capabilities": [], "usage": kata_protocol::PluginUsage::default(), "faults": [],
        }))
        .unwrap()
    };
    failed(
        &inside::plugins(&[plugin(RunState::Failed { recoverable: true })]),
        "“loop”: line 3",
    );
    fine(&inside::plugins(&[plugin(RunState::Running)]));
}
