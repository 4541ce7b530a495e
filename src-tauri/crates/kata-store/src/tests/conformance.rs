//! What every implementation of the store's ports promises. Each case runs on each implementation.

use super::approvals::{
    a_call_waits_until_its_first_answer_and_that_one_stands, a_settled_call_keeps_no_arguments_and_only_the_newest_answers_are_kept,
};
use super::samples::{draft, id, pairing, part, trace};
use crate::{KEPT_GRANT_EVENTS, MemoryStore, SqliteStore};
use kata_core::ports::{BoundKey, InboxEnd, InboxId, LetterId, MessageStore, OutboxId, OutboxState, Signer, Store, StoredGrant};
use kata_protocol::{
    ChannelId, Count, GrantAction, GrantEvent, Json, Ledger, LetterState, Ms, PairingRequest, PluginFile, PluginGrant, PluginId, Receipt,
    RefusalCode, SessionId, SessionKey, StepOutcome, TraceList,
};
use std::sync::Arc;

/// One test per case and implementation.
macro_rules! conformance {
    ($($case:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&super::MemoryStore::default()).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                let store: super::Arc<super::SqliteStore> = super::SqliteStore::open(&folder.path().join("kata.db")).unwrap();
                super::$case(&*store).await;
            })*
        }
    };
}

conformance! {
    a_message_is_accepted_once_per_channel_and_account
    an_accepted_message_is_unfinished_until_it_ends_or_is_answered
    the_first_end_of_a_message_stands
    a_message_can_be_looked_up_and_a_refused_one_keeps_no_text
    a_reply_in_parts_is_delivered_with_its_last_part
    a_part_is_queued_once_per_key
    the_last_receipt_under_a_stem_is_found_and_no_other
    a_message_is_found_by_its_platforms_id_and_its_text_changes_while_it_waits
    conversations_are_listed_that_a_message_was_routed_from_newest_first
    a_given_up_part_makes_the_message_dead_until_a_person_retries_it
    a_parked_part_is_pending_and_not_sent_by_itself
    a_delivered_part_is_never_handed_over_again
    an_empty_reply_is_delivered
    a_notice_belongs_to_no_session
    a_refused_message_stays_refused_when_something_is_sent_about_it
    a_row_that_does_not_exist_is_an_error
    the_first_session_of_a_key_stands
    a_key_moves_to_another_session_and_says_what_it_had
    keys_are_listed_with_the_newest_message_first
    refusals_are_counted_by_channel_and_reason_the_last_first
    a_pairing_code_opens_the_door_once
    a_pairing_code_ends_with_its_time
    an_open_request_of_a_person_stands_and_an_expired_one_gives_way
    a_code_belongs_to_one_person
    traces_are_replaced_by_id_and_listed_newest_first
    traces_are_found_by_plugin_outcome_and_origin_and_the_limit_counts_what_was_found
    traces_are_a_ring_and_a_smaller_one_lets_go
    plugin_state_is_kept_per_plugin_and_key
    what_an_account_leaves_behind_goes_and_nothing_of_others
    a_grant_is_kept_whole_and_replaced_as_a_whole
    a_revoked_grant_is_gone_and_its_history_stays
    the_history_of_a_grant_is_newest_first_and_bounded
    a_remembered_key_is_not_replaced_by_another_of_its_id
    a_forgotten_key_lets_go_of_the_grants_it_carried_and_of_nothing_else
    a_call_waits_until_its_first_answer_and_that_one_stands
    a_settled_call_keeps_no_arguments_and_only_the_newest_answers_are_kept
    a_letter_is_what_was_given_up_or_parked_newest_first
    a_reply_that_is_tried_again_begins_anew_under_the_key_it_had
    a_message_that_is_tried_again_is_accepted_as_it_came_and_counted_once
    a_letter_that_was_put_away_is_out_of_the_list_and_stays_in_the_ledger
    what_is_no_letter_cannot_be_tried_again_or_put_away
}

fn telegram() -> ChannelId {
    id("telegram")
}

async fn accept(store: &impl MessageStore, message: &str) -> InboxId {
    store.accept(&telegram(), &draft(message), Ms(10)).await.unwrap().unwrap()
}

fn receipt() -> Receipt {
    Receipt {
        message_ids: vec![id("77")],
    }
}

fn ledger(delivered: u64, refused: u64, dead: u64, pending: u64) -> Ledger {
    Ledger {
        accepted: Count(delivered + refused + dead + pending),
        delivered: Count(delivered),
        refused: Count(refused),
        dead: Count(dead),
        pending: Count(pending),
    }
}

async fn a_message_is_accepted_once_per_channel_and_account(store: &impl Store) {
    let first = accept(store, "m1").await;
    assert_eq!(store.accept(&telegram(), &draft("m1"), Ms(99)).await.unwrap(), None);
    store.finish(first, InboxEnd::Silent).await.unwrap();
    assert_eq!(
        store.accept(&telegram(), &draft("m1"), Ms(99)).await.unwrap(),
        None,
        "also after it ended"
    );

    let mut elsewhere = draft("m1");
    elsewhere.account = id("other-bot");
    assert!(store.accept(&telegram(), &elsewhere, Ms(11)).await.unwrap().is_some());
    assert!(store.accept(&id("slack"), &draft("m1"), Ms(12)).await.unwrap().is_some());
    assert_eq!(store.ledger().await.unwrap(), ledger(1, 0, 0, 2));
}

