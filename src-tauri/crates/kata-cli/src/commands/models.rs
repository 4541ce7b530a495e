//! `kata models`.

use super::{connect, standard_input};
use crate::args::{Kind, Models, SetModel};
use crate::failure::Failure;
use crate::render;
use crate::screen::Screen;
use kata_protocol::{Empty, ModelRef, ModelSet, ProviderSettings, ProviderSummary};
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Models) -> Result<(), Failure> {
    match command {
        Models::List => {
            let models = connect(home).await?.model_list(Empty {}).await?;
            screen.result(&models, |m| render::models(m, render::now()))
        }
        Models::Detect => {
            let mut client = connect(home).await?;
            let found = screen
                .working("looking for models on this machine", client.model_detect(Empty {}))
                .await?;
            screen.result(&found, |f| render::detected(f))
        }
        Models::Set(options) => {
            let set = wanted(options)?;
            one(screen, &connect(home).await?.model_set(set).await?)
        }
        Models::Test { id } => {
            let mut client = connect(home).await?;
            one(
                screen,
                &screen
                    .working("asking the model for one word", client.model_test(ModelRef { id }))
                    .await?,
            )
        }
        Models::Remove { id } => {
            let done = connect(home).await?.model_remove(ModelRef { id: id.clone() }).await?;
            screen.result(&done, |_| format!("{} and its key are gone\n", render::line(&id, 60)))
        }
    }
}

fn one(screen: &Screen, model: &ProviderSummary) -> Result<(), Failure> {
    screen.result(model, |m| render::models(std::slice::from_ref(m), render::now()))
}

fn wanted(options: SetModel) -> Result<ModelSet, Failure> {
    if options.kind == Kind::Demo && (options.key_stdin || options.key_env.is_some()) {
        return Err(Failure::usage("the demo is scripted and takes no key"));
    }
    let api_key = if options.key_stdin {
        let key = standard_input()?;
        if key.is_empty() {
            return Err(Failure::usage("there is no key on standard input").hint("`kata models set … --key-stdin < key.txt`"));
        }
        Some(key)
    } else {
        None
    };
    let settings = ProviderSettings {
        id: options.id,
        kind: options.kind.into(),
        base_url: options.base_url,
        model: options.model.unwrap_or_else(|| "demo".into()),
        max_tokens: options.max_tokens,
    };
    Ok(ModelSet {
        settings,
        api_key,
        key_env: options.key_env,
        default: options.default,
    })
}
