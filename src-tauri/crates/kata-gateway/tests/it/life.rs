//! Start, `gateway.json`, end.

use crate::support::*;
use kata_gateway::{FoundGateway, Gateway, GatewayError, Tokens, close, read_gateway_file};
use kata_protocol::ServerFrame;
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

#[tokio::test]
async fn the_file_leads_to_the_gateway_and_goes_with_it() {
    let house = house(quiet()).await;
    let path = house.home.path().join("gateway.json");
    let FoundGateway::Live(file) = read_gateway_file(&path).unwrap() else {
        panic!()
    };
    assert_eq!(
        (file.port, file.boot.as_str(), file.pid),
        (house.gateway.port(), house.gateway.boot(), std::process::id())
    );
    assert!(!std::fs::read_to_string(&path).unwrap().contains(ADMIN));
    house.gateway.shutdown(Duration::from_secs(1)).await;
    assert_eq!(read_gateway_file(&path).unwrap(), FoundGateway::Absent);
}

#[tokio::test]
async fn a_file_of_a_newer_boot_stays_at_the_end() {
    let house = house(quiet()).await;
    let path = house.home.path().join("gateway.json");
    let text = std::fs::read_to_string(&path).unwrap().replace(house.gateway.boot(), "newer");
    std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), text.as_bytes()).unwrap();
    house.gateway.shutdown(Duration::from_secs(1)).await;
    assert!(path.exists());
}

#[tokio::test]
async fn a_taken_port_means_the_next_free_one() {
    // Two neighbouring ports of which the first is taken by us; another program may have the second, then look on.
    for _ in 0..50 {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let first = taken.local_addr().unwrap().port();
        if first > 65_000 || TcpListener::bind((Ipv4Addr::LOCALHOST, first + 1)).await.is_err() {
            continue;
        }
        let house = house_with(quiet(), |options| (options.port, options.tries) = (first, 10)).await;
        assert_eq!(house.gateway.port(), first + 1);
        return;
    }
    panic!("no two neighbouring ports are free on this machine");
}

#[tokio::test]
async fn no_free_port_is_an_error_that_names_them() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let home = tempfile::tempdir().unwrap();
    let spare = house(quiet()).await;
    let started = Gateway::start(
        kata_gateway::GatewayOptions {
            port,
            ..options(home.path())
        },
        Arc::new(Fake::new(quiet())),
        Arc::default(),
        Arc::new(Tokens::new(Vec::new())),
        spare.ready.subscribe(),
        spare.clock.clone(),
        Arc::new(Counting::default()),
    )
    .await;
    let Err(error @ (GatewayError::Listen { .. } | GatewayError::NoPort { .. })) = started else {
        panic!()
    };
    assert!(error.to_string().contains(&port.to_string()));
    assert!(
        !home.path().join("gateway.json").exists(),
        "nothing is announced that does not listen"
    );
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let house = house(quiet()).await;
    // 127.0.0.2 is this machine too, but not the address that was bound.
    let other = TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), house.gateway.port())).await;
    assert!(other.is_err());
}

#[tokio::test]
async fn the_end_is_said_and_the_request_that_asked_for_it_is_answered_first() {
    let house = house(answering(|_, _, _| Ok(json!({})))).await;
    let mut client = house.client(ADMIN).await;
    assert!(client.ask(1, "system.shutdown", json!({})).await.is_ok());
    let end = house.gateway.shutdown(Duration::from_secs(5));
    let ((), (reason, code)) = tokio::join!(end, client.ending());
    assert_eq!((reason.as_str(), code), ("the program ends", Some(close::GOING_AWAY)));
}

#[tokio::test]
async fn a_request_that_runs_is_finished_before_the_gateway_ends() {
    let (begun, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (b, g, d) = (Arc::clone(&begun), Arc::clone(&gate), Arc::clone(&done));
    let house = house(Box::new(move |_, _, _| {
        let (b, g, d) = (Arc::clone(&b), Arc::clone(&g), Arc::clone(&d));
        Box::pin(async move {
            b.notify_one();
            g.notified().await;
            d.store(true, std::sync::atomic::Ordering::SeqCst);
            Ok(json!([]))
        })
    }))
    .await;
    let mut client = house.client(ADMIN).await;
    client.send(json!({"type": "request", "id": 1, "op": "tool.list"})).await;
    begun.notified().await;
    let end = house.gateway.shutdown(Duration::from_secs(5));
    let let_go = async {
        assert_eq!(client.ending().await.1, Some(close::GOING_AWAY));
        gate.notify_one();
    };
    soon("the end", async { tokio::join!(end, let_go) }).await;
    assert!(done.load(std::sync::atomic::Ordering::SeqCst));
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_the_end() {
    let house = house(Box::new(|_, _, _| Box::pin(std::future::pending()))).await;
    let mut client = house.client(ADMIN).await;
    client.send(json!({"type": "request", "id": 1, "op": "tool.list"})).await;
    client.send(json!({"type": "request", "id": 2, "op": "no.such"})).await;
    assert!(matches!(client.frame().await, ServerFrame::Response { id, .. } if id.0 == 2));
    let clock = Arc::clone(&house.clock);
    let end = house.gateway.shutdown(Duration::from_secs(7));
    let time_passes = async {
        clock.sleeper(Duration::from_secs(7)).await;
        clock.advance(Duration::from_secs(7));
    };
    soon("the end", async { tokio::join!(end, time_passes) }).await;
}
