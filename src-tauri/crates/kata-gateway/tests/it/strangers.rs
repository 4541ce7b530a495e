//! Before the handshake nobody is trusted.

use crate::support::*;
use futures::{SinkExt, StreamExt};
use kata_gateway::{Token, close};
use kata_protocol::{GATEWAY_VERSION, MAX_PREAUTH_FRAME, Scope, ServerFrame};
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

#[tokio::test]
async fn a_right_token_is_welcomed_with_the_operations_of_its_scope() {
    let house = house(quiet()).await;
    let admin = house.client(ADMIN).await;
    let Some(ServerFrame::Welcome {
        version,
        boot,
        seq,
        scope,
        operations,
    }) = admin.welcome
    else {
        panic!()
    };
    assert_eq!(
        (version, boot.as_str(), seq.0, scope),
        (GATEWAY_VERSION, house.gateway.boot(), 0, Scope::Admin)
    );
    assert_eq!(operations.len(), kata_protocol::ops::OPERATIONS.len());

    let reader = house.client(READER).await;
    let Some(ServerFrame::Welcome { scope, operations, .. }) = reader.welcome else {
        panic!()
    };
    assert_eq!(scope, Scope::Read);
    assert!(operations.contains(&"session.list".to_owned()) && !operations.contains(&"session.submit".to_owned()));
}

#[tokio::test]
async fn every_connection_gets_its_own_nonce() {
    let house = house(quiet()).await;
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://127.0.0.1:{}/ws", house.gateway.port()))
            .await
            .unwrap();
        let Some(Ok(Message::Text(text))) = socket.next().await else {
            panic!()
        };
        let Ok(ServerFrame::Hello { nonce, .. }) = serde_json::from_str(&text) else {
            panic!("{text}")
        };
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn a_wrong_token_is_turned_away_and_ten_of_them_shut_the_door_for_a_minute_but_not_for_a_right_one() {
    let house = house(quiet()).await;
    for _ in 0..10 {
        let mut client = house.stranger().await;
        client.introduce(json!({"token": "guess"})).await;
        assert_eq!(client.ending().await.1, Some(close::UNAUTHORIZED));
    }
    let mut client = house.stranger().await;
    client.introduce(json!({"token": "guess"})).await;
    let (reason, code) = client.ending().await;
    assert_eq!(code, Some(close::LOCKED_OUT));
    assert!(reason.contains("60 s"), "{reason}");
    // Otherwise any page or program of this machine could keep the owner out.
    house.client(ADMIN).await;

    house.clock.advance(Duration::from_secs(60));
    let mut client = house.stranger().await;
    client.introduce(json!({"token": "guess"})).await;
    assert_eq!(client.ending().await.1, Some(close::UNAUTHORIZED), "counted anew");
}

#[tokio::test]
async fn the_goodbye_of_a_wrong_token_never_repeats_it() {
    let house = house(quiet()).await;
    let mut client = house.stranger().await;
    client.introduce(json!({"token": "canary-4711"})).await;
    assert!(!client.ending().await.0.contains("canary"));
}

#[tokio::test]
async fn another_version_another_first_frame_and_no_json_are_refused_with_their_codes() {
    let house = house(quiet()).await;
    let cases = [
        (
            json!({"type": "connect", "version": 99, "token": ADMIN, "client": "x"}),
            close::VERSION,
        ),
        (json!({"type": "request", "id": 1, "op": "system.status"}), close::BAD_FRAME),
        (json!({"type": "connect", "version": 1, "client": "x"}), close::BAD_FRAME),
        (json!(5), close::BAD_FRAME),
    ];
    for (frame, code) in cases {
        let mut client = house.stranger().await;
        client.send(frame.clone()).await;
        assert_eq!(client.ending().await.1, Some(code), "{frame}");
    }
    let mut client = house.stranger().await;
    client.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(client.ending().await.1, Some(close::UNSUPPORTED));
}

#[tokio::test]
async fn a_stranger_has_ten_seconds() {
    let house = house(quiet()).await;
    let mut client = house.stranger().await;
    house.clock.sleeper(Duration::from_secs(10)).await;
    house.clock.advance(Duration::from_millis(9_999));
    house.clock.advance(Duration::from_millis(1));
    assert_eq!(client.ending().await.1, Some(close::TIMEOUT));
}

#[tokio::test]
async fn a_stranger_cannot_send_more_than_64_kib() {
    let house = house(answering(|_, _, _| Ok(json!({"sessions": [], "total": 0})))).await;
    // One frame just above the limit is refused for its size.
    let mut client = house.stranger().await;
    client
        .send(json!({"type": "connect", "version": 1, "token": ADMIN, "client": "x".repeat(MAX_PREAUTH_FRAME)}))
        .await;
    assert_eq!(client.ending().await.1, Some(close::TOO_LARGE));
    // Eight megabytes are not even taken in: the connection ends long before they are sent.
    let mut client = house.stranger().await;
    let sent = client.socket.send(Message::text("x".repeat(8 << 20))).await;
    let (_, code) = client.ending().await;
    assert!(
        sent.is_err() || code.is_none() || code == Some(close::TOO_LARGE),
        "{sent:?} {code:?}"
    );
    // A client that is known may send more than that.
    let mut client = house.client(ADMIN).await;
    assert!(client.ask(1, "session.list", json!({"search": "x".repeat(1 << 20)})).await.is_ok());
}

#[tokio::test]
async fn a_foreign_origin_or_host_gets_no_socket() {
    let house = house(quiet()).await;
    let port = house.gateway.port();
    let own = format!("127.0.0.1:{port}");
    let cases = [
        (own.clone(), None, true),
        (own.clone(), Some(format!("http://localhost:{port}")), true),
        (own.clone(), Some("tauri://localhost".into()), true),
        (own.clone(), Some("https://evil.example".into()), false),
        (own.clone(), Some("null".into()), false),
        (own, Some(format!("http://localhost:{}", port.wrapping_add(1))), false),
        (format!("evil.example:{port}"), None, false),
        (format!("evil.example:{port}"), Some(format!("http://evil.example:{port}")), false),
    ];
    for (host, origin, welcome) in cases {
        let mut request = format!("ws://127.0.0.1:{port}/ws").into_client_request().unwrap();
        request.headers_mut().insert("host", host.parse().unwrap());
        if let Some(origin) = &origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok(_) => assert!(welcome, "{host} {origin:?} got in"),
            Err(Error::Http(response)) => assert!(!welcome && response.status() == 403, "{host} {origin:?}: {}", response.status()),
            Err(e) => panic!("{host} {origin:?}: {e}"),
        }
    }
}

#[tokio::test]
async fn a_withdrawn_token_ends_its_connections_and_no_others() {
    let house = house(quiet()).await;
    let mut phone = house.client(READER).await;
    let mut desktop = house.client(ADMIN).await;
    house.tokens.replace(vec![Token::new("desktop", ADMIN, Scope::Admin)]);
    assert_eq!(phone.ending().await.1, Some(close::REVOKED));
    assert!(desktop.ask(1, "model.list", json!({})).await.is_ok());
}
