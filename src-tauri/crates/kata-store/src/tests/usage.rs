//! Tokens that were used: added up, and there after the file was opened again.

use crate::{KEEP_MS, SqliteStore, Used};
use kata_protocol::Ms;

const QUARTER: u64 = 900_000;

fn used(at: u64, model: &str, input: u64) -> Used {
    Used {
        at: Ms(at),
        model: model.into(),
        input,
        output: 1,
        turns: 1,
    }
}

#[tokio::test]
async fn tokens_are_added_up_by_quarter_and_model_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kata.db");
    let (store, _) = SqliteStore::open_or_set_aside(&path, Ms(0)).unwrap();
    for (at, model) in [(1, "a"), (QUARTER - 1, "a"), (QUARTER, "a"), (QUARTER, "b")] {
        store.used(used(at, model, 10));
    }
    let rows = |rows: Vec<Used>| {
        rows.into_iter()
            .map(|row| (row.at.0 / QUARTER, row.model, row.input, row.turns))
            .collect::<Vec<_>>()
    };
    let expected = [(0, "a".to_owned(), 20, 2), (1, "a".to_owned(), 10, 1), (1, "b".to_owned(), 10, 1)];
    assert_eq!(rows(store.usage(Ms(0)).await.unwrap()), expected);
    store.used(used(2, "a", 5));
    drop(store);
    let (store, _) = SqliteStore::open_or_set_aside(&path, Ms(0)).unwrap();
    assert_eq!(rows(store.usage(Ms(0)).await.unwrap())[0], (0, "a".to_owned(), 25, 3));
    assert_eq!(store.usage(Ms(QUARTER)).await.unwrap().len(), 2);
    store.prune(Ms(KEEP_MS)).await.unwrap();
    assert_eq!(store.usage(Ms(0)).await.unwrap().len(), 3, "they are kept longer than texts");
    store.prune(Ms(401 * 86_400_000)).await.unwrap();
    assert!(store.usage(Ms(0)).await.unwrap().is_empty());
}
