//! Tokens by quarter of an hour and model: written many at a time, added up by days when somebody asks.
//!
//! A quarter of an hour is the largest step that fits every time zone's days. Counts that a crash takes are those of its last
//! moment.

use super::{Fault, SqliteStore, ms_in, ms_out};
use kata_core::ports::StoreError;
use kata_protocol::Ms;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Milliseconds of a row.
const QUARTER: u64 = 15 * 60 * 1000;
/// Rows that may wait to be written: models in use at one time.
const WAITING: usize = 256;

/// Tokens of one model in one quarter of an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Begin of the quarter.
    pub at: Ms,
    /// Model as a person chose it.
    pub model: String,
    /// Tokens sent, from a cache or not.
    pub input: u64,
    /// Tokens answered.
    pub output: u64,
    /// Turns that began.
    pub turns: u64,
}

/// Counts on their way into the table.
#[derive(Default)]
pub(crate) struct Counting(Mutex<HashMap<(u64, String), [u64; 3]>>);

impl Counting {
    fn write(&self, db: &Connection) -> Result<(), Fault> {
        let rows: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).drain().collect();
        for ((at, model), [input, output, turns]) in rows {
            db.prepare_cached(
                "INSERT INTO usage (at, model, input, output, turns) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (at, model) DO UPDATE SET
                   input = input + excluded.input, output = output + excluded.output, turns = turns + excluded.turns",
            )?
            .execute(params![ms_in(Ms(at)), model, number(input), number(output), number(turns)])?;
        }
        Ok(())
    }
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl SqliteStore {
    /// Counts tokens; never waits, and they are in the table within a moment.
    pub(crate) fn used(&self, used: Used) {
        let mut waiting = self.counting.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (used.at.0 / QUARTER * QUARTER, used.model);
        if waiting.len() >= WAITING && !waiting.contains_key(&key) {
            return;
        }
        let first = waiting.is_empty();
        let count = waiting.entry(key).or_default();
        for (sum, more) in count.iter_mut().zip([used.input, used.output, used.turns]) {
            *sum = sum.saturating_add(more);
        }
        // The first of them queues the write for all; without room the next one tries again.
        if first {
            let counting = Arc::clone(&self.counting);
            if !self.writer.try_later(move |db| counting.write(db)) {
                waiting.clear();
            }
        }
    }

    /// Tokens since `since`, oldest first.
    pub async fn usage(&self, since: Ms) -> Result<Vec<Used>, StoreError> {
        let counting = Arc::clone(&self.counting);
        // While the disk refuses writes, what is in the table is told all the same.
        if let Err(error) = self.write_rebuildable(move |db| counting.write(db)).await {
            tracing::warn!(%error, "the last tokens are not counted yet");
        }
        self.read(move |db| {
            db.prepare_cached("SELECT at, model, input, output, turns FROM usage WHERE at >= ?1 ORDER BY at, model")?
                .query([ms_in(since)])?
                .and_then(|row| {
                    let count = |n: i64| u64::try_from(n).unwrap_or_default();
                    Ok(Used {
                        at: ms_out(row.get(0)?),
                        model: row.get(1)?,
                        input: count(row.get(2)?),
                        output: count(row.get(3)?),
                        turns: count(row.get(4)?),
                    })
                })
                .collect()
        })
        .await
    }
}
