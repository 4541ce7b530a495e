//! Keeps the tray, the badge and the notifications true until the engine ends: hears the facts, asks for the state when one says that
//! it changed, and hands it on.

use crate::host::Host;
use crate::{tell, tray, window};
use kata_core::EventHub;
use kata_protocol::{Empty, Fact};
use std::sync::Arc;
use tauri::AppHandle;
use tokio::sync::broadcast::error::RecvError;

/// Runs until the engine ends.
pub(crate) async fn run(app: AppHandle, host: Arc<Host>, events: Arc<EventHub>) {
    let mut facts = events.subscribe();
    let mut teller = tell::Teller::new(app.clone(), Arc::clone(&host));
    health(&app, &host).await;
    waiting(&app, &host, &mut teller).await;
    loop {
        match facts.recv().await {
            Ok(fact) => match &fact.fact {
                Fact::HealthChanged { health } => {
                    tray::show(&app, &health.line);
                    tray::show_pause(&app, health.paused);
                }
                Fact::AttentionChanged {} => waiting(&app, &host, &mut teller).await,
                other => teller.heard(other).await,
            },
            Err(RecvError::Lagged(_)) => {
                health(&app, &host).await;
                waiting(&app, &host, &mut teller).await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

async fn health(app: &AppHandle, host: &Host) {
    let Ok(operations) = host.operations().await else { return };
    if let Ok(status) = operations.system_status(host.caller(), Empty {}).await {
        tray::show(app, &status.health.line);
        tray::show_pause(app, status.health.paused);
    }
}

async fn waiting(app: &AppHandle, host: &Host, teller: &mut tell::Teller) {
    let Ok(operations) = host.operations().await else { return };
    match operations.attention_list(host.caller(), Empty {}).await {
        Ok(waiting) => {
            tray::show_waiting(app, &waiting);
            window::show_badge(app, waiting.len());
            teller.waiting(&waiting).await;
        }
        Err(error) => tracing::warn!(%error, "what waits for the person is not known"),
    }
}
