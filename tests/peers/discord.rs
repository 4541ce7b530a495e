//! The real program with the Discord plugin against crabline (which we did not write) and against our own stand-in, which the
//! official libraries judge first.

use kata_tests::{Kata, Serve, TestHome, eventually, eventually_within};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncBufReadExt;
use tokio::task::block_in_place;

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/discord")
}

/// As `eventually`, where the program itself rests for half a minute before it tries again.
async fn patiently<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(Duration::from_secs(120), what, ask).await
}

/// A program of this folder that says where it is in one line and ends when its input does.
pub(super) struct Peer {
    pub told: Value,
    input: Option<ChildStdin>,
    child: Child,
    http: reqwest::Client,
}

impl Peer {
    pub async fn start(script: &str) -> Self {
        let mut child = Command::new("node")
            .current_dir(folder())
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs; `cargo xtask peers discord` installs the rest");
        let input = child.stdin.take();
        let output = tokio::process::ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        let line = tokio::io::BufReader::new(output).lines().next_line().await.unwrap();
        Self {
            told: serde_json::from_str(&line.expect("it starts")).unwrap(),
            input,
            child,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub fn text(&self, pointer: &str) -> String {
        let found = self.told.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("{pointer} in {}", self.told)).to_owned()
    }

    /// Tells the stand-in something by its admin port.
    pub async fn tell(&self, name: &str, body: Value) -> Value {
        let url = format!("{}/{name}", self.text("/adminUrl"));
        let answer = self.http.post(url).body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{name}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    pub async fn look(&self, name: &str) -> Value {
        let url = format!("{}/{name}", self.text("/adminUrl"));
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// What bots wrote in a channel, oldest first.
    pub async fn answers(&self, channel: &str) -> Vec<Value> {
        let all = self.look(&format!("messages?channel={channel}")).await;
        let all = all.as_array().unwrap().iter();
        all.filter(|m| m["author"]["bot"] == true).cloned().collect()
    }

    /// Until there are so many.
    async fn answered(&self, channel: &str, count: usize) -> Vec<Value> {
        patiently(&format!("{count} answers in {channel}"), async || {
            Some(self.answers(channel).await).filter(|a| a.len() >= count)
        })
        .await
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn home(api_root: &str) -> TestHome {
    let home = TestHome::new();
    home.settings(&json!({
        "plugins": { "discord": { "settings": { "apiRoot": api_root } }, "telegram": { "enabled": false } },
        "sources": { "channel:discord": { "enabled": true, "policy": "open", "perMinuteSender": 10_000, "perMinuteConversation": 10_000 } },
    }));
    home
}

fn give(kata: &Kata<'_>, args: &[&str], value: &str) {
    let mut child = kata.command(args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "kata {args:?}");
}

async fn state(kata: &Kata<'_>, wanted: &[&str]) -> Value {
    eventually(&format!("discord is {wanted:?}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let discord = sources.as_array()?.iter().find(|s| s["id"] == "channel:discord")?.clone();
        wanted.contains(&discord["status"]["state"]["kind"].as_str()?).then_some(discord)
    })
    .await
}

pub(super) async fn serve(kata: &Kata<'_>, token: &str) -> Serve {
    serve_with(kata, token, &[]).await
}

async fn serve_with(kata: &Kata<'_>, token: &str, variables: &[(&str, &str)]) -> Serve {
    let serve = kata.serve_with(variables).await;
    // A token that comes while the plugin is still being started gives two generations, of which the second resumes the session of
    // the first. Discord hands over what came between; crabline resumes only where nothing did, and has no history of it.
    state(kata, &["needs_user"]).await;
    block_in_place(|| give(kata, &["sources", "secret", "channel:discord", "botToken"], token));
    state(kata, &["running"]).await;
    serve
}

async fn ledger(kata: &Kata<'_>, delivered: u64) -> Value {
    patiently(&format!("the ledger says {delivered} delivered"), async || {
        let status = block_in_place(|| kata.json(&["status"]));
        (status["ledger"]["delivered"] == delivered).then(|| status["ledger"].clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_crabline_a_mention_is_answered_in_its_channel_and_a_direct_message_where_it_was_written() {
    let peer = Peer::start("crabline.mjs").await;
    let home = home(&peer.text("/endpoints/apiRoot"));
    let kata = Kata(&home);
    let serve = serve(&kata, &peer.text("/botToken")).await;
    let (bot, channel, guild) = (
        peer.text("/botUserId"),
        peer.text("/fixture/channelId"),
        peer.text("/fixture/guildId"),
    );
    let write = async |body: Value| {
        let request = peer.http.post(peer.text("/endpoints/adminInboundUrl"));
        let request = request
            .header("X-Crabline-Admin-Token", peer.text("/adminToken"))
            .header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        answer.json::<Value>().await.unwrap()
    };
    let journal = PathBuf::from(peer.text("/journal"));
    let sent = || {
        let text = std::fs::read_to_string(&journal).unwrap_or_default();
        let calls = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        let posts = calls.filter(|c| c["method"] == "POST" && c["path"].as_str().is_some_and(|p| p.ends_with("/messages")));
        posts.filter(|c| c["accepted"] == true).collect::<Vec<_>>()
    };
    let person = json!({ "senderId": "135000000000000055", "senderName": "Alice" });
    let with = |more: Value| {
        let mut body = person.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let first = write(with(
        json!({ "channelId": channel, "guildId": guild, "content": format!("<@{bot}> hello there") }),
    ))
    .await;
    eventually("the answer", async || (!sent().is_empty()).then_some(())).await;
    // What nobody asked the bot is not answered; what is asked later is, so nothing else comes before it.
    write(with(json!({ "channelId": channel, "guildId": guild, "content": "just talking" }))).await;
    write(with(
        json!({ "channelId": channel, "guildId": guild, "content": format!("<@{bot}> second") }),
    ))
    .await;
    eventually("the second answer", async || (sent().len() >= 2).then_some(())).await;
    let (one, two) = (&sent()[0], &sent()[1]);
    assert!(one["body"]["content"].as_str().unwrap().contains("hello there"), "{one}");
    assert!(two["body"]["content"].as_str().unwrap().contains("second"), "{two}");
    assert!(one["path"].as_str().unwrap().contains(&channel), "{one}");
    assert_eq!(one["body"]["allowed_mentions"], json!({ "parse": [] }));
    assert_eq!(one["body"]["enforce_nonce"], true);
    let id = first.pointer("/message/id").and_then(Value::as_str).unwrap();
    assert_eq!(one["body"]["message_reference"]["message_id"], id);
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_threads_direct_messages_and_channels_are_answered_each_where_it_was_asked_and_in_order() {
    let fake = Peer::start("fake.mjs").await;
    let home = home(&fake.text("/apiRoot"));
    let kata = Kata(&home);
    // An answer takes its time: one that is there at once is never written on.
    let serve = serve_with(&kata, &fake.text("/bots/0/token"), &[("KATA_DEMO_PACE", "1")]).await;
    let (bot, general) = (fake.text("/bots/0/id"), fake.text("/bots/0/channels/general"));
    let thread = fake.tell("thread", json!({ "channel": general, "name": "plans" })).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let asked = fake
        .tell(
            "say",
            json!({ "channel": general, "user": "ada", "content": format!("<@{bot}> one") }),
        )
        .await;
    fake.tell(
        "say",
        json!({ "channel": thread, "user": "bob", "content": format!("<@{bot}> two") }),
    )
    .await;
    let direct = fake
        .tell("say", json!({ "direct": "kata", "user": "ada", "content": "three" }))
        .await["channel"]
        .as_str()
        .unwrap()
        .to_owned();
    for (channel, word) in [(&general, "one"), (&thread, "two"), (&direct, "three")] {
        let answers = fake.answered(channel, 1).await;
        assert!(answers[0]["content"].as_str().unwrap().contains(word), "{answers:?}");
    }
    let quoted = &fake.answers(&general).await[0]["message_reference"]["message_id"];
    assert_eq!(quoted, &asked["id"], "an answer in a server quotes its question");
    // Beyond one message's length, the fence closed and opened again.
    fake.tell("say", json!({ "direct": "kata", "user": "ada", "content": "/long 900" }))
        .await;
    let long = fake.answered(&direct, 4).await;
    assert!(long.iter().all(|m| m["content"].as_str().unwrap().encode_utf16().count() <= 2_000));
    let seen = fake.look("seen").await;
    assert!(!seen["typed"].as_array().unwrap().is_empty(), "typing was shown");
    assert_eq!(seen["commands"][0], json!(["new", "stop", "status", "approve", "deny"]));
    let journal = fake.look("journal").await;
    assert!(
        journal
            .as_array()
            .unwrap()
            .iter()
            .all(|c| c["agent"].as_str().unwrap().starts_with("DiscordBot ("))
    );
    // A slash command is an order: answered by the host, quietly acknowledged by the plugin.
    fake.tell("command", json!({ "channel": direct, "name": "status", "user": "ada" }))
        .await;
    let answers = eventually("the order is acknowledged", async || {
        let answers = fake.look("answers").await;
        (!answers[0]["first"].is_null()).then_some(answers)
    })
    .await;
    assert!(answers[0]["afterMs"].as_u64().unwrap() < 3_000, "{answers}");
    assert_eq!(answers[0]["first"]["data"]["flags"], 64);
    fake.answered(&direct, 5).await;
    serve.stop().await;
}

/// Threads beside each channel, each with a person of its own: more than 25 exchanges a minute of one person in one channel, its
/// threads among it, would count as a loop.
const ASIDES: usize = 28;

/// Messages that are written and have to be answered, over several conversations.
struct Crowd {
    /// What a message is put where with, its conversation, and how it begins.
    places: Vec<(Value, String, String)>,
    written: AtomicUsize,
}

impl Crowd {
    async fn gather(fake: &Peer) -> Self {
        let bot = fake.text("/bots/0/id");
        let mut places = Vec::new();
        for name in ["general", "work"] {
            let channel = fake.text(&format!("/bots/0/channels/{name}"));
            let mut ids = vec![channel.clone()];
            for n in 0..ASIDES {
                let name = format!("aside {n}");
                let thread = fake.tell("thread", json!({ "channel": channel, "name": name })).await;
                ids.push(thread["id"].as_str().unwrap().to_owned());
            }
            for (n, id) in ids.into_iter().enumerate() {
                places.push((json!({ "channel": id, "user": format!("person{n}") }), id, format!("<@{bot}> ")));
            }
        }
        for user in ["ada", "bob"] {
            let place = json!({ "direct": "kata", "user": user });
            let mut hello = place.clone();
            hello["content"] = json!("hello");
            let channel = fake.tell("say", hello).await["channel"].as_str().unwrap().to_owned();
            fake.answered(&channel, 1).await;
            places.push((place, channel, String::new()));
        }
        Self {
            places,
            written: AtomicUsize::new(0),
        }
    }

    /// Everybody writes so often, in turn.
    async fn write(&self, fake: &Peer, times: usize, unheard: bool) {
        for _ in 0..times {
            for (place, _, mention) in &self.places {
                let n = self.written.fetch_add(1, Ordering::Relaxed);
                let mut body = place.clone();
                body["content"] = json!(format!("{mention}m{n:05}m"));
                body["unheard"] = json!(unheard);
                fake.tell("say", body).await;
            }
        }
    }

    /// Which messages each conversation has an answer to, in the order of the answers.
    async fn answers(&self, fake: &Peer) -> Vec<Vec<usize>> {
        let mut all = Vec::new();
        for (_, channel, _) in &self.places {
            let texts = fake.answers(channel).await;
            let numbers = texts.iter().filter_map(|m| {
                let text = m["content"].as_str()?;
                let at = text.find("“m")? + "“m".len();
                text.get(at..at + 5)?.parse().ok()
            });
            all.push(numbers.collect());
        }
        all
    }

    /// Waits until all but `slack` are answered.
    async fn settled(&self, fake: &Peer) {
        let mut before = usize::MAX;
        loop {
            let written = self.written.load(Ordering::Relaxed);
            // Each look waits for some progress, so that a long run may take as long as it needs.
            let now = patiently("something more is answered", async || {
                let count = self.answers(fake).await.iter().map(Vec::len).sum::<usize>();
                (count != before).then_some(count)
            })
            .await;
            if now >= written {
                return;
            }
            before = now;
        }
    }

    /// None lost, none twice, order kept, each where it was asked.
    async fn verify(&self, fake: &Peer) {
        let places = self.places.len();
        for (at, numbers) in self.answers(fake).await.into_iter().enumerate() {
            let wanted: Vec<usize> = (0..self.written.load(Ordering::Relaxed)).filter(|n| n % places == at).collect();
            assert_eq!(numbers, wanted, "conversation {at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_a_thousand_messages_each_way_through_bad_weather_none_lost_none_doubled_in_order() {
    let fake = Peer::start("fake.mjs").await;
    fake.tell("set", json!({ "interval": 1_500 })).await;
    let home = home(&fake.text("/apiRoot"));
    let kata = Kata(&home);
    let mut life = serve(&kata, &fake.text("/bots/0/token")).await;
    let crowd = Crowd::gather(&fake).await;
    let post = "POST /channels/:id/messages";
    for round in 0..14 {
        match round {
            1 => drop(fake.tell("fault", json!({ "kind": "op7" })).await),
            2 => drop(fake.tell("fault", json!({ "kind": "drop" })).await),
            3 => drop(fake.tell("fault", json!({ "kind": "mute" })).await),
            4 => drop(fake.tell("fault", json!({ "kind": "double", "times": 5 })).await),
            5 => drop(
                fake.tell(
                    "fault",
                    json!({ "rest": { "match": post, "status": 429, "retryAfter": 0.4, "times": 3 } }),
                )
                .await,
            ),
            6 => drop(
                fake.tell(
                    "fault",
                    json!({ "rest": { "match": post, "status": 429, "retryAfter": 0.3, "global": true } }),
                )
                .await,
            ),
            7 => drop(
                fake.tell("fault", json!({ "rest": { "match": post, "status": 502, "times": 2 } }))
                    .await,
            ),
            // Taken, and the answer is lost.
            8 => drop(
                fake.tell(
                    "fault",
                    json!({ "rest": { "match": post, "status": 500, "times": 2, "after": true } }),
                )
                .await,
            ),
            9 => drop(fake.tell("fault", json!({ "kind": "op9", "resumable": true })).await),
            10 => drop(fake.tell("fault", json!({ "kind": "close", "code": 4000 })).await),
            11 => drop(fake.tell("set", json!({ "windowMs": 300 })).await),
            12 => drop(fake.tell("set", json!({ "windowMs": 0 })).await),
            // Neighbours, which are of different conversations, change places.
            13 => drop(fake.tell("fault", json!({ "kind": "swap", "times": 3 })).await),
            _ => {}
        }
        if round == 6 {
            // Killed without a farewell, while everybody goes on writing; the session is resumed.
            drop(life);
            crowd.write(&fake, 1, false).await;
            life = kata.serve(None).await;
        }
        if round == 11 {
            // The session is lost, and what is written meanwhile nobody hears: it is read from the history.
            fake.tell("fault", json!({ "kind": "expire" })).await;
            crowd.write(&fake, 2, true).await;
        }
        crowd.write(&fake, 1, false).await;
        if round % 2 == 1 {
            crowd.settled(&fake).await;
        }
    }
    crowd.settled(&fake).await;
    crowd.verify(&fake).await;
    let written = crowd.written.load(Ordering::Relaxed) as u64;
    assert!(written >= 1_000, "{written}");
    let ledger = ledger(&kata, written + 2).await;
    assert_eq!(
        ledger["accepted"],
        written + 2,
        "two greetings, and nothing was taken twice: {ledger}"
    );
    let seen = fake.look("seen").await;
    assert!(seen["resumes"].as_u64().unwrap() >= 4, "{seen}");
    assert!(seen["identifies"].as_u64().unwrap() <= 4, "sessions are resumed: {seen}");
    life.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_a_token_that_is_revoked_while_it_runs_waits_for_a_person_and_loses_nothing() {
    let fake = Peer::start("fake.mjs").await;
    let home = home(&fake.text("/apiRoot"));
    let kata = Kata(&home);
    let token = fake.text("/bots/0/token");
    let serve = serve(&kata, &token).await;
    let direct = fake
        .tell("say", json!({ "direct": "kata", "user": "ada", "content": "before" }))
        .await["channel"]
        .as_str()
        .unwrap()
        .to_owned();
    fake.answered(&direct, 1).await;
    // The question is taken, and its answer finds the token gone.
    fake.tell("fault", json!({ "rest": { "match": "/typing", "status": 500, "times": 100 } }))
        .await;
    fake.tell("say", json!({ "direct": "kata", "user": "ada", "content": "in between" }))
        .await;
    fake.tell("set", json!({ "revoked": true })).await;
    fake.tell("fault", json!({ "kind": "close", "code": 4004 })).await;
    let asked = state(&kata, &["needs_user"]).await;
    assert!(asked["status"]["message"].as_str().unwrap().contains("token"), "{asked}");
    fake.tell(
        "say",
        json!({ "direct": "kata", "user": "ada", "content": "meanwhile", "unheard": true }),
    )
    .await;
    fake.tell("set", json!({ "revoked": false })).await;
    block_in_place(|| {
        give(
            &kata,
            &["sources", "secret", "channel:discord", "botToken"],
            &format!("Bot {token}"),
        )
    });
    state(&kata, &["running"]).await;
    let answers = fake.answered(&direct, 3).await;
    for (answer, word) in answers.iter().zip(["before", "in between", "meanwhile"]) {
        assert!(answer["content"].as_str().unwrap().contains(word), "{answers:?}");
    }
    assert_eq!(answers.len(), 3);
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_the_intent_that_is_off_is_named_and_found_again_when_it_is_on() {
    let fake = Peer::start("fake.mjs").await;
    fake.tell("set", json!({ "flags": 0 })).await;
    let home = home(&fake.text("/apiRoot"));
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    block_in_place(|| {
        give(
            &kata,
            &["sources", "secret", "channel:discord", "botToken"],
            &fake.text("/bots/0/token"),
        )
    });
    let asked = state(&kata, &["needs_user"]).await;
    assert!(
        asked["status"]["message"].as_str().unwrap().contains("Message Content Intent"),
        "{asked}"
    );
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_two_bots_in_two_workspaces_never_mix_also_after_a_restart() {
    let fake = Peer::start("fake.mjs").await;
    let home = TestHome::new();
    for workspace in ["one", "two"] {
        std::fs::create_dir_all(home.path().join("workspaces").join(workspace).join("sessions")).unwrap();
    }
    home.settings(&json!({
        "plugins": { "discord": { "settings": { "apiRoot": fake.text("/apiRoot") } } },
        "sources": { "channel:discord": { "enabled": true, "policy": "open", "workspace": "one" } },
    }));
    let kata = Kata(&home);
    let first = serve(&kata, &fake.text("/bots/0/token")).await;
    block_in_place(|| {
        kata.json(&["channels", "accounts", "add", "discord", "work", "--workspace", "two"]);
        let root = format!("apiRoot={}", fake.text("/apiRoot"));
        kata.json(&["sources", "set", "channel:discord@work", &root]);
        give(
            &kata,
            &["sources", "secret", "channel:discord@work", "botToken"],
            &fake.text("/bots/1/token"),
        );
        kata.json(&["channels", "policy", "discord@work", "--policy", "open"]);
        kata.json(&["sources", "enable", "channel:discord@work"]);
    });
    let both_run = async || {
        eventually("both bots are connected", async || {
            let seen = fake.look("seen").await;
            (seen["connections"] == 2).then_some(())
        })
        .await;
    };
    both_run().await;
    let talk = async |from: usize| {
        let mut channels = Vec::new();
        for n in from..from + 10 {
            channels.clear();
            for bot in ["kata", "other"] {
                let said = json!({ "direct": bot, "user": "ada", "content": format!("to {bot}, {n}") });
                channels.push(fake.tell("say", said).await["channel"].as_str().unwrap().to_owned());
            }
        }
        for (channel, (bot, other)) in channels.iter().zip([("kata", "to other"), ("other", "to kata")]) {
            let answers = fake.answered(channel, from + 10).await;
            assert_eq!(answers.len(), from + 10);
            for (n, answer) in answers.iter().enumerate() {
                let text = answer["content"].as_str().unwrap();
                assert!(text.contains(&format!("“to {bot}, {n}”")) && !text.contains(other), "{text}");
                assert_eq!(answer["author"]["username"], *bot);
            }
        }
    };
    talk(0).await;
    for (workspace, slug) in [("one", "discord"), ("two", "discord@work")] {
        let sessions = block_in_place(|| kata.json(&["sessions", "list", "--channels", "--workspace", workspace]));
        let text = sessions.to_string();
        assert!(text.contains(&format!("\"slug\":\"{slug}\"")), "{text}");
        assert_eq!(text.matches("\"slug\":").count(), 1, "{text}");
    }
    first.stop().await;
    let second = kata.serve(None).await;
    both_run().await;
    talk(10).await;
    let ledger = ledger(&kata, 40).await;
    assert_eq!((&ledger["accepted"], &ledger["refused"]), (&json!(40), &json!(0)), "{ledger}");
    second.stop().await;
}