async fn an_accepted_message_is_unfinished_until_it_ends_or_is_answered(store: &impl Store) {
    let (a, b, c) = (accept(store, "a").await, accept(store, "b").await, accept(store, "c").await);
    let session: SessionId = id("260201-swift-river");
    store.routed(b, &id("telegram:bot:c1"), &session).await.unwrap();

    let rows = store.unfinished().await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [a, b, c], "oldest first");
    assert_eq!(
        (&rows[0].draft, rows[0].received_at, &rows[0].session),
        (&draft("a"), Ms(10), &None)
    );
    assert_eq!((&rows[1].channel, &rows[1].session), (&telegram(), &Some(session)));

    store.finish(a, InboxEnd::Refused(RefusalCode::NotAllowed)).await.unwrap();
    store.enqueue(Some(b), vec![part("k")], Ms(20)).await.unwrap();
    store.finish(c, InboxEnd::Dead("the model failed".into())).await.unwrap();
    assert!(store.unfinished().await.unwrap().is_empty());
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 1, 1, 1));
}

async fn the_first_end_of_a_message_stands(store: &impl Store) {
    let a = accept(store, "a").await;
    store.finish(a, InboxEnd::Silent).await.unwrap();
    store.finish(a, InboxEnd::Dead("late".into())).await.unwrap();
    assert_eq!(store.ledger().await.unwrap(), ledger(1, 0, 0, 0));

    let b = accept(store, "b").await;
    store.enqueue(Some(b), vec![part("k")], Ms(20)).await.unwrap();
    store.finish(b, InboxEnd::Silent).await.unwrap();
    assert_eq!(store.ledger().await.unwrap(), ledger(1, 0, 0, 1), "its reply is still on the way");
}

async fn a_message_can_be_looked_up_and_a_refused_one_keeps_no_text(store: &impl Store) {
    let (a, b) = (accept(store, "a").await, accept(store, "b").await);
    store.routed(a, &id("k"), &id("s")).await.unwrap();
    store.finish(a, InboxEnd::Silent).await.unwrap();
    store.finish(b, InboxEnd::Refused(RefusalCode::NotAllowed)).await.unwrap();
    let seen = store.message(a).await.unwrap().unwrap();
    assert_eq!((seen.id, seen.draft, seen.session), (a, draft("a"), Some(id("s"))));
    let refused = store.message(b).await.unwrap().unwrap().draft;
    let mut emptied = draft("b");
    emptied.text.clear();
    assert_eq!(refused, emptied);
    assert_eq!(store.message(InboxId(404)).await.unwrap(), None);
}

async fn a_notice_belongs_to_no_session(store: &impl Store) {
    let notice = kata_core::ports::NewOutbound {
        session: None,
        ..part("notice")
    };
    let rows = store.enqueue(None, vec![notice], Ms(1)).await.unwrap();
    assert_eq!(rows[0].session, None);
    assert_eq!(store.unsent().await.unwrap(), rows);
}

async fn a_reply_in_parts_is_delivered_with_its_last_part(store: &impl Store) {
    let inbox = accept(store, "a").await;
    let rows = store.enqueue(Some(inbox), vec![part("k1"), part("k2")], Ms(20)).await.unwrap();
    assert!(rows[0].id < rows[1].id);
    assert_eq!(rows[0].message.attempt, 0);
    assert_eq!(rows[0].state, OutboxState::Pending { next_at: Ms(20) });
    assert_eq!(store.unsent().await.unwrap(), rows);

    store.sending(rows[0].id, 1).await.unwrap();
    let seen = store.unsent().await.unwrap();
    assert_eq!((&seen[0].state, seen[0].message.attempt), (&OutboxState::Sending, 1));
    store.sent(rows[0].id, &receipt()).await.unwrap();
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 0, 1));
    store.sending(rows[1].id, 1).await.unwrap();
    store.sent(rows[1].id, &receipt()).await.unwrap();
    assert_eq!(store.ledger().await.unwrap(), ledger(1, 0, 0, 0));
    assert!(store.unsent().await.unwrap().is_empty());
}

async fn a_part_is_queued_once_per_key(store: &impl Store) {
    let inbox = accept(store, "a").await;
    assert_eq!(store.enqueue(Some(inbox), vec![part("k1")], Ms(20)).await.unwrap().len(), 1);
    let again = store
        .enqueue(Some(inbox), vec![part("k1"), part("k2"), part("k2")], Ms(30))
        .await
        .unwrap();
    assert_eq!(
        again.iter().map(|row| row.message.idempotency_key.as_str()).collect::<Vec<_>>(),
        ["k2"]
    );
    assert_eq!(store.unsent().await.unwrap().len(), 2);
    for row in store.unsent().await.unwrap() {
        store.sent(row.id, &receipt()).await.unwrap();
    }
    assert!(
        store.enqueue(Some(inbox), vec![part("k1")], Ms(40)).await.unwrap().is_empty(),
        "also after it was sent"
    );
    assert_eq!(store.ledger().await.unwrap(), ledger(1, 0, 0, 0));
}

