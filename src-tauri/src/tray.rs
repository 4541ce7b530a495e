//! The tray: one line of health, what needs the person, a pause of all channels, open, quit. It keeps the program reachable while no
//! window is open.
//!
//! The menu is changed in place, so that one that is open stays open; but for the list of what waits, which is put in anew: the menu
//! on the bus of Linux does not take a new name for a list within it. What waits is [`crate::follow`]'s to know; here it is shown, and
//! what is chosen goes to the operations of the engine.

use crate::host::Host;
use crate::{places, window};
use kata_protocol::{Attention, AttentionAnswer, SystemPause};
use std::sync::{Arc, Mutex, PoisonError};
use tauri::image::Image;
use tauri::menu::{CheckMenuItem, IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager as _, Wry};

const OPEN: &str = "open";
const QUIT: &str = "quit";
const PAUSE: &str = "pause";
/// Beginnings of the ids of what waits: go there; or answer, with the answer and what it answers.
const GO: &str = "go ";
const ANSWER: &str = "answer ";
/// Said until the engine stands.
pub(crate) const STARTING: &str = "Starting…";
/// Things that wait which have an entry of their own.
const SHOWN: usize = 8;
/// Where the list of them is: below the line of health.
const NEEDS_AT: usize = 1;
/// Characters of an entry at most; a menu grows as wide as its widest.
const WIDE: usize = 60;

/// The parts that change after the tray was built.
struct Tray {
    icon: TrayIcon<Wry>,
    menu: Menu<Wry>,
    health: MenuItem<Wry>,
    needs: Mutex<Submenu<Wry>>,
    pause: CheckMenuItem<Wry>,
    shown: Mutex<Shown>,
}

/// What is shown now.
#[derive(Default)]
struct Shown {
    waiting: Vec<Attention>,
    paused: bool,
    look: Look,
    /// The program ends: nothing else is said any more.
    ending: bool,
}

/// How the icon looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Look {
    #[default]
    Plain,
    /// With a dot: something needs the person.
    Needs,
    /// With two bars: all channels are paused.
    Paused,
}

impl Look {
    fn of(waiting: usize, paused: bool) -> Self {
        match (waiting, paused) {
            (0, false) => Self::Plain,
            (0, true) => Self::Paused,
            _ => Self::Needs,
        }
    }

    fn image(self) -> Image<'static> {
        match self {
            Self::Plain => tauri::include_image!("icons/tray.png"),
            Self::Needs => tauri::include_image!("icons/tray-needs.png"),
            Self::Paused => tauri::include_image!("icons/tray-paused.png"),
        }
    }
}

/// Puts the icon into the tray. Without a tray on the desktop it stays invisible; a second start opens the window then.
pub(crate) fn build(app: &AppHandle) -> tauri::Result<()> {
    let health = MenuItem::with_id(app, "health", STARTING, false, None::<&str>)?;
    let needs = Submenu::new(app, words_of(0), false)?;
    let pause = CheckMenuItem::with_id(app, PAUSE, "Pause all channels", false, false, None::<&str>)?;
    let open = MenuItem::with_id(app, OPEN, "Open Kata Agents", true, None::<&str>)?;
    let quit = MenuItem::with_id(app, QUIT, "Quit", true, None::<&str>)?;
    let line = || PredefinedMenuItem::separator(app);
    let menu = Menu::with_items(app, &[&health, &needs, &line()?, &pause, &line()?, &open, &quit])?;
    let icon = TrayIconBuilder::with_id("kata")
        .icon(Look::Plain.image())
        .icon_as_template(true)
        .tooltip("Kata Agents")
        .menu(&menu)
        .on_menu_event(chosen)
        .build(app)?;
    app.manage(Tray {
        icon,
        menu,
        health,
        needs: Mutex::new(needs),
        pause,
        shown: Mutex::default(),
    });
    Ok(())
}

