//! What waits in a session for its turn, and what a binding's rule makes of a message that comes while the agent works. Pure:
//! time is handed in, and nothing here knows what an input is.
//!
//! One line, first in, first out. Messages that are collected are one group, which goes when its pause has passed, when it is
//! full, or when something else comes in behind it. Every item that is put in is taken once, handed back as refused, or still
//! waits.

use kata_protocol::{Overlap, OverlapPolicy, RefusalCode, WhenFull};
use std::collections::VecDeque;

/// Messages in one collected input at most.
pub(super) const MOST_COLLECTED: usize = 20;
/// Bytes of one collected input at most, unless its first message is longer.
pub(super) const MOST_BYTES: usize = 64 * 1024;

/// What the line has to know of an input.
pub(super) trait Item {
    /// Length of its text.
    fn bytes(&self) -> usize;
    /// Whether a channel brought it: the bounds of bindings are for those.
    fn of_channel(&self) -> bool;
    /// Whether both came from one conversation, so that one answer answers both.
    fn same_place(&self, other: &Self) -> bool;
}

/// What waits.
pub(super) struct Line<T> {
    groups: VecDeque<Group<T>>,
    /// A turn runs, or is about to.
    running: bool,
}

struct Group<T> {
    items: Vec<T>,
    bytes: usize,
    /// Until then, in microseconds, another message may join and nobody takes it. `None`: it goes.
    until: Option<u64>,
}

/// The next input.
#[derive(Debug, PartialEq)]
pub(super) enum Next<T> {
    /// These, as one. A turn counts as running from now on.
    Ready(Vec<T>),
    /// Something gathers until then.
    At(u64),
    /// Nothing waits.
    Empty,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            groups: VecDeque::new(),
            running: false,
        }
    }
}

impl<T: Item> Line<T> {
    /// Whether a message of a channel may come in; decided before anything is done with it. `beside`: inputs that wait elsewhere.
    pub(super) fn admit(&self, overlap: &Overlap, beside: usize) -> Result<(), RefusalCode> {
        if overlap.policy == OverlapPolicy::Drop && (self.running || beside > 0 || !self.groups.is_empty()) {
            return Err(RefusalCode::Busy);
        }
        if overlap.when_full == WhenFull::RefuseNew && self.of_channels() + beside >= most(overlap) {
            return Err(RefusalCode::QueueFull);
        }
        Ok(())
    }

    /// Puts an input in. Answers those that have to go for it: the oldest of channels, refused.
    pub(super) fn put(&mut self, item: T, overlap: Option<&Overlap>, now: u64) -> Vec<T> {
        let mut refused = Vec::new();
        if let Some(overlap) = overlap.filter(|o| o.when_full == WhenFull::RefuseOld) {
            while self.of_channels() >= most(overlap) {
                let Some(oldest) = self.oldest() else { break };
                refused.push(oldest);
            }
        }
        let pause = overlap
            .filter(|o| o.policy == OverlapPolicy::Collect)
            .map(|o| u64::from(o.collect_ms.clamp(100, 60_000)) * 1000);
        let bytes = item.bytes();
        if let Some(last) = self.groups.back_mut()
            && let Some(until) = last.until
        {
            let joins = pause.filter(|_| {
                now < until && last.bytes + bytes <= MOST_BYTES && last.items.last().is_some_and(|there| there.same_place(&item))
            });
            if let Some(pause) = joins {
                last.items.push(item);
                last.bytes += bytes;
                let full = last.items.len() >= MOST_COLLECTED || last.bytes >= MOST_BYTES;
                last.until = (!full).then_some(now + pause);
                return refused;
            }
            // Order is kept: nothing joins what stands before something else.
            last.until = None;
        }
        self.groups.push_back(Group {
            items: vec![item],
            bytes,
            until: pause.filter(|_| bytes < MOST_BYTES).map(|pause| now + pause),
        });
        refused
    }

    /// The next input, if its time has come.
    pub(super) fn take(&mut self, now: u64) -> Next<T> {
        match self.groups.front() {
            None => Next::Empty,
            Some(group) if group.until.is_some_and(|until| now < until) => Next::At(group.until.unwrap_or(now)),
            Some(_) => {
                self.running = true;
                Next::Ready(self.groups.pop_front().map(|group| group.items).unwrap_or_default())
            }
        }
    }

    /// A turn runs that did not come out of the line, or one has ended.
    pub(super) fn running(&mut self, running: bool) {
        self.running = running;
    }

    /// Takes everything out: the session ends.
    pub(super) fn clear(&mut self) -> Vec<T> {
        self.groups.drain(..).flat_map(|group| group.items).collect()
    }

    /// Whether such an input waits.
    pub(super) fn any(&self, is: impl Fn(&T) -> bool) -> bool {
        self.groups.iter().flat_map(|group| &group.items).any(is)
    }

    /// Changes one that waits. `false`: there is none such.
    pub(super) fn change(&mut self, is: impl Fn(&T) -> bool, change: impl FnOnce(&mut T)) -> bool {
        for group in &mut self.groups {
            if let Some(item) = group.items.iter_mut().find(|item| is(item)) {
                let before = item.bytes();
                change(item);
                group.bytes = (group.bytes + item.bytes()).saturating_sub(before);
                return true;
            }
        }
        false
    }

    /// Takes one out that waits.
    pub(super) fn remove(&mut self, is: impl Fn(&T) -> bool) -> Option<T> {
        let at = self.groups.iter().position(|group| group.items.iter().any(&is))?;
        self.take_out(at, is)
    }

