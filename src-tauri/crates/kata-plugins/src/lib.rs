//! kata-plugins
