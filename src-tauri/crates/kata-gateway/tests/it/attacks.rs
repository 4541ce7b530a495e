//! What strangers try at the door: each is refused, in time and by name, while a good client goes on beside it; nothing of what
//! they or others showed is in the log.

use crate::support::*;
use futures::{SinkExt, StreamExt};
use kata_gateway::{GatewayHost, Proof, Token, close, token_hash};
use kata_protocol::{Ms, Scope, ServerFrame};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

/// The good client that goes on beside an attack.
struct Good(Client, u64);

impl Good {
    async fn new(house: &House) -> Self {
        Self(house.client(ADMIN).await, 0)
    }
    async fn goes_on(&mut self) {
        self.1 += 1;
        assert!(self.0.ask(self.1, "model.list", json!({})).await.is_ok());
    }
}

/// A house with one keyed device and one with a token.
async fn with_devices(expires_at: Option<Ms>) -> (House, Pocket) {
    let house = house(quiet()).await;
    let pocket = Pocket::new("dev_key");
    let mut all = usual();
    all.push(Token::device(
        "dev_key",
        "Anna's phone",
        Proof::Key(pocket.key()),
        Scope::Approve,
        expires_at,
    ));
    all.push(Token::device(
        "dev_token",
        "tablet",
        Proof::Token(token_hash("token-of-the-tablet")),
        Scope::Chat,
        expires_at,
    ));
    house.tokens.replace(all);
    (house, pocket)
}

#[tokio::test]
async fn a_device_is_welcomed_by_its_signature_under_the_name_the_person_gave() {
    let (house, pocket) = with_devices(None).await;
    let mut phone = house.stranger().await;
    phone.connect(pocket.signs(&phone.nonce)).await;
    let Some(ServerFrame::Welcome { scope, operations, .. }) = &phone.welcome else {
        panic!()
    };
    assert_eq!(*scope, Scope::Approve);
    assert!(operations.contains(&"approval.answer".to_owned()) && !operations.contains(&"settings.set".to_owned()));
    let infos = house.gateway.clients();
    assert_eq!(
        (infos[0].token.as_str(), infos[0].device.as_deref()),
        ("Anna's phone", Some("dev_key"))
    );
    assert_eq!(infos[0].name, "Anna's phone", "not as it calls itself");
    assert_eq!(house.devices.came(), ["dev_key"]);
}

#[tokio::test]
async fn a_signature_that_was_seen_is_worth_nothing_on_another_connection() {
    let (house, pocket) = with_devices(None).await;
    let mut good = Good::new(&house).await;
    let mut phone = house.stranger().await;
    let shown = pocket.signs(&phone.nonce);
    phone.connect(shown.clone()).await;
    // Over the wire again, and with its nonce made known to the new connection.
    let mut thief = house.stranger().await;
    assert_ne!(thief.nonce, phone.nonce);
    thief.introduce(shown.clone()).await;
    assert_eq!(thief.ending().await.1, Some(close::UNAUTHORIZED));
    // On the same connection a second time.
    phone.introduce(shown).await;
    assert_eq!(phone.ending().await.1, Some(close::BAD_FRAME));
    // Another device's name over a right signature.
    let mut thief = house.stranger().await;
    let mut other = pocket.signs(&thief.nonce);
    other["device"] = json!("dev_token");
    thief.introduce(other).await;
    assert_eq!(thief.ending().await.1, Some(close::UNAUTHORIZED));
    good.goes_on().await;
}

