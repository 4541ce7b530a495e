//! Facts: numbered, replayed, filtered, and never at another client's expense.

use crate::support::*;
use kata_core::events::KEPT;
use kata_gateway::close;
use kata_protocol::{Fact, Health, MessageId, ServerFrame, SessionEvent, SessionId};
use serde_json::json;
use std::time::Duration;

fn delta(bytes: usize) -> Fact {
    Fact::Session {
        id: SessionId::new("s").unwrap(),
        event: SessionEvent::TextDelta {
            message: MessageId::new("m").unwrap(),
            text: "x".repeat(bytes),
        },
    }
}

#[tokio::test]
async fn facts_arrive_numbered_and_in_order() {
    let house = house(quiet()).await;
    let mut client = house.client(ADMIN).await;
    house.hub.publish(Fact::PairingChanged {});
    house.hub.publish(Fact::HealthChanged { health: Health::default() });
    let ServerFrame::Event { seq, fact } = client.frame().await else {
        panic!()
    };
    assert_eq!((seq.0, fact.0), (1, json!({"topic": "pairing_changed"})));
    assert_eq!(client.event().await, 2);
}

#[tokio::test]
async fn a_client_that_comes_back_gets_exactly_what_it_missed() {
    let house = house(quiet()).await;
    let mut client = house.client(ADMIN).await;
    for _ in 0..3 {
        house.hub.publish(Fact::PairingChanged {});
    }
    for seq in 1..=3 {
        assert_eq!(client.event().await, seq);
    }
    drop(client);
    for _ in 0..4 {
        house.hub.publish(Fact::PairingChanged {});
    }
    let mut client = house.stranger().await;
    client.connect(json!({"boot": house.gateway.boot(), "lastSeq": 3})).await;
    house.hub.publish(Fact::PairingChanged {});
    for seq in 4..=8 {
        assert_eq!(client.event().await, seq);
    }
}

#[tokio::test]
async fn reconnecting_while_facts_pour_in_loses_and_repeats_none() {
    let house = house(quiet()).await;
    let hub = std::sync::Arc::clone(&house.hub);
    let source = tokio::task::spawn_blocking(move || {
        for _ in 0..3000 {
            hub.publish(Fact::PairingChanged {});
            std::thread::yield_now();
        }
    });
    let mut last = 0;
    while last < 3000 {
        let mut client = house.stranger().await;
        client.connect(json!({"boot": house.gateway.boot(), "lastSeq": last})).await;
        for _ in 0..700 {
            if last == 3000 {
                break;
            }
            assert_eq!(client.event().await, last + 1);
            last += 1;
        }
    }
    source.await.unwrap();
}

#[tokio::test]
async fn numbers_of_another_boot_or_too_old_ones_mean_resync() {
    let house = house(quiet()).await;
    for _ in 0..KEPT + 5 {
        house.hub.publish(Fact::PairingChanged {});
    }
    for (boot, last) in [("another", 3), (house.gateway.boot(), 3), (house.gateway.boot(), 1_u64 << 40)] {
        let mut client = house.stranger().await;
        client.connect(json!({"boot": boot, "lastSeq": last})).await;
        let ServerFrame::Resync { seq } = client.frame().await else {
            panic!("{boot} {last}")
        };
        assert_eq!(seq.0, KEPT as u64 + 5);
        assert!(client.ask(1, "model.list", json!({})).await.is_ok(), "and nothing old follows");
    }
}

#[tokio::test]
async fn a_client_gets_only_the_topics_it_wants() {
    let house = house(quiet()).await;
    let mut client = house.stranger().await;
    client.connect(json!({"topics": ["pairing"]})).await;
    house.hub.publish(delta(1));
    house.hub.publish(Fact::PairingChanged {});
    assert_eq!(client.event().await, 2);
    client.send(json!({"type": "subscribe", "topics": ["session"]})).await;
    // The answer shows that the frame before it has been read.
    client.ask(1, "model.list", json!({})).await.unwrap();
    house.hub.publish(Fact::PairingChanged {});
    house.hub.publish(delta(1));
    assert_eq!(client.event().await, 4);
}

