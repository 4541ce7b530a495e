//! Places of the window that are asked for from outside it: by a link, the tray, a notification. They wait until a window takes them,
//! also while the program or the window still starts.

use crate::{links, window};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tauri::{AppHandle, Emitter as _, Manager as _, State};

/// Most that wait; older ones go. Whoever asks for more than a few places sees the last ones.
const MOST: usize = 4;
/// Said to the window that there is something to take.
const EVENT: &str = "places-wait";

/// A place of the window.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, specta::Type)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Place {
    /// One of its routes (`/sources/channel%3Atelegram`).
    Route {
        /// Route.
        route: String,
    },
    /// A text for the composer of a new chat, which is never sent without the person.
    Compose {
        /// Text.
        text: String,
        /// The link had more of it.
        cut: bool,
    },
    /// A link that leads nowhere.
    Unknown {
        /// The link, as far as it may be shown.
        link: String,
    },
}

/// Those that wait.
#[derive(Default)]
pub(crate) struct Places(Mutex<VecDeque<Place>>);

impl Places {
    fn put(&self, place: Place) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.back() == Some(&place) {
            return;
        }
        if waiting.len() == MOST {
            waiting.pop_front();
        }
        waiting.push_back(place);
    }

    fn take(&self) -> Vec<Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

/// Opens the window there, or brings it to the front.
pub(crate) fn open(app: &AppHandle, place: Option<Place>) {
    if let (Some(place), Some(places)) = (place, app.try_state::<Places>()) {
        places.put(place);
        // A window that is there hears it; one that comes asks by itself.
        if let Err(error) = app.emit(EVENT, ()) {
            tracing::warn!(%error, "the window was not told where to go");
        }
    }
    window::open_soon(app);
}

/// Opens the window at a route.
pub(crate) fn open_route(app: &AppHandle, route: &str) {
    open(app, Some(Place::Route { route: route.to_owned() }));
}

/// Opens what the arguments of a start ask for: each link, or just the window. False where they ask for nothing.
pub(crate) fn open_arguments(app: &AppHandle, arguments: impl IntoIterator<Item = String>) -> bool {
    let mut asked = false;
    for link in arguments.into_iter().filter(|argument| links::is_link(argument)).take(MOST) {
        asked = true;
        open(app, links::parse(&link));
    }
    asked
}

/// Hands the window what waits; nobody gets it again.
#[tauri::command]
#[specta::specta]
pub(crate) fn take_places(places: State<'_, Places>) -> Vec<Place> {
    places.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_wait_in_order_are_taken_once_and_do_not_pile_up() {
        let places = Places::default();
        let route = |n: usize| Place::Route { route: format!("/{n}") };
        (0..6).for_each(|n| places.put(route(n)));
        places.put(route(5));
        assert_eq!(places.take(), [route(2), route(3), route(4), route(5)]);
        assert_eq!(places.take(), []);
    }
}