#[tokio::test]
async fn guessed_tokens_signatures_and_codes_shut_the_door_for_all_guesses_and_for_nobody_who_is_right() {
    let (house, pocket) = with_devices(None).await;
    let mut good = Good::new(&house).await;
    for n in 0..10 {
        let mut client = house.stranger().await;
        match n % 3 {
            0 => client.introduce(json!({"token": format!("guess-{n}")})).await,
            1 => {
                client
                    .introduce(json!({"token": null, "device": "dev_key", "signature": format!("AAA{n}")}))
                    .await
            }
            _ => {
                client
                    .send(json!({"type": "pair", "version": 1, "code": format!("GUESS{n}"), "client": "x"}))
                    .await
            }
        }
        assert_eq!(client.ending().await.1, Some(close::UNAUTHORIZED), "{n}");
    }
    assert_eq!(house.gateway.view().locked_out_for(), Some(60));
    let looked_at = house.devices.asked();
    for frame in [
        json!({"type": "connect", "version": 1, "token": "guess", "client": "x"}),
        json!({"type": "connect", "version": 1, "device": "dev_key", "signature": "AAAA", "client": "x"}),
        // The code would be right.
        json!({"type": "pair", "version": 1, "code": RIGHT_CODE, "client": "x"}),
    ] {
        let mut client = house.stranger().await;
        client.send(frame.clone()).await;
        let (reason, code) = client.ending().await;
        assert_eq!(code, Some(close::LOCKED_OUT), "{frame}");
        assert!(reason.contains("60 s"), "{reason}");
    }
    assert_eq!(house.devices.asked(), looked_at, "no code is looked at now");
    // The owner is not kept out by strangers.
    good.goes_on().await;
    house.client(ADMIN).await;
    let mut phone = house.stranger().await;
    phone.connect(pocket.signs(&phone.nonce)).await;

    house.clock.advance(Duration::from_secs(60));
    assert_eq!(house.gateway.view().locked_out_for(), None);
    let mut client = house.stranger().await;
    client
        .send(json!({"type": "pair", "version": 1, "code": RIGHT_CODE, "client": "x"}))
        .await;
    assert!(matches!(client.frame().await, ServerFrame::Paired { .. }));
}

#[tokio::test]
async fn a_code_is_answered_once_and_the_connection_ends_with_it() {
    let house = house(quiet()).await;
    let mut good = Good::new(&house).await;
    let mut phone = house.stranger().await;
    let key = Pocket::new("x").public();
    phone
        .send(json!({"type": "pair", "version": 1, "code": RIGHT_CODE, "client": "web", "publicKey": key}))
        .await;
    let ServerFrame::Paired { device, token, scope, .. } = phone.frame().await else {
        panic!()
    };
    assert_eq!((device.as_str(), token, scope), ("dev_made", None, Scope::Approve));
    assert_eq!(phone.ending().await.1, Some(close::DONE));
    // Without a key there is a token.
    let house_ = self::house(quiet()).await;
    let mut program = house_.stranger().await;
    program
        .send(json!({"type": "pair", "version": 1, "code": RIGHT_CODE, "client": "watch"}))
        .await;
    assert!(matches!(program.frame().await, ServerFrame::Paired { token: Some(_), .. }));
    // A second time, no key at all, a version that is not spoken.
    for (frame, code) in [
        (
            json!({"type": "pair", "version": 1, "code": RIGHT_CODE, "client": "x"}),
            close::UNAUTHORIZED,
        ),
        (
            json!({"type": "pair", "version": 1, "code": RIGHT_CODE, "client": "x", "publicKey": "AAAA"}),
            close::BAD_FRAME,
        ),
        (
            json!({"type": "pair", "version": 7, "code": RIGHT_CODE, "client": "x"}),
            close::VERSION,
        ),
        (json!({"type": "pair", "version": 1, "client": "x"}), close::BAD_FRAME),
    ] {
        let mut client = house.stranger().await;
        client.send(frame.clone()).await;
        assert_eq!(client.ending().await.1, Some(code), "{frame}");
    }
    good.goes_on().await;
}

#[tokio::test]
async fn a_device_that_is_shut_out_or_whose_time_is_over_is_gone_at_once_and_does_not_come_back() {
    let (house, pocket) = with_devices(Some(Ms(1_005_000))).await;
    let mut good = Good::new(&house).await;
    let mut phone = house.stranger().await;
    phone.connect(pocket.signs(&phone.nonce)).await;
    let mut tablet = house.client("token-of-the-tablet").await;
    house.clock.sleeper(Duration::from_secs(5)).await;
    let mut left = usual();
    left.push(Token::device(
        "dev_key",
        "Anna's phone",
        Proof::Key(pocket.key()),
        Scope::Approve,
        Some(Ms(1_005_000)),
    ));
    house.tokens.replace(left);
    assert_eq!(tablet.ending().await.1, Some(close::REVOKED), "shut out");
    let mut again = house.stranger().await;
    again.introduce(json!({"token": "token-of-the-tablet"})).await;
    assert_eq!(again.ending().await.1, Some(close::UNAUTHORIZED));

    good.goes_on().await;
    house.clock.advance(Duration::from_secs(5));
    let (reason, code) = phone.ending().await;
    assert_eq!(code, Some(close::REVOKED), "its time is over");
    assert!(reason.contains("pair it again"), "{reason}");
    // It is no guess, however often it tries.
    for _ in 0..12 {
        let mut again = house.stranger().await;
        again.introduce(pocket.signs(&again.nonce)).await;
        assert_eq!(again.ending().await.1, Some(close::REVOKED));
    }
    good.goes_on().await;
}

