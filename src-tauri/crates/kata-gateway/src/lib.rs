//! kata-gateway
