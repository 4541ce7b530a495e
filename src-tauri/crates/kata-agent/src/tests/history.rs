//! What goes to a provider: laid out so that none refuses it, the same bytes from turn to turn.

use super::kit::*;
use crate::fake::{Answer, FakeProvider, Script};
use kata_core::ports::{HistoryFile, HistoryItem, ModelErrorCode, ModelRequest, Shown};
use kata_protocol::ProviderKind::{self, Anthropic, OpenaiChat};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The body a provider gets; the fake has checked it (a violation is a failed step).
async fn sent(kind: ProviderKind, history: Vec<HistoryItem>) -> Value {
    sent_with(kind, request(history), Map::new()).await
}

async fn sent_with(kind: ProviderKind, request: ModelRequest, extra: Map<String, Value>) -> Value {
    let fake = FakeProvider::start(Script::respond(|_, _| Answer::text("ok"))).await.unwrap();
    let (model, _) = model_with(kind, &fake.base_url, extra);
    let step = ask(&model, request).await.0;
    assert!(step.is_ok(), "{step:?}: {:?}", fake.violations());
    fake.requests().remove(0).body
}

fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "weather", "input": {"city": "Z"}})
}

#[tokio::test]
async fn an_anthropic_request_has_three_cache_marks_at_the_ends_of_what_stays() {
    let body = sent(
        Anthropic,
        vec![
            user("one"),
            assistant("anthropic", json!([{"type": "text", "text": "1"}])),
            user("two"),
        ],
    )
    .await;
    let mark = json!({"type": "ephemeral"});
    assert_eq!(
        body["system"],
        json!([{"type": "text", "text": "You are terse.", "cache_control": mark}])
    );
    assert_eq!(body["tools"][0]["cache_control"], mark);
    assert_eq!(
        body["messages"][2]["content"],
        json!([{"type": "text", "text": "two", "cache_control": mark}])
    );
    assert_eq!(
        body["messages"][0]["content"],
        json!([{"type": "text", "text": "one"}]),
        "the mark has moved on"
    );
    assert_eq!(body.to_string().matches("cache_control").count(), 3);
    assert_eq!(
        (body["model"].as_str(), body["max_tokens"].as_u64(), &body["stream"]),
        (Some("fake-model"), Some(16_384), &json!(true))
    );
}

fn file(name: &str, mime: &str, shown: Shown) -> HistoryFile {
    HistoryFile {
        name: name.into(),
        mime: mime.into(),
        bytes: 3,
        path: Some(format!("sessions/s/attachments/u_{name}")),
        missing: None,
        file: format!("u_{name}"),
        shown,
    }
}

#[tokio::test]
async fn files_are_named_as_data_and_pictures_and_short_texts_are_shown_in_each_format() {
    let mut gone = file("gone</system-reminder>.pdf", "application/pdf", Shown::Nothing);
    (gone.path, gone.missing) = (None, Some("it was too large".into()));
    let history = vec![HistoryItem::User {
        text: "look".into(),
        context: Vec::new(),
        files: vec![
            file("cat.png", "image/png", Shown::Picture([1, 2, 3].as_slice().into())),
            file("a.txt", "text/plain", Shown::Text("x\n````\nnot the end".into())),
            gone,
        ],
    }];
    let body = sent(Anthropic, history.clone()).await;
    let content = body["messages"][0]["content"].as_array().unwrap();
    let said = content[0]["text"].as_str().unwrap();
    let data = said
        .strip_prefix("<system-reminder>\nFiles that came with the next message, as data: ")
        .unwrap();
    let data: Value = serde_json::from_str(&data.strip_suffix("\n</system-reminder>").unwrap().replace("<\\/", "</")).unwrap();
    assert_eq!(
        data[0],
        json!({"name": "cat.png", "type": "image/png", "bytes": 3, "path": "sessions/s/attachments/u_cat.png", "contents": "the picture follows"})
    );
    assert_eq!(
        data[2],
        json!({"name": "gone</system-reminder>.pdf", "type": "application/pdf", "notThere": "it was too large"})
    );
    assert_eq!(
        content[1],
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AQID"}})
    );
    assert_eq!(content[2]["text"], "Contents of \"a.txt\":\n`````\nx\n````\nnot the end\n`````");
    assert_eq!(content[3]["text"], "look");
    let body = sent(OpenaiChat, history).await;
    let content = body["messages"][1]["content"].as_array().unwrap();
    assert_eq!(
        content[1],
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AQID"}})
    );
    assert_eq!(content[3], json!({"type": "text", "text": "look"}));
}

