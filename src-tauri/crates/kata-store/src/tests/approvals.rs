//! What every store promises about calls that wait for a person; run by `conformance`.

use super::samples::{id, part};
use kata_core::ports::{ApprovalRow, KEPT_ANSWERS, Store, WaitingApproval};
use kata_protocol::{Approval, ApprovalDecision, Json, Ms, ToolCall, ToolStatus};
use serde_json::json;

fn waiting(code: &str, session: &str, call: &str, at: u64) -> WaitingApproval {
    WaitingApproval {
        approval: Approval {
            code: code.into(),
            session: id(session),
            session_name: Some("Trip".into()),
            turn: id("t1"),
            call: ToolCall {
                call_id: id(call),
                name: "bash".into(),
                input: Json(json!({"command": "make"})),
                result: None,
                status: ToolStatus::Pending,
                duration_ms: None,
            },
            reason: "it may change things".into(),
            always: None,
            channel: None,
            requested_at: Ms(at),
            expires_at: Ms(at + 100),
        },
        route: Some(part("k").route),
    }
}

pub(super) async fn a_call_waits_until_its_first_answer_and_that_one_stands(store: &impl Store) {
    let (a, b) = (waiting("AAAAAA", "s1", "c1", 10), waiting("BBBBBB", "s2", "c1", 20));
    assert!(store.ask(&a).await.unwrap() && store.ask(&b).await.unwrap());
    assert!(store.ask(&a).await.unwrap(), "asked again after a restart, it is the same");
    assert!(
        !store.ask(&waiting("AAAAAA", "s3", "c9", 10)).await.unwrap(),
        "a code is of one call"
    );
    assert_eq!(
        store.waiting_approvals().await.unwrap(),
        [a.clone(), b.clone()],
        "whole, oldest first"
    );
    let of = store.approval_of(&id("s2"), &id("c1")).await.unwrap();
    assert_eq!(of, Some(ApprovalRow::Waiting(Box::new(b.clone()))));

    let (first, counted) = store
        .settle("AAAAAA", ApprovalDecision::Session, Some("Ada"), Ms(50))
        .await
        .unwrap()
        .unwrap();
    assert!(counted && first.decision == ApprovalDecision::Session && !first.expired);
    assert_eq!(
        (first.by.as_deref(), &first.route),
        (Some("Ada"), &a.route),
        "who, and where it was asked"
    );
    let (second, counted) = store.settle("AAAAAA", ApprovalDecision::Deny, None, Ms(60)).await.unwrap().unwrap();
    assert!(!counted);
    assert_eq!(second, first);
    assert!(store.ask(&a).await.unwrap());
    assert_eq!(store.waiting_approvals().await.unwrap(), [b], "an answered call is not asked again");
    assert_eq!(store.approval("AAAAAA").await.unwrap(), Some(ApprovalRow::Settled(Box::new(first))));
    let (late, _) = store
        .settle("BBBBBB", ApprovalDecision::Deny, None, Ms(120))
        .await
        .unwrap()
        .unwrap();
    assert!(late.expired);
    assert_eq!(store.settle("NOBODY", ApprovalDecision::Once, None, Ms(1)).await.unwrap(), None);
    assert_eq!(store.approval("NOBODY").await.unwrap(), None);
}

pub(super) async fn a_settled_call_keeps_no_arguments_and_only_the_newest_answers_are_kept(store: &impl Store) {
    let code = |n: u32| format!("C{n:05}");
    for n in 0..KEPT_ANSWERS + 2 {
        store.ask(&waiting(&code(n), "s1", &format!("c{n}"), 10)).await.unwrap();
    }
    for n in 0..=KEPT_ANSWERS {
        store
            .settle(&code(n), ApprovalDecision::Once, None, Ms(u64::from(20 + n)))
            .await
            .unwrap();
    }
    assert_eq!(store.approval(&code(0)).await.unwrap(), None, "the oldest answer is forgotten");
    let kept = store.approval(&code(1)).await.unwrap();
    assert!(matches!(&kept, Some(ApprovalRow::Settled(s)) if s.call_id == id("c1")), "{kept:?}");
    let left = store.waiting_approvals().await.unwrap();
    assert_eq!(left.len(), 1, "what waits is never forgotten");
}
