//! The libraries that others wrote for Discord, before anything is concluded from our stand-in.

use super::discord::{Peer, folder};
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::task::block_in_place;

#[test]
fn discord_two_official_libraries_take_the_stand_in() {
    for (program, script) in [("node", "judge.mjs"), ("python", "judge.py")] {
        let program = if program == "node" {
            PathBuf::from(program)
        } else {
            // `cargo xtask peers discord` has put it there.
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers-discord/v/bin/python")
        };
        let output = Command::new(&program)
            .current_dir(folder())
            .arg(script)
            .output()
            .expect("the judge runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("takes the stand-in"), "{script}: {said}");
    }
}

/// A library in another language that keeps a connection in its own way.
#[tokio::test(flavor = "multi_thread")]
async fn discord_serenity_takes_the_stand_in_too() {
    let peer = Peer::start("fake.mjs").await;
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers-discord/serenity/debug/judge-serenity");
    let told = peer.told.to_string();
    let output = block_in_place(|| {
        Command::new(judge)
            .arg(told)
            .output()
            .expect("`cargo xtask peers discord` builds it")
    });
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert!(output.status.success() && said.contains("takes the stand-in"), "{said}");
}
