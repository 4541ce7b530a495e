//! The whole crate against a token server in this process, on a clock that moves when told. What a real server does is held against
//! oidc-provider (tests/peers/oauth).

mod fake;
mod renewal;
mod signing_in;