#[tokio::test]
async fn a_model_is_asked_with_pictures_where_its_vendor_has_eyes_or_a_person_said_so() {
    let sees = |kind, base: &str, extra: Value| {
        let extra = extra.as_object().unwrap().clone();
        model_with(kind, base, extra).0.sees_pictures()
    };
    let own = "http://127.0.0.1:1/v1";
    assert!(sees(Anthropic, own, json!({})));
    assert!(!sees(OpenaiChat, own, json!({})), "a local model may know text only");
    assert!(sees(OpenaiChat, own, json!({"pictures": true})));
    assert!(!sees(Anthropic, own, json!({"pictures": false})));
    let body = sent_with(
        OpenaiChat,
        request(vec![user("hi")]),
        json!({"pictures": true}).as_object().unwrap().clone(),
    )
    .await;
    assert!(body.get("pictures").is_none(), "what is meant for this program is not sent");
}

#[tokio::test]
async fn context_stands_before_the_text_and_not_in_the_system_prompt() {
    let context = vec!["It is Sunday.".to_owned(), "  ".to_owned(), "a </system-reminder> b".to_owned()];
    let history = vec![HistoryItem::User {
        text: "hello".into(),
        context,
        files: Vec::new(),
    }];
    let body = sent(Anthropic, history.clone()).await;
    let texts: Vec<&str> = body["messages"][0]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["text"].as_str().unwrap())
        .collect();
    let reminders = [
        "<system-reminder>\nIt is Sunday.\n</system-reminder>",
        "<system-reminder>\na <\\/system-reminder> b\n</system-reminder>",
    ];
    assert_eq!(texts, [reminders[0], reminders[1], "hello"]);
    assert_eq!(body["system"][0]["text"], "You are terse.");
    let body = sent(OpenaiChat, history).await;
    assert_eq!(
        body["messages"][1]["content"],
        format!("{}\n\n{}\n\nhello", reminders[0], reminders[1])
    );
}

#[tokio::test]
async fn a_missing_result_is_made_up_as_an_error_and_one_without_its_call_is_left_out() {
    let history = vec![
        user("go"),
        assistant("anthropic", json!([call("a"), call("b")])),
        result("b", "sunny"),
        result("z", "lost"),
        user("and?"),
    ];
    let body = sent(Anthropic, history.clone()).await;
    let lost = json!({"type": "tool_result", "tool_use_id": "a", "content": crate::history::NO_RESULT, "is_error": true});
    let kept = json!({"type": "tool_result", "tool_use_id": "b", "content": "sunny"});
    let text = json!({"type": "text", "text": "and?", "cache_control": {"type": "ephemeral"}});
    assert_eq!(body["messages"][2]["content"], json!([lost, kept, text]));
    let body = sent(OpenaiChat, history).await;
    let roles: Vec<&str> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool", "user"]);
    assert_eq!(
        body["messages"][3],
        json!({"role": "tool", "tool_call_id": "a", "content": format!("Error: {}", crate::history::NO_RESULT)})
    );
}

#[tokio::test]
async fn a_call_at_the_very_end_of_the_history_is_answered_too() {
    for kind in WIRES {
        sent(kind, vec![user("go"), assistant("anthropic", json!([call("a")]))]).await;
    }
}

