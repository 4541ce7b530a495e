//! Where the machine gets its power from.

/// What is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// It runs on a battery.
    pub battery: bool,
    /// Charge of that battery in percent, where it is known.
    pub percent: Option<u8>,
    /// The person told the system to save power.
    pub saver: bool,
}

impl Power {
    /// Whether work that can wait should.
    pub fn saves(self) -> bool {
        self.battery || self.saver
    }
}

/// A source of that knowledge.
pub trait PowerSupply: Send + Sync + 'static {
    /// How it is now. May block for as long as a file takes to read.
    fn read(&self) -> Power;
}
