//! A signed update on the real, installed program: found on a server of this machine, put in while it works, and everything that
//! can go wrong on the way.
//!
//! Run by `cargo xtask updates`, which makes the packages and their signatures, and brings a screen and a session bus. Each story
//! installs version N with dpkg, starts `/usr/bin/kata-agents --hidden` in a home of its own, and takes it away again. [`scene`]
//! starts and asks, [`server`] is the server for updates. Deliberately absent: a window; `ui/` has its own tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests; what a story saw is printed, because a person reads it"
)]

mod scene;
mod server;

use kata_protocol::Ledger;
use kata_tests::{FakePlatform, eventually, eventually_within};
use scene::{N, N1, Scene};
use server::{Offer, Server};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Both programs, from where they are installed, without a word about where anything lies.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_installed_finds_its_plugins_and_its_window_and_the_engine_alone_says_why_it_does_not_update_itself() {
    for line in [["/usr/bin/kata", "serve"], ["/usr/bin/kata-agents", "--hidden"]] {
        let scene = Scene::plain(&line).await;
        let plugins = scene.plugins();
        for id in ["echo", "telegram", "slack", "matrix", "gmail"] {
            let place = format!("/usr/lib/Kata Agents/bundled/plugins/{id}");
            assert!(plugins.contains(&place), "{line:?} has no {place}: {plugins:?}");
        }
        let page = scene.page().await;
        assert!(page.contains("<title>Kata Agents</title>") && page.contains("/assets/"), "{page}");
        let unavailable = scene.update(&["status"])["unavailable"].clone();
        let alone = line[1] == "serve";
        assert_eq!(
            unavailable.as_str().is_some_and(|words| words.contains("without a window")),
            alone,
            "{unavailable}"
        );
        scene.end().await;
    }
}

/// N is installed from its package, sees N+1 while eight sessions and a channel work, drains, puts it in and comes back as N+1.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_put_in_by_itself_while_eight_sessions_and_a_channel_work_and_nothing_is_lost_or_doubled() {
    let server = Server::start(Offer::package("n1.deb", N1)).await;
    let platform = FakePlatform::start().await;
    let scene = Scene::start(&server, Some(&platform.base), &[]).await;
    let pid = scene.pid();
    let sessions: Vec<String> = (0..8).map(|_| scene.session()).collect();
    for session in &sessions {
        scene.submit(session, "/long 600");
    }
    for n in 0..20 {
        platform.write(&format!("person-{}", n % 5), &format!("message {n} of the channel"));
    }
    scene.until_busy(8).await;
    // Any hour is quiet: it does not wait until nothing is busy, it drains.
    scene.update(&["configure", "--quiet", "00:00-23:59"]);
    let mut drained = 0;
    let mut written = 20;
    eventually_within(3 * MINUTE, "the new version runs", async || {
        if let Some(state) = scene.try_update(&["status"]) {
            drained = drained.max(state["stage"]["busy"].as_u64().unwrap_or_default());
        }
        if written < 60 {
            platform.write(&format!("person-{}", written % 5), &format!("message {written} of the channel"));
            written += 1;
        }
        (scene.try_version()? == N1).then_some(())
    })
    .await;
    // Eight worked when it began; how many were left is what a look from outside happened to see.
    assert!(drained >= 1, "it said how many sessions it waits for: {drained}");
    let last = scene.settled().await;
    assert_eq!(last["ok"], true, "{last}");
    assert_eq!(
        (scene.pid(), scene.installed()),
        (pid, N1.to_owned()),
        "the same process, for whoever supervises it"
    );
    println!(
        "put in while {drained} sessions worked; {written} messages of the channel: {}",
        last["message"]
    );

    let ledger: Ledger = eventually_within(3 * MINUTE, "every message is answered", async || {
        let ledger: Ledger = serde_json::from_value(scene.try_status()?["ledger"].clone()).ok()?;
        (ledger.pending.0 == 0 && platform.sent().len() >= written).then_some(ledger)
    })
    .await;
    assert_eq!(
        (ledger.accepted, ledger.dead.0, ledger.refused.0),
        (ledger.delivered, 0, 0),
        "{ledger:?}"
    );
    let sent = platform.sent();
    for n in 0..written {
        let text = format!("message {n} of the channel");
        let answers = sent
            .iter()
            .filter(|sent| sent.message.text.contains(&text) && !followed_by_digit(&sent.message.text, &text));
        assert_eq!(answers.map(|sent| sent.times).collect::<Vec<_>>(), [1], "{text}");
    }
    for session in &sessions {
        let (asked, answered) = scene.ended(session).await;
        assert_eq!((asked, answered), (1, 1), "{session}: one question, one answer");
    }
    assert!(scene.backup().is_file(), "the store was copied before");
    scene.no_guard_is_left().await;
    scene.end().await;
}