#[tokio::test]
async fn the_scope_plugin_may_ask_nothing_and_hears_nothing() {
    let house = house(quiet()).await;
    let mut all = usual();
    all.push(Token::new("bridge", "token-of-the-bridge", Scope::Plugin));
    house.tokens.replace(all);
    let mut bridge = house.client("token-of-the-bridge").await;
    let Some(ServerFrame::Welcome { operations, .. }) = &bridge.welcome else {
        panic!()
    };
    assert!(operations.is_empty());
    bridge.send(json!({"type": "subscribe", "topics": ["sessions", "pairing"]})).await;
    let refused = bridge.ask(1, "system.status", json!({})).await.unwrap_err();
    assert_eq!(refused.code, kata_protocol::ErrorCode::Forbidden);
    house.hub.publish(kata_protocol::Fact::PairingChanged {});
    assert!(bridge.ask(2, "session.list", json!({})).await.is_err());
    assert_eq!(bridge.events_seen, 0);
}

#[tokio::test]
async fn a_tunnels_name_is_let_in_while_the_person_wants_it() {
    let house = house(quiet()).await;
    let get = async |host: &str| {
        let request = reqwest::Client::new().get(house.url("/healthz")).header("host", host);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(get("box.tail1234.ts.net").await, 403);
    house
        .gateway
        .view()
        .serve_hosts(vec![GatewayHost::parse("box.tail1234.ts.net").unwrap()]);
    assert_eq!(get("box.tail1234.ts.net").await, 200);
    assert_eq!(get("evil.example").await, 403);
    house.gateway.view().serve_hosts(Vec::new());
    assert_eq!(get("box.tail1234.ts.net").await, 403);
}

async fn raw(house: &House, text: &str) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", house.gateway.port())).await.unwrap();
    socket.write_all(text.as_bytes()).await.unwrap();
    socket
}

async fn ended(socket: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let _ = soon("the end of a connection", socket.read_to_end(&mut rest)).await;
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn a_head_that_trickles_in_has_fifteen_seconds_whatever_it_sends() {
    let house = house(quiet()).await;
    let mut good = Good::new(&house).await;
    let before = house.clock.sleeps(Duration::from_secs(15));
    let mut slow = raw(&house, "GET / HTTP/1.1\r\nHost: ").await;
    house.clock.sleeper_after(Duration::from_secs(15), before).await;
    for _ in 0..14 {
        house.clock.advance(Duration::from_secs(1));
        slow.write_all(b"x").await.unwrap();
        good.goes_on().await;
    }
    house.clock.advance(Duration::from_secs(1));
    ended(&mut slow).await;
    // One that was answered does not sit there for ever either.
    let host = format!("Host: 127.0.0.1:{}\r\n\r\n", house.gateway.port());
    let before = house.clock.sleeps(Duration::from_secs(15));
    let mut idle = raw(&house, &format!("GET /healthz HTTP/1.1\r\n{host}")).await;
    house.clock.sleeper_after(Duration::from_secs(15), before + 1).await;
    house.clock.advance(Duration::from_secs(15));
    assert!(ended(&mut idle).await.starts_with("HTTP/1.1 200"));
    good.goes_on().await;
}

#[tokio::test]
async fn a_frame_that_trickles_in_before_the_handshake_has_ten_seconds() {
    let house = house(quiet()).await;
    let mut good = Good::new(&house).await;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let mut slow = raw(
        &house,
        &format!(
            "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}",
            house.gateway.port()
        ),
    )
    .await;
    // A text frame of 200 bytes whose content comes byte by byte.
    slow.write_all(&[0x81, 0xfe, 0x00, 0xc8, 0, 0, 0, 0]).await.unwrap();
    house.clock.sleeper_after(Duration::from_secs(10), 1).await;
    for _ in 0..9 {
        house.clock.advance(Duration::from_secs(1));
        slow.write_all(b"{").await.unwrap();
        good.goes_on().await;
    }
    house.clock.advance(Duration::from_secs(1));
    assert!(ended(&mut slow).await.contains("no connect frame within 10 seconds"));
}

#[tokio::test]
async fn four_hundred_connections_that_say_nothing_keep_nobody_out() {
    let house = house(quiet()).await;
    let mut good = Good::new(&house).await;
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(raw(&house, "GET /").await);
    }
    good.goes_on().await;
    house.client(ADMIN).await;
    assert_eq!(reqwest::get(house.url("/healthz")).await.unwrap().status(), 200);
    // The oldest made way.
    ended(&mut silent[0]).await;
}

