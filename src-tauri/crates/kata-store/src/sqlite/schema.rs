//! Tables of `kata.db`, as migrations. A migration that was released never changes; a new one is added below it.

use rusqlite_migration::{M, Migrations};

/// Every step from an empty file to the present schema.
pub(crate) fn migrations() -> Migrations<'static> {
    Migrations::new(vec![
        M::up(FIRST),
        M::up(GRANTS),
        M::up(KEYED),
        M::up(LIBRARY),
        M::up(LETTERS),
        M::up(APPROVALS),
        M::up(EXTRAS),
        M::up(TALK),
        M::up(DEVICES),
        M::up(USAGE),
        M::up(PLANS),
    ])
}

/// `inbox.draft` and `outbox.text` become NULL when a row is pruned; the rows stay, because they hold the dedupe keys and
/// the ledger counts them. So numbers are never used twice without AUTOINCREMENT.
const FIRST: &str = "
CREATE TABLE inbox (
  id          INTEGER PRIMARY KEY,
  channel     TEXT NOT NULL,
  account     TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  draft       TEXT,
  state       TEXT NOT NULL DEFAULT 'received'
              CHECK (state IN ('received', 'routed', 'answered', 'done', 'refused', 'dead')),
  reason      TEXT,
  session_key TEXT,
  session     TEXT,
  received_at INTEGER NOT NULL,
  UNIQUE (channel, account, message_id)
) STRICT;
CREATE INDEX inbox_state ON inbox (state);