async fn the_last_receipt_under_a_stem_is_found_and_no_other(store: &impl Store) {
    let keys = ["ask:A:0", "ask:A:1", "ask:AB:0", "ask:A", "ask:A;x"];
    let rows = store.enqueue(None, keys.map(part).into(), Ms(20)).await.unwrap();
    assert_eq!(store.receipt_of("ask:A").await.unwrap(), None);
    for (row, said) in rows.iter().zip(["1", "2", "3", "4", "5"]) {
        let receipt = Receipt {
            message_ids: vec![id(said)],
        };
        store.sent(row.id, &receipt).await.unwrap();
    }
    let found = store.receipt_of("ask:A").await.unwrap().unwrap();
    assert_eq!(found.message_ids, [id("2")]);
    assert_eq!(store.receipt_of("ask:").await.unwrap(), None);
}

async fn a_message_is_found_by_its_platforms_id_and_its_text_changes_while_it_waits(store: &impl Store) {
    let first = accept(store, "m1").await;
    let (account, m1) = (draft("m1").account, draft("m1").message_id);
    let known = async |message| store.known(&telegram(), &account, &message).await.unwrap();
    assert_eq!(known(id("m9")).await, None);
    assert_eq!(store.known(&id("other"), &account, &m1).await.unwrap(), None);
    store.reword(first, "changed").await.unwrap();
    let (row, open) = known(m1.clone()).await.unwrap();
    assert_eq!((row.id, row.draft.text.as_str(), open), (first, "changed", true));
    store.finish(first, InboxEnd::Silent).await.unwrap();
    store.reword(first, "too late").await.unwrap();
    let (row, open) = known(m1).await.unwrap();
    assert_eq!((row.draft.text.as_str(), open), ("changed", false));
    store
        .refuse(&telegram(), &draft("m2"), RefusalCode::NotAllowed, Ms(11))
        .await
        .unwrap();
    assert_eq!(known(id("m2")).await, None, "what was refused is not known");
}

async fn conversations_are_listed_that_a_message_was_routed_from_newest_first(store: &impl Store) {
    let from = async |message: &str, conversation: &str, name: Option<&str>, sender: &str, at: u64, routed: bool| {
        let mut draft = draft(message);
        (draft.conversation, draft.conversation_name) = (id(conversation), name.map(str::to_owned));
        draft.sender.id = id(sender);
        let row = store.accept(&telegram(), &draft, Ms(at)).await.unwrap().unwrap();
        if routed {
            store.routed(row, &id("key"), &id("s1")).await.unwrap();
        }
    };
    from("m1", "C1", Some("general"), "ada", 10, true).await;
    from("m2", "C2", Some("random"), "ada", 20, true).await;
    from("m3", "C1", None, "bob", 30, true).await;
    from("m4", "C3", Some("nobody was let in"), "eve", 40, false).await;
    let found = store.written_from(&telegram(), 10).await.unwrap();
    let shown: Vec<_> = found.iter().map(|f| (f.conversation.as_str(), f.sender.as_str())).collect();
    assert_eq!(shown, [("C1", "bob"), ("C2", "ada")]);
    assert_eq!(found[1].name.as_deref(), Some("random"));
    assert_eq!(store.written_from(&telegram(), 1).await.unwrap().len(), 1);
    assert_eq!(store.written_from(&id("other"), 10).await.unwrap(), []);
}

async fn a_given_up_part_makes_the_message_dead_until_a_person_retries_it(store: &impl Store) {
    let inbox = accept(store, "a").await;
    let rows = store.enqueue(Some(inbox), vec![part("k1"), part("k2")], Ms(20)).await.unwrap();
    store.sent(rows[0].id, &receipt()).await.unwrap();
    store.sending(rows[1].id, 3).await.unwrap();
    store
        .unsent_again(rows[1].id, OutboxState::Dead, "the bot was blocked")
        .await
        .unwrap();
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 1, 0));
    assert!(store.unsent().await.unwrap().is_empty());

    store
        .unsent_again(rows[1].id, OutboxState::Pending { next_at: Ms(90) }, "tried again by hand")
        .await
        .unwrap();
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 0, 1));
    let waiting = store.unsent().await.unwrap();
    assert_eq!(waiting[0].state, OutboxState::Pending { next_at: Ms(90) });
    assert_eq!(
        (waiting[0].message.attempt, waiting[0].error.as_deref()),
        (3, Some("tried again by hand"))
    );
}

async fn a_parked_part_is_pending_and_not_sent_by_itself(store: &impl Store) {
    let inbox = accept(store, "a").await;
    let rows = store.enqueue(Some(inbox), vec![part("k1")], Ms(20)).await.unwrap();
    store.sending(rows[0].id, 1).await.unwrap();
    store.unsent_again(rows[0].id, OutboxState::Parked, "nobody knows").await.unwrap();
    assert!(store.unsent().await.unwrap().is_empty());
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 0, 1));
    assert!(
        store.unsent_again(rows[0].id, OutboxState::Sent, "").await.is_err(),
        "only a receipt makes it sent"
    );
}

async fn a_delivered_part_is_never_handed_over_again(store: &impl Store) {
    let rows = store.enqueue(None, vec![part("k1")], Ms(20)).await.unwrap();
    assert_eq!(rows[0].inbox, None);
    store.sent(rows[0].id, &receipt()).await.unwrap();
    assert!(store.sending(rows[0].id, 2).await.is_err());
    assert!(
        store
            .unsent_again(rows[0].id, OutboxState::Pending { next_at: Ms(1) }, "late")
            .await
            .is_err()
    );
    assert!(store.unsent().await.unwrap().is_empty());
    store.sent(rows[0].id, &receipt()).await.unwrap();
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 0, 0));
}

