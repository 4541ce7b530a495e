//! The scripted fake as a program, for judges written in other languages: prints `{"baseUrl": …}` on one line and serves
//! until it is stopped.

use kata_agent::fake::{FakeError, FakeProvider, Script};
use std::io::Write;

#[tokio::main]
async fn main() -> Result<(), FakeError> {
    let fake = FakeProvider::start(Script::agent()).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::json!({"baseUrl": fake.base_url}))?;
    out.flush()?;
    fake.serve().await;
    Ok(())
}
