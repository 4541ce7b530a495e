//! The e-mail channel of the real program: Dovecot as its mailbox, aiosmtpd for submission, Python's own mail libraries as the person.

use kata_tests::{Kata, Serve, TestHome, eventually, eventually_within};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tokio::task::block_in_place;

use crate::lines::Lines;

/// The mail servers of `start.py`.
struct Mail {
    program: Lines,
    told: Value,
}

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/email")
}

fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers-email/v/bin/python")
}

impl Mail {
    fn start() -> Self {
        let mut program = Lines::start(Command::new(python()).arg(place().join("start.py")));
        let told = program.read();
        Self { program, told }
    }

    fn tell(&mut self, order: &str) {
        assert_eq!(self.program.ask(order)["done"], order);
    }

    fn person(&self, args: &[&str]) -> Command {
        let mut command = Command::new(python());
        command.arg(place().join("person.py")).arg(self.told.to_string()).args(args);
        command
    }

    fn writes(&self, from: usize, to: usize, threads: usize) -> Child {
        let numbers = [from, to, threads].map(|n| n.to_string());
        self.person(&["write", "ann", &numbers[0], &numbers[1], &numbers[2]])
            .spawn()
            .unwrap()
    }

    fn send(&self, name: &str, raw: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), raw.replace('\n', "\r\n")).unwrap();
        let output = self.person(&["send", name, file.path().to_str().unwrap()]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Everything in a person's mailbox.
    fn read(&self, name: &str) -> Vec<Value> {
        let Output { stdout, .. } = self.person(&["read", name]).output().unwrap();
        String::from_utf8(stdout)
            .unwrap()
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect()
    }

    fn home(&self, tls: bool) -> TestHome {
        let home = TestHome::new();
        let imap = if tls {
            format!("imaps://localhost:{}", self.told["imaps"])
        } else {
            format!("imap://127.0.0.1:{}", self.told["imap"])
        };
        home.settings(&json!({
            "plugins": { "email": { "settings": {
                "imapUrl": imap, "smtpUrl": format!("smtp://localhost:{}", self.told["smtp"]), "address": "bot@kata.test", "authServer": "mx.kata.test",
            } } },
            "sources": { "channel:email": { "enabled": true, "policy": "open", "perMinuteSender": 10_000, "perMinuteConversation": 10_000 } },
        }));
        std::fs::copy(self.told["ca"].as_str().unwrap(), home.ca()).unwrap();
        home
    }
}

fn password(kata: &Kata<'_>, word: &str) {
    password_of(kata, "channel:email", word);
}

