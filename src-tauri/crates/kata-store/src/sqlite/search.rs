//! Full text over all sessions: an FTS5 index over `search_texts`, filled by [`crate::sessions`] from the files.
//!
//! Words are cut by `unicode61` without diacritics, with an index of beginnings of two and three letters. Scripts that are
//! written without spaces are cut into single signs when they are stored and when they are asked for ([`cut`]), so a word of
//! them is a phrase. The trigram tokenizer was measured beside that (100,000 messages, 28 MB): its index has 93 MB where this
//! one has 36, it takes three times as long to make, and it cannot find a word of two signs, which most Chinese words are.
//!
//! A query never reaches FTS5 as it was typed: every word and phrase becomes a quoted string ([`expression`]).
//!
//! Deliberately absent: reading files, and which of a session's texts are worth finding.

use super::sessions::parse;
use super::{Fault, SqliteStore, ms_in, ms_out};
use kata_core::ports::StoreError;
use kata_protocol::{MessageId, MessageKind, SearchHit, SessionId, WorkspaceId};
use rusqlite::{Connection, OptionalExtension, params};

/// Between the signs of a script without spaces; nobody sees it, and for the tokenizer it is no letter.
const GAP: char = '\u{200b}';
/// Around a found word.
const MARKS: [char; 2] = ['\u{2068}', '\u{2069}'];
/// Words around a hit.
const SNIPPET_WORDS: u32 = 24;
/// Of a word that stands everywhere, this many of its newest messages are compared for the best.
const COMPARED: u32 = 10_000;
/// Rows of one session that one transaction removes at most.
const REMOVED: usize = 500;

/// One text of a session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    /// Message.
    pub message: String,
    /// Kind, as in the file.
    pub kind: String,
    /// Time in milliseconds, 0 when there is none.
    pub at: u64,
    /// Text as it was written.
    pub text: String,
}

/// How far a session's file has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Size of the file then.
    pub size: i64,
    /// Its time.
    pub mtime_ns: i64,
    /// Bytes of its rows that were read.
    pub body: i64,
    /// Check of the last line that was read: the same line stands there as long as nobody else wrote the file.
    pub mark: i64,
}

/// What one look at a session's file brought.
#[derive(Debug)]
pub(crate) struct Found {
    /// Session.
    pub session: SessionId,
    /// The file is another one: everything that was known of the session goes first.
    pub afresh: bool,
    /// Its texts.
    pub texts: Vec<Text>,
    /// How far it has been read.
    pub place: Place,
}

impl SqliteStore {
    /// Sessions whose files have changed since they were read for the search, newest first.
    pub(crate) async fn unsearched(&self) -> Result<Vec<SessionId>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT s.id FROM sessions s LEFT JOIN search_state p ON p.session = s.id
                 WHERE p.session IS NULL OR p.size <> s.size OR p.mtime_ns <> s.mtime_ns ORDER BY s.last_message_at DESC, s.id DESC",
            )?
            .query([])?
            .and_then(|row| SessionId::new(row.get::<_, String>(0)?).map_err(Fault::id("session")))
            .collect()
        })
        .await
    }

    /// How far a session's file has been read.
    pub(crate) async fn searched(&self, id: &SessionId) -> Result<Option<Place>, StoreError> {
        let id = id.clone();
        self.read(move |db| {
            let sql = "SELECT size, mtime_ns, body, mark FROM search_state WHERE session = ?1";
            let place = db.prepare_cached(sql)?.query_row([id.as_str()], |row| {
                Ok(Place {
                    size: row.get(0)?,
                    mtime_ns: row.get(1)?,
                    body: row.get(2)?,
                    mark: row.get(3)?,
                })
            });
            Ok(place.optional()?)
        })
        .await
    }

    /// Keeps texts. Answers the sessions that are not done: their old texts were too many for one transaction.
    pub(crate) async fn keep_texts(&self, found: Vec<Found>) -> Result<Vec<SessionId>, StoreError> {
        self.write_rebuildable(move |db| {
            let mut later = Vec::new();
            let mut rows = Vec::new();
            for one in &found {
                if one.afresh && remove(db, &one.session, REMOVED)? {
                    later.push(one.session.clone());
                    continue;
                }
                // A session that was deleted meanwhile stays so.
                if !db
                    .prepare_cached("SELECT 1 FROM sessions WHERE id = ?1")?
                    .exists([one.session.as_str()])?
                {
                    continue;
                }
                rows.extend(one.texts.iter().map(|text| (&one.session, text)));
                let (id, place) = (one.session.as_str(), one.place);
                db.prepare_cached("INSERT OR REPLACE INTO search_state (session, size, mtime_ns, body, mark) VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute(params![id, place.size, place.mtime_ns, place.body, place.mark])?;
            }
            // In order of their numbers: FTS5 would otherwise write a segment at each step back.
            rows.sort_by_key(|(_, text)| text.at);
            rows.into_iter().try_for_each(|(session, text)| insert(db, session, text))?;
            Ok(later)
        })
        .await
    }

    /// Messages that have the words, best first.
    pub(crate) async fn search(&self, query: &str, workspace: Option<WorkspaceId>, limit: u32) -> Result<Vec<SearchHit>, StoreError> {
        let Some(words) = expression(query) else {
            return Ok(Vec::new());
        };
        self.read(move |db| hits(db, &words, workspace.as_ref(), limit)).await
    }
}

