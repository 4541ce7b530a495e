//! The hub: numbers every fact and keeps the newest, so that a client that was away gets what it missed.

use kata_protocol::{Count, Fact, NumberedFact};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// Facts kept for replay.
pub const KEPT: usize = 4096;

/// Numbers and hands out facts. A subscriber that falls [`KEPT`] facts behind is told so and asks for the state again.
pub struct EventHub {
    ring: Mutex<Ring>,
    live: broadcast::Sender<Arc<NumberedFact>>,
}

struct Ring {
    next: u64,
    kept: VecDeque<Arc<NumberedFact>>,
}

/// What a client that was away gets.
pub enum Replay {
    /// The facts it missed, in order (perhaps none).
    Missed(Vec<Arc<NumberedFact>>),
    /// Too many; it must ask for the state again.
    Gone,
}

impl Default for EventHub {
    fn default() -> Self {
        Self {
            ring: Mutex::new(Ring {
                next: 1,
                kept: VecDeque::with_capacity(KEPT),
            }),
            live: broadcast::channel(KEPT).0,
        }
    }
}

impl EventHub {
    /// Numbers a fact and hands it to everybody. Never waits.
    pub fn publish(&self, fact: Fact) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let numbered = Arc::new(NumberedFact {
            seq: Count(ring.next),
            fact,
        });
        ring.next += 1;
        if ring.kept.len() == KEPT {
            ring.kept.pop_front();
        }
        ring.kept.push_back(Arc::clone(&numbered));
        // Sent under the lock, so that numbers reach subscribers in order. No subscriber is not an error.
        let _ = self.live.send(numbered);
    }

    /// Number of the newest fact; 0 before the first.
    pub fn newest(&self) -> u64 {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).next - 1
    }

    /// Facts from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<NumberedFact>> {
        self.live.subscribe()
    }

    /// Facts after `last`, and facts from now on, without a gap or an overlap between the two.
    pub fn resume(&self, last: u64) -> (Replay, broadcast::Receiver<Arc<NumberedFact>>) {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.subscribe();
        let oldest = ring.next - ring.kept.len() as u64;
        if last >= ring.next || last + 1 < oldest {
            return (Replay::Gone, live);
        }
        let missed = ring.kept.iter().filter(|f| f.seq.0 > last).cloned().collect();
        (Replay::Missed(missed), live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(replay: Replay) -> Option<Vec<u64>> {
        match replay {
            Replay::Missed(facts) => Some(facts.iter().map(|f| f.seq.0).collect()),
            Replay::Gone => None,
        }
    }

    #[test]
    fn a_client_that_was_away_gets_exactly_what_it_missed() {
        let hub = EventHub::default();
        for _ in 0..5 {
            hub.publish(Fact::PairingChanged {});
        }
        let (replay, mut live) = hub.resume(3);
        hub.publish(Fact::PairingChanged {});
        assert_eq!(numbers(replay), Some(vec![4, 5]));
        assert_eq!(live.try_recv().map(|f| f.seq.0).ok(), Some(6));
    }

    #[test]
    fn a_client_that_was_away_too_long_is_told_so() {
        let hub = EventHub::default();
        for _ in 0..KEPT + 10 {
            hub.publish(Fact::PairingChanged {});
        }
        assert_eq!(numbers(hub.resume(3).0), None);
        assert_eq!(
            numbers(hub.resume(KEPT as u64 + 50).0),
            None,
            "a number from the future is another boot's"
        );
        assert_eq!(numbers(hub.resume(10).0).map(|v| v.len()), Some(KEPT));
    }
}