CREATE TABLE outbox (
  id              INTEGER PRIMARY KEY,
  inbox           INTEGER REFERENCES inbox (id),
  session         TEXT,
  route           TEXT NOT NULL,
  text            TEXT,
  idempotency_key TEXT NOT NULL UNIQUE,
  attempts        INTEGER NOT NULL DEFAULT 0,
  state           TEXT NOT NULL DEFAULT 'pending'
                  CHECK (state IN ('pending', 'sending', 'sent', 'parked', 'dead')),
  next_at         INTEGER NOT NULL DEFAULT 0,
  error           TEXT,
  receipt         TEXT,
  created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_inbox ON outbox (inbox);
CREATE INDEX outbox_unsent ON outbox (id) WHERE state IN ('pending', 'sending');

CREATE TABLE session_keys (
  key     TEXT PRIMARY KEY,
  session TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_keys_session ON session_keys (session);

CREATE TABLE pairing_requests (
  code         TEXT NOT NULL UNIQUE,
  channel      TEXT NOT NULL,
  sender       TEXT NOT NULL,
  sender_name  TEXT,
  requested_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  PRIMARY KEY (channel, sender)
) STRICT;

CREATE TABLE paired (
  id        INTEGER PRIMARY KEY,
  channel   TEXT NOT NULL,
  sender    TEXT NOT NULL,
  paired_at INTEGER NOT NULL,
  UNIQUE (channel, sender)
) STRICT;

CREATE TABLE plugin_state (
  plugin TEXT NOT NULL,
  key    TEXT NOT NULL,
  value  TEXT NOT NULL,
  PRIMARY KEY (plugin, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE hook_traces (
  seq     INTEGER PRIMARY KEY,
  id      TEXT NOT NULL UNIQUE,
  session TEXT,
  body    TEXT NOT NULL
) STRICT;
CREATE INDEX hook_traces_session ON hook_traces (session, seq);

CREATE TABLE sessions (
  id              TEXT PRIMARY KEY,
  workspace       TEXT NOT NULL,
  folder          TEXT NOT NULL,
  mtime_ns        INTEGER NOT NULL,
  size            INTEGER NOT NULL,
  header_hash     INTEGER NOT NULL,
  last_message_at INTEGER NOT NULL,
  channel         INTEGER NOT NULL,
  words           TEXT NOT NULL,
  summary         TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_newest ON sessions (last_message_at DESC, id DESC);
CREATE INDEX sessions_workspace ON sessions (workspace, last_message_at DESC, id DESC);

CREATE TABLE audit (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  at      INTEGER NOT NULL,
  actor   TEXT NOT NULL,
  action  TEXT NOT NULL,
  subject TEXT NOT NULL
) STRICT;
";

/// `history` outlives the grant. Lists and files are JSON.
const GRANTS: &str = "
CREATE TABLE plugin_grants (
  plugin       TEXT PRIMARY KEY,
  hash         TEXT NOT NULL,
  version      TEXT NOT NULL,
  capabilities TEXT NOT NULL,
  development  INTEGER NOT NULL CHECK (development IN (0, 1)),
  granted_at   INTEGER NOT NULL,
  signer       TEXT,
  folder       TEXT NOT NULL,
  files        TEXT NOT NULL,
  declared     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE plugin_grant_history (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  plugin TEXT NOT NULL,
  at     INTEGER NOT NULL,
  action TEXT NOT NULL,
  hash   TEXT,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX plugin_grant_history_plugin ON plugin_grant_history (plugin, id);

CREATE TABLE plugin_signers (
  key_id        TEXT PRIMARY KEY,
  key           TEXT NOT NULL,
  remembered_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Whether the header names a conversation: with the channel's sessions, those are read when keys are made again.
const KEYED: &str = "
ALTER TABLE sessions ADD COLUMN keyed INTEGER NOT NULL DEFAULT 0;
";

/// The archive and the classes of sessions, and the texts that are searched. `pending`: the row has header fields that line 1
/// of the file does not have yet. The number of a text begins with its time, so that the newest come first; `search_words`
/// keeps its own index and takes the text from `search_texts`.
const LIBRARY: &str = "
ALTER TABLE sessions ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN archived_at INTEGER;
ALTER TABLE sessions ADD COLUMN class TEXT NOT NULL DEFAULT 'desktop';
ALTER TABLE sessions ADD COLUMN pending INTEGER NOT NULL DEFAULT 1;
UPDATE sessions SET archived = coalesce(json_extract(summary, '$.archived'), 0), class = iif(channel, 'direct', 'desktop');
CREATE INDEX sessions_shelf ON sessions (archived, last_message_at DESC, id DESC);
CREATE INDEX sessions_kind ON sessions (archived, channel, last_message_at DESC, id DESC);
DROP INDEX sessions_newest;
DROP INDEX sessions_workspace;
CREATE INDEX sessions_place ON sessions (workspace, archived, last_message_at DESC, id DESC);

CREATE TABLE search_texts (
  id      INTEGER PRIMARY KEY,
  session TEXT NOT NULL,
  message TEXT NOT NULL,
  kind    TEXT NOT NULL,
  at      INTEGER,
  text    TEXT NOT NULL
) STRICT;
CREATE INDEX search_texts_session ON search_texts (session, id);
CREATE VIRTUAL TABLE search_words USING fts5 (
  text, content = 'search_texts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

CREATE TABLE search_state (
  session  TEXT PRIMARY KEY,
  size     INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  body     INTEGER NOT NULL,
  mark     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// `put_away`: a person has seen the letter and wants it out of the list. The row stays for the ledger.
const LETTERS: &str = "
ALTER TABLE inbox ADD COLUMN put_away INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN put_away INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_letters ON outbox (id) WHERE state IN ('parked', 'dead') AND NOT put_away;
CREATE INDEX inbox_letters ON inbox (id) WHERE state = 'dead' AND NOT put_away;
";

/// `body` (what is asked, as JSON) becomes NULL when the call is settled.
const APPROVALS: &str = "
CREATE TABLE approvals (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  code       TEXT NOT NULL UNIQUE,
  session    TEXT NOT NULL,
  call_id    TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  body       TEXT,
  route      TEXT,
  decision   TEXT,
  settled_at INTEGER,
  CHECK ((decision IS NULL) = (body IS NOT NULL))
) STRICT;
CREATE INDEX approvals_call ON approvals (session, call_id, seq);
CREATE INDEX approvals_waiting ON approvals (seq) WHERE decision IS NULL;
CREATE INDEX approvals_settled ON approvals (settled_at, seq) WHERE decision IS NOT NULL;
";

/// `extras`: files, buttons and the preview of a part, as JSON; NULL where there is only text.
const EXTRAS: &str = "
ALTER TABLE outbox ADD COLUMN extras TEXT;
";

/// Who answered a call, and the conversations that somebody who was let in wrote from. `sender` is who wrote last.
const TALK: &str = "
ALTER TABLE approvals ADD COLUMN settled_by TEXT;
CREATE TABLE conversations (
  channel      TEXT NOT NULL,
  account      TEXT NOT NULL,
  conversation TEXT NOT NULL,
  name         TEXT,
  chat_type    TEXT NOT NULL,
  sender       TEXT NOT NULL,
  session      TEXT NOT NULL,
  last_at      INTEGER NOT NULL,
  PRIMARY KEY (channel, account, conversation)
) STRICT, WITHOUT ROWID;
";

/// A device has a token or a key, until it is shut out; then it has neither.
const DEVICES: &str = "
CREATE TABLE devices (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  scope      TEXT NOT NULL,
  token_hash BLOB,
  public_key BLOB,
  paired_at  INTEGER NOT NULL,
  seen_at    INTEGER,
  expires_at INTEGER,
  revoked_at INTEGER,
  CHECK (iif(revoked_at IS NULL, (token_hash IS NULL) <> (public_key IS NULL), token_hash IS NULL AND public_key IS NULL))
) STRICT, WITHOUT ROWID;
";

/// Tokens by quarter of an hour.
const USAGE: &str = "
CREATE TABLE usage (
  at     INTEGER NOT NULL,
  model  TEXT NOT NULL,
  input  INTEGER NOT NULL,
  output INTEGER NOT NULL,
  turns  INTEGER NOT NULL,
  PRIMARY KEY (at, model)
) STRICT, WITHOUT ROWID;
";

/// Plans that agents handed in. `body` is JSON; `told`: the agent has the answer, or none is due.
const PLANS: &str = "
CREATE TABLE plans (
  seq         INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  session     TEXT NOT NULL,
  body        TEXT NOT NULL,
  decision    TEXT,
  note        TEXT,
  answered_at INTEGER,
  told        INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1))
) STRICT;
CREATE INDEX plans_open ON plans (session) WHERE decision IS NULL;
CREATE INDEX plans_untold ON plans (seq) WHERE told = 0;
";

#[cfg(test)]
mod tests {
    #[test]
    fn every_migration_runs_on_an_empty_file() {
        assert!(super::migrations().validate().is_ok());
    }
}
