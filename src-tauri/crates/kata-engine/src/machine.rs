//! The machine sleeps, wakes up and changes its network: what rests on connections and waits is told at once, and does not find out by
//! timeouts of its own.
//!
//! Whether it did is judged by [`kata_core::wake`]; here are the looks. A desktop shell that hears of a wake from its system says so
//! earlier ([`crate::Engine::woke_up`]). Power is [`crate::power`]'s.

use crate::engine::{Inner, locked};
use kata_core::ports::Networks;
use kata_core::wake::Watch;
use kata_protocol::RunState;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(15);
/// A wake is told by several; within this time they tell of the same one.
const SAME: u64 = 30_000_000;

/// Linux: routes of IPv4 and addresses of IPv6, as the kernel lists them (proc(5)).
#[derive(Debug)]
pub(crate) struct ProcNet(PathBuf);

impl Networks for ProcNet {
    fn read(&self) -> String {
        let lines = |file: &str, columns: &[usize]| {
            let text = std::fs::read_to_string(self.0.join(file)).unwrap_or_default();
            let mut lines: Vec<String> = text
                .lines()
                .filter(|line| !line.starts_with("Iface") && !line.ends_with(" lo"))
                .map(|line| {
                    let fields: Vec<_> = line.split_whitespace().collect();
                    let picked: Vec<_> = columns.iter().filter_map(|n| fields.get(*n).copied()).collect();
                    picked.join(" ")
                })
                .collect();
            lines.sort();
            lines.dedup();
            lines
        };
        // Interface, destination, gateway; then address and interface. Counters and flags change without a reason for anybody.
        let mut all = lines("route", &[0, 1, 2]);
        all.extend(lines("if_inet6", &[0, 5]));
        all.join("\n")
    }
}

/// Everywhere: the address from which this machine would speak to the world. A socket is bound, and nothing is sent: the addresses are
/// those of documentation (RFC 5737, RFC 3849).
#[derive(Debug)]
pub(crate) struct WayOut;

impl Networks for WayOut {
    fn read(&self) -> String {
        let from = |bind: &str, to: &str| {
            let socket = UdpSocket::bind(bind).ok()?;
            socket.connect(to).ok()?;
            socket.local_addr().ok().map(|address| address.ip().to_string())
        };
        let ways = [from("0.0.0.0:0", "192.0.2.1:9"), from("[::]:0", "[2001:db8::1]:9")];
        ways.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

/// This machine's.
pub(crate) fn networks() -> Arc<dyn Networks> {
    if cfg!(target_os = "linux") {
        Arc::new(ProcNet("/proc/net".into()))
    } else {
        Arc::new(WayOut)
    }
}

impl Inner {
    /// Looks now and then whether the machine slept or is in another network.
    pub(crate) fn run_machine(self: &Arc<Self>, networks: Arc<dyn Networks>) {
        let (inner, stopping) = (Arc::clone(self), self.tasks.stopping());
        self.tasks.spawn("sleep and network", async move {
            let mut watch = Watch::new(LOOK);
            loop {
                let networks = Arc::clone(&networks);
                let Ok(network) = tokio::task::spawn_blocking(move || networks.read()).await else {
                    return;
                };
                let seen = watch.look(inner.clock.now(), inner.clock.monotonic_us(), network);
                if let Some(slept) = seen.slept {
                    inner.woke_up(&format!("it slept for {} s", slept.as_secs()));
                } else if seen.network {
                    inner.network_changed();
                }
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = inner.clock.sleep(LOOK) => {}
                }
            }
        });
    }

    /// Connections are made anew, what was missed is made good, what waits to try again tries now.
    pub(crate) fn woke_up(&self, why: &str) {
        let now = self.clock.monotonic_us();
        let known = locked(&self.woke)
            .replace(now)
            .is_some_and(|before| now.saturating_sub(before) < SAME);
        if known {
            return;
        }
        tracing::info!(why, "the machine woke up");
        self.plugins.host.woke_up();
        self.try_again();
        // A pairing code may have ended meanwhile, a pause too.
        self.attention.changed();
        self.pause_changed.notify_one();
    }

    fn network_changed(&self) {
        tracing::info!("another network");
        self.plugins.host.network_changed();
        self.try_again();
    }

    /// Replies and sources that wait for their next try.
    fn try_again(&self) {
        self.outbox.try_again_now();
        for row in self.board.list() {
            if matches!(row.status.state, RunState::Backoff { .. }) && self.sources.has(&row) {
                self.sources.running.restart(&row.id);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn linux_says_in_files_which_network_it_is_in_and_counters_do_not_make_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let networks = ProcNet(folder.path().into());
        assert_eq!(networks.read(), "");
        let route = |gateway: &str, uses: u32| {
            format!(
                "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\nwlan0\t00000000\t{gateway}\t0003\t0\t{uses}\t600\t00000000\n"
            )
        };
        put("route", &route("0102A8C0", 0));
        put("if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n");
        let home = networks.read();
        assert!(home.contains("wlan0 00000000 0102A8C0") && !home.contains("lo"), "{home}");
        put("route", &route("0102A8C0", 77));
        assert_eq!(networks.read(), home);
        put("route", &route("010010AC", 77));
        assert_ne!(networks.read(), home);
    }

    #[test]
    fn the_way_out_is_an_address_or_nothing() {
        let said = WayOut.read();
        assert!(said.lines().all(|line| line.parse::<std::net::IpAddr>().is_ok()), "{said}");
    }
}
