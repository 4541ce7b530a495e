//! The desktop app as it is started at login: by the unit that it writes, the real systemd, without a window; killed, it is back.
//! And in the window: what a crash looks like afterwards.

use crate::app::{Desktop, program, until, within};
use kata_store::SqliteStore;
use kata_tests::{Storm, TestHome, UserSystemd, balanced, settled};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::task::block_in_place;

const UNIT: &str = "kata-agents";

/// `kata`, which lies beside the app.
fn kata(arguments: &[&str]) -> Command {
    let mut command = Command::new(Path::new(&program()).with_file_name("kata"));
    command.args(arguments).env("KATA_SECRETS", "file");
    for name in ["DISPLAY", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env(name, std::env::var(name).unwrap_or_default());
    }
    command
}

fn run(systemd: &UserSystemd, command: &Command) -> String {
    let output = block_in_place(|| systemd.inside(command).output().unwrap());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// A session with a screen, as a desktop tells systemd of one.
async fn session(home: &Path, screen: bool) -> UserSystemd {
    let units = home.join(".config/systemd/user");
    std::fs::create_dir_all(&units).unwrap();
    std::fs::write(units.join("test-session.target"), "[Unit]\nBindsTo=graphical-session.target\n").unwrap();
    let of = |name: &'static str| (name, std::env::var(name).unwrap_or_default());
    let mut variables = vec![
        of("DBUS_SESSION_BUS_ADDRESS"),
        ("WEBKIT_DISABLE_DMABUF_RENDERER", "1".into()),
        ("GDK_BACKEND", "x11".into()),
    ];
    if screen {
        variables.push(of("DISPLAY"));
    }
    let systemd = UserSystemd::start(home, &variables).await;
    // systemd would bring a bus of its own, which nobody here starts; the desktop's is the one of this test.
    block_in_place(|| systemd.systemctl(&["stop", "dbus.socket", "dbus.service"]));
    let bus = format!(
        "DBUS_SESSION_BUS_ADDRESS={}",
        std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap_or_default()
    );
    block_in_place(|| systemd.systemctl(&["set-environment", &bus]));
    let started = block_in_place(|| systemd.systemctl(&["start", "test-session.target"]));
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    systemd
}

#[tokio::test(flavor = "multi_thread")]
async fn started_at_login_the_app_has_no_window_and_comes_back_each_time_it_is_killed() {
    let storm = Storm::start(43, true).await;
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&storm.base, true));
    let kata = |arguments: &[&str]| {
        let mut command = kata(arguments);
        command
            .env("KATA_CONFIG_DIR", home.path())
            .env("KATA_PLUGINS_DIR", home.plugins())
            .env("KATA_PORT", "0");
        command
    };
    let systemd = session(home.dir.path(), true).await;
    let status: serde_json::Value = serde_json::from_str(&run(&systemd, &kata(&["--json", "background", "on"]))).unwrap();
    assert_eq!((&status["starts"], &status["by"]), (&"app".into(), &"systemd".into()), "{status}");
    let unit = status["entry"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let gateway = home.path().join("gateway.json");
    let back = async |before: &str| -> String {
        let found = within(async || {
            let pid = block_in_place(|| systemd.property(&unit, "MainPID"));
            let file: serde_json::Value = serde_json::from_slice(&std::fs::read(&gateway).ok()?).ok()?;
            (pid != "0" && pid != before && file["pid"].to_string() == pid).then_some(pid)
        });
        found.await.expect("the app comes back by itself")
    };
    let (mut pid, mut written) = (back("").await, 0);
    for _ in 0..kills() {
        storm.write(EACH, 16);
        written += EACH;
        // A moment by the seed.
        tokio::time::sleep(Duration::from_millis(500 + storm.draw(5500))).await;
        assert!(block_in_place(|| systemd.kill(&pid)), "it runs");
        pid = back(&pid).await;
    }
    let store = SqliteStore::open(&home.path().join("kata.db")).unwrap();
    let ledger = settled(&store, written as u64).await;
    balanced(&ledger);
    assert_eq!(
        (ledger.accepted.0, ledger.delivered.0),
        (written as u64, written as u64),
        "{ledger:?}"
    );
    assert_eq!(
        storm.verify(),
        written,
        "every message has its answer, once, in order, where it was asked"
    );
    assert_eq!(block_in_place(|| systemd.property(&unit, "NRestarts")), kills().to_string());
    let windows = Command::new("wmctrl").arg("-l").output().unwrap();
    let windows = String::from_utf8_lossy(&windows.stdout).into_owned();
    assert!(!windows.contains("Kata Agents"), "hidden: {windows}");
    // Asked to begin again it does, in the same process, so that systemd sees no end.
    let status: serde_json::Value = serde_json::from_str(&run(&systemd, &kata(&["--json", "restart"]))).unwrap();
    assert_eq!(status["safeMode"], serde_json::Value::Null);
    assert_eq!(block_in_place(|| systemd.property(&unit, "MainPID")), pid);
    // A proper quit is an end.
    run(&systemd, &kata(&["stop"]));
    until("the unit has ended well", async || {
        block_in_place(|| systemd.property(&unit, "ActiveState")) == "inactive"
    })
    .await;
    assert_eq!(block_in_place(|| systemd.property(&unit, "Result")), "success");
    println!("the app: {} kills, {written} messages, {ledger:?}", kills());
}