fn hits(db: &Connection, words: &str, workspace: Option<&WorkspaceId>, limit: u32) -> Result<Vec<SearchHit>, Fault> {
    let newest = match workspace {
        None => "SELECT rowid AS id, rank AS worth FROM search_words WHERE search_words MATCH ?1 ORDER BY rowid DESC LIMIT ?3",
        Some(_) => {
            "SELECT w.rowid AS id, w.rank AS worth FROM search_words w CROSS JOIN search_texts t CROSS JOIN sessions s
             WHERE w.search_words MATCH ?1 AND t.id = w.rowid AND s.id = t.session AND s.workspace = ?4 ORDER BY w.rowid DESC LIMIT ?3"
        }
    };
    let best = format!("SELECT id FROM ({newest}) ORDER BY worth, id DESC LIMIT ?2");
    let mut statement = db.prepare_cached(&best)?;
    let ids: Vec<i64> = match workspace {
        None => statement
            .query_map(params![words, limit, COMPARED], |row| row.get(0))?
            .collect::<Result<_, _>>()?,
        Some(place) => statement
            .query_map(params![words, limit, COMPARED, place.as_str()], |row| row.get(0))?
            .collect::<Result<_, _>>()?,
    };
    let mut row = db.prepare_cached(
        "SELECT s.summary, t.message, t.kind, t.at FROM search_texts t JOIN sessions s ON s.id = t.session WHERE t.id = ?1",
    )?;
    let [open, close] = MARKS;
    let around = format!(
        "SELECT snippet(search_words, 0, '{open}', '{close}', '…', {SNIPPET_WORDS}) FROM search_words WHERE search_words MATCH ?1 AND rowid = ?2"
    );
    let mut around = db.prepare_cached(&around)?;
    let mut hits = Vec::with_capacity(ids.len());
    for id in ids {
        let found = row.query_row([id], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get(3)?,
            ))
        });
        let Some((summary, message, kind, at)) = found.optional()? else {
            continue;
        };
        let Some(snippet) = around.query_row(params![words, id], |row| row.get::<_, String>(0)).optional()? else {
            continue;
        };
        hits.push(SearchHit {
            session: parse(&summary)?,
            message: MessageId::new(message).map_err(Fault::id("message"))?,
            kind: kind_of(&kind),
            at: Option::<i64>::map(at, ms_out),
            snippet: snippet.replace(GAP, ""),
        });
    }
    Ok(hits)
}

fn kind_of(text: &str) -> MessageKind {
    serde_json::from_value(serde_json::Value::from(text)).unwrap_or(MessageKind::Assistant)
}

/// What FTS5 is asked. `None`: the query has nothing that could be found.
pub(crate) fn expression(query: &str) -> Option<String> {
    let mut parts = Vec::new();
    let mut rest = query;
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[start..];
        let (part, prefix) = match rest.strip_prefix('"') {
            Some(quoted) => {
                // A quote that is not closed goes to the end.
                let end = quoted.find('"').unwrap_or(quoted.len());
                rest = quoted.get(end + 1..).unwrap_or_default();
                (&quoted[..end], false)
            }
            None => {
                let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
                let word = &rest[..end];
                rest = &rest[end..];
                (word.trim_end_matches('*'), word.ends_with('*'))
            }
        };
        if part.chars().any(char::is_alphanumeric) {
            let text = cut(part).replace('"', " ");
            parts.push(format!("\"{text}\"{}", if prefix { "*" } else { "" }));
        }
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// A text as it is stored: signs of scripts without spaces stand alone, and what the index uses for itself is out.
pub(crate) fn cut(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut before = false;
    for c in text.chars() {
        if c == GAP || MARKS.contains(&c) || c == '\0' {
            continue;
        }
        let alone = stands_alone(c);
        if (alone || before) && !out.is_empty() {
            out.push(GAP);
        }
        before = alone;
        out.push(c);
    }
    out
}

/// Whether a sign belongs to a script that is written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{323af}')
}

