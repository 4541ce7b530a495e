//! Round trips and requests a second on one connection, the two gateways in turn.

use crate::Bench;
use crate::kata::{Home, PLUGINS};
use crate::report::Report;
use crate::stats::percentile;
use crate::wire::Wire;
use anyhow::Result;
use serde_json::json;

/// Requests in flight, and the row each fills.
const IN_FLIGHT: [(u32, &str); 3] = [(1, "rps_1"), (16, "rps_16"), (64, "rps_64")];

/// Fills the rows of the gateway.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let kata = match &bench.kata {
        Some(_) => {
            let (kata, _) = Home::with_plugins(bench, "rpc", PLUGINS)?.serve().await?;
            kata.plugins_up(PLUGINS).await?;
            Some(kata)
        }
        None => None,
    };
    let peer = match &bench.peer {
        Some(peer) => Some(peer.serve(bench, "peer-rpc", None).await?.0),
        None => None,
    };
    for _ in 0..bench.repeat {
        if let Some(kata) = &kata {
            let mut wire = kata.client().await?;
            let (p50, p99) = round_trips(&mut wire, "system.status", 2_000).await?;
            report.ours("rtt_p50", p50);
            report.ours("rtt_p99", p99);
        }
        if let Some(gateway) = &peer {
            let mut wire = gateway.client().await?;
            let (p50, p99) = round_trips(&mut wire, "health", 500).await?;
            report.peer("rtt_p50", p50);
            report.peer("rtt_p99", p99);
        }
        for (in_flight, key) in IN_FLIGHT {
            if let Some(kata) = &kata {
                let rate = kata.client().await?.throughput("system.status", in_flight, bench.window).await?;
                report.ours(key, rate);
            }
            if let Some(gateway) = &peer {
                let rate = gateway.client().await?.throughput("health", in_flight, bench.window).await?;
                report.peer(key, rate);
            }
        }
    }
    if let Some(kata) = kata {
        kata.stop().await;
    }
    if let Some(gateway) = peer {
        gateway.stop().await;
    }
    Ok(())
}

/// p50 and p99 in milliseconds.
async fn round_trips(wire: &mut Wire, op: &str, count: u32) -> Result<(f64, f64)> {
    let mut samples = Vec::new();
    for n in 0..count + count / 10 {
        let (took, _) = wire.timed(op, &json!({})).await?;
        // The first tenth warms both sides up.
        if n >= count / 10 {
            samples.push(took.as_secs_f64() * 1e3);
        }
    }
    Ok((percentile(&samples, 0.5), percentile(&samples, 0.99)))
}