fn password_of(kata: &Kata<'_>, source: &str, word: &str) {
    let mut child = kata
        .command(&["sources", "secret", source, "password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(word.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

async fn state(kata: &Kata<'_>, wanted: &[&str]) -> Value {
    eventually(&format!("email is {wanted:?}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let source = sources.as_array()?.iter().find(|s| s["id"] == "channel:email")?.clone();
        wanted.contains(&source["status"]["state"]["kind"].as_str()?).then_some(source)
    })
    .await
}

async fn serve(kata: &Kata<'_>) -> Serve {
    let serve = kata.serve(None).await;
    block_in_place(|| password(kata, "bot-password"));
    state(kata, &["running"]).await;
    serve
}

async fn answers(mail: &Mail, at_least: usize) -> Vec<Value> {
    // A mail server that says "for now" is asked again after a minute.
    eventually_within(Duration::from_secs(150), &format!("{at_least} answers"), async || {
        let all = block_in_place(|| mail.read("ann"));
        (all.len() >= at_least).then_some(all)
    })
    .await
}

const HEAD: &str = "To: bot@kata.test\nMIME-Version: 1.0\n";

#[tokio::test(flavor = "multi_thread")]
async fn email_a_letter_over_tls_is_answered_in_its_thread_and_what_is_not_believed_or_automatic_is_left_out() {
    let mut mail = Mail::start();
    let home = mail.home(true);
    let kata = Kata(&home);
    let serve = serve(&kata).await;
    // Nothing of these may be answered: a forged sender, a list, an automatic answer.
    mail.send(
        "eve",
        &format!("From: Ann <ann@kata.test>\nMessage-ID: <forged@kata.test>\nSubject: money\n{HEAD}\nsend it\n"),
    );
    let written = "From: Ann <ann@kata.test>\nAuthentication-Results: mx.kata.test; dmarc=pass header.from=kata.test\n";
    mail.send(
        "eve",
        &format!("{written}Message-ID: <forged2@kata.test>\nSubject: more\n{HEAD}\nsend it\n"),
    );
    mail.send(
        "ann",
        &format!("From: ann@kata.test\nMessage-ID: <list@kata.test>\nList-Id: <l.kata.test>\n{HEAD}\nnews\n"),
    );
    mail.send(
        "ann",
        &format!("From: ann@kata.test\nMessage-ID: <auto@kata.test>\nAuto-Submitted: auto-replied\n{HEAD}\naway\n"),
    );
    let body = "--b\nContent-Type: text/plain; charset=iso-8859-15\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe f=FCr 5 =A4\n--b\nContent-Type: text/html; charset=utf-8\n\n<p>not this</p>\n--b--\n";
    mail.send(
        "ann",
        &format!("From: =?utf-8?Q?Ann_M=C3=BCller?= <ann@kata.test>\nMessage-ID: <first@kata.test>\nSubject: =?utf-8?B?w4RwZmVs?=\n{HEAD}Content-Type: multipart/alternative; boundary=b\n\n{body}"),
    );
    let first = answers(&mail, 1).await;
    assert_eq!(first[0]["inReplyTo"], "<first@kata.test>", "{first:?}");
    assert_eq!(
        (&first[0]["subject"], &first[0]["auto"]),
        (&json!("Re: Äpfel"), &json!("auto-replied"))
    );
    assert!(first[0]["text"].as_str().unwrap().contains("Grüße für 5 €"), "{first:?}");
    assert!(first[0]["html"].as_str().unwrap().contains("Grüße für 5 €"));
    assert_eq!(first[0]["defects"], json!([]), "Python's parser finds nothing wrong");
    // The answer is answered: the same thread, the same session.
    let answer = first[0]["id"].as_str().unwrap();
    mail.send(
        "ann",
        &format!("From: ann@kata.test\nMessage-ID: <second@kata.test>\nSubject: Re: Re: x\nIn-Reply-To: {answer}\nReferences: <first@kata.test> {answer}\n{HEAD}\nand another\n\nOn Tue somebody wrote:\n> old words\n"),
    );
    let both = answers(&mail, 2).await;
    assert_eq!(both[1]["inReplyTo"], "<second@kata.test>");
    let references = both[1]["references"].as_array().unwrap();
    for id in ["<first@kata.test>", answer, "<second@kata.test>"] {
        assert!(references.contains(&json!(id)), "{id} in {references:?}");
    }
    assert!(!both[1]["text"].as_str().unwrap().contains("old words"), "the history is cut");
    let sessions = block_in_place(|| kata.json(&["sessions", "list"]));
    let rows = sessions["sessions"].as_array().or(sessions.as_array()).unwrap();
    assert_eq!(rows.len(), 1, "one thread, one session: {sessions}");
    assert_eq!(mail.read("ann").len(), 2, "the others were not answered");
    mail.tell("smtp good");
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn email_a_password_that_is_changed_while_running_waits_for_a_person_and_loses_nothing() {
    let mut mail = Mail::start();
    let home = mail.home(false);
    let kata = Kata(&home);
    let serve = serve(&kata).await;
    mail.tell("password another");
    mail.tell("imap stop");
    mail.tell("imap start");
    let waits = state(&kata, &["needs_user"]).await;
    assert!(waits["status"]["message"].as_str().unwrap().contains("password"), "{waits}");
    assert!(block_in_place(|| mail.writes(0, 1, 1).wait()).unwrap().success());
    block_in_place(|| password(&kata, "another"));
    state(&kata, &["running"]).await;
    let all = answers(&mail, 1).await;
    assert_eq!(all[0]["inReplyTo"], "<m0@kata.test>");
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn email_a_server_that_goes_away_comes_back_and_one_that_is_busy_is_asked_again() {
    let mut mail = Mail::start();
    let home = mail.home(false);
    let kata = Kata(&home);
    let serve = serve(&kata).await;
    for _ in 0..3 {
        mail.tell("imap stop");
        state(&kata, &["degraded", "connecting", "backoff"]).await;
        mail.tell("imap start");
        state(&kata, &["running"]).await;
    }
    assert!(block_in_place(|| mail.writes(0, 2, 2).wait()).unwrap().success());
    let all = answers(&mail, 2).await;
    assert_eq!(all.len(), 2);
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn email_a_thousand_messages_each_way_over_a_server_that_goes_away_and_a_kill_come_once_and_in_order() {
    const ALL: usize = 1_000;
    // As many as get a thousand within minutes: more than 25 exchanges a minute in one thread count as a loop.
    const THREADS: usize = 50;
    let mut mail = Mail::start();
    let home = mail.home(false);
    let kata = Kata(&home);
    let first = serve(&kata).await;
    let mut writing = mail.writes(0, ALL, THREADS);
    let mut before = 0;
    while before < ALL / 5 {
        before = answers(&mail, before + 1).await.len();
    }
    mail.tell("imap stop");
    state(&kata, &["degraded", "connecting", "backoff"]).await;
    mail.tell("imap start");
    while before < ALL / 3 {
        before = answers(&mail, before + 1).await.len();
    }
    // As a person ends it: a kill may leave a reply parked, because SMTP cannot tell a second copy.
    first.stop().await;
    let second = kata.serve(None).await;
    assert!(block_in_place(|| writing.wait()).unwrap().success());
    while before < ALL {
        before = answers(&mail, before + 1).await.len();
    }
    let all = mail.read("ann");
    assert_eq!(all.len(), ALL, "none doubled");
    let mut threads: HashMap<String, Vec<usize>> = HashMap::new();
    for answer in &all {
        let to = answer["inReplyTo"]
            .as_str()
            .unwrap()
            .trim_start_matches("<m")
            .trim_end_matches("@kata.test>")
            .parse()
            .unwrap();
        threads.entry(answer["subject"].as_str().unwrap().to_owned()).or_default().push(to);
    }
    assert_eq!(threads.len(), THREADS);
    for (subject, got) in &threads {
        let which: usize = subject.trim_start_matches("Re: Thread ").parse().unwrap();
        let wanted: Vec<usize> = (0..ALL).filter(|n| n % THREADS == which).collect();
        assert_eq!(got, &wanted, "{subject}: each once, in order");
    }
    let ledger = block_in_place(|| kata.json(&["status"]))["ledger"].clone();
    println!("email: {ALL} messages each way in {THREADS} threads, one outage, one restart: {ledger}");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn email_two_accounts_in_two_workspaces_never_mix() {
    let (first, second) = (Mail::start(), Mail::start());
    let home = first.home(false);
    // Both servers have a CA of their own.
    let both = [&first, &second].map(|mail| std::fs::read_to_string(mail.told["ca"].as_str().unwrap()).unwrap());
    std::fs::write(home.ca(), both.concat()).unwrap();
    for workspace in ["one", "two"] {
        std::fs::create_dir_all(home.path().join("workspaces").join(workspace).join("sessions")).unwrap();
    }
    let kata = Kata(&home);
    let serve = serve(&kata).await;
    let run = |args: &[&str]| {
        let output = block_in_place(|| kata.run(args));
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["channels", "accounts", "add", "email", "work", "--workspace", "two"]);
    run(&[
        "sources",
        "set",
        "channel:email@work",
        &format!("imapUrl=imap://127.0.0.1:{}", second.told["imap"]),
        &format!("smtpUrl=smtp://localhost:{}", second.told["smtp"]),
        "address=bot@kata.test",
        "authServer=mx.kata.test",
    ]);
    run(&["channels", "policy", "email@work", "--policy", "open"]);
    block_in_place(|| password_of(&kata, "channel:email@work", "bot-password"));
    run(&["sources", "enable", "channel:email@work"]);
    // The same person, subject and message ids at both.
    for n in 0..5 {
        for (mail, name) in [(&first, "first"), (&second, "second")] {
            mail.send(
                "ann",
                &format!("From: ann@kata.test\nMessage-ID: <m{n}@kata.test>\nSubject: Plans\n{HEAD}\n{name}, number {n}.\n"),
            );
        }
    }
    for (mail, name, other) in [(&first, "first, ", "second, "), (&second, "second, ", "first, ")] {
        let all = answers(mail, 5).await;
        let texts: Vec<&str> = all.iter().map(|a| a["text"].as_str().unwrap()).collect();
        assert_eq!(texts.len(), 5, "{texts:?}");
        assert!(
            (0..5).all(|n| texts.iter().filter(|t| t.contains(&format!("{name}number {n}."))).count() == 1),
            "{texts:?}"
        );
        assert!(texts.iter().all(|text| !text.contains(other)), "{texts:?}");
    }
    let sessions = block_in_place(|| kata.json(&["sessions", "list"]));
    let rows = sessions["sessions"].as_array().or(sessions.as_array()).unwrap();
    for (channel, workspace) in [("email", "one"), ("email@work", "two")] {
        let mut of = rows.iter().filter(|row| row["channel"]["slug"] == channel);
        assert!(of.clone().count() >= 1 && of.all(|row| row["workspace"] == workspace), "{sessions}");
    }
    serve.stop().await;
}