async fn an_empty_reply_is_delivered(store: &impl Store) {
    let inbox = accept(store, "a").await;
    assert!(store.enqueue(Some(inbox), Vec::new(), Ms(20)).await.unwrap().is_empty());
    assert_eq!(store.ledger().await.unwrap(), ledger(1, 0, 0, 0));
}

async fn a_refused_message_stays_refused_when_something_is_sent_about_it(store: &impl Store) {
    let inbox = accept(store, "a").await;
    store.finish(inbox, InboxEnd::Refused(RefusalCode::PairingRequired)).await.unwrap();
    let rows = store.enqueue(Some(inbox), vec![part("code")], Ms(20)).await.unwrap();
    store.sent(rows[0].id, &receipt()).await.unwrap();
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 1, 0, 0));
}

async fn a_row_that_does_not_exist_is_an_error(store: &impl Store) {
    let (inbox, outbox) = (InboxId(404), OutboxId(404));
    assert!(store.routed(inbox, &id("k"), &id("s")).await.is_err());
    assert!(store.finish(inbox, InboxEnd::Silent).await.is_err());
    assert!(store.enqueue(Some(inbox), vec![part("k")], Ms(1)).await.is_err());
    assert!(store.sending(outbox, 1).await.is_err());
    assert!(store.sent(outbox, &receipt()).await.is_err());
    assert!(store.unsent_again(outbox, OutboxState::Dead, "x").await.is_err());
    assert!(store.unsent().await.unwrap().is_empty(), "a refused write leaves nothing");
}

async fn the_first_session_of_a_key_stands(store: &impl Store) {
    let key = id("telegram:bot:c1");
    assert_eq!(store.session_for(&key).await.unwrap(), None);
    assert_eq!(store.bind(&key, &id("s1")).await.unwrap().as_str(), "s1");
    assert_eq!(store.bind(&key, &id("s2")).await.unwrap().as_str(), "s1");
    assert_eq!(store.session_for(&key).await.unwrap(), Some(id("s1")));
    assert_eq!(store.session_for(&id("telegram:bot:c2")).await.unwrap(), None);
}

async fn a_key_moves_to_another_session_and_says_what_it_had(store: &impl Store) {
    let (key, other): (SessionKey, SessionKey) = (id("telegram:bot:c1"), id("telegram:bot:c2"));
    assert_eq!(
        store.rebind(&key, &id("s1")).await.unwrap(),
        None,
        "a key without a session gets one"
    );
    store.bind(&other, &id("s1")).await.unwrap();
    assert_eq!(store.keys_of(&id("s1")).await.unwrap(), [key.clone(), other.clone()]);
    assert_eq!(store.rebind(&key, &id("s2")).await.unwrap(), Some(id("s1")));
    assert_eq!(store.session_for(&key).await.unwrap(), Some(id("s2")));
    assert_eq!(store.session_for(&other).await.unwrap(), Some(id("s1")), "another key stays");
    assert_eq!(store.unbind(&key).await.unwrap(), Some(id("s2")));
    assert_eq!(
        (store.session_for(&key).await.unwrap(), store.unbind(&key).await.unwrap()),
        (None, None)
    );
    assert_eq!(store.keys_of(&id("s2")).await.unwrap(), []);
    assert_eq!(
        store.bind(&key, &id("s3")).await.unwrap().as_str(),
        "s3",
        "free for its next session"
    );
}

async fn keys_are_listed_with_the_newest_message_first(store: &impl Store) {
    for key in ["telegram:bot:c1", "telegram:bot:c2", "telegram:bot:c3", "telegram:bot:c4"] {
        store.bind(&id(key), &id("s1")).await.unwrap();
    }
    for (message, key, at) in [
        ("m1", "telegram:bot:c3", 10),
        ("m2", "telegram:bot:c2", 20),
        ("m3", "telegram:bot:c3", 15),
    ] {
        let row = store.accept(&telegram(), &draft(message), Ms(at)).await.unwrap().unwrap();
        store.routed(row, &id(key), &id("s1")).await.unwrap();
    }
    let list = |rows: Vec<BoundKey>| rows.into_iter().map(|row| (row.key.to_string(), row.last_at)).collect::<Vec<_>>();
    let (c1, c2, c3, c4) = ("telegram:bot:c1", "telegram:bot:c2", "telegram:bot:c3", "telegram:bot:c4");
    assert_eq!(
        list(store.keys(10).await.unwrap()),
        [
            (c2.into(), Some(Ms(20))),
            (c3.into(), Some(Ms(15))),
            (c1.into(), None),
            (c4.into(), None)
        ]
    );
    assert_eq!(list(store.keys(1).await.unwrap()), [(c2.into(), Some(Ms(20)))]);
}

