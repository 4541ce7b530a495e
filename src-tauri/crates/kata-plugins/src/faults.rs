//! What a plugin did wrong, kept for its panel and told to the engine: the same fault again is counted, not told again each
//! time, and a plugin that finds a new way every moment is told of a few times a minute. Pure; the time comes in.
//!
//! A timer that throws a thousand times a second would otherwise push every other fact out of the clients' ring.

use kata_protocol::{Ms, PluginFault};
use std::collections::VecDeque;

/// Faults kept for the panel.
const KEPT: usize = 20;
/// Different faults told within a minute; more are kept and counted only.
const TOLD_A_MINUTE: u32 = 30;
/// Longest message, bytes. A plugin chooses what its errors say.
const MESSAGE: usize = 2_000;

struct Entry {
    fault: PluginFault,
    times: u32,
    generation: u32,
}

impl Entry {
    /// As it is shown.
    fn shown(&self) -> PluginFault {
        let mut fault = self.fault.clone();
        if self.times > 1 {
            fault.message = format!("{} ({} times)", fault.message, self.times);
        }
        fault
    }
}

/// One plugin's faults.
#[derive(Default)]
pub(crate) struct FaultLog {
    entries: VecDeque<Entry>,
    minute: Ms,
    told: u32,
}

impl FaultLog {
    /// Takes a fault of a generation in; what another generation did is another fault. Gives it back, as it is shown, when the engine should hear of it: one that is new, and one that has
    /// happened 2, 4, 8, … times.
    pub(crate) fn note(&mut self, mut fault: PluginFault, generation: u32) -> Option<PluginFault> {
        cut(&mut fault.message);
        let now = fault.at;
        let same = |e: &Entry| {
            e.generation == generation
                && e.fault.kind == fault.kind
                && e.fault.message == fault.message
                && e.fault.position == fault.position
        };
        let (entry, again) = match self.entries.iter().position(same).and_then(|at| self.entries.remove(at)) {
            Some(mut entry) => {
                entry.times = entry.times.saturating_add(1);
                entry.fault.at = now;
                (entry, true)
            }
            None => {
                let new = Entry {
                    fault,
                    times: 1,
                    generation,
                };
                (new, false)
            }
        };
        let shown = entry.shown();
        let due = !again || entry.times.is_power_of_two();
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        if now.0.saturating_sub(self.minute.0) >= 60_000 {
            self.minute = now;
            self.told = 0;
        }
        if !due || self.told >= TOLD_A_MINUTE {
            return None;
        }
        self.told += 1;
        Some(shown)
    }

    /// The newest faults, newest first.
    pub(crate) fn newest(&self) -> Vec<PluginFault> {
        self.entries.iter().rev().map(Entry::shown).collect()
    }
}

fn cut(message: &mut String) {
    if message.len() > MESSAGE {
        let mut at = MESSAGE;
        while !message.is_char_boundary(at) {
            at -= 1;
        }
        message.truncate(at);
        message.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(at: u64, message: &str) -> PluginFault {
        PluginFault {
            at: Ms(at),
            kind: "throw".into(),
            message: message.into(),
            position: None,
        }
    }

    #[test]
    fn the_same_fault_again_is_counted_and_told_at_powers_of_two() {
        let mut log = FaultLog::default();
        let told: Vec<String> = (1..=1000)
            .filter_map(|n| log.note(fault(n, "boom"), 1))
            .map(|f| f.message)
            .collect();
        assert_eq!(told[..3], ["boom", "boom (2 times)", "boom (4 times)"]);
        assert_eq!(told.len(), 10, "{told:?}");
        let kept = log.newest();
        assert_eq!(
            (kept.len(), kept[0].message.as_str(), kept[0].at),
            (1, "boom (1000 times)", Ms(1000))
        );
    }

    #[test]
    fn a_flood_of_different_faults_is_told_of_thirty_times_a_minute_and_the_newest_twenty_are_kept() {
        let mut log = FaultLog::default();
        let flood = |log: &mut FaultLog, from: u64| {
            (0..500)
                .filter(|n| log.note(fault(from + n, &format!("boom {n}")), 1).is_some())
                .count()
        };
        assert_eq!(flood(&mut log, 60_000), 30);
        assert_eq!(log.newest().len(), 20);
        assert_eq!(log.newest()[0].message, "boom 499");
        log.note(fault(60_600, "another"), 1);
        assert!(log.note(fault(120_001, "the next minute"), 1).is_some());
    }

    #[test]
    fn a_plugin_cannot_fill_the_hosts_memory_with_the_words_of_its_errors() {
        let mut log = FaultLog::default();
        let long = "ä".repeat(1_000_000);
        let told = log.note(fault(1, &long), 1).map(|f| f.message.len());
        assert!(told.is_some_and(|n| n <= MESSAGE + 4), "{told:?}");
    }
}