/// Numbers begin with the time: newest is largest. Two texts of one millisecond stand beside each other.
fn insert(db: &Connection, session: &SessionId, text: &Text) -> Result<(), Fault> {
    const ROOM: u32 = 12;
    let stored = cut(&text.text);
    // A time that no clock shows would not fit.
    let at = ms_in(kata_protocol::Ms(text.at.min((1 << 50) - 1)));
    let first = at << ROOM;
    let last: Option<i64> = db
        .prepare_cached("SELECT max(id) FROM search_texts WHERE id >= ?1 AND id < ?2")?
        .query_row([first, first + (1 << ROOM)], |row| row.get(0))?;
    let mut id = last.map_or(first, |last| last + 1);
    while db.prepare_cached("SELECT 1 FROM search_texts WHERE id = ?1")?.exists([id])? {
        id += 1;
    }
    db.prepare_cached("INSERT INTO search_texts (id, session, message, kind, at, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            id,
            session.as_str(),
            text.message,
            text.kind,
            (text.at > 0).then_some(at),
            stored
        ])?;
    db.prepare_cached("INSERT INTO search_words (rowid, text) VALUES (?1, ?2)")?
        .execute(params![id, stored])?;
    Ok(())
}

/// Removes texts of a session, at most so many; whether there are more.
fn remove(db: &Connection, session: &SessionId, most: usize) -> Result<bool, Fault> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let rows: Vec<(i64, String)> = db
        .prepare_cached("SELECT id, text FROM search_texts WHERE session = ?1 ORDER BY id LIMIT ?2")?
        .query_map(params![session.as_str(), limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (id, text) in &rows {
        db.prepare_cached("INSERT INTO search_words (search_words, rowid, text) VALUES ('delete', ?1, ?2)")?
            .execute(params![id, text])?;
        db.prepare_cached("DELETE FROM search_texts WHERE id = ?1")?.execute([id])?;
    }
    Ok(rows.len() >= most && {
        let sql = "SELECT 1 FROM search_texts WHERE session = ?1";
        db.prepare_cached(sql)?.exists([session.as_str()])?
    })
}

/// Removes everything of a session.
pub(super) fn forget(db: &Connection, session: &SessionId) -> Result<(), Fault> {
    while remove(db, session, REMOVED)? {}
    db.prepare_cached("DELETE FROM search_state WHERE session = ?1")?
        .execute([session.as_str()])?;
    Ok(())
}

/// Removes everything, whatever state it is in.
pub(super) fn forget_all(db: &Connection) -> Result<(), Fault> {
    db.execute("DELETE FROM search_texts", [])?;
    db.execute("INSERT INTO search_words (search_words) VALUES ('rebuild')", [])?;
    db.execute("DELETE FROM search_state", [])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_strings_and_nothing_of_a_query_is_syntax() {
        let of = |query| expression(query).unwrap_or_default();
        assert_eq!(of("red  car"), "\"red\" \"car\"");
        assert_eq!(of("\"red car\" wheel*"), "\"red car\" \"wheel\"*");
        assert_eq!(of("red AND NOT (x:y) ^z"), "\"red\" \"AND\" \"NOT\" \"(x:y)\" \"^z\"");
        assert_eq!(of("\"open"), "\"open\"");
        assert_eq!(of("a\"b c\"d"), "\"a\" \"b c\" \"d\"");
        for nothing in ["", "  ", "*", "\"", "\"\"", "- + ()", "***"] {
            assert_eq!(expression(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_sign_of_a_script_without_spaces_stands_alone() {
        assert_eq!(cut("red 会议ok"), "red \u{200b}会\u{200b}议\u{200b}ok");
        assert_eq!(cut("a\u{2068}b\u{200b}c\0"), "abc");
    }
}
