//! Limits of the host. A manifest may lower memory and CPU, never raise them.

use kata_core::lifecycle::Policy;
use kata_protocol::PluginLimits;
use std::time::Duration;

/// Limits and waits. The defaults are those of the design.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// JavaScript heap, MiB.
    pub memory_mb: u32,
    /// JavaScript stack, KiB. The thread's own stack is 2 MiB.
    pub stack_kb: u32,
    /// CPU of one batch of jobs: a hook, a timer, a continuation.
    pub slice: Duration,
    /// CPU of one batch begun by a tool, a command, a send, or a service.
    pub call_slice: Duration,
    /// CPU of one batch while the module is loaded and registers.
    pub load_slice: Duration,
    /// Time a load may take in all.
    pub load_timeout: Duration,
    /// CPU milliseconds per minute.
    pub cpu_ms_per_minute: u32,
    /// Live timers.
    pub timers: usize,
    /// Host calls in flight.
    pub host_calls: usize,
    /// Bytes of one argument or result.
    pub payload_bytes: usize,
    /// Bytes of a tool's text; longer is cut.
    pub tool_text_bytes: usize,
    /// Bytes of one HTTP answer.
    pub fetch_bytes: usize,
    /// Time of one HTTP exchange, long polls included.
    pub fetch_timeout: Duration,
    /// Open WebSockets and TCP connections.
    pub sockets: usize,
    /// Longest silence of a WebSocket's other side, pings unanswered too; then it counts as broken off.
    pub socket_silence: Duration,
    /// Certificates (DER) that TLS trusts beside the platform's roots. For tests; nothing sets it elsewhere.
    pub extra_roots: Vec<Vec<u8>>,
    /// Requests and sockets begun in a second, on average; those beyond it wait.
    pub requests_per_second: u32,
    /// Requests and sockets that may begin at once before the average counts.
    pub request_burst: u32,
    /// Requests and sockets a minute; 0 is without a limit. A manifest sets it.
    pub requests_per_minute: u32,
    /// Requests and sockets a day, from midnight UTC; 0 is without a limit.
    pub requests_per_day: u32,
    /// Times timers and schedules may wake the plugin a minute; 0 is without a limit.
    pub wakeups_per_minute: u32,
    /// Time of one run of a planned job.
    pub job_timeout: Duration,
    /// How much faster a plugin's timers run than the machine's clock: an hour is measured in less of it. Nothing else sets it.
    pub timer_speed: u32,
    /// Log lines per minute; more are dropped and counted.
    pub log_lines_per_minute: u32,
    /// Calls waiting for a plugin; more are refused as busy.
    pub queue: usize,
    /// Time of one tool call or command.
    pub tool_timeout: Duration,
    /// Time of one send.
    pub send_timeout: Duration,
    /// Time of one question about a channel: a step of its set-up, a probe, a list of its directory.
    pub ask_timeout: Duration,
    /// Time of one typing signal, one disconnect, one stop, one dispose.
    pub stop_timeout: Duration,
    /// Time calls in flight get to finish on a generation that was replaced.
    pub drain: Duration,
    /// Time a new version has to prove itself after a reload; when it fails within it, the version before takes over again.
    pub trial: Duration,
    /// A thread that answers nothing for this long is given up.
    pub stuck: Duration,
    /// Backoff and breaker of plugins, channels and services.
    pub policy: Policy,
    /// Where plugins at work are noted; nowhere when absent.
    pub seats: Option<std::sync::Arc<dyn crate::Seats>>,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            memory_mb: 32,
            stack_kb: 512,
            slice: Duration::from_millis(100),
            call_slice: Duration::from_millis(500),
            load_slice: Duration::from_secs(1),
            load_timeout: Duration::from_secs(10),
            cpu_ms_per_minute: 6_000,
            timers: 256,
            host_calls: 64,
            payload_bytes: 1 << 20,
            tool_text_bytes: 256 << 10,
            fetch_bytes: 4 << 20,
            fetch_timeout: Duration::from_secs(120),
            sockets: 8,
            socket_silence: Duration::from_secs(24),
            extra_roots: Vec::new(),
            requests_per_second: 500,
            request_burst: 1_000,
            requests_per_minute: 0,
            requests_per_day: 0,
            wakeups_per_minute: 0,
            job_timeout: Duration::from_secs(600),
            timer_speed: 1,
            log_lines_per_minute: 200,
            queue: 256,
            tool_timeout: Duration::from_secs(60),
            send_timeout: Duration::from_secs(30),
            ask_timeout: Duration::from_secs(15),
            stop_timeout: Duration::from_secs(5),
            drain: Duration::from_secs(10),
            trial: Duration::from_secs(2),
            stuck: Duration::from_secs(10),
            policy: Policy::default(),
            seats: None,
        }
    }
}

impl HostOptions {
    /// With a manifest's own limits, where they are lower.
    pub(crate) fn lowered(&self, limits: &PluginLimits) -> Self {
        let mut options = self.clone();
        if let Some(memory) = limits.memory_mb {
            options.memory_mb = options.memory_mb.min(memory.max(1));
        }
        if let Some(cpu) = limits.cpu_ms_per_minute {
            options.cpu_ms_per_minute = options.cpu_ms_per_minute.min(cpu.max(1));
        }
        for (host, wanted) in [
            (&mut options.requests_per_minute, limits.requests_per_minute),
            (&mut options.requests_per_day, limits.requests_per_day),
            (&mut options.wakeups_per_minute, limits.wakeups_per_minute),
        ] {
            if let Some(wanted) = wanted.filter(|wanted| *wanted > 0) {
                *host = if *host == 0 { wanted } else { wanted.min(*host) };
            }
        }
        options
    }
}
