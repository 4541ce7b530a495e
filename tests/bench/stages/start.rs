//! Start to ready, and memory at rest.
//!
//! Never two programs of ours at once: PSS divides shared pages by the processes that share them.

use crate::Bench;
use crate::kata::{Home, PLUGINS};
use crate::report::Report;
use anyhow::Result;
use tokio::time::{Instant, sleep_until};

/// Plugins of the second measurement of memory.
const MANY: u32 = 16;

/// Fills the rows of start and memory.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    for round in 0..bench.repeat {
        let ours = match &bench.kata {
            Some(_) => {
                let (kata, start) = Home::with_plugins(bench, &format!("start-{round}"), PLUGINS)?.serve().await?;
                let ready = Instant::now();
                report.ours("ready_wall", start.wall);
                report.ours("ready_cpu", start.cpu);
                let up = kata.plugins_up(PLUGINS).await?;
                report.ours("plugins_wall", up.wall);
                report.ours("plugins_cpu", up.cpu);
                Some((kata, ready))
            }
            None => None,
        };
        let peer = match &bench.peer {
            // One state folder for all rounds: the first start ever pays for migrations, a person pays for them once.
            Some(peer) => {
                if round == 0 {
                    peer.serve(bench, "peer-start", None).await?.0.stop().await;
                }
                let (gateway, start) = peer.serve(bench, "peer-start", None).await?;
                let ready = Instant::now();
                report.peer("ready_wall", start.wall);
                report.peer("ready_cpu", start.cpu);
                Some((gateway, ready))
            }
            None => None,
        };
        let mut rested = None;
        if let Some((kata, ready)) = ours {
            sleep_until(ready + bench.rest).await;
            let pss = kata.program.pss();
            report.ours("idle_pss", pss / 1e6);
            rested = Some(pss);
            kata.stop().await;
        }
        if let Some((gateway, ready)) = peer {
            sleep_until(ready + bench.rest).await;
            report.peer("idle_pss", gateway.program.pss() / 1e6);
            gateway.stop().await;
        }
        if let Some(few) = rested {
            let many = usize::try_from(MANY)?;
            let (kata, _) = Home::with_plugins(bench, &format!("start-many-{round}"), many)?.serve().await?;
            let ready = Instant::now();
            kata.plugins_up(many).await?;
            sleep_until(ready + bench.rest).await;
            let further = f64::from(MANY) - f64::from(u32::try_from(PLUGINS)?);
            report.ours("plugin_pss", (kata.program.pss() - few) / further / 1e6);
            kata.stop().await;
        }
    }
    Ok(())
}
