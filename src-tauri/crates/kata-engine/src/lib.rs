//! kata-engine
