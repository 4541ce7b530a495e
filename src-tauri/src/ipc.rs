//! Joins the window to the engine: one command per row of the table of operations, one event for every fact.
//!
//! Commands, their types and the TypeScript in `ui/src/generated/tauri.ts` are expansions of the table in kata-protocol.
//! Two commands are no operations, because they are for when there is no engine: [`start_engine`] and [`quit_app`]; a third because
//! only a window of this shell can be asked for a place: [`crate::places::take_places`].
//! Deliberately absent: any other such command; the gateway and the CLI could not call it.

use crate::host::Host;
use crate::tray;
use kata_core::EventHub;
use kata_protocol::*;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use tauri::{AppHandle, Manager as _, State, Wry};
use tauri_specta::Event as _;
use tokio::sync::broadcast::error::RecvError;

/// A numbered fact on its way into the window. A window that sees a gap in the numbers asks for the state again.
#[derive(Clone, serde::Serialize, specta::Type, tauri_specta::Event)]
#[serde(transparent)]
#[tauri_specta(event_name = "numbered-fact")]
struct FactEvent(Arc<NumberedFact>);

macro_rules! commands {
    ($(#[doc = $doc:literal] $method:ident $name:literal ($params:ty) -> $result:ty, $scope:ident, [$($topic:ident),*];)*) => {
        $(
            #[doc = $doc]
            #[tauri::command]
            #[specta::specta]
            pub(crate) async fn $method(host: State<'_, Arc<Host>>, params: $params) -> Result<$result, WireError> {
                let host = Arc::clone(&host);
                guarded($name, async move { host.operations().await?.$method(host.caller(), params).await }).await
            }
        )*

        /// Commands and events of the shell, for Tauri and for TypeScript.
        pub(crate) fn bindings() -> tauri_specta::Builder<Wry> {
            tauri_specta::Builder::new()
                .commands(tauri_specta::collect_commands![start_engine, quit_app, crate::places::take_places, $($method),*])
                .events(tauri_specta::collect_events![FactEvent])
                .disable_serde_phases()
        }
    };
}
kata_protocol::with_operations!(commands);

/// Starts the engine again after it could not start. Answers when it stands, or with the reason why it does not.
#[tauri::command]
#[specta::specta]
pub(crate) async fn start_engine(app: AppHandle, host: State<'_, Arc<Host>>) -> Result<(), WireError> {
    if host.begin_again() {
        tray::show(&app, tray::STARTING);
        tauri::async_runtime::spawn(crate::app::bring_up(app, Arc::clone(&host)));
    }
    host.operations().await.map(|_| ())
}

/// Ends the app, as “Quit” in the tray does.
#[tauri::command]
#[specta::specta]
pub(crate) fn quit_app(app: AppHandle) {
    app.exit(0);
}

/// Runs a command's body in a task of its own: a panic in it becomes an error that the window shows. In the command itself the
/// promise would never settle.
async fn guarded<T: Send + 'static>(
    name: &'static str,
    body: impl Future<Output = Result<T, WireError>> + Send + 'static,
) -> Result<T, WireError> {
    match tauri::async_runtime::spawn(body).await {
        Ok(result) => result,
        Err(error) => {
            tracing::error!(operation = name, %error, "an operation panicked");
            Err(WireError::internal(format!("“{name}” stopped unexpectedly")).hint("the log says where; please report it"))
        }
    }
}

/// Hands every fact to the window, while one is open.
pub(crate) async fn forward_facts(app: AppHandle, events: Arc<EventHub>) {
    let mut facts = events.subscribe();
    loop {
        match facts.recv().await {
            Ok(fact) if !app.webview_windows().is_empty() => {
                if let Err(error) = FactEvent(fact).emit(&app) {
                    tracing::warn!(%error, "a fact did not reach the window");
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "the window was too slow for the facts; it will ask for the state again")
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Writes the window's commands and events as TypeScript.
pub fn write_bindings(path: &Path) -> anyhow::Result<()> {
    let language = specta_typescript::Typescript::default().header("// Generated from kata-protocol by `cargo xtask gen`. Do not edit.\n");
    Ok(bindings().export(language, path)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_an_operation_is_an_error_and_not_a_promise_that_never_settles() {
        tauri::async_runtime::set(tokio::runtime::Handle::current());
        let answer: Result<(), WireError> = guarded("session.submit", async { panic!("on purpose") }).await;
        let error = answer.unwrap_err();
        assert_eq!(error.code, ErrorCode::Internal);
        assert!(error.message.contains("session.submit"), "it names the operation");
        assert!(!error.message.contains("on purpose"), "what panicked stays in the log");
    }

    #[test]
    fn every_operation_of_the_table_is_a_command_of_the_window() {
        let folder = std::env::temp_dir().join(format!("kata-bindings-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("tauri.ts");
        write_bindings(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        for operation in ops::OPERATIONS {
            assert!(
                text.contains(&format!("\"{}\"", operation.command)),
                "{} is missing",
                operation.command
            );
        }
        assert!(text.contains("\"numbered-fact\""));
    }
}