async fn refusals_are_counted_by_channel_and_reason_the_last_first(store: &impl Store) {
    assert_eq!(store.refusals().await.unwrap(), []);
    let mut by_bob = draft("m3");
    by_bob.sender.id = id("bob");
    let (paced, stranger) = (RefusalCode::RateLimited, RefusalCode::NotAllowed);
    store.refuse(&telegram(), &draft("m1"), paced, Ms(10)).await.unwrap();
    store.refuse(&id("slack"), &draft("m1"), paced, Ms(11)).await.unwrap();
    store.refuse(&telegram(), &draft("m2"), stranger, Ms(12)).await.unwrap();
    store.refuse(&telegram(), &by_bob, paced, Ms(13)).await.unwrap();
    // One that a hook ended later counts as well; one that is known already does not.
    let later = accept(store, "m4").await;
    store.finish(later, InboxEnd::Refused(RefusalCode::BlockedByHook)).await.unwrap();
    assert_eq!(store.refuse(&telegram(), &draft("m1"), paced, Ms(99)).await.unwrap(), None);

    let counts = store.refusals().await.unwrap();
    let counts: Vec<_> = counts
        .iter()
        .map(|c| (c.channel.as_str(), c.code, c.count, c.last_at.0, c.last_sender.as_str()))
        .collect();
    assert_eq!(
        counts,
        [
            ("telegram", RefusalCode::BlockedByHook, 1, 10, "u1"),
            ("telegram", paced, 2, 13, "bob"),
            ("telegram", stranger, 1, 12, "u1"),
            ("slack", paced, 1, 11, "u1"),
        ]
    );
}

async fn a_pairing_code_opens_the_door_once(store: &impl Store) {
    let (ada, bob) = (pairing("AAAA1111", "ada", 100), pairing("BBBB2222", "bob", 110));
    store.request(&bob).await.unwrap();
    store.request(&ada).await.unwrap();
    assert_eq!(store.requests(Ms(120)).await.unwrap(), [ada.clone(), bob.clone()]);
    assert_eq!(
        store.open_request(&telegram(), &ada.sender, Ms(120)).await.unwrap(),
        Some(ada.clone())
    );
    assert!(!store.is_paired(&telegram(), &ada.sender).await.unwrap());

    assert_eq!(store.resolve("AAAA1111", true, Ms(120)).await.unwrap(), Some(ada.clone()));
    assert_eq!(store.resolve("AAAA1111", true, Ms(121)).await.unwrap(), None);
    assert_eq!(store.resolve("BBBB2222", false, Ms(120)).await.unwrap(), Some(bob.clone()));
    assert!(store.is_paired(&telegram(), &ada.sender).await.unwrap());
    assert!(!store.is_paired(&telegram(), &bob.sender).await.unwrap());
    assert!(!store.is_paired(&id("slack"), &ada.sender).await.unwrap());
    assert_eq!(store.paired(&telegram()).await.unwrap(), [ada.sender]);
    assert!(store.requests(Ms(120)).await.unwrap().is_empty());
}

async fn a_pairing_code_ends_with_its_time(store: &impl Store) {
    let ada = pairing("AAAA1111", "ada", 100);
    store.request(&ada).await.unwrap();
    assert!(store.open_request(&telegram(), &ada.sender, Ms(199)).await.unwrap().is_some());
    assert_eq!(store.open_request(&telegram(), &ada.sender, Ms(200)).await.unwrap(), None);
    assert!(store.requests(Ms(200)).await.unwrap().is_empty());
    assert_eq!(store.resolve("AAAA1111", true, Ms(200)).await.unwrap(), None);
    assert!(!store.is_paired(&telegram(), &ada.sender).await.unwrap());
}

async fn an_open_request_of_a_person_stands_and_an_expired_one_gives_way(store: &impl Store) {
    store.request(&pairing("AAAA1111", "ada", 100)).await.unwrap();
    store.request(&pairing("CCCC3333", "ada", 150)).await.unwrap();
    assert_eq!(store.requests(Ms(160)).await.unwrap(), [pairing("AAAA1111", "ada", 100)]);
    store.request(&pairing("DDDD4444", "ada", 200)).await.unwrap();
    assert_eq!(store.requests(Ms(210)).await.unwrap(), [pairing("DDDD4444", "ada", 200)]);
}

async fn a_code_belongs_to_one_person(store: &impl Store) {
    store.request(&pairing("AAAA1111", "ada", 100)).await.unwrap();
    assert!(store.request(&pairing("AAAA1111", "bob", 110)).await.is_err());
    store.request(&pairing("AAAA1111", "bob", 200)).await.unwrap();
    assert_eq!(store.resolve("AAAA1111", true, Ms(210)).await.unwrap().unwrap().sender, id("bob"));
}

async fn traces_are_replaced_by_id_and_listed_newest_first(store: &impl Store) {
    store.record(&trace("t1", Some("s1")), 100).await.unwrap();
    store.record(&trace("t2", Some("s2")), 100).await.unwrap();
    store.record(&trace("t3", None), 100).await.unwrap();
    let mut done = trace("t1", Some("s1"));
    done.done = true;
    done.steps.clear();
    store.record(&done, 100).await.unwrap();
    assert_eq!(store.trace(&id("t1")).await.unwrap(), Some(done.clone()));
    assert_eq!(store.trace(&id("t9")).await.unwrap(), None);
    let all = TraceList::default();
    assert_eq!(
        store.traces(&all).await.unwrap(),
        [trace("t3", None), trace("t2", Some("s2")), done.clone()]
    );
    let one = TraceList {
        limit: Some(1),
        ..TraceList::default()
    };
    assert_eq!(store.traces(&one).await.unwrap(), [trace("t3", None)]);
    let of = TraceList {
        session: Some(id("s1")),
        ..TraceList::default()
    };
    assert_eq!(store.traces(&of).await.unwrap(), [done]);
}

