//! `kata approvals`: tool calls that wait for a person, and answers to them.

use super::connect;
use crate::args::Approvals;
use crate::failure::Failure;
use crate::render;
use crate::screen::Screen;
use kata_protocol::{ApprovalAnswer, ApprovalList};
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Approvals) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Approvals::List { session } => {
            let waiting = client.approval_list(ApprovalList { session }).await?;
            screen.result(&waiting, |w| render::approvals(w, render::now()))
        }
        Approvals::Answer { code, decision } => {
            let answer = ApprovalAnswer {
                code,
                decision: decision.into(),
            };
            let outcome = client.approval_answer(answer).await?;
            screen.result(&outcome, render::approval_outcome)
        }
    }
}
