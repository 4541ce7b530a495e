//! `kata oauth`.

use clap::{Args, Subcommand};

/// `kata oauth`.
#[derive(Debug, Subcommand)]
pub enum Oauth {
    /// List providers people sign in at: those that come with the app, and your own.
    Providers,
    /// Say what is needed of a provider: the id of an app you registered there, or where it is.
    Configure(Configure),
    /// Forget a provider of your own, or bring one back to what came with the app. Accounts stay.
    Remove {
        /// Provider.
        id: String,
    },
    /// List accounts that are signed in. `kata sources login` adds one.
    Accounts,
}

/// `kata oauth configure`.
#[derive(Debug, Args)]
pub struct Configure {
    /// Provider (`google`, or a name of your choice: small letters, digits and dashes).
    pub id: String,
    /// The id of your app at the provider.
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Ask for the secret of your app, or read it from standard input, where other programs cannot see it.
    #[arg(long, conflicts_with = "no_secret")]
    pub secret: bool,
    /// Forget the secret.
    #[arg(long)]
    pub no_secret: bool,
    /// Name to show.
    #[arg(long)]
    pub name: Option<String>,
    /// Where the browser goes.
    #[arg(long, value_name = "URL")]
    pub authorization_url: Option<String>,
    /// Where codes become tokens.
    #[arg(long, value_name = "URL")]
    pub token_url: Option<String>,
    /// Where a code for another device comes from.
    #[arg(long, value_name = "URL")]
    pub device_url: Option<String>,
    /// Where a token is given back.
    #[arg(long, value_name = "URL")]
    pub revocation_url: Option<String>,
    /// Where the account's name is asked for.
    #[arg(long, value_name = "URL")]
    pub userinfo_url: Option<String>,
    /// A further parameter for the browser's address; all of them are replaced by those that are given.
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::assignment)]
    pub parameter: Vec<(String, String)>,
}