fn chosen(app: &AppHandle, event: MenuEvent) {
    let id = event.id().as_ref();
    match id {
        OPEN => window::open_soon(app),
        QUIT => app.exit(0),
        PAUSE => switch_pause(app),
        _ => {
            if let Some(route) = id.strip_prefix(GO) {
                places::open_route(app, route);
            } else if let Some((action, about)) = id.strip_prefix(ANSWER).and_then(|rest| rest.split_once(' ')) {
                answer(app, about, action);
            }
        }
    }
}

/// Gives an answer to something that waits. One that does not count opens the window, which says why.
pub(crate) fn answer(app: &AppHandle, about: &str, action: &str) {
    let Some(host) = app.try_state::<Arc<Host>>().map(|host| Arc::clone(&host)) else {
        return;
    };
    let (app, answer) = (
        app.clone(),
        AttentionAnswer {
            id: about.to_owned(),
            action: action.to_owned(),
        },
    );
    tauri::async_runtime::spawn(async move {
        let done = match host.operations().await {
            Ok(operations) => operations.attention_answer(host.caller(), answer).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::info!(%error, "an answer from the tray or a notification did not count");
            places::open_route(&app, "/waiting");
        }
    });
}

fn switch_pause(app: &AppHandle) {
    let Some(host) = app.try_state::<Arc<Host>>().map(|host| Arc::clone(&host)) else {
        return;
    };
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Some(tray) = app.try_state::<Tray>() else { return };
        let paused = !lock(&tray.shown).paused;
        let done = match host.operations().await {
            Ok(operations) => operations.system_pause(host.caller(), SystemPause { paused, minutes: None }).await,
            Err(error) => Err(error),
        };
        // The system has switched the mark already: it says what is.
        let now = match done {
            Ok(state) => state.paused,
            Err(error) => {
                tracing::warn!(%error, "channels were not paused");
                !paused
            }
        };
        show_pause(&app, now);
    });
}

/// Puts a line where the health stands.
pub(crate) fn show(app: &AppHandle, line: &str) {
    let Some(tray) = app.try_state::<Tray>() else { return };
    if !lock(&tray.shown).ending {
        say(&tray, line);
    }
}

/// The program ends and waits for these sessions.
pub(crate) fn show_ending(app: &AppHandle, waits_for: &[String]) {
    let Some(tray) = app.try_state::<Tray>() else { return };
    lock(&tray.shown).ending = true;
    say(&tray, &ending(waits_for));
    warn(lock(&tray.needs).set_enabled(false).and_then(|()| tray.pause.set_enabled(false)));
}

fn say(tray: &Tray, line: &str) {
    let line = if line.is_empty() { "Running" } else { line };
    let shown = tray
        .health
        .set_text(escaped(line))
        .and_then(|()| tray.icon.set_tooltip(Some(format!("Kata Agents: {line}"))));
    warn(shown);
}

/// The mark at “Pause all channels”.
pub(crate) fn show_pause(app: &AppHandle, paused: bool) {
    let Some(tray) = app.try_state::<Tray>() else { return };
    let look = {
        let mut shown = lock(&tray.shown);
        shown.paused = paused;
        new_look(&mut shown)
    };
    warn(tray.pause.set_enabled(true).and_then(|()| tray.pause.set_checked(paused)));
    draw(&tray, look);
}

/// What needs the person.
pub(crate) fn show_waiting(app: &AppHandle, waiting: &[Attention]) {
    let Some(tray) = app.try_state::<Tray>() else { return };
    let look = {
        let mut shown = lock(&tray.shown);
        if shown.waiting == waiting {
            return;
        }
        shown.waiting = waiting.to_vec();
        new_look(&mut shown)
    };
    warn(put_needs(app, &tray, waiting));
    draw(&tray, look);
}