/// `message 1` is no part of `message 12`.
fn followed_by_digit(text: &str, part: &str) -> bool {
    let rest = text.find(part).and_then(|at| text.get(at + part.len()..));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_package_is_thrown_away_and_said() {
    refused(
        Offer::package("n1.deb", N1).tampered(),
        "was not signed by the makers of Kata Agents, or was changed",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_announced_as_a_newer_one_than_it_is_is_thrown_away_and_said() {
    let said = format!("The server offers version 9.9.9, but the package was signed as {N1}.");
    refused(Offer::package("n1.deb", "9.9.9"), &said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_no_release_and_one_that_is_not_there_are_said() {
    let server = Server::start(Offer::package("n1.deb", N1)).await;
    let scene = Scene::start(&server, None, &[]).await;
    server.offer(Offer::nothing());
    let error = scene.refused(&["check"]);
    assert!(error.contains("no release"), "{error}");
    drop(server);
    let error = scene.refused(&["check"]);
    println!("{error}");
    assert!(error.contains("The server for updates cannot be reached"), "{error}");
    scene.still_runs(N).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_cut_is_said_and_comes_whole_the_next_time() {
    let server = Server::start(Offer::package("n1.deb", N1).cut()).await;
    let scene = Scene::start(&server, None, &[]).await;
    // Never now: what is fetched waits.
    scene.update(&["configure", "--quiet", &scene::not_now()]);
    let said = scene.failed().await;
    println!("{said}");
    assert!(said.starts_with("The download broke off") && said.contains("bytes came"), "{said}");
    scene.still_runs(N).await;
    server.offer(Offer::package("n1.deb", N1));
    scene.update(&["check"]);
    eventually_within(MINUTE, "it waits for the quiet hours", async || {
        let state = scene.try_update(&["status"])?;
        state["stage"]["waitsFor"].as_str()?.contains("quiet hours").then_some(())
    })
    .await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_leaves_nothing_half_done() {
    let server = Server::start(Offer::package("n1.deb", N1)).await;
    let scene = Scene::start(&server, None, &[]).await;
    let disk = scene.small_disk();
    scene.update(&["check"]);
    let said = scene.failed().await;
    println!("{said}");
    assert!(
        said.contains("There is no room for the new version") && said.contains("updates"),
        "{said}"
    );
    assert_eq!(disk.files(), [""; 0], "no half of a package lies there");
    scene.still_runs(N).await;
    drop(disk);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_gets_ready_is_put_back_from_outside() {
    put_back(
        "never.deb",
        "0.1.2",
        &[("KATA_UPDATE_PATIENCE", "4")],
        "Version 0.1.2 did not become ready within",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_ends_at_once_is_put_back_from_outside() {
    put_back("dies.deb", "0.1.3", &[], "Version 0.1.3 ended before it was ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_whose_engine_does_not_become_ready_puts_itself_back() {
    let environment = [("KATA_UPDATE_READY", "never"), ("KATA_UPDATE_PATIENCE", "6")];
    put_back(
        "n1.deb",
        N1,
        &environment,
        &format!("Version {N1} did not become ready within 6 seconds"),
    )
    .await;
}

/// A package that is refused after it was fetched.
async fn refused(offer: Offer, says: &str) {
    let server = Server::start(offer).await;
    let scene = Scene::start(&server, None, &[]).await;
    let pid = scene.pid();
    scene.update(&["check"]);
    let said = scene.failed().await;
    println!("{said}");
    assert!(said.contains(says), "{said}");
    assert_eq!(scene.pid(), pid);
    scene.still_runs(N).await;
    scene.end().await;
}

/// A version that is put in and does not show that it works: the one before comes back, and says so.
async fn put_back(package: &str, version: &str, environment: &[(&str, &str)], says: &str) {
    let server = Server::start(Offer::package(package, version)).await;
    let scene = Scene::start(&server, None, environment).await;
    let session = scene.session();
    scene.submit(&session, "before the update");
    assert_eq!(scene.ended(&session).await, (1, 1));
    scene.update(&["check"]);
    let last = eventually_within(3 * MINUTE, "the version before runs again", async || {
        let state = scene.try_update(&["status"])?;
        let last = state["last"].clone();
        (state["current"] == N && last["version"] == version).then_some(last)
    })
    .await;
    println!("{}", last["message"]);
    assert_eq!(last["ok"], false);
    let message = last["message"].as_str().unwrap();
    assert!(
        message.starts_with(says) && message.ends_with(&format!("Version {N} runs again.")),
        "{message}"
    );
    assert_eq!(scene.installed(), N);
    let notices = scene.try_status().unwrap()["notices"].to_string();
    assert!(notices.contains("runs again"), "the window shows it among the notices: {notices}");
    scene.no_guard_is_left().await;
    assert_eq!(scene.ended(&session).await, (1, 1), "the session is as it was");
    scene.submit(&session, "after it");
    eventually("the session goes on", async || (scene.counts(&session)? == (2, 2)).then_some(())).await;
    scene.update(&["check"]);
    eventually("it is not tried again by itself", async || {
        let state = scene.try_update(&["status"])?;
        state["stage"]["waitsFor"].as_str()?.contains("not tried again").then_some(())
    })
    .await;
    scene.end().await;
}
