//! The real `kata` program against programs we did not write: crabline as Telegram, aimock as the model, the official SDKs
//! as judges of our scripted provider. `cargo xtask peers` installs them and runs this.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod judges;
mod telegram;