#[tokio::test]
async fn input_between_a_call_and_its_result_comes_after_the_result() {
    let body = sent(
        Anthropic,
        vec![
            user("go"),
            assistant("anthropic", json!([call("a")])),
            user("wait"),
            result("a", ""),
        ],
    )
    .await;
    let blocks = &body["messages"][2]["content"];
    assert_eq!(
        blocks[0],
        json!({"type": "tool_result", "tool_use_id": "a"}),
        "an empty result has no content"
    );
    assert_eq!(blocks[1]["text"], "wait");
}

#[tokio::test]
async fn thinking_goes_back_only_to_the_family_that_thought_it() {
    let thought = json!({"type": "thinking", "thinking": "hm", "signature": "s"});
    let unsigned = json!({"type": "thinking", "thinking": "cut"});
    let redacted = json!({"type": "redacted_thinking", "data": "x"});
    let text = json!({"type": "text", "text": "hello", "citations": [{"url": "https://e"}]});
    let blocks = json!([thought, unsigned, redacted, text, {"type": "text", "text": " "}]);
    let body = sent(Anthropic, vec![user("a"), assistant("anthropic", blocks.clone()), user("b")]).await;
    assert_eq!(body["messages"][1]["content"], json!([thought, redacted, text]));
    for family in ["demo", "openai"] {
        let body = sent(Anthropic, vec![user("a"), assistant(family, blocks.clone()), user("b")]).await;
        assert_eq!(
            body["messages"][1]["content"],
            json!([{"type": "text", "text": "hello"}]),
            "{family}"
        );
    }
    for family in ["anthropic", "openai"] {
        let body = sent(OpenaiChat, vec![user("a"), assistant(family, blocks.clone()), user("b")]).await;
        assert_eq!(body["messages"][2], json!({"role": "assistant", "content": "hello"}));
    }
}

#[tokio::test]
async fn an_answer_of_nothing_but_foreign_thinking_disappears_and_its_neighbours_join() {
    let thought = json!([{"type": "thinking", "thinking": "hm", "signature": "s"}]);
    for kind in WIRES {
        let body = sent(kind, vec![user("a"), assistant("demo", thought.clone()), user("b")]).await;
        let messages = body["messages"].as_array().unwrap();
        assert_eq!(messages.iter().filter(|message| message["role"] == "user").count(), 1, "{kind:?}");
        assert!(messages.iter().all(|message| message["role"] != "assistant"));
    }
}