async fn traces_are_found_by_plugin_outcome_and_origin_and_the_limit_counts_what_was_found(store: &impl Store) {
    for n in 0..60 {
        let mut made = trace(&format!("t{n}"), Some(if n % 2 == 0 { "even" } else { "odd" }));
        made.origin = if n < 5 { "a \"quoted\" client".into() } else { "desktop".into() };
        made.steps[0].plugin = Some(format!("p{}", n % 10));
        made.steps[0].outcome = if n % 3 == 0 { StepOutcome::Timeout } else { StepOutcome::Ok };
        // Words that stand elsewhere are not the field.
        made.steps[0].note = Some(r#"the "plugin":"p99" and "origin":"nowhere""#.into());
        store.record(&made, 1_000).await.unwrap();
    }
    let found = async |list: TraceList| -> Vec<String> {
        let traces = store.traces(&list).await.unwrap();
        traces.into_iter().map(|t| t.id.to_string()).collect()
    };
    let plugin = |name: &str| TraceList {
        plugin: Some(PluginId::new(name).unwrap()),
        ..TraceList::default()
    };
    assert_eq!(found(plugin("p3")).await, ["t53", "t43", "t33", "t23", "t13", "t3"]);
    assert_eq!(
        found(TraceList {
            limit: Some(2),
            ..plugin("p3")
        })
        .await,
        ["t53", "t43"]
    );
    let late = TraceList {
        outcome: Some(StepOutcome::Timeout),
        session: Some(id("odd")),
        ..plugin("p3")
    };
    assert_eq!(found(late).await, ["t33", "t3"]);
    let client = TraceList {
        origin: Some("a \"quoted\" client".into()),
        ..TraceList::default()
    };
    assert_eq!(found(client).await, ["t4", "t3", "t2", "t1", "t0"]);
    assert!(found(plugin("p99")).await.is_empty());
    assert_eq!(found(TraceList::default()).await.len(), 50);
}

async fn traces_are_a_ring_and_a_smaller_one_lets_go(store: &impl Store) {
    for n in 0..205 {
        store.record(&trace(&format!("t{n}"), None), 200).await.unwrap();
        store.record(&trace("t0", None), 200).await.unwrap();
    }
    assert_eq!(store.kept().await.unwrap(), 200);
    assert_eq!(store.trace(&id("t1")).await.unwrap(), None);
    assert!(store.trace(&id("t204")).await.unwrap().is_some());
    store.record(&trace("next", None), 100).await.unwrap();
    assert_eq!(store.kept().await.unwrap(), 100);
}

async fn plugin_state_is_kept_per_plugin_and_key(store: &impl Store) {
    let (one, two) = (id("telegram"), id("slack"));
    let value = Json(serde_json::json!({"offset": 12, "nested": [1, null]}));
    store.set(&one, "cursor", Some(&value)).await.unwrap();
    store.set(&one, "other", Some(&Json(serde_json::Value::Null))).await.unwrap();
    assert_eq!(store.get(&one, "cursor").await.unwrap(), Some(value));
    assert_eq!(
        store.get(&one, "other").await.unwrap(),
        Some(Json(serde_json::Value::Null)),
        "null is a value"
    );
    assert_eq!(store.get(&two, "cursor").await.unwrap(), None);
    store.set(&one, "cursor", None).await.unwrap();
    assert_eq!(store.get(&one, "cursor").await.unwrap(), None);
}

async fn what_an_account_leaves_behind_goes_and_nothing_of_others(store: &impl Store) {
    let plugins: [PluginId; 2] = [id("slack"), id("slack@work")];
    let value = Json(serde_json::json!(1));
    for plugin in &plugins {
        store.set(plugin, "a", Some(&value)).await.unwrap();
        store.set(plugin, "b", Some(&value)).await.unwrap();
    }
    store.clear_state(&plugins[1]).await.unwrap();
    assert_eq!(store.get(&plugins[1], "a").await.unwrap(), None);
    assert_eq!(store.get(&plugins[1], "b").await.unwrap(), None);
    assert_eq!(store.get(&plugins[0], "b").await.unwrap(), Some(value));

    let asks = |code: &str, channel: &str| PairingRequest {
        channel: id(channel),
        ..pairing(code, "ada", 100)
    };
    for (code, channel) in [("AAAA1111", "slack"), ("BBBB2222", "slack@work")] {
        store.request(&asks(code, channel)).await.unwrap();
        store.resolve(code, true, Ms(101)).await.unwrap();
        store
            .request(&PairingRequest {
                sender: id("bob"),
                ..asks(code, channel)
            })
            .await
            .unwrap();
    }
    store.forget_people(&id("slack@work")).await.unwrap();
    assert_eq!(store.paired(&id("slack@work")).await.unwrap(), []);
    assert_eq!(store.paired(&id("slack")).await.unwrap(), [id("ada")]);
    let left: Vec<_> = store.requests(Ms(102)).await.unwrap().into_iter().map(|r| r.channel).collect();
    assert_eq!(left, [id::<ChannelId>("slack")]);
}

fn stored_grant(plugin: &str, hash: &str, development: bool) -> StoredGrant {
    StoredGrant {
        plugin: id(plugin),
        grant: PluginGrant {
            hash: hash.into(),
            version: "1.0.0".into(),
            capabilities: vec!["net:a.example".into(), "hooks:gate".into()],
            development,
            granted_at: Ms(5),
            signer: development.then(|| "00112233AABBCCDD".into()),
        },
        folder: format!("/home/ada/.kata-agents/extensions/{plugin}"),
        files: vec![PluginFile {
            path: "index.ts".into(),
            bytes: Count(3),
            sha256: "ab".repeat(32),
        }],
        declared: vec!["net:a.example".into()],
    }
}

fn event(at: u64, action: GrantAction) -> GrantEvent {
    GrantEvent {
        at: Ms(at),
        action,
        hash: (action == GrantAction::Granted).then(|| "h1".into()),
        detail: format!("no. {at}"),
    }
}

async fn a_grant_is_kept_whole_and_replaced_as_a_whole(store: &impl Store) {
    let (one, two) = (stored_grant("b", "h1", false), stored_grant("a", "h2", true));
    store.grant(&one, &event(1, GrantAction::Granted)).await.unwrap();
    store.grant(&two, &event(2, GrantAction::Granted)).await.unwrap();
    assert_eq!(store.grants().await.unwrap(), [two.clone(), one]);
    let other = stored_grant("b", "h3", true);
    store.grant(&other, &event(3, GrantAction::CarriedOver)).await.unwrap();
    assert_eq!(store.grants().await.unwrap(), [two, other]);
}

async fn a_revoked_grant_is_gone_and_its_history_stays(store: &impl Store) {
    let grant = stored_grant("a", "h1", false);
    store.grant(&grant, &event(1, GrantAction::Granted)).await.unwrap();
    store.note(&id("a"), &event(2, GrantAction::Changed)).await.unwrap();
    store.revoke(&id("a"), &event(3, GrantAction::Revoked)).await.unwrap();
    assert_eq!(store.grants().await.unwrap(), []);
    store.revoke(&id("a"), &event(4, GrantAction::Uninstalled)).await.unwrap();
    let history = [
        event(4, GrantAction::Uninstalled),
        event(3, GrantAction::Revoked),
        event(2, GrantAction::Changed),
        event(1, GrantAction::Granted),
    ];
    assert_eq!(store.grant_history(&id("a"), 10).await.unwrap(), history);
    assert_eq!(store.grant_history(&id("a"), 2).await.unwrap(), history[..2]);
    assert_eq!(store.grant_history(&id("b"), 10).await.unwrap(), []);
}

async fn the_history_of_a_grant_is_newest_first_and_bounded(store: &impl Store) {
    store.note(&id("b"), &event(0, GrantAction::Installed)).await.unwrap();
    let last = u64::from(KEPT_GRANT_EVENTS) + 3;
    for n in 1..=last {
        store.note(&id("a"), &event(n, GrantAction::Enabled)).await.unwrap();
    }
    let kept = store.grant_history(&id("a"), 5_000).await.unwrap();
    assert_eq!(kept.len(), KEPT_GRANT_EVENTS as usize);
    assert_eq!((kept[0].at, kept[kept.len() - 1].at), (Ms(last), Ms(4)));
    assert_eq!(
        store.grant_history(&id("b"), 10).await.unwrap().len(),
        1,
        "another plugin's is untouched"
    );
}

async fn a_remembered_key_is_not_replaced_by_another_of_its_id(store: &impl Store) {
    let signer = |key_id: &str, key: &str| Signer {
        key_id: key_id.into(),
        key: key.into(),
        remembered_at: Ms(1),
    };
    store.remember_signer(&signer("B", "first")).await.unwrap();
    store.remember_signer(&signer("A", "other")).await.unwrap();
    store.remember_signer(&signer("B", "second")).await.unwrap();
    assert_eq!(store.signers().await.unwrap(), [signer("A", "other"), signer("B", "first")]);
}

async fn a_forgotten_key_lets_go_of_the_grants_it_carried_and_of_nothing_else(store: &impl Store) {
    let key = Signer {
        key_id: "00112233AABBCCDD".into(),
        key: "key".into(),
        remembered_at: Ms(1),
    };
    store.remember_signer(&key).await.unwrap();
    let (bound, free) = (stored_grant("bound", "h1", true), stored_grant("free", "h2", false));
    store.grant(&bound, &event(1, GrantAction::Granted)).await.unwrap();
    store.grant(&free, &event(1, GrantAction::Granted)).await.unwrap();
    let forgotten = event(2, GrantAction::SignerForgotten);
    assert_eq!(store.forget_signer("FFFF", &forgotten).await.unwrap(), None);
    assert_eq!(store.forget_signer(&key.key_id, &forgotten).await.unwrap(), Some(vec![id("bound")]));
    assert_eq!(store.signers().await.unwrap(), []);
    let mut after = bound.clone();
    after.grant.signer = None;
    assert_eq!(store.grants().await.unwrap(), [after, free], "trust by the hash stays");
    assert_eq!(
        store.grant_history(&id("bound"), 9).await.unwrap()[0].action,
        GrantAction::SignerForgotten
    );
    assert_eq!(store.grant_history(&id("free"), 9).await.unwrap().len(), 1);
    assert_eq!(store.forget_signer(&key.key_id, &forgotten).await.unwrap(), None);
}

/// One letter of each kind: in-1 dead by itself, the reply to in-2 parked, one of two parts of the reply to in-3 dead.
async fn three_letters(store: &impl Store) -> (InboxId, OutboxId, OutboxId) {
    let (a, b, c) = (accept(store, "a").await, accept(store, "b").await, accept(store, "c").await);
    store.routed(a, &id("k"), &id("s")).await.unwrap();
    store.finish(a, InboxEnd::Dead("the model failed".into())).await.unwrap();
    let parked = store.enqueue(Some(b), vec![part("k1")], Ms(20)).await.unwrap().remove(0);
    store.sending(parked.id, 1).await.unwrap();
    store.unsent_again(parked.id, OutboxState::Parked, "nobody knows").await.unwrap();
    let parts = store.enqueue(Some(c), vec![part("k2"), part("k3")], Ms(30)).await.unwrap();
    store.sent(parts[0].id, &receipt()).await.unwrap();
    store.sending(parts[1].id, 4).await.unwrap();
    store.unsent_again(parts[1].id, OutboxState::Dead, "blocked").await.unwrap();
    (a, parked.id, parts[1].id)
}

async fn a_letter_is_what_was_given_up_or_parked_newest_first(store: &impl Store) {
    assert!(store.letters(10).await.unwrap().is_empty());
    let (a, parked, dead) = three_letters(store).await;
    let letters = store.letters(10).await.unwrap();
    let ids: Vec<_> = letters.iter().map(|letter| letter.id).collect();
    assert_eq!(ids, [LetterId::Out(dead), LetterId::Out(parked), LetterId::In(a)]);
    assert_eq!(
        (letters[0].state, letters[0].error.as_deref(), letters[0].attempts, letters[0].at),
        (LetterState::OutboundDead, Some("blocked"), 4, Ms(30))
    );
    assert_eq!(
        (letters[1].state, letters[1].text.as_str()),
        (LetterState::OutboundParked, "answer k1")
    );
    assert_eq!(
        (
            letters[2].state,
            letters[2].error.as_deref(),
            &letters[2].session,
            letters[2].text.as_str()
        ),
        (LetterState::InboundDead, Some("the model failed"), &Some(id("s")), "hello from a")
    );
    assert!(letters.iter().all(|letter| letter.conversation == "Kitchen"));
    assert_eq!(store.letter_count().await.unwrap(), 3);
    assert_eq!(store.letters(1).await.unwrap(), letters[..1]);
}

async fn a_reply_that_is_tried_again_begins_anew_under_the_key_it_had(store: &impl Store) {
    let (_, parked, dead) = three_letters(store).await;
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 2, 1));
    for (out, key) in [(parked, "k1"), (dead, "k3")] {
        let row = store.retry_outbound(out, Ms(90)).await.unwrap().unwrap();
        assert_eq!((row.id, row.message.attempt, row.message.idempotency_key.as_str()), (out, 0, key));
        assert_eq!((row.state, row.error), (OutboxState::Pending { next_at: Ms(90) }, None));
        assert_eq!(store.retry_outbound(out, Ms(91)).await.unwrap(), None, "it is on its way");
    }
    assert_eq!(store.unsent().await.unwrap().len(), 2);
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 1, 2));
    store.sent(dead, &receipt()).await.unwrap();
    store.sent(parked, &receipt()).await.unwrap();
    assert_eq!(store.ledger().await.unwrap(), ledger(2, 0, 1, 0));
}