    fn of_channels(&self) -> usize {
        let items = self.groups.iter().flat_map(|group| &group.items);
        items.filter(|item| item.of_channel()).count()
    }

    fn oldest(&mut self) -> Option<T> {
        let at = self.groups.iter().position(|group| group.items.iter().any(Item::of_channel))?;
        self.take_out(at, Item::of_channel)
    }

    fn take_out(&mut self, at: usize, is: impl Fn(&T) -> bool) -> Option<T> {
        let group = self.groups.get_mut(at)?;
        let item = group.items.remove(group.items.iter().position(is)?);
        group.bytes -= item.bytes();
        if group.items.is_empty() {
            self.groups.remove(at);
        }
        Some(item)
    }
}

fn most(overlap: &Overlap) -> usize {
    overlap.most.clamp(1, 1000) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Note {
        n: usize,
        bytes: usize,
        channel: bool,
        place: u8,
    }
    impl Item for Note {
        fn bytes(&self) -> usize {
            self.bytes
        }
        fn of_channel(&self) -> bool {
            self.channel
        }
        fn same_place(&self, other: &Self) -> bool {
            self.channel && other.channel && self.place == other.place
        }
    }

    #[derive(Clone, Debug)]
    enum Do {
        Put {
            policy: usize,
            bytes: usize,
            channel: bool,
            place: u8,
            old: bool,
        },
        Take,
        End,
        Wait(u64),
    }

    fn what() -> impl Strategy<Value = Do> {
        prop_oneof![
            4 => (0..3usize, prop_oneof![Just(10usize), Just(30_000), Just(70_000)], prop::bool::weighted(0.8), 0..2u8, any::<bool>())
                .prop_map(|(policy, bytes, channel, place, old)| Do::Put { policy, bytes, channel, place, old }),
            2 => Just(Do::Take),
            1 => Just(Do::End),
            1 => (1..300u64).prop_map(Do::Wait),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100_000, ..ProptestConfig::default() })]
        #[test]
        fn nothing_that_waits_is_lost_taken_twice_or_out_of_order_and_every_bound_is_kept(
            steps in proptest::collection::vec(what(), 1..10), most in 1..4u32,
        ) {
            const POLICIES: [OverlapPolicy; 3] = [OverlapPolicy::Queue, OverlapPolicy::Collect, OverlapPolicy::Drop];
            let (mut line, mut now) = (Line::default(), 0);
            let (mut put, mut taken, mut gone, mut running) = (0, Vec::new(), Vec::new(), false);
            for step in steps {
                match step {
                    Do::Wait(ms) => now += ms * 1000,
                    Do::End => { line.running(false); running = false; }
                    Do::Put { policy, bytes, channel, place, old } => {
                        let note = Note { n: put, bytes, channel, place };
                        put += 1;
                        let overlap = Overlap {
                            policy: POLICIES[policy], collect_ms: 100, most,
                            when_full: if old { WhenFull::RefuseOld } else { WhenFull::RefuseNew },
                        };
                        if !channel {
                            prop_assert!(line.put(note, None, now).is_empty(), "a client's input refuses nobody");
                            continue;
                        }
                        match line.admit(&overlap, 0) {
                            Err(code) => {
                                prop_assert!(code != RefusalCode::Busy || running || !line.groups.is_empty());
                                prop_assert!(code != RefusalCode::QueueFull || line.of_channels() >= most as usize);
                                gone.push(note.n);
                            }
                            Ok(()) => {
                                prop_assert!(overlap.policy != OverlapPolicy::Drop || !running);
                                let refused = line.put(note, Some(&overlap), now);
                                prop_assert!(refused.iter().all(|r| r.channel));
                                gone.extend(refused.iter().map(|r| r.n));
                                prop_assert!(line.of_channels() <= most as usize);
                            }
                        }
                    }
                    Do::Take => match line.take(now) {
                        Next::Ready(items) => {
                            running = true;
                            let bytes: usize = items.iter().map(|i| i.bytes).sum();
                            prop_assert!(!items.is_empty() && items.len() <= MOST_COLLECTED);
                            prop_assert!(items.len() == 1 || bytes <= MOST_BYTES);
                            prop_assert!(items.iter().all(|i| items.len() == 1 || i.channel && i.place == items[0].place));
                            taken.extend(items.iter().map(|i| i.n));
                        }
                        Next::At(at) => prop_assert!(at > now && at <= now + 100_000, "nothing waits for longer than a pause"),
                        Next::Empty => prop_assert!(line.groups.is_empty()),
                    },
                }
            }
            prop_assert!(taken.is_sorted(), "{taken:?}");
            let mut all: Vec<usize> = line.clear().into_iter().map(|i| i.n).chain(taken).chain(gone).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..put).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_collected_input_goes_when_it_is_full() {
        let mut line = Line::default();
        let overlap = Overlap {
            policy: OverlapPolicy::Collect,
            ..Overlap::default()
        };
        for n in 0..=MOST_COLLECTED {
            line.put(
                Note {
                    n,
                    bytes: 1,
                    channel: true,
                    place: 0,
                },
                Some(&overlap),
                0,
            );
        }
        assert!(matches!(line.take(0), Next::Ready(items) if items.len() == MOST_COLLECTED));
        assert_eq!(line.take(0), Next::At(1_500_000));
    }
}
