//! Random operations on both implementations: the ledger balances after each, and they agree on everything they show.

use super::samples::{draft, id, part};
use crate::{MemoryStore, SqliteStore};
use kata_core::ports::{InboxEnd, InboxId, MessageStore, OutboxId, OutboxState};
use kata_protocol::{Ledger, Ms, Receipt, RefusalCode};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Accept(u8),
    Routed(i64),
    Finish(i64, u8),
    Enqueue(Option<i64>, Vec<u8>),
    Sending(i64),
    Sent(i64),
    Again(i64, u8),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let row = || 1..9_i64;
    prop_oneof![
        4 => (0..8_u8).prop_map(Step::Accept),
        2 => row().prop_map(Step::Routed),
        2 => (row(), 0..3_u8).prop_map(|(row, end)| Step::Finish(row, end)),
        4 => (prop::option::of(row()), prop::collection::vec(0..12_u8, 0..4)).prop_map(|(row, keys)| Step::Enqueue(row, keys)),
        3 => row().prop_map(Step::Sending),
        4 => row().prop_map(Step::Sent),
        4 => (row(), 0..5_u8).prop_map(|(row, state)| Step::Again(row, state)),
        1 => Just(Step::Reopen),
    ]
}

/// Runs one step; the answer in a form that both implementations share (row numbers and whether it was refused).
async fn run(store: &impl MessageStore, step: &Step) -> String {
    let receipt = Receipt {
        message_ids: vec![id("1")],
    };
    match step {
        Step::Accept(n) => format!("{:?}", store.accept(&id("telegram"), &draft(&format!("m{n}")), Ms(1)).await.ok()),
        Step::Routed(n) => format!("{:?}", store.routed(InboxId(*n), &id("k"), &id("s")).await.is_ok()),
        Step::Finish(n, end) => {
            let end = match end {
                0 => InboxEnd::Silent,
                1 => InboxEnd::Refused(RefusalCode::Loop),
                _ => InboxEnd::Dead("gave up".into()),
            };
            format!("{:?}", store.finish(InboxId(*n), end).await.is_ok())
        }
        Step::Enqueue(n, keys) => {
            let parts = keys.iter().map(|key| part(&format!("k{key}"))).collect();
            format!("{:?}", store.enqueue(n.map(InboxId), parts, Ms(4)).await.ok())
        }
        Step::Sending(n) => format!("{:?}", store.sending(OutboxId(*n), 1).await.is_ok()),
        Step::Sent(n) => format!("{:?}", store.sent(OutboxId(*n), &receipt).await.is_ok()),
        Step::Again(n, state) => {
            let state = match state {
                0 => OutboxState::Pending { next_at: Ms(9) },
                1 => OutboxState::Sending,
                2 => OutboxState::Sent,
                3 => OutboxState::Parked,
                _ => OutboxState::Dead,
            };
            format!("{:?}", store.unsent_again(OutboxId(*n), state, "failed").await.is_ok())
        }
        Step::Reopen => String::new(),
    }
}

/// Everything a caller can see.
async fn shown(store: &impl MessageStore) -> (Ledger, String) {
    let (unfinished, unsent) = (store.unfinished().await.unwrap(), store.unsent().await.unwrap());
    (store.ledger().await.unwrap(), format!("{unfinished:?} {unsent:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_balances_after_every_operation_and_a_reopen_changes_nothing(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("kata.db");
            let mut sqlite = SqliteStore::open(&path).unwrap();
            let memory = MemoryStore::default();
            for step in &steps {
                if matches!(step, Step::Reopen) {
                    drop(sqlite);
                    sqlite = SqliteStore::open(&path).unwrap();
                }
                let (a, b) = (run(&*sqlite, step).await, run(&memory, step).await);
                prop_assert_eq!(a, b, "after {:?}", step);
                let (a, b) = (shown(&*sqlite).await, shown(&memory).await);
                let all = a.0.delivered.0 + a.0.refused.0 + a.0.dead.0 + a.0.pending.0;
                prop_assert_eq!(a.0.accepted.0, all);
                prop_assert_eq!(a, b, "after {:?}", step);
            }
            Ok(())
        })?;
    }
}