async fn a_message_that_is_tried_again_is_accepted_as_it_came_and_counted_once(store: &impl Store) {
    let (a, ..) = three_letters(store).await;
    let row = store.retry_inbound(a).await.unwrap().unwrap();
    assert_eq!((row.id, row.draft, row.received_at), (a, draft("a"), Ms(10)));
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 1, 2));
    assert_eq!(store.unfinished().await.unwrap().len(), 1);
    assert_eq!(store.retry_inbound(a).await.unwrap(), None);
    store.finish(a, InboxEnd::Dead("again".into())).await.unwrap();
    assert_eq!(store.letters(10).await.unwrap().last().unwrap().error.as_deref(), Some("again"));
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 2, 1));
}

async fn a_letter_that_was_put_away_is_out_of_the_list_and_stays_in_the_ledger(store: &impl Store) {
    let (a, parked, dead) = three_letters(store).await;
    for letter in [LetterId::In(a), LetterId::Out(parked), LetterId::Out(dead)] {
        assert!(store.discard(letter).await.unwrap());
        assert!(!store.discard(letter).await.unwrap(), "once");
    }
    assert!(store.letters(10).await.unwrap().is_empty());
    assert_eq!(store.letter_count().await.unwrap(), 0);
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 3, 0), "what was parked is given up");
    assert!(store.unsent().await.unwrap().is_empty());
}

async fn what_is_no_letter_cannot_be_tried_again_or_put_away(store: &impl Store) {
    let open = accept(store, "a").await;
    let queued = store.enqueue(Some(open), vec![part("k")], Ms(20)).await.unwrap().remove(0).id;
    for nobody in [open, InboxId(404)] {
        assert_eq!(store.retry_inbound(nobody).await.unwrap(), None);
        assert!(!store.discard(LetterId::In(nobody)).await.unwrap());
    }
    for nobody in [queued, OutboxId(404)] {
        assert_eq!(store.retry_outbound(nobody, Ms(1)).await.unwrap(), None);
        assert!(!store.discard(LetterId::Out(nobody)).await.unwrap());
    }
    assert_eq!(store.ledger().await.unwrap(), ledger(0, 0, 0, 1));
}
