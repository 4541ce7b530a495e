//! `kata attention`, `kata pause`, `kata resume`.

use super::connect;
use crate::args::{Attention, Pause};
use crate::failure::Failure;
use crate::render;
use crate::screen::Screen;
use kata_protocol::{AttentionAnswer, Empty, SystemPause};
use serde_json::json;
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Attention) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Attention::List => {
            let waiting = client.attention_list(Empty {}).await?;
            screen.result(&waiting, |w| render::attention(w, render::now()))
        }
        Attention::Answer { id, action } => {
            client.attention_answer(AttentionAnswer { id, action }).await?;
            screen.result(&json!({"answered": true}), |_| "answered\n".into())
        }
    }
}

pub(super) async fn pause(screen: &Screen, home: &Path, options: Pause) -> Result<(), Failure> {
    set(screen, home, true, options.minutes).await
}

pub(super) async fn resume(screen: &Screen, home: &Path) -> Result<(), Failure> {
    set(screen, home, false, None).await
}

async fn set(screen: &Screen, home: &Path, paused: bool, minutes: Option<u32>) -> Result<(), Failure> {
    let state = connect(home).await?.system_pause(SystemPause { paused, minutes }).await?;
    screen.result(&state, |state| render::pause(state, render::now()))
}
