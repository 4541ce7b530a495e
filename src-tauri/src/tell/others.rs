//! macOS and Windows: the system's notifications, with answers as buttons where it shows any.
//!
//! Each waits on a thread of its own until the person has done something with it or the system gives it up; [`super::rules`] bounds how
//! many there are. What was shown cannot be taken away by these interfaces: an answer that comes too late says so in the window.

use super::{Chosen, Note, act};
use tauri::AppHandle;

/// Shows notifications.
pub(crate) struct Post {
    app: AppHandle,
}

impl Post {
    /// Asks nobody yet.
    pub(crate) fn new(app: AppHandle) -> Self {
        #[cfg(target_os = "macos")]
        if let Err(error) = mac_notification_sys::set_application(&app.config().identifier) {
            tracing::info!(%error, "notifications come under another name");
        }
        Self { app }
    }

    /// Shows one.
    #[allow(clippy::unused_async, reason = "as on Linux, where a bus is asked")]
    pub(crate) async fn show(&self, note: Note) {
        let app = self.app.clone();
        let shown = std::thread::Builder::new()
            .name("notification".into())
            .spawn(move || show(&app, &note));
        if let Err(error) = shown {
            tracing::warn!(%error, "a notification was not shown");
        }
    }

    /// Cannot be done here.
    #[allow(clippy::unused_async, reason = "as on Linux, where a bus is asked")]
    pub(crate) async fn withdraw(&self, _: &str) {}
}

#[cfg(target_os = "macos")]
fn show(app: &AppHandle, note: &Note) {
    use mac_notification_sys::{MainButton, Notification, NotificationResponse};
    let answers: Vec<(String, String)> = note.answers.iter().flat_map(|(_, answers)| answers.clone()).collect();
    let labels: Vec<&str> = answers.iter().map(|(_, label)| label.as_str()).collect();
    let mut notification = Notification::new();
    notification
        .title(&note.title)
        .message(note.body.as_deref().unwrap_or_default())
        .wait_for_click(true);
    match labels.as_slice() {
        [] => {}
        [one] => {
            notification.main_button(MainButton::SingleAction(one));
        }
        several => {
            notification.main_button(MainButton::DropdownActions("Answer", several));
        }
    }
    match notification.send() {
        Ok(NotificationResponse::Click) => act(app, note, &Chosen::Open),
        Ok(NotificationResponse::ActionButton(label)) => {
            if let Some((id, _)) = answers.iter().find(|(_, known)| *known == label) {
                act(app, note, &Chosen::Answer(id.clone()));
            }
        }
        Ok(_) => {}
        Err(error) => tracing::info!(%error, "a notification was not shown"),
    }
}

#[cfg(windows)]
fn show(app: &AppHandle, note: &Note) {
    use tauri_winrt_notification::Toast;
    let (handle, told) = (app.clone(), note.clone());
    let mut toast = Toast::new(&app.config().identifier).title(&note.title);
    if let Some(body) = &note.body {
        toast = toast.text1(body);
    }
    for (id, label) in note.answers.iter().flat_map(|(_, answers)| answers) {
        toast = toast.add_button(label, id);
    }
    let shown = toast
        .on_activated(move |action| {
            let chosen = match action {
                Some(id) if !id.is_empty() => Chosen::Answer(id),
                _ => Chosen::Open,
            };
            act(&handle, &told, &chosen);
            Ok(())
        })
        .show();
    if let Err(error) = shown {
        tracing::info!(%error, "a notification was not shown");
    }
}

#[cfg(not(any(target_os = "macos", windows)))]
fn show(app: &AppHandle, note: &Note) {
    let _ = (app, note, Chosen::Open, Chosen::Answer(String::new()), act);
}
