//! The real program with the real plugin against a real Synapse; the people are matrix-nio. `cargo xtask peers matrix` installs both.

use kata_tests::{Kata, Serve, TestHome, eventually};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::ChildStdout;
use tokio::task::block_in_place;

const BOT: &str = "@kata:kata.test";

/// Synapse and its people.
pub(crate) struct Town {
    pub(crate) told: Value,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    child: Child,
}

impl Town {
    pub(crate) async fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let python: PathBuf = root.join("target/peers-matrix/v/bin/python");
        let mut child = Command::new(python)
            .arg(root.join("tests/peers/matrix/start.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`cargo xtask peers matrix` installs Synapse");
        let input = child.stdin.take();
        let output = ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        let mut output = BufReader::new(output).lines();
        let line = output.next_line().await.unwrap().expect("Synapse starts");
        let told = serde_json::from_str(&line).unwrap();
        let mut town = Self {
            told,
            input,
            output,
            child,
        };
        town.ask(json!({ "do": "user", "name": "kata" })).await;
        town
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    pub(crate) async fn ask(&mut self, command: Value) -> Value {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
        let line = self.output.next_line().await.unwrap().expect("start.py answers");
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer.get("error").is_none(), "{command}: {answer}");
        answer
    }

    /// A room with the bot invited.
    pub(crate) async fn room(&mut self, who: &str, more: Value) -> String {
        let mut command = json!({ "do": "room", "as": who, "invite": [BOT] });
        command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask(command).await["room"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn say(&mut self, who: &str, room: &str, text: &str, content: Value) -> String {
        let said = self
            .ask(json!({ "do": "say", "as": who, "room": room, "text": text, "content": content }))
            .await;
        said["event"].as_str().unwrap().to_owned()
    }

    async fn heard(&mut self, who: &str, room: &str) -> Vec<Value> {
        let heard = self.ask(json!({ "do": "heard", "as": who, "room": room })).await;
        heard["events"].as_array().unwrap().clone()
    }

    /// The bot's messages as a reader sees them: in order, each with its last edit.
    async fn answers(&mut self, who: &str, room: &str) -> Vec<Value> {
        let mut seen: Vec<Value> = Vec::new();
        for event in self.heard(who, room).await {
            if event["sender"] != BOT || event["type"] != "m.room.message" || event["content"]["msgtype"].is_null() {
                continue;
            }
            let relates = &event["content"]["m.relates_to"];
            if relates["rel_type"] == "m.replace" {
                let edited = seen
                    .iter_mut()
                    .find(|e| e["event_id"] == relates["event_id"])
                    .expect("what is edited was there");
                let relation = edited["content"]["m.relates_to"].clone();
                edited["content"] = event["content"]["m.new_content"].clone();
                edited["content"]["m.relates_to"] = relation;
            } else {
                seen.push(event);
            }
        }
        seen
    }

    /// Waits until the bot has said `text` somewhere in a room; gives that event.
    pub(crate) async fn answered(&mut self, who: &str, room: &str, text: &str) -> Value {
        eventually(&format!("the bot answers with {text:?}"), async || {
            let answers = self.answers(who, room).await;
            answers
                .into_iter()
                .find(|e| e["content"]["body"].as_str().is_some_and(|body| body.contains(text)))
        })
        .await
    }

    async fn server(&mut self, is: &str) {
        self.ask(json!({ "do": "server", "is": is })).await;
    }

    fn home(&self, more: Value) -> TestHome {
        let home = TestHome::new();
        for workspace in ["one", "work"] {
            std::fs::create_dir_all(home.path().join("workspaces").join(workspace).join("sessions")).unwrap();
        }
        let mut settings = json!({ "server": self.text("base"), "login": "password", "user": "kata", "invites": "all", "pollSeconds": 5 });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        home.settings(&json!({
            "plugins": { "matrix": { "settings": settings } },
            "sources": { "channel:matrix": { "enabled": true, "policy": "open", "workspace": "one", "perMinuteSender": 10_000, "perMinuteConversation": 10_000 } },
        }));
        home
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        // Closing its input is how it is asked to take Synapse down.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn give(kata: &Kata<'_>, name: &str, value: &str) {
    give_to(kata, "channel:matrix", name, value);
}

fn give_to(kata: &Kata<'_>, source: &str, name: &str, value: &str) {
    let args = ["sources", "secret", source, name];
    let mut child = kata.command(&args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "kata {args:?}");
}

async fn state(kata: &Kata<'_>, wanted: &[&str]) -> Value {
    eventually(&format!("matrix is {wanted:?}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let matrix = sources.as_array()?.iter().find(|s| s["id"] == "channel:matrix")?.clone();
        wanted.contains(&matrix["status"]["state"]["kind"].as_str()?).then_some(matrix)
    })
    .await
}

/// Starts the program and signs the account in with its password.
async fn serve(kata: &Kata<'_>, town: &Town) -> Serve {
    let serve = kata.serve(None).await;
    block_in_place(|| give(kata, "password", town.text("password")));
    state(kata, &["running"]).await;
    serve
}

async fn ledger(kata: &Kata<'_>, delivered: u64) -> Value {
    eventually(&format!("{delivered} answers are delivered"), async || {
        let status = block_in_place(|| kata.json(&["status"]));
        (status["ledger"]["delivered"] == delivered).then(|| status["ledger"].clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_chats_rooms_threads_replies_edits_and_reactions_reach_the_agent_and_answers_come_back_where_they_belong() {
    let mut town = Town::start().await;
    let home = town.home(json!({}));
    let kata = Kata(&home);
    let serve = serve(&kata, &town).await;

    // A direct chat: the message is written before the bot has come in.
    let chat = town.room("ann", json!({ "direct": true })).await;
    let first = town.say("ann", &chat, "hello bot", json!({})).await;
    let answer = town.answered("ann", &chat, "hello bot").await;
    assert_eq!(answer["content"]["msgtype"], "m.notice");
    assert_eq!(answer["content"]["format"], "org.matrix.custom.html");
    let read = town.ask(json!({ "do": "ephemeral", "as": "ann", "room": chat })).await;
    assert!(read.to_string().contains(&first), "a read receipt for {first}: {read}");

    // A room of an older version: only what addresses the bot is answered, with what it answers.
    let group = town.room("ann", json!({ "name": "Kitchen", "version": "10" })).await;
    town.say("ann", &group, "nobody in particular", json!({})).await;
    let asked = town
        .say(
            "ann",
            &group,
            "kata: in the kitchen",
            json!({ "m.mentions": { "user_ids": [BOT] } }),
        )
        .await;
    let answer = town.answered("ann", &group, "in the kitchen").await;
    assert_eq!(answer["content"]["m.relates_to"]["m.in_reply_to"]["event_id"], asked, "{answer}");

    // A thread.
    let thread = json!({ "m.relates_to": { "rel_type": "m.thread", "event_id": asked }, "m.mentions": { "user_ids": [BOT] } });
    town.say("ann", &group, "in the thread", thread).await;
    let answer = town.answered("ann", &group, "in the thread").await;
    assert_eq!(answer["content"]["m.relates_to"]["rel_type"], "m.thread");
    assert_eq!(answer["content"]["m.relates_to"]["event_id"], asked);

    // An answer to the bot needs no mention; notices of other bots are none.
    let bot_said = answer["event_id"].as_str().unwrap();
    let quoted = json!({ "m.relates_to": { "m.in_reply_to": { "event_id": bot_said } } });
    town.say("ann", &group, "> <@kata:kata.test> what I said\n\nas an answer", quoted)
        .await;
    town.answered("ann", &group, "as an answer").await;
    town.say("ann", &chat, "I am a bot too", json!({ "msgtype": "m.notice" })).await;

    // Edits and reactions begin no turn.
    let edit = json!({ "m.new_content": { "msgtype": "m.text", "body": "hello robot" }, "m.relates_to": { "rel_type": "m.replace", "event_id": first } });
    town.say("ann", &chat, "* hello robot", edit).await;
    let like = json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": answer["event_id"], "key": "👍" } });
    town.ask(json!({ "do": "send", "as": "ann", "room": group, "type": "m.reaction", "content": like }))
        .await;
    town.say("ann", &chat, "the last one", json!({})).await;
    town.answered("ann", &chat, "the last one").await;

    let direct = town.answers("ann", &chat).await;
    assert_eq!(direct.len(), 2, "hello and the last one: {direct:#?}");
    assert_eq!(town.answers("ann", &group).await.len(), 3);
    ledger(&kata, 5).await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_an_encrypted_room_is_told_once_that_it_cannot_be_read() {
    let mut town = Town::start().await;
    let home = town.home(json!({}));
    let kata = Kata(&home);
    let first = serve(&kata, &town).await;
    let room = town.room("ann", json!({ "direct": true, "encrypted": true })).await;
    let secret =
        json!({ "algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA", "session_id": "s", "sender_key": "k", "device_id": "nio" });
    let write = json!({ "do": "send", "as": "ann", "room": room, "type": "m.room.encrypted", "content": secret });
    town.ask(write.clone()).await;
    town.answered("ann", &room, "cannot read encrypted messages").await;
    town.ask(write.clone()).await;
    drop(first);
    let second = kata.serve(None).await;
    state(&kata, &["running"]).await;
    town.ask(write).await;
    // Something readable in another room comes after it in the stream.
    let chat = town.room("ann", json!({ "direct": true })).await;
    town.say("ann", &chat, "in the clear", json!({})).await;
    town.answered("ann", &chat, "in the clear").await;
    assert_eq!(town.answers("ann", &room).await.len(), 1, "told once");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_only_listed_people_may_invite_and_one_who_is_not_is_neither_joined_nor_answered() {
    let mut town = Town::start().await;
    let home = town.home(json!({ "invites": "listed", "inviters": ["@ann:kata.test"] }));
    let kata = Kata(&home);
    let serve = serve(&kata, &town).await;
    let foreign = town.room("bob", json!({ "direct": true })).await;
    town.say("bob", &foreign, "let me in", json!({})).await;
    let chat = town.room("ann", json!({ "direct": true })).await;
    town.say("ann", &chat, "hello", json!({})).await;
    town.answered("ann", &chat, "hello").await;
    let members = town.ask(json!({ "do": "members", "as": "bob", "room": foreign })).await;
    assert_eq!(members["members"], json!(["@bob:kata.test"]));
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_a_server_that_asks_to_wait_gets_every_answer_once_and_in_order() {
    let mut town = Town::start().await;
    let home = town.home(json!({}));
    let kata = Kata(&home);
    let serve = serve(&kata, &town).await;
    let room = town.room("ann", json!({ "direct": true })).await;
    town.say("ann", &room, "first", json!({})).await;
    town.answered("ann", &room, "first").await;
    for n in 0..8 {
        town.say("ann", &room, &format!("number {n}!"), json!({})).await;
    }
    // One message a second after a burst of two, as Synapse enforces it.
    town.server("slow").await;
    town.answered("ann", &room, "number 7!").await;
    ledger(&kata, 9).await;
    in_order(&town.answers("ann", &room).await[1..], |n| format!("number {n}!"), 8);
    serve.stop().await;
}

/// Each of `count` answers is there once, in the order of what they answer.
fn in_order(answers: &[Value], said: impl Fn(usize) -> String, count: usize) {
    let bodies: Vec<&str> = answers.iter().map(|e| e["content"]["body"].as_str().unwrap()).collect();
    assert_eq!(bodies.len(), count, "{bodies:#?}");
    for (n, body) in bodies.iter().enumerate() {
        assert!(body.contains(&said(n)), "answer {n} is to {:?}: {body}", said(n));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_a_session_that_was_ended_elsewhere_waits_for_the_person_and_loses_nothing() {
    let mut town = Town::start().await;
    let home = town.home(json!({}));
    let kata = Kata(&home);
    let serve = serve(&kata, &town).await;
    let room = town.room("ann", json!({ "direct": true })).await;
    town.say("ann", &room, "number 0!", json!({})).await;
    town.answered("ann", &room, "number 0!").await;
    let devices = town.ask(json!({ "do": "devices", "user": "kata" })).await;
    assert!(devices["names"].as_array().unwrap().contains(&json!("Kata Agents")), "{devices}");
    town.ask(json!({ "do": "revoke", "user": "kata" })).await;
    let waits = state(&kata, &["needs_user"]).await;
    assert!(
        waits["status"]["message"].as_str().unwrap().contains("ended the session"),
        "{waits}"
    );
    town.say("ann", &room, "number 1!", json!({})).await;
    block_in_place(|| give(&kata, "password", town.text("password")));
    state(&kata, &["running"]).await;
    town.say("ann", &room, "number 2!", json!({})).await;
    town.answered("ann", &room, "number 2!").await;
    in_order(&town.answers("ann", &room).await, |n| format!("number {n}!"), 3);
    ledger(&kata, 3).await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_neither_a_server_that_goes_away_nor_a_kill_in_the_middle_loses_doubles_or_reorders_anything() {
    let mut town = Town::start().await;
    let home = town.home(json!({}));
    let kata = Kata(&home);
    let first = serve(&kata, &town).await;
    let room = town.room("ann", json!({ "direct": true })).await;
    let mut said = 0;
    let mut say = async |town: &mut Town, count: usize| {
        for _ in 0..count {
            town.say("ann", &room, &format!("number {said}!"), json!({})).await;
            said += 1;
        }
    };
    say(&mut town, 5).await;
    town.answered("ann", &room, "number 0!").await;
    // Synapse goes while answers are on their way.
    town.server("down").await;
    let down = state(&kata, &["degraded", "backoff", "connecting"]).await;
    assert!(!down["status"]["message"].as_str().unwrap().is_empty(), "{down}");
    town.server("up").await;
    state(&kata, &["running"]).await;
    say(&mut town, 5).await;
    town.answered("ann", &room, "number 6!").await;
    // The program is killed without a farewell, and people go on writing: more than one sync gives.
    drop(first);
    say(&mut town, 60).await;
    let second = kata.serve(None).await;
    town.answered("ann", &room, "number 69!").await;
    let ledger = ledger(&kata, 70).await;
    assert_eq!(ledger["accepted"], 70);
    in_order(&town.answers("ann", &room).await, |n| format!("number {n}!"), 70);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_a_thousand_messages_each_way_none_lost_none_doubled_each_room_in_order() {
    const ROOMS: usize = 50;
    const EACH: usize = 20;
    let mut town = Town::start().await;
    let home = town.home(json!({}));
    let kata = Kata(&home);
    let serve = serve(&kata, &town).await;
    let mut rooms = Vec::new();
    for n in 0..ROOMS {
        let who = ["ann", "bob", "cid", "dee", "eve"][n % 5];
        rooms.push((who, town.room(who, json!({ "direct": true })).await));
    }
    for (n, (who, room)) in rooms.iter().enumerate() {
        town.ask(json!({ "do": "many", "as": who, "room": room, "count": EACH, "prefix": format!("room {n} number ") }))
            .await;
    }
    let mut delivered = 0;
    while delivered < (ROOMS * EACH) as u64 {
        delivered = eventually("something more is delivered", async || {
            let now = block_in_place(|| kata.json(&["status"]))["ledger"]["delivered"].as_u64()?;
            (now > delivered).then_some(now)
        })
        .await;
    }
    for (n, (who, room)) in rooms.iter().enumerate() {
        in_order(&town.answers(who, room).await, |k| format!("room {n} number {k}”"), EACH);
    }
    let ledger = ledger(&kata, (ROOMS * EACH) as u64).await;
    assert_eq!(ledger["accepted"], (ROOMS * EACH) as u64);
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_two_accounts_in_two_workspaces_never_mix() {
    let mut town = Town::start().await;
    town.ask(json!({ "do": "user", "name": "work" })).await;
    let home = town.home(json!({}));
    let kata = Kata(&home);
    let serve = serve(&kata, &town).await;
    let run = |args: &[&str]| {
        let output = block_in_place(|| kata.run(args));
        assert!(output.status.success(), "{args:?}: {output:?}");
    };
    run(&["channels", "accounts", "add", "matrix", "work", "--workspace", "work"]);
    let base = format!("server={}", town.text("base"));
    run(&[
        "sources",
        "set",
        "channel:matrix@work",
        &base,
        "login=password",
        "user=work",
        "invites=all",
        "pollSeconds=5",
    ]);
    run(&["channels", "policy", "matrix@work", "--policy", "open"]);
    run(&["sources", "enable", "channel:matrix@work"]);
    block_in_place(|| give_to(&kata, "channel:matrix@work", "password", town.text("password")));
    eventually("both accounts run", async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let runs = |id: &str| {
            sources
                .as_array()
                .is_some_and(|all| all.iter().any(|s| s["id"] == id && s["status"]["state"]["kind"] == "running"))
        };
        (runs("channel:matrix") && runs("channel:matrix@work")).then_some(())
    })
    .await;
    // The same person, in a chat with each; and one room in which both are: the same event reaches both.
    let first = town.room("ann", json!({ "direct": true })).await;
    let second = town.room("ann", json!({ "direct": true, "invite": ["@work:kata.test"] })).await;
    let shared = town
        .room("ann", json!({ "name": "Both", "invite": [BOT, "@work:kata.test"] }))
        .await;
    town.say("ann", &first, "to the first", json!({})).await;
    town.say("ann", &second, "to the second", json!({})).await;
    town.answered("ann", &first, "to the first").await;
    let said_by = async |town: &mut Town, room: &str, who: &str, text: &str| {
        eventually(&format!("{who} answers {text:?}"), async || {
            let heard = town.heard("ann", room).await;
            heard.into_iter().find(|e| e["sender"] == who && e.to_string().contains(text))
        })
        .await
    };
    said_by(&mut town, &second, "@work:kata.test", "to the second").await;
    let meant = json!({ "m.mentions": { "user_ids": ["@work:kata.test"] } });
    town.say("ann", &shared, "work, in the shared room", meant).await;
    said_by(&mut town, &shared, "@work:kata.test", "in the shared room").await;
    for (room, other) in [(&first, "@work:kata.test"), (&second, BOT), (&shared, BOT)] {
        let heard = town.heard("ann", room).await;
        assert!(
            !heard.iter().any(|e| e["sender"] == other && e["type"] == "m.room.message"),
            "{other} writes in {room}"
        );
    }
    let sessions = block_in_place(|| kata.json(&["sessions", "list"]));
    let rows = sessions["sessions"]
        .as_array()
        .or(sessions.as_array())
        .unwrap_or_else(|| panic!("{sessions}"));
    let mut places: Vec<_> = rows
        .iter()
        .map(|s| (s["workspace"].as_str().unwrap(), s["channel"]["slug"].as_str().unwrap_or("")))
        .collect();
    places.sort_unstable();
    let work = places
        .iter()
        .filter(|(workspace, slug)| *workspace == "work" && *slug == "matrix@work")
        .count();
    assert_eq!((places.len(), work), (3, 2), "{places:?}");
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_single_sign_on_leads_back_by_the_plugins_own_path_and_signs_in() {
    let mut town = Town::start().await;
    let home = town.home(json!({ "login": "sso" }));
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    state(&kata, &["needs_user"]).await;
    let asked = block_in_place(|| kata.run(&["--json", "channels", "setup", "matrix"]));
    let step: Value = serde_json::from_slice(&asked.stdout).unwrap_or_else(|e| panic!("{e}: {asked:?}"));
    assert_eq!(step["kind"], "open", "{step}");
    // A browser: it follows every redirect, and presses the one button of Synapse's page that asks whether to go on.
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = browser
        .get(step["url"].as_str().unwrap())
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let link = page
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|href| href.contains("loginToken="));
    let back = link.unwrap_or_else(|| panic!("no way back in {page}")).replace("&amp;", "&");
    let answer = browser.get(back).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    assert!(answer.text().await.unwrap().contains("@sso:kata.test"));
    state(&kata, &["running"]).await;
    let room = town
        .ask(json!({ "do": "room", "as": "ann", "invite": ["@sso:kata.test"], "direct": true }))
        .await;
    let room = room["room"].as_str().unwrap().to_owned();
    town.say("ann", &room, "hello", json!({})).await;
    eventually("the account of the sign-on answers", async || {
        let heard = town.heard("ann", &room).await;
        heard
            .into_iter()
            .find(|e| e["sender"] == "@sso:kata.test" && e["type"] == "m.room.message")
    })
    .await;
    serve.stop().await;
}