fn put_needs(app: &AppHandle, tray: &Tray, waiting: &[Attention]) -> tauri::Result<()> {
    let made = Submenu::new(app, words_of(waiting.len()), !waiting.is_empty())?;
    for each in waiting.iter().take(SHOWN) {
        made.append(&*entry(app, each)?)?;
    }
    if waiting.len() > SHOWN {
        let more = format!("{} more…", waiting.len() - SHOWN);
        made.append(&MenuItem::with_id(app, format!("{GO}/waiting"), more, true, None::<&str>)?)?;
    }
    let mut needs = lock(&tray.needs);
    tray.menu.remove(&*needs)?;
    tray.menu.insert(&made, NEEDS_AT)?;
    *needs = made;
    Ok(())
}

/// One entry, which leads to where it is dealt with; one that can be answered at once has its answers below it.
fn entry(app: &AppHandle, each: &Attention) -> tauri::Result<Box<dyn IsMenuItem<Wry>>> {
    let title = escaped(&each.title);
    let go = format!("{GO}{}", each.route);
    if each.actions.is_empty() {
        return Ok(Box::new(MenuItem::with_id(app, go, title, true, None::<&str>)?));
    }
    let menu = Submenu::new(app, title, true)?;
    if let Some(detail) = &each.detail {
        menu.append(&MenuItem::new(app, escaped(detail), false, None::<&str>)?)?;
    }
    for action in &each.actions {
        let id = format!("{ANSWER}{} {}", action.id, each.id);
        menu.append(&MenuItem::with_id(app, id, escaped(&action.label), true, None::<&str>)?)?;
    }
    menu.append(&MenuItem::with_id(app, go, "Look at it", true, None::<&str>)?)?;
    Ok(Box::new(menu))
}

fn new_look(shown: &mut Shown) -> Option<Look> {
    let look = Look::of(shown.waiting.len(), shown.paused);
    (std::mem::replace(&mut shown.look, look) != look).then_some(look)
}

fn draw(tray: &Tray, look: Option<Look>) {
    if let Some(look) = look {
        // Set together: apart, a template would flash up in the wrong colour.
        warn(tray.icon.set_icon_with_as_template(Some(look.image()), true));
    }
}

fn words_of(waiting: usize) -> String {
    match waiting {
        0 => "Nothing needs you".into(),
        1 => "1 needs you".into(),
        more => format!("{more} need you"),
    }
}

fn ending(waits_for: &[String]) -> String {
    let names: Vec<String> = waits_for.iter().take(3).map(|name| format!("“{}”", short(name, 30))).collect();
    match (waits_for.len(), names.join(", ")) {
        (0, _) => "Ending…".into(),
        (1..=3, names) => format!("Ending; waits for {names}"),
        (all, names) => format!("Ending; waits for {names} and {} more", all - 3),
    }
}

/// An “&” in a menu marks the letter behind it.
fn escaped(text: &str) -> String {
    short(text, WIDE).replace('&', "&&")
}

fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

fn warn(shown: tauri::Result<()>) {
    if let Err(error) = shown {
        tracing::warn!(%error, "the tray does not show how things stand");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_says_first_that_somebody_is_needed_then_that_channels_are_paused() {
        assert_eq!(Look::of(0, false), Look::Plain);
        assert_eq!(Look::of(0, true), Look::Paused);
        assert_eq!((Look::of(1, true), Look::of(9, false)), (Look::Needs, Look::Needs));
    }

    #[test]
    fn what_an_ending_waits_for_is_said_by_name() {
        let names = |n: usize| (1..=n).map(|n| format!("Trip {n}")).collect::<Vec<_>>();
        assert_eq!(ending(&names(0)), "Ending…");
        assert_eq!(ending(&names(2)), "Ending; waits for “Trip 1”, “Trip 2”");
        assert_eq!(ending(&names(5)), "Ending; waits for “Trip 1”, “Trip 2”, “Trip 3” and 2 more");
    }

    #[test]
    fn words_in_a_menu_are_short_and_mark_no_letter() {
        assert_eq!(escaped("R&D"), "R&&D");
        assert_eq!(escaped(&"x".repeat(100)).chars().count(), WIDE);
    }
}
