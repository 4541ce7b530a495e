//! `kata logs`.

use super::connect;
use crate::args::{Level, Logs};
use crate::failure::Failure;
use crate::interrupts::Interrupts;
use crate::render;
use crate::screen::Screen;
use kata_protocol::{LogRecord, LogTail, Ms};
use std::path::Path;
use std::time::Duration;

/// Between two looks with `--follow`.
const EVERY: Duration = Duration::from_millis(700);
/// Lines of each look; more than that in one interval are passed over.
const LOOK: u32 = 1000;

pub(super) async fn run(screen: &Screen, home: &Path, options: Logs) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let level = options.level.map(|level| {
        match level {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
        }
        .to_owned()
    });
    let query = |limit| LogTail {
        limit: Some(limit),
        level: level.clone(),
        plugin: options.plugin.clone(),
    };
    let records = client.log_tail(query(options.limit)).await?;
    if !options.follow {
        return screen.result(&records, |records| records.iter().map(render::log_line).collect());
    }
    let mut interrupts = Interrupts::listen()?;
    let mut seen = Seen::default();
    show(screen, seen.fresh(records))?;
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = interrupts.next() => return Ok(()),
        }
        let records = client.log_tail(query(LOOK)).await?;
        show(screen, seen.fresh(records))?;
    }
}

fn show(screen: &Screen, records: Vec<LogRecord>) -> Result<(), Failure> {
    for record in records {
        if screen.json {
            screen.json_line(&record)?;
        } else {
            screen.text(&render::log_line(&record))?;
        }
    }
    Ok(())
}

/// What was shown already. Lines carry no number, so those of the newest millisecond are compared.
#[derive(Default)]
pub(super) struct Seen {
    newest: Ms,
    at_newest: Vec<LogRecord>,
}

impl Seen {
    pub(super) fn fresh(&mut self, records: Vec<LogRecord>) -> Vec<LogRecord> {
        let mut known = self.at_newest.clone();
        let fresh: Vec<_> = records
            .into_iter()
            .filter(|record| {
                if record.at != self.newest {
                    return record.at > self.newest;
                }
                // Equal lines of one millisecond count as often as they stand there.
                match known.iter().position(|k| k == record) {
                    Some(place) => {
                        known.swap_remove(place);
                        false
                    }
                    None => true,
                }
            })
            .collect();
        for record in &fresh {
            if record.at > self.newest {
                self.newest = record.at;
                self.at_newest.clear();
            }
            if record.at == self.newest {
                self.at_newest.push(record.clone());
            }
        }
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at: u64, message: &str) -> LogRecord {
        LogRecord {
            at: Ms(at),
            level: "INFO".into(),
            target: "t".into(),
            plugin: None,
            message: message.into(),
        }
    }

    #[test]
    fn following_shows_every_line_once_also_within_a_millisecond() {
        let mut seen = Seen::default();
        let mut all = vec![record(1, "a"), record(2, "b")];
        assert_eq!(seen.fresh(all.clone()), all);
        assert_eq!(seen.fresh(all.clone()), []);
        all.extend([record(2, "b"), record(2, "c"), record(3, "d")]);
        assert_eq!(seen.fresh(all.clone()), [record(2, "b"), record(2, "c"), record(3, "d")]);
        assert_eq!(seen.fresh(all), []);
    }
}