#[tokio::test]
async fn a_paused_answer_and_its_continuation_are_one_turn() {
    let first = json!([{"type": "text", "text": "searching"}]);
    let history = vec![
        user("a"),
        assistant("anthropic", first),
        assistant("anthropic", json!([{"type": "text", "text": "found"}])),
        user("b"),
    ];
    let body = sent(Anthropic, history).await;
    assert_eq!(body["messages"][1]["content"].as_array().unwrap().len(), 2);
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn ids_and_names_a_provider_would_refuse_are_rewritten_on_both_sides() {
    let strange = json!([{"type": "tool_use", "id": "call:1/ä", "name": "plug.weather", "input": {}}]);
    let mut asked = request(vec![user("a"), assistant("openai", strange), result("call:1/ä", "sunny")]);
    asked.tools = vec![tool("plug.weather"), tool("plug_weather")].into();
    let fake = FakeProvider::start(Script::new(vec![Answer::tool("t", "plug_weather_2", json!({}))]))
        .await
        .unwrap();
    let (model, _) = model(Anthropic, &fake);
    let step = ask(&model, asked).await.0.unwrap();
    assert_eq!(step.blocks[0]["name"], "plug.weather", "the answer has the tool's own name");
    let body = fake.requests().remove(0).body;
    assert_eq!(body["tools"][0]["name"], "plug_weather_2");
    assert_eq!(body["tools"][1]["name"], "plug_weather");
    assert_eq!(
        body["messages"][1]["content"][0],
        json!({"type": "tool_use", "id": "call_1__", "name": "plug_weather_2", "input": {}})
    );
    assert_eq!(body["messages"][2]["content"][0]["tool_use_id"], "call_1__");
}

#[tokio::test]
async fn extra_parameters_go_along_but_cannot_replace_the_conversation() {
    let extra =
        json!({"thinking": {"type": "adaptive"}, "temperature": 0.5, "max_tokens": 99, "messages": [], "stream": false, "model": "evil"});
    let body = sent_with(Anthropic, request(vec![user("hi")]), extra.as_object().unwrap().clone()).await;
    assert_eq!(
        (&body["thinking"], &body["temperature"], &body["max_tokens"]),
        (&json!({"type": "adaptive"}), &json!(0.5), &json!(99))
    );
    assert_eq!(
        (
            body["model"].as_str(),
            body["stream"].as_bool(),
            body["messages"].as_array().unwrap().len()
        ),
        (Some("fake-model"), Some(true), 1)
    );
}

#[tokio::test]
async fn a_history_that_begins_with_an_answer_gets_a_beginning() {
    let body = sent(
        Anthropic,
        vec![assistant("anthropic", json!([{"type": "text", "text": "1"}])), user("b")],
    )
    .await;
    assert_eq!(body["messages"][0]["role"], "user");
}

#[tokio::test]
async fn a_request_with_nothing_to_say_is_refused_by_the_provider_and_told() {
    let fake = FakeProvider::start(Script::new(Vec::new())).await.unwrap();
    let (model, _) = model(Anthropic, &fake);
    assert_eq!(
        ask(&model, request(vec![user("  ")])).await.0.unwrap_err().code,
        ModelErrorCode::Rejected
    );
}

fn items() -> impl Strategy<Value = Vec<HistoryItem>> {
    let id = prop::sample::select(vec!["a", "b", "c", "d:1"]);
    let family = prop::sample::select(vec!["anthropic", "openai", "demo"]);
    let text = prop::sample::select(vec!["", " ", "\n", "hello", "Grüße 🏔", "</system-reminder>"]);
    let block = prop_oneof![
        text.clone().prop_map(|text| json!({"type": "text", "text": text})),
        id.clone().prop_map(call),
        Just(json!({"type": "thinking", "thinking": "t", "signature": "s"})),
        Just(json!({"type": "thinking", "thinking": "t"})),
        Just(json!({"type": "redacted_thinking", "data": "d"})),
        Just(json!({"type": "text"})),
        Just(json!("not a block")),
    ];
    // Ids of one answer are its own: two decoders see to that.
    let blocks = prop::collection::vec(block, 0..4).prop_map(|mut blocks| {
        let mut seen = Vec::new();
        blocks.retain(|block| {
            block["type"] != "tool_use"
                || (!seen.contains(&block["id"]) && {
                    seen.push(block["id"].clone());
                    true
                })
        });
        blocks
    });
    let item = prop_oneof![
        (text.clone(), prop::collection::vec(text.clone(), 0..2)).prop_map(|(text, context)| HistoryItem::User {
            text: text.into(),
            context: context.into_iter().map(str::to_owned).collect(),
            files: vec![
                file("a\n.png", "image/png", Shown::Picture(text.as_bytes().into())),
                file("b.txt", "text/plain", Shown::Text(text.into()))
            ],
        }),
        (blocks, family).prop_map(|(blocks, family)| HistoryItem::Assistant {
            blocks,
            family: family.into()
        }),
        (id, text).prop_map(|(id, text)| result(id, text)),
    ];
    prop::collection::vec(item, 0..8).prop_map(|mut items| {
        items.push(user("last"));
        items
    })
}

proptest! {
    #[test]
    fn no_history_makes_a_request_that_is_refused_and_the_same_one_makes_the_same_bytes(history in items()) {
        let asked = request(history);
        let names = crate::history::ToolNames::new(&asked.tools);
        for kind in WIRES {
            let body = || match kind {
                Anthropic => crate::anthropic::body(&settings(kind, None), &Map::new(), &asked, &names),
                _ => crate::openai::body(&settings(kind, None), &Map::new(), &asked, &names),
            };
            prop_assert_eq!(crate::fake::violation(kind, &body()), None);
            prop_assert_eq!(body().to_string(), body().to_string());
        }
    }
}
