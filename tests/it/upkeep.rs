//! Search, archive and deletion, tidying up and the index made anew, over the whole engine and its command line.

use kata_protocol::*;
use kata_tests::{Kata, TestEngine, TestHome, caller, eventually};
use serde_json::json;

async fn found(engine: &TestEngine, query: &str) -> Vec<SearchHit> {
    let search: SessionSearch = serde_json::from_value(json!({"query": query})).unwrap();
    engine.ops.session_search(&caller(), search).await.unwrap().hits
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_just_said_is_found_archived_and_found_again_and_gone_when_it_is_deleted() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let id = engine.session().await;
    engine.ask(&id, "the pomegranate is on the table").await;
    let hits = eventually("the search knows it", async || {
        Some(found(&engine, "pomegranate tab*").await).filter(|hits| !hits.is_empty())
    })
    .await;
    assert!(hits[0].snippet.contains("\u{2068}pomegranate\u{2069}"), "{}", hits[0].snippet);

    let early = engine
        .ops
        .session_delete(&caller(), SessionRef { id: id.clone() })
        .await
        .unwrap_err();
    assert_eq!(early.code, ErrorCode::Conflict);
    let archive = |archived| SessionArchive { id: id.clone(), archived };
    assert!(engine.ops.session_archive(&caller(), archive(true)).await.unwrap().archived);
    let list = |archived| SessionList {
        archived,
        ..SessionList::default()
    };
    assert_eq!(engine.ops.session_list(&caller(), list(None)).await.unwrap().total, 0);
    assert_eq!(engine.ops.session_list(&caller(), list(Some(true))).await.unwrap().total, 1);
    assert!(found(&engine, "pomegranate").await[0].session.archived);

    let engine = engine.restart().await;
    assert!(!found(&engine, "pomegranate").await.is_empty(), "the index survives a restart");
    let rebuilt = engine.ops.index_rebuild(&caller(), Empty {}).await.unwrap();
    assert_eq!(rebuilt.sessions, 1);
    eventually("the search is filled again", async || {
        (!found(&engine, "pomegranate").await.is_empty()).then_some(())
    })
    .await;
    engine.ops.session_delete(&caller(), SessionRef { id: id.clone() }).await.unwrap();
    assert!(found(&engine, "pomegranate").await.is_empty());
    assert!(
        !engine
            .home
            .path()
            .join("workspaces/my-workspace/sessions")
            .join(id.as_str())
            .exists()
    );
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tidying_up_does_what_its_preview_said_and_a_bad_rule_is_named() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    for _ in 0..3 {
        engine.session().await;
    }
    let rules = |value| -> HygieneRules { serde_json::from_value(value).unwrap() };
    let bad = engine
        .ops
        .hygiene_set(&caller(), rules(json!({"group": {"resetDailyAt": "25:00"}})))
        .await
        .unwrap_err();
    assert!(bad.message.contains("group.resetDailyAt"), "{bad:?}");
    let most = rules(json!({"desktop": {"most": 1}}));
    let preview = HygienePreview { rules: Some(most.clone()) };
    let preview = engine.ops.hygiene_preview(&caller(), preview).await.unwrap();
    assert_eq!((preview.steps.len(), preview.looked_at), (2, 3));
    assert!(
        engine.ops.hygiene_run(&caller(), Empty {}).await.unwrap().steps.is_empty(),
        "unsaved rules are not in force"
    );
    engine.ops.hygiene_set(&caller(), most.clone()).await.unwrap();
    let done = engine.ops.hygiene_run(&caller(), Empty {}).await.unwrap();
    let ids = |plan: &HygienePlan| plan.steps.iter().map(|step| step.session.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&done), ids(&preview));
    assert_eq!(engine.ops.session_list(&caller(), SessionList::default()).await.unwrap().total, 1);
    let engine = engine.restart().await;
    assert_eq!(engine.ops.hygiene_get(&caller(), Empty {}).await.unwrap(), most);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_searches_archives_deletes_and_tidies_up() {
    let home = TestHome::with_plugins(&[]);
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    tokio::task::block_in_place(|| {
        assert!(kata.run(&["chat", "--new", "-m", "a tangerine for the road"]).status.success());
        let list = kata.json(&["sessions", "list"]);
        let id = list["sessions"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(kata.json(&["letters", "list"]), json!([]));
        let rules = kata.json(&["hygiene", "set", "direct.resetDailyAt=04:30", "desktop.archiveAfterDays=90"]);
        assert_eq!(
            (&rules["direct"]["resetDailyAt"], &rules["desktop"]["archiveAfterDays"]),
            (&json!("04:30"), &json!(90))
        );
        let rules = kata.json(&["hygiene", "set", "desktop.archiveAfterDays=null"]);
        assert_eq!(rules["desktop"]["archiveAfterDays"], json!(null));
        assert_eq!(kata.json(&["hygiene", "preview", "desktop.most=1"])["lookedAt"], 1);
        assert!(kata.json(&["search", "tangerine"])["hits"].is_array());
        kata.json(&["sessions", "archive", &id]);
        assert_eq!(kata.json(&["sessions", "list", "--archived"])["total"], 1);
        kata.json(&["sessions", "delete", &id, "--yes"]);
        assert_eq!(kata.json(&["sessions", "list", "--archived"])["total"], 0);
        assert_eq!(kata.json(&["index", "rebuild"])["sessions"], 0);
    });
    drop(serve);
}
