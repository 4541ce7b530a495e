//! The program under its own unit and the real systemd: killed at random moments under load it comes back each time by itself, and
//! nothing is lost or doubled. `KATA_KILLS` says how often; `cargo xtask kills` does it fifty times.

use kata_store::SqliteStore;
use kata_tests::{Kata, Storm, TestHome, UserSystemd, balanced, eventually, settled};
use std::process::Command;
use std::time::Duration;
use tokio::task::block_in_place;

/// Kills of one run in CI.
const KILLS: u32 = 5;
/// Messages that people write in each life.
const EACH: usize = 12;

/// Runs `kata` in the session of the person whose systemd this is.
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

/// Switches the start at login on, with `kata serve`, and gives the unit's name.
fn switch_on(systemd: &UserSystemd, kata: &Kata<'_>) -> String {
    let told = run(systemd, &kata.command(&["--json", "background", "on", "--serve"]));
    let status: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&status["atLogin"], &status["restarts"], &status["by"]),
        (&true.into(), &true.into(), &"systemd".into()),
        "{status}"
    );
    let entry = status["entry"].as_str().unwrap();
    entry.rsplit('/').next().unwrap().to_owned()
}

/// The unit's process, once it is ready and another one than before.
async fn back(systemd: &UserSystemd, unit: &str, kata: &Kata<'_>, before: &str) -> String {
    let gateway = kata.0.path().join("gateway.json");
    eventually("it comes back by itself and is ready", async || {
        let pid = block_in_place(|| systemd.property(unit, "MainPID"));
        let file: serde_json::Value = serde_json::from_slice(&std::fs::read(&gateway).ok()?).ok()?;
        (pid != "0" && pid != before && file["pid"].to_string() == pid).then_some(pid)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_under_load_it_comes_back_each_time_by_its_own_unit_and_the_ledger_balances() {
    let kills: u32 = std::env::var("KATA_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let storm = Storm::start(41, true).await;
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&storm.base, true));
    let kata = Kata(&home);
    let systemd = UserSystemd::start(home.dir.path(), &[("KATA_DEMO_PACE", "0".into())]).await;
    let unit = switch_on(&systemd, &kata);
    let (mut pid, mut written) = (back(&systemd, &unit, &kata, "").await, 0);
    for _ in 0..kills {
        storm.write(EACH, 16);
        written += EACH;
        // A moment by the seed. Below a twentieth of a minute on average, systemd would give the unit up, as it should.
        tokio::time::sleep(Duration::from_millis(500 + storm.draw(5500))).await;
        assert!(block_in_place(|| systemd.kill(&pid)), "it runs");
        pid = back(&systemd, &unit, &kata, &pid).await;
    }
    storm.write(EACH, 16);
    written += EACH;
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
    assert_eq!(block_in_place(|| systemd.property(&unit, "NRestarts")), kills.to_string());

    let crashes = run(&systemd, &kata.command(&["--json", "crashes"]));
    let crashes: Vec<serde_json::Value> = serde_json::from_str(&crashes).unwrap();
    assert_eq!(crashes.len(), 20.min(kills as usize), "each left a report");
    assert!(crashes.iter().all(|crash| crash["kind"] == "killed"));

    // A proper end is an end.
    run(&systemd, &kata.command(&["stop"]));
    eventually("the unit has ended well", async || {
        let state = block_in_place(|| systemd.property(&unit, "ActiveState"));
        (state == "inactive").then_some(())
    })
    .await;
    assert_eq!(block_in_place(|| systemd.property(&unit, "Result")), "success");
    println!("{kills} kills, {written} messages, {ledger:?}, NRestarts {kills}");
}

/// What systemd makes of odd paths is what we meant.
#[tokio::test(flavor = "multi_thread")]
async fn systemd_reads_our_unit_with_an_odd_path_as_it_was_meant() {
    let home = TestHome::new();
    let odd = home.dir.path().join("Ünï \"x\" 100% $HOME `id` \\n & <b>");
    std::fs::create_dir_all(&odd).unwrap();
    let program = odd.join("kata");
    std::fs::copy(kata_tests::kata_binary(), &program).unwrap();
    let systemd = UserSystemd::start(home.dir.path(), &[]).await;
    let kata = Kata(&home);
    let mut command = Command::new(&program);
    let like = kata.command(&["--json", "background", "on", "--serve"]);
    command.args(like.get_args());
    for (key, value) in like.get_envs() {
        command.env(key, value.unwrap());
    }
    command.env("KATA_CONFIG_DIR", odd.join("home"));
    let status: serde_json::Value = serde_json::from_str(&run(&systemd, &command)).unwrap();
    let unit = status["entry"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    eventually("it is ready, in the home that was meant", async || {
        odd.join("home/gateway.json").is_file().then_some(())
    })
    .await;
    assert_eq!(block_in_place(|| systemd.property(&unit, "ActiveState")), "active");
    let pid = block_in_place(|| systemd.property(&unit, "MainPID"));
    let mut look = Command::new("readlink");
    look.arg(format!("/proc/{pid}/exe"));
    assert_eq!(run(&systemd, &look).trim(), program.to_str().unwrap());

    // Off takes it away and leaves what runs; an edited file stays.
    let mut off = Command::new(&program);
    off.args(["background", "off"])
        .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
    run(&systemd, &off);
    assert_eq!(block_in_place(|| systemd.property(&unit, "ActiveState")), "active");
    assert!(!std::path::Path::new(status["entry"].as_str().unwrap()).exists());
}

/// A second engine on the same home is no reason to try again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_whose_home_another_engine_has_is_not_started_again() {
    let home = TestHome::new();
    let kata = Kata(&home);
    let systemd = UserSystemd::start(home.dir.path(), &[]).await;
    let unit = switch_on(&systemd, &kata);
    let pid = back(&systemd, &unit, &kata, "").await;
    // The same unit under another name.
    let units = home.dir.path().join(".config/systemd/user");
    std::fs::copy(units.join(&unit), units.join("second.service")).unwrap();
    block_in_place(|| systemd.systemctl(&["daemon-reload"]));
    block_in_place(|| systemd.systemctl(&["start", "second.service"]));
    eventually("the second one is given up", async || {
        let state = block_in_place(|| systemd.property("second.service", "ActiveState"));
        (state == "failed").then_some(())
    })
    .await;
    let of = |name: &str| block_in_place(|| systemd.property("second.service", name));
    assert_eq!((of("ExecMainStatus").as_str(), of("NRestarts").as_str()), ("4", "0"));
    assert_eq!(block_in_place(|| systemd.property(&unit, "MainPID")), pid, "the first one goes on");
}
