//! The installed program in a home of its own, asked over `kata`.

use crate::server::{Server, packages};
use kata_tests::{Kata, TestHome, eventually, eventually_within};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The version that is installed first.
pub(crate) const N: &str = "0.1.0";
/// The next one.
pub(crate) const N1: &str = "0.1.1";

pub(crate) struct Scene {
    home: TestHome,
    child: Child,
}

impl Scene {
    /// Installs N and starts it without a window, with the plugins of tests; ready when it returns.
    pub(crate) async fn start(server: &Server, platform: Option<&str>, environment: &[(&str, &str)]) -> Self {
        let home = TestHome::with_plugins(&["loop"]);
        let plugins = home.plugins().display().to_string();
        let mut environment = environment.to_vec();
        environment.push(("KATA_UPDATE_SERVER", &server.base));
        environment.push(("KATA_PLUGINS_DIR", &plugins));
        let mut settings = platform.map_or_else(|| json!({}), |base| TestHome::loop_settings(base, true));
        settings["models"] = json!({ "default": "demo", "providers": [{ "id": "demo", "kind": "demo", "model": "demo" }] });
        home.settings(&settings);
        Self::begin(home, &["/usr/bin/kata-agents", "--hidden"], &environment).await
    }

    /// Installs N and starts one of its programs with nothing but what comes with it.
    pub(crate) async fn plain(line: &[&str]) -> Self {
        Self::begin(TestHome::new(), line, &[]).await
    }

    async fn begin(home: TestHome, line: &[&str], environment: &[(&str, &str)]) -> Self {
        install(&packages().join("n.deb"));
        let log = std::fs::File::create(home.dir.path().join("said")).unwrap();
        let child = Command::new(line[0])
            .args(&line[1..])
            .env("HOME", home.dir.path())
            .env("KATA_CONFIG_DIR", home.path())
            .env("KATA_SECRETS", "file")
            .env("KATA_PORT", "0")
            .env_remove("INVOCATION_ID")
            .envs(environment.iter().copied())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("the installed program starts");
        let scene = Self { home, child };
        eventually_within(Duration::from_secs(90), "the installed program is ready", async || {
            (scene.try_version()? == N).then_some(())
        })
        .await;
        scene
    }

    /// Folders of the plugins that are there.
    pub(crate) fn plugins(&self) -> Vec<String> {
        let listed = self.must(&["plugins", "list"]);
        let rows = listed
            .as_array()
            .or_else(|| listed["plugins"].as_array())
            .cloned()
            .unwrap_or_default();
        rows.iter().filter_map(|row| row["path"].as_str().map(str::to_owned)).collect()
    }

