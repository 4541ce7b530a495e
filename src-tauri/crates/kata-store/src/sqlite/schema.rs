//! Tables of `kata.db`, as migrations. A migration that was released never changes; a new one is added below it.

use rusqlite_migration::{M, Migrations};

/// Every step from an empty file to the present schema.
pub(crate) fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(FIRST), M::up(GRANTS), M::up(KEYED)])
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

#[cfg(test)]
mod tests {
    #[test]
    fn every_migration_runs_on_an_empty_file() {
        assert!(super::migrations().validate().is_ok());
    }
}
