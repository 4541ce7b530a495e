//! Buttons under a question: who may press, what stands, and what the question becomes.

use super::*;
use crate::session::APPROVAL_MS;
use crate::testing::disk::lock;
use crate::testing::others::{Change, Step};
use crate::testing::world::{World, channel, settle};
use kata_protocol::*;
use std::time::Duration;

fn buttons(world: &World, most: u32) {
    let mut can = lock(&world.platform.can);
    (can.buttons, can.edit) = (most, true);
}

/// A conversation whose call waits, with its question shown; answers the code and the question.
async fn asked(world: &World) -> (String, OutboundMessage) {
    world.write("m1", "chat", "hello").await.unwrap();
    world.until(|| world.platform.texts() == ["re: hello"]).await;
    let update = SessionUpdate {
        id: world.store.message_session(1),
        name: None,
        flagged: None,
        status: None,
        labels: None,
        unread: None,
        mode: Some(PermissionMode::Ask),
        model: None,
        working_directory: None,
    };
    world.sessions.update(update).await.unwrap();
    world.script([Step::Tools(&[("change", r#"{"file":"a"}"#)])]);
    world.write("m2", "chat", "do it").await.unwrap();
    let question = || lock(&world.platform.shown).iter().find(|m| !m.buttons.is_empty()).cloned();
    world.until(|| question().is_some()).await;
    settle().await;
    let code = world.sessions.approvals(None).await.unwrap()[0].code.clone();
    (code, question().unwrap())
}

async fn press(world: &World, conversation: &str, who: &str, button: &str) -> PressAnswer {
    let press = ButtonPress {
        account: AccountId::new("bot").unwrap(),
        conversation: ConversationId::new(conversation).unwrap(),
        chat_type: ChatType::Direct,
        thread: None,
        sender: Sender {
            id: SenderId::new(who).unwrap(),
            name: Some(format!("**{who}**\nsystem: ok")),
            is_bot: false,
        },
        message_id: PlatformMessageId::new("p1").unwrap(),
        button: button.into(),
    };
    world.path.press(&PluginId::new("test").unwrap(), &channel(), press).await.unwrap()
}

#[tokio::test]
async fn a_question_carries_a_button_for_each_answer_that_can_be_given_and_its_words_stay() {
    for (most, labels) in [
        (5, &["Once", "Session", "Always", "Deny"][..]),
        (3, &["Once", "Session", "Deny"]),
        (2, &["Once", "Deny"]),
    ] {
        let world = World::new(true);
        buttons(&world, most);
        let (code, question) = asked(&world).await;
        let shown: Vec<_> = question.buttons.iter().map(|b| b.label.as_str()).collect();
        assert_eq!(shown, labels);
        assert_eq!(question.buttons[0].id, format!("approve:{code}:once"));
        let texts = world.platform.texts().concat();
        assert!(
            texts.contains(&format!("/approve {code}")) && texts.contains(&format!("/deny {code}")),
            "{texts}"
        );
    }
}

#[tokio::test]
async fn a_press_counts_from_an_approver_in_the_conversation_that_asked_and_from_nobody_else() {
    let world = World::new(true);
    buttons(&world, 5);
    let (code, _) = asked(&world).await;
    let once = format!("approve:{code}:once");
    for _ in 0..2 {
        let stranger = press(&world, "chat", "ada", &once).await;
        assert!(stranger.text.contains("not among those") && !stranger.done, "{stranger:?}");
    }
    assert_eq!(world.store.refused(), 1, "it is counted, once");
    let elsewhere = press(&world, "other", "boss", &once).await;
    let unknown = press(&world, "other", "boss", "approve:QQQQQQ:once").await;
    assert_eq!(
        elsewhere.text,
        unknown.text.replace("QQQQQQ", &code),
        "what is elsewhere is told by nobody"
    );
    assert_eq!(
        press(&world, "chat", "boss", "dance").await.text,
        "This button stands for nothing any more."
    );
    assert!(lock(&world.tool.ran).is_empty());

    let done = press(&world, "chat", "boss", &once).await;
    assert_eq!(
        done,
        PressAnswer {
            text: format!("{code} is approved (once)."),
            done: true
        }
    );
    assert_eq!(
        press(&world, "chat", "boss", &once).await,
        done,
        "the same press has the same answer"
    );
    let other = press(&world, "chat", "boss", &format!("approve:{code}:deny")).await;
    assert!(other.done && other.text.contains("answered before: once"), "{other:?}");
    world.until(|| world.platform.texts().contains(&"re: do it".to_owned())).await;
    assert_eq!(lock(&world.tool.ran).len(), 1);
}

#[tokio::test]
async fn an_answer_is_durable_before_the_press_is_answered_and_the_same_after_a_kill() {
    let world = World::new(true);
    buttons(&world, 5);
    let (code, _) = asked(&world).await;
    let deny = format!("approve:{code}:deny");
    world.asked.faults.fail("settle", 1);
    let failed = world
        .path
        .press(
            &PluginId::new("test").unwrap(),
            &channel(),
            ButtonPress {
                account: AccountId::new("bot").unwrap(),
                conversation: ConversationId::new("chat").unwrap(),
                chat_type: ChatType::Direct,
                thread: None,
                sender: Sender {
                    id: SenderId::new("boss").unwrap(),
                    name: None,
                    is_bot: false,
                },
                message_id: PlatformMessageId::new("p1").unwrap(),
                button: deny.clone(),
            },
        )
        .await;
    assert!(failed.is_err(), "what could not be kept is not said to be");
    let done = press(&world, "chat", "boss", &deny).await;
    let world = world.killed().await;
    buttons(&world, 5);
    assert_eq!(press(&world, "chat", "boss", &deny).await, done);
    assert!(lock(&world.tool.ran).is_empty());
}

/// What the question was edited into.
async fn edited(world: &World) -> String {
    let edit = || {
        world.platform.changed().into_iter().find_map(|change| match change {
            Change::Edit(id, text, buttons) => Some((id, text, buttons)),
            _ => None,
        })
    };
    world.until(|| edit().is_some()).await;
    settle().await;
    let (id, text, buttons) = edit().unwrap();
    let shown = lock(&world.platform.shown);
    let place = shown.iter().position(|m| !m.buttons.is_empty()).unwrap();
    assert_eq!(
        (id, buttons),
        (format!("p{place}"), 0),
        "the message with the buttons, and they are gone"
    );
    let edits = world
        .platform
        .changed()
        .into_iter()
        .filter(|c| matches!(c, Change::Edit(..)))
        .count();
    assert_eq!(edits, 1, "once");
    text
}

#[tokio::test]
async fn a_question_says_who_answered_wherever_that_was() {
    let world = World::new(true);
    buttons(&world, 5);
    let (code, _) = asked(&world).await;
    press(&world, "chat", "boss", &format!("approve:{code}:session")).await;
    let text = edited(&world).await;
    assert!(
        text.contains(&format!("**Approved**, session ({code}): by boss system: ok.")),
        "{text}"
    );

    let world = World::new(true);
    buttons(&world, 5);
    let (code, _) = asked(&world).await;
    world.sessions.answer(&code, ApprovalDecision::Deny).await.unwrap();
    let text = edited(&world).await;
    assert!(text.contains(&format!("**Refused** ({code}): in Kata Agents.")), "{text}");

    let world = World::new(true);
    buttons(&world, 5);
    let (code, _) = asked(&world).await;
    world.write_as("m3", "chat", "boss", &format!("/approve {code}")).await.unwrap();
    let text = edited(&world).await;
    assert!(text.contains("**Approved**, once") && text.contains("by Ada"), "{text}");

    let world = World::new(true);
    buttons(&world, 5);
    asked(&world).await;
    world.clock.advance(Duration::from_millis(APPROVAL_MS));
    let text = edited(&world).await;
    assert!(text.contains("nobody answered within 24 hours"), "{text}");

    let world = World::new(true);
    buttons(&world, 5);
    asked(&world).await;
    world.write_as("m3", "chat", "ada", "/stop").await.unwrap();
    let text = edited(&world).await;
    assert!(text.contains("the turn was stopped"), "{text}");
}

#[tokio::test]
async fn a_question_answered_while_the_program_was_killed_is_edited_at_the_next_start() {
    let world = World::new(true);
    buttons(&world, 5);
    let (code, _) = asked(&world).await;
    world.files.faults.everything(true);
    world.sessions.answer(&code, ApprovalDecision::Once).await.unwrap();
    let world = world.killed().await;
    world.outbox.resume().await.unwrap();
    // Whoever hands in a message of the conversation loads its session.
    world.path.recover().await.unwrap();
    let text = edited(&world).await;
    assert!(text.contains("**Approved**, once"), "{text}");
}

#[tokio::test]
async fn an_edit_that_cannot_be_done_holds_nobody_up_and_is_no_letter() {
    let world = World::new(true);
    buttons(&world, 5);
    let (code, _) = asked(&world).await;
    let lost = |code| SendError {
        code,
        message: "as scripted".into(),
        retry_after_ms: None,
        certain: false,
    };
    lock(&world.platform.change_failures).extend([SendErrorCode::Unreachable, SendErrorCode::Forbidden].map(lost));
    press(&world, "chat", "boss", &format!("approve:{code}:once")).await;
    world.until(|| world.platform.texts().contains(&"re: do it".to_owned())).await;
    settle().await;
    assert_eq!(world.platform.changed(), [], "it was given up at the second try");
    assert!(world.store.outbox().iter().all(|row| row.state == crate::ports::OutboxState::Sent));
}

#[tokio::test]
async fn a_press_in_a_pause_answers_nothing_and_counts_when_it_is_made_again() {
    let world = World::new(true);
    buttons(&world, 3);
    let (code, _) = asked(&world).await;
    let once = format!("approve:{code}:once");
    world.pause.begin(world.clock_now(), None);
    let said = press(&world, "chat", "boss", &once).await;
    assert!(said.text.contains("paused") && !said.done, "{said:?}");
    assert_eq!(world.sessions.approvals(None).await.unwrap().len(), 1);
    world.pause.end();
    assert!(press(&world, "chat", "boss", &once).await.done);
}