#[tokio::test]
async fn an_ack_shows_in_the_list_of_clients() {
    let house = house(quiet()).await;
    let mut client = house.client(READER).await;
    client.send(json!({"type": "ack", "seq": 7})).await;
    client.ask(1, "model.list", json!({})).await.unwrap();
    let clients = house.gateway.clients();
    assert_eq!(clients.len(), 1);
    assert_eq!(
        (clients[0].name.as_str(), clients[0].token.as_str(), clients[0].acked.0),
        ("test", "phone", 7)
    );
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_the_other_gets_every_fact() {
    let house = house(quiet()).await;
    let mut slow = house.client(READER).await;
    let mut fast = house.client(ADMIN).await;
    // More than the buffers between two sockets hold; the slow one reads nothing of it.
    for seq in 1..=400 {
        house.hub.publish(delta(64 * 1024));
        assert_eq!(fast.event().await, seq);
    }
    house.clock.sleeper(Duration::from_secs(30)).await;
    assert_eq!(house.gateway.clients().len(), 2);
    house.clock.advance(Duration::from_secs(30));
    // It cannot take the goodbye either; after two more seconds the connection ends.
    house.clock.sleeper(Duration::from_secs(2)).await;
    house.clock.advance(Duration::from_secs(2));
    assert_eq!(
        house.gateway.clients().iter().map(|c| c.token.clone()).collect::<Vec<_>>(),
        ["desktop"]
    );
    let mut got = 0;
    while let Ok(frame) = slow.next().await {
        got += u32::from(matches!(frame, ServerFrame::Event { .. }));
    }
    assert!(got < 400, "it was cut off in the middle");
    house.hub.publish(Fact::PairingChanged {});
    assert_eq!(fast.event().await, 401);
}

#[tokio::test]
async fn a_client_that_falls_behind_is_told_to_ask_again_and_goes_on_from_now() {
    let house = house(quiet()).await;
    let mut client = house.client(ADMIN).await;
    for _ in 0..200 {
        house.hub.publish(delta(64 * 1024));
    }
    house.clock.sleeper(Duration::from_secs(30)).await;
    // The client sleeps; the ring moves on past it.
    for _ in 0..2 * KEPT {
        house.hub.publish(Fact::PairingChanged {});
    }
    let newest = house.hub.newest();
    let mut last = 0;
    let resync = loop {
        match client.frame().await {
            ServerFrame::Event { seq, .. } => {
                assert_eq!(seq.0, last + 1);
                last = seq.0;
            }
            ServerFrame::Resync { seq } => break seq.0,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(resync, newest);
    house.hub.publish(Fact::PairingChanged {});
    assert_eq!(client.event().await, newest + 1);
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_gone_after_two() {
    let house = house(quiet()).await;
    let mut client = house.client(ADMIN).await;
    // This client answers pings only while it reads; it does not.
    house.clock.sleeper(Duration::from_secs(20)).await;
    house.clock.advance(Duration::from_secs(20));
    soon("the second wait", async {
        while house.clock.sleeps(Duration::from_secs(20)) < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    house.clock.advance(Duration::from_secs(20));
    let (reason, code) = client.ending().await;
    assert_eq!(code, Some(close::TIMEOUT), "{reason}");
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let house = house(quiet()).await;
    let mut client = house.client(ADMIN).await;
    house.clock.sleeper(Duration::from_secs(20)).await;
    for round in 1..=4 {
        house.clock.advance(Duration::from_secs(20));
        // Reading takes the ping and answers it.
        client.ask(round, "model.list", json!({})).await.unwrap();
        let wanted = usize::try_from(round).unwrap() + 1;
        soon("the next wait", async {
            while house.clock.sleeps(Duration::from_secs(20)) < wanted {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    assert!(client.ask(9, "model.list", json!({})).await.is_ok());
}