#[tokio::test]
async fn sockets_that_never_introduce_themselves_make_way_for_those_who_do() {
    let house = house(quiet()).await;
    let mut good = Good::new(&house).await;
    let mut silent = Vec::new();
    for _ in 0..256 {
        silent.push(house.stranger().await);
    }
    house.client(ADMIN).await;
    house.client(READER).await;
    good.goes_on().await;
    assert!(silent[0].next().await.is_err(), "the oldest is gone");
    assert!(
        soon("the others stay", silent[200].socket.send(Message::Ping(Default::default())))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn oversize_and_binary_frames_end_only_their_own_connection() {
    let house = house(quiet()).await;
    let mut good = Good::new(&house).await;
    for before in [true, false] {
        for frame in [
            Message::binary(vec![0; 10]),
            Message::text("x".repeat(17 << 20)),
            Message::text("[".repeat(60_000)),
            Message::text("\u{0}"),
        ] {
            let mut bad = if before {
                house.stranger().await
            } else {
                house.client(READER).await
            };
            // It may be ended in the middle of what it sends.
            let _ = bad.socket.send(frame).await;
            let (_, code) = bad.ending().await;
            assert!(
                code.is_none_or(|c| [close::UNSUPPORTED, close::TOO_LARGE, close::BAD_FRAME].contains(&c)),
                "{code:?}"
            );
            good.goes_on().await;
        }
    }
}

/// Values as a fuzzer makes them: nearly right frames, and anything.
fn frames() -> impl Strategy<Value = String> {
    let kinds = prop::sample::select(vec![
        "connect",
        "pair",
        "request",
        "subscribe",
        "ack",
        "register",
        "inbound",
        "report",
        "answer",
        "hello",
        "welcome",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(|v| json!(v)),
    ];
    let field = prop::sample::select(vec![
        "version",
        "token",
        "device",
        "signature",
        "client",
        "boot",
        "lastSeq",
        "topics",
        "code",
        "publicKey",
        "id",
        "op",
        "params",
        "seq",
        "plugin",
        "message",
        "status",
        "call",
        "result",
        "error",
    ]);
    let near = (kinds, prop::collection::vec((field, leaf), 0..6)).prop_map(|(kind, fields)| {
        let mut frame = json!({"type": kind, "id": 1, "op": "model.list", "version": 1, "client": "fuzz"});
        for (name, value) in fields {
            frame[name] = value;
        }
        frame.to_string()
    });
    prop_oneof![8 => near, 1 => ".{0,200}", 1 => prop::collection::vec(any::<char>(), 0..50).prop_map(String::from_iter)]
}

#[tokio::test]
async fn six_hundred_random_frames_before_and_after_the_handshake_harm_nobody() {
    let house = house(quiet()).await;
    let mut good = Good::new(&house).await;
    let mut runner = TestRunner::deterministic();
    let strategy = frames();
    let mut known = house.client(READER).await;
    for n in 0..600 {
        let text = strategy.new_tree(&mut runner).unwrap().current();
        if n % 2 == 0 {
            let mut stranger = house.stranger().await;
            let _ = stranger.socket.send(Message::text(text.clone())).await;
            // Nothing random is a right token, so it ends, with a word.
            let (reason, code) = stranger.ending().await;
            assert!(code.is_some() && !reason.is_empty(), "{text}: {code:?} {reason}");
        } else {
            let _ = known.socket.send(Message::text(text.clone())).await;
            // Whatever it was: either the connection still answers, or it was ended with a code of ours.
            let _ = known
                .socket
                .send(Message::text(r#"{"type":"request","id":777,"op":"model.list"}"#))
                .await;
            loop {
                match known.next().await {
                    Ok(ServerFrame::Response { id, .. }) if id.0 == 777 => break,
                    Ok(_) => {}
                    Err(code) => {
                        // Without a code where the reset overtook it: what was sent after the bad frame lay unread.
                        assert!(code.is_none_or(|c| c >= 1000), "{text}: {code:?}");
                        known = house.client(READER).await;
                        break;
                    }
                }
            }
        }
        if n % 50 == 0 {
            good.goes_on().await;
            house.clock.advance(Duration::from_secs(61));
            known = house.client(READER).await;
        }
    }
    // Pings were due in between, so the good one may be asked to come again; the house stands.
    assert_eq!(house.client(ADMIN).await.ask(1, "model.list", json!({})).await.unwrap(), json!([]));
}

#[tokio::test]
async fn no_token_code_signature_or_frame_of_anybody_is_in_the_log() {
    let log = Captured::default();
    let _guard = log.listen();
    let (house, pocket) = with_devices(None).await;
    for frame in [
        json!({"type": "connect", "version": 1, "token": "canary-token", "client": "x"}),
        json!({"type": "connect", "version": 1, "device": "dev_key", "signature": "canary-signature", "client": "x"}),
        json!({"type": "pair", "version": 1, "code": "canary-code", "client": "x"}),
        json!({"type": "pair", "version": 1, "code": "canary-code", "client": "x", "publicKey": "canary-key"}),
        json!({"type": "canary-kind", "token": "canary-token"}),
        json!({"type": "connect", "version": 9, "token": "canary-token", "client": "x"}),
    ] {
        let mut client = house.stranger().await;
        client.send(frame).await;
        let (reason, _) = client.ending().await;
        assert!(!reason.contains("canary"), "{reason}");
    }
    let mut phone = house.stranger().await;
    let shown = pocket.signs(&phone.nonce);
    phone.connect(shown.clone()).await;
    let mut paired = house.stranger().await;
    paired
        .send(json!({"type": "pair", "version": 1, "code": RIGHT_CODE, "client": "x"}))
        .await;
    let ServerFrame::Paired { token: Some(token), .. } = paired.frame().await else {
        panic!()
    };
    let mut admin = house.client(ADMIN).await;
    admin
        .send(json!({"type": "request", "id": 1, "op": "model.list", "params": "canary-params"}))
        .await;
    admin.send(json!({"type": "canary"})).await;
    admin.ending().await;
    let _ = reqwest::Client::new()
        .get(house.url("/?canary-query"))
        .header("host", "canary.example")
        .send()
        .await;

    let text = log.text();
    assert!(
        text.contains("came with a wrong proof") && text.contains("refused before"),
        "the attacks are in it: {text}"
    );
    let signature = shown["signature"].as_str().unwrap();
    for secret in ["canary", ADMIN, READER, RIGHT_CODE, &token, signature, "token-of-the-tablet"] {
        assert!(!text.contains(secret), "{secret} is in the log:\n{text}");
    }
}

#[tokio::test]
async fn a_ping_and_a_close_before_the_handshake_are_taken_calmly() {
    let house = house(quiet()).await;
    let mut client = house.stranger().await;
    client.socket.send(Message::Ping(vec![1u8].into())).await.unwrap();
    assert!(matches!(soon("a pong", client.socket.next()).await, Some(Ok(Message::Pong(_)))));
    client.socket.close(None).await.unwrap();
    while let Some(Ok(_)) = soon("the end", client.socket.next()).await {}
    Good::new(&house).await.goes_on().await;
}