    /// What the gateway gives a browser.
    pub(crate) async fn page(&self) -> String {
        let file = std::fs::read_to_string(self.home.path().join("gateway.json")).unwrap();
        let port = serde_json::from_str::<Value>(&file).unwrap()["port"].as_u64().unwrap();
        reqwest::get(format!("http://127.0.0.1:{port}/"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    fn kata(&self, args: &[&str]) -> Option<Value> {
        let output = Kata(&self.home).run(&[&["--json"], args].concat());
        output.status.success().then(|| serde_json::from_slice(&output.stdout).ok())?
    }

    fn must(&self, args: &[&str]) -> Value {
        tokio::task::block_in_place(|| Kata(&self.home).json(args))
    }

    pub(crate) fn try_status(&self) -> Option<Value> {
        tokio::task::block_in_place(|| self.kata(&["status"]))
    }

    pub(crate) fn try_version(&self) -> Option<String> {
        Some(self.try_status()?["version"].as_str()?.to_owned())
    }

    pub(crate) fn try_update(&self, args: &[&str]) -> Option<Value> {
        tokio::task::block_in_place(|| self.kata(&[&["update"], args].concat()))
    }

    /// `kata update …`, which has to succeed.
    pub(crate) fn update(&self, args: &[&str]) -> Value {
        self.must(&[&["update"], args].concat())
    }

    /// `kata update …`, which has to fail; what it says.
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        let output = tokio::task::block_in_place(|| Kata(&self.home).run(&[&["update"], args].concat()));
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Waits until the update has failed; what it says.
    pub(crate) async fn failed(&self) -> String {
        eventually_within(Duration::from_secs(120), "the update fails", async || {
            let state = self.try_update(&["status"])?;
            (state["stage"]["stage"] == "failed").then(|| state["stage"]["message"].as_str().map(str::to_owned))?
        })
        .await
    }

    /// Waits until the new version has shown that it works; how the update ended.
    pub(crate) async fn settled(&self) -> Value {
        eventually_within(Duration::from_secs(60), "the matter is settled", async || {
            let pending = self.home.path().join("updates/pending.json").exists();
            let last = self.try_update(&["status"])?["last"].clone();
            (!pending && !last.is_null()).then_some(last)
        })
        .await
    }

    /// A new session, with one answer in it.
    pub(crate) fn session(&self) -> String {
        let output = tokio::task::block_in_place(|| Kata(&self.home).run(&["--json", "chat", "--new", "-m", "hello"]));
        let said = String::from_utf8_lossy(&output.stdout);
        let rows = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let session = rows.filter_map(|row| row["session"].as_str().map(str::to_owned)).next();
        session.unwrap_or_else(|| panic!("no session: {said}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Hands a text in and does not wait for the answer.
    pub(crate) fn submit(&self, session: &str, text: &str) {
        let mut command = Kata(&self.home).command(&["chat", session, "-m", text]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        // Its connection ends with the engine; the message does not.
        drop(child.expect("kata can be run"));
    }

    /// Waits until so many sessions work.
    pub(crate) async fn until_busy(&self, count: usize) {
        eventually_within(Duration::from_secs(60), "the sessions work", async || {
            let listed = tokio::task::block_in_place(|| self.kata(&["sessions", "list", "-n", "100"]))?;
            let busy = listed["sessions"].as_array()?.iter().filter(|row| row["state"] != "idle").count();
            (busy >= count).then_some(())
        })
        .await;
    }

    /// Questions and answers of a session, after the “hello” it began with, once it rests and the last one is answered.
    pub(crate) async fn ended(&self, session: &str) -> (usize, usize) {
        eventually_within(Duration::from_secs(180), "the session rests", async || {
            let counts = self.counts(session)?;
            (counts.0 > 0 && counts.0 == counts.1).then_some(counts)
        })
        .await
    }

    /// Questions and final answers of a session, without the first of each; nothing while it works.
    pub(crate) fn counts(&self, session: &str) -> Option<(usize, usize)> {
        let shown = tokio::task::block_in_place(|| self.kata(&["sessions", "show", session]))?;
        if shown["state"] != "idle" {
            return None;
        }
        let messages = shown["messages"].as_array()?.clone();
        let of = |kind: &str| {
            let rows = messages.iter().filter(|row| row["kind"] == kind && row["intermediate"] != true);
            rows.count().saturating_sub(1)
        };
        Some((of("user"), of("assistant")))
    }

    pub(crate) fn pid(&self) -> u64 {
        let file = std::fs::read_to_string(self.home.path().join("gateway.json")).unwrap();
        serde_json::from_str::<Value>(&file).unwrap()["pid"].as_u64().unwrap()
    }

    /// Version that dpkg knows.
    pub(crate) fn installed(&self) -> String {
        let output = Command::new("dpkg-query")
            .args(["-W", "-f", "${Version}", "kata-agents"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The copy of the store from before the update.
    pub(crate) fn backup(&self) -> PathBuf {
        self.home.path().join(format!("updates/kata-agents-{N}.home/kata.db"))
    }

    /// It runs, and as this version; nothing was put in.
    pub(crate) async fn still_runs(&self, version: &str) {
        assert_eq!(
            (self.try_version().unwrap(), self.installed()),
            (version.to_owned(), version.to_owned())
        );
        assert!(!self.home.path().join("updates/pending.json").exists());
    }

    /// The guard ends by itself.
    pub(crate) async fn no_guard_is_left(&self) {
        eventually("no guard is left", async || {
            let listed = Command::new("pgrep").args(["-f", "guard-update"]).output().unwrap();
            listed.stdout.is_empty().then_some(())
        })
        .await;
    }

    /// `updates/` on a disk of two megabytes.
    pub(crate) fn small_disk(&self) -> SmallDisk {
        let place = self.home.path().join("updates");
        std::fs::create_dir_all(&place).unwrap();
        let mut mount = Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(&place).status().unwrap();
        assert!(done.success(), "mount needs root");
        SmallDisk(place)
    }

    /// Ends it as `kata stop` does, and takes the package away.
    pub(crate) async fn end(mut self) {
        let pid = self.pid();
        self.must(&["stop"]);
        let _ = self.child.try_wait();
        eventually("the program ends", async || {
            let _ = self.child.try_wait();
            (!is_alive(pid)).then_some(())
        })
        .await;
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A story that failed leaves nothing running, also where the program was started again under another number.
        if let Ok(file) = std::fs::read_to_string(self.home.path().join("gateway.json"))
            && let Some(pid) = serde_json::from_str::<Value>(&file).ok().and_then(|file| file["pid"].as_u64())
        {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.home.dir.path().join("said")).unwrap_or_default();
            println!("--- the program said\n{log}");
            let mut logs: Vec<_> = std::fs::read_dir(self.home.path().join("logs"))
                .into_iter()
                .flatten()
                .flatten()
                .map(|e| e.path())
                .collect();
            logs.sort();
            let newest = logs.last().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
            let lines: Vec<_> = newest.lines().rev().take(40).collect();
            println!("--- and logged\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// A disk that is let go with it.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// What lies on it.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Hours that are over, or that are still far away, on this machine's clock.
pub(crate) fn not_now() -> String {
    let output = Command::new("date").arg("+%H").output().unwrap();
    let hour: u32 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    let later = (hour + 6) % 24;
    format!("{later:02}:00-{later:02}:30")
}

fn install(package: &Path) {
    let output = Command::new("dpkg").arg("-i").arg(package).output().expect("dpkg can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn is_alive(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}