/// Messages that people write in each life.
const EACH: usize = 12;

fn kills() -> u32 {
    std::env::var("KATA_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(2)
}

#[tokio::test(flavor = "multi_thread")]
async fn started_where_systemd_knows_of_no_screen_the_app_says_so_and_is_not_started_again_and_again() {
    let home = tempfile::tempdir().unwrap();
    let systemd = session(home.path(), false).await;
    let unit = format!("{UNIT}.service");
    // It starts at once, since nothing runs yet, and ends at once.
    let _ = block_in_place(|| systemd.inside(&kata(&["background", "on"])).output());
    until("the unit is given up", async || {
        block_in_place(|| systemd.property(&unit, "ActiveState")) == "failed"
    })
    .await;
    let of = |name: &str| block_in_place(|| systemd.property(&unit, name));
    assert_eq!((of("ExecMainStatus").as_str(), of("NRestarts").as_str()), ("2", "0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_three_crashes_the_window_says_why_plugins_are_off_and_how_it_ended() {
    let home = tempfile::tempdir().unwrap();
    // What three runs that were killed a moment ago have left.
    let crashes = home.path().join("crashes");
    std::fs::create_dir_all(&crashes).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let mark = serde_json::json!({ "startedAt": now as u64 - 9000, "boot": boot.trim(), "pid": 1, "version": "0.1.0", "ready": true });
    std::fs::write(crashes.join("running.json"), mark.to_string()).unwrap();
    std::fs::write(crashes.join("ends.json"), format!("{{\"at\":[{},{}]}}", now - 60_000, now - 30_000)).unwrap();
    std::fs::write(crashes.join("signal"), "11\n").unwrap();
    let mut asked = vec![0_u8; 64 * 128];
    asked[..6].copy_from_slice(b"\x01echo\x00");
    std::fs::write(crashes.join("asked"), asked).unwrap();
    let settings = serde_json::json!({ "models": { "default": "demo", "providers": [{ "id": "demo", "kind": "demo", "model": "demo" }] } });
    std::fs::write(home.path().join("settings.json"), settings.to_string()).unwrap();
    Desktop::drive_in("after-crashes", home, async |desktop| {
        desktop.see("start-normally").await;
        let text = desktop.page_text().await;
        assert!(text.contains("Safe mode: plugins are off"), "{text}");
        assert!(text.contains("ended unexpectedly just now and came back"), "{text}");
        desktop.screenshot("safe-mode").await;
        desktop.click("switch-off-suspect").await;
        desktop
            .until("it is off", async || desktop.page_text().await.contains("echo is off"))
            .await;
        desktop.click("nav-settings").await;
        desktop.click("settings-general").await;
        desktop.screenshot("background").await;
        desktop.click("settings-diagnostics").await;
        desktop.see("checks-summary").await;
        desktop.screenshot("checks").await;
    })
    .await;
}
