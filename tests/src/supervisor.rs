//! The real systemd as a person's own supervisor, in namespaces of its own: its user instance wants a machine that systemd
//! started, and a tree of control groups that it may write. Both are given to it here; units, restarts and limits are its own.
//!
//! Needs root, or `sudo` without a password; nothing outside of the namespaces changes but for a control group that is taken
//! away again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// systemd's user instance over a home folder. Everything it started ends with it.
pub struct UserSystemd {
    outer: Child,
    /// First process of the namespaces, as this one sees it.
    inside: u32,
    home: PathBuf,
    group: String,
}

const SCRIPT: &str = "
mount -t tmpfs none /run && mkdir -p /run/systemd/system || exit 90
umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup || exit 91
mkdir -p /sys/fs/cgroup/$GROUP && echo $$ > /sys/fs/cgroup/$GROUP/cgroup.procs || exit 92
/lib/systemd/systemd --user --log-target=console --log-level=warning &
wait
";

impl UserSystemd {
    /// Starts it for the person whose home is `home`, with further variables for everything it starts.
    pub async fn start(home: &Path, environment: &[(&str, String)]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let group = format!("kata-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let runtime = home.join("runtime");
        std::fs::create_dir_all(&runtime).expect("a folder can be made");
        #[cfg(unix)]
        std::fs::set_permissions(&runtime, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("it can be made private");
        let mut command = as_root("unshare");
        let log = std::fs::File::create(home.join("systemd.log")).expect("a file can be made");
        command
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--mount-proc",
                "--kill-child",
                "--propagation",
                "private",
                "env",
                "-i",
            ])
            .args(variables(home, environment))
            .arg(format!("GROUP={group}"))
            .args(["bash", "-c", SCRIPT])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut outer = command.spawn().expect("unshare is there (util-linux)");
        let inside = crate::eventually("the namespaces stand", async || {
            let ended = outer.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "systemd cannot be started here ({ended:?}): {}", said(home));
            first_inside(outer.id())
        })
        .await;
        let systemd = Self {
            outer,
            inside,
            home: home.to_owned(),
            group,
        };
        crate::eventually("systemd answers", async || {
            let state = tokio::task::block_in_place(|| systemd.systemctl(&["is-system-running"]));
            let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
            ["running", "degraded"].contains(&state.as_str()).then_some(())
        })
        .await;
        systemd
    }

    /// `systemctl --user` with these arguments.
    pub fn systemctl(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("systemctl");
        command.arg("--user").args(arguments);
        self.inside(&command).output().expect("nsenter is there (util-linux)")
    }

    /// A property of a unit.
    pub fn property(&self, unit: &str, name: &str) -> String {
        let output = self.systemctl(&["show", unit, "--property", name, "--value"]);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The same command, run inside with the person's session.
    pub fn inside(&self, command: &Command) -> Command {
        let mut inside = as_root("nsenter");
        inside
            .args(["--target", &self.inside.to_string(), "--mount", "--pid", "env", "-i"])
            .args(variables(&self.home, &[]));
        for (key, value) in command.get_envs() {
            if let Some(value) = value {
                let mut pair = key.to_owned();
                pair.push("=");
                pair.push(value);
                inside.arg(pair);
            }
        }
        inside.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
        inside
    }

    /// Ends a process inside as the kernel would, wherever it is; whether it was there.
    pub fn kill(&self, pid: &str) -> bool {
        let mut command = Command::new("kill");
        command.args(["-KILL", pid]);
        self.inside(&command)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

impl Drop for UserSystemd {
    fn drop(&mut self) {
        let _ = as_root("kill")
            .args(["-KILL", &self.inside.to_string()])
            .stderr(Stdio::null())
            .status();
        let _ = self.outer.kill();
        let _ = self.outer.wait();
        for root in ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"] {
            let place = format!("{root}/{}", self.group);
            if Path::new(&place).is_dir() {
                let empty = ["-depth", "-type", "d", "-exec", "rmdir", "{}", "+"];
                let _ = as_root("find").arg(place).args(empty).stderr(Stdio::null()).status();
            }
        }
    }
}

fn said(home: &Path) -> String {
    std::fs::read_to_string(home.join("systemd.log")).unwrap_or_default()
}

fn variables(home: &Path, more: &[(&str, String)]) -> Vec<String> {
    let mut all = vec![
        format!("PATH={}", std::env::var("PATH").unwrap_or_default()),
        format!("HOME={}", home.display()),
        format!("XDG_RUNTIME_DIR={}", home.join("runtime").display()),
    ];
    all.extend(more.iter().map(|(key, value)| format!("{key}={value}")));
    all
}

/// A program as root: this account, or `sudo` where it asks nothing.
fn as_root(program: &str) -> Command {
    let me = Command::new("id").arg("-u").output().map(|o| o.stdout).unwrap_or_default();
    if me.starts_with(b"0") {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

/// The first process in the namespaces that `unshare` (perhaps below `sudo`) made: a descendant with another pid namespace.
fn first_inside(outer: u32) -> Option<u32> {
    let ours = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let mut waiting = vec![outer];
    while let Some(pid) = waiting.pop() {
        if std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok().is_some_and(|ns| ns != ours) {
            return Some(pid);
        }
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        waiting.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    None
}
