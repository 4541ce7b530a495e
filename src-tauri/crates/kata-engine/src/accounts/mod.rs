//! Accounts of providers: who needs one, signing in and out, and what follows for the sources that work with it.
//!
//! [`providers`] has where people sign in, [`vault`] keeps accounts among the secrets, [`browser`] opens pages. kata-oauth does the
//! rest. Deliberately absent: what an MCP server says of its own sign-in; that comes by [`SignInPlaces`].

mod browser;
mod providers;
mod vault;

pub use browser::{Browser, NoBrowser};

use crate::Secrets;
use crate::engine::{Inner, locked};
use crate::settings::SettingsFile;
use kata_core::ports::{AccountOwner, AccountRef, Accounts, Clock, Entropy, SignInPlaces};
use kata_core::tasks::Tasks;
use kata_oauth::{Begin, Exchange, Listener, Outcome, Provider, SignIns, Tokens, Way};
use kata_plugins::sign_in_at;
use kata_protocol::{
    Empty, ErrorCode, Fact, Notice, OauthAccount, OauthBegin, OauthMethod, OauthOpen, OauthProgress, OauthSignIn, OauthSignInRef, RunState,
    SourceDetail, SourceId, SourceRef, SourceSummary, WireError,
};
use std::sync::{Arc, OnceLock, Weak};
use vault::Vault;

/// Accounts of this home.
pub(crate) struct AccountDesk {
    pub(crate) tokens: Arc<Tokens>,
    sign_ins: Arc<SignIns>,
    settings: Arc<SettingsFile>,
    secrets: Arc<Secrets>,
    /// Sources that know by themselves where they sign in.
    pub(crate) places: OnceLock<Arc<dyn SignInPlaces>>,
    /// Opens pages; set once the program says how.
    pub(crate) browser: OnceLock<Arc<dyn Browser>>,
    engine: Arc<OnceLock<Weak<Inner>>>,
}

/// What a source signs in with.
struct Need {
    account: AccountRef,
    provider: Provider,
    scopes: Vec<String>,
}

impl AccountDesk {
    /// Nobody asked yet.
    pub(crate) fn new(
        settings: Arc<SettingsFile>,
        secrets: Arc<Secrets>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        tasks: Tasks,
    ) -> Self {
        let engine: Arc<OnceLock<Weak<Inner>>> = Arc::default();
        let exchange = Exchange::new(Arc::clone(&clock));
        let changed = {
            let engine = Arc::clone(&engine);
            Box::new(move |account: &AccountRef| {
                if let Some(inner) = engine.get().and_then(Weak::upgrade) {
                    let account = account.clone();
                    inner
                        .tasks
                        .clone()
                        .spawn("tell of an account", async move { inner.account_changed(&account).await });
                }
            })
        };
        let tokens = Tokens::new(
            Arc::new(Vault(Arc::clone(&secrets))),
            exchange,
            Arc::clone(&clock),
            Arc::clone(&entropy),
            tasks.clone(),
            changed,
        );
        let ended = {
            let engine = Arc::clone(&engine);
            Box::new(move |sign_in: &OauthSignIn, account: &AccountRef| {
                if let Some(inner) = engine.get().and_then(Weak::upgrade) {
                    let (sign_in, account) = (sign_in.clone(), account.clone());
                    inner.tasks.clone().spawn("after a sign-in", async move {
                        if matches!(sign_in.progress, OauthProgress::Done { .. }) {
                            inner.start_anew(&account).await;
                        }
                        inner.events.publish(Fact::OauthEnded {
                            id: sign_in.id,
                            source: sign_in.source,
                        });
                    });
                }
            })
        };
        let sign_ins = SignIns::new(Arc::clone(&tokens), clock, entropy, tasks, ended);
        Self {
            tokens,
            sign_ins,
            settings,
            secrets,
            places: OnceLock::new(),
            browser: OnceLock::new(),
            engine,
        }
    }

    /// Joins the desk to the engine it stands in.
    pub(crate) fn join(&self, inner: &Arc<Inner>) {
        let _ = self.engine.set(Arc::downgrade(inner));
    }

    /// Tokens, for sources that no plugin brings.
    pub(crate) fn accounts(&self) -> Arc<dyn Accounts> {
        Arc::clone(&self.tokens) as _
    }

    /// The account of a source that no plugin brings.
    fn account_of_place(&self, source: &SourceId) -> Option<AccountRef> {
        self.places.get()?.account_of(source)
    }
}

impl Inner {
    /// Accounts a source may sign in with, in the order its manifest names the providers, with the scopes each needs.
    fn accounts_of(&self, source: &SourceSummary) -> Vec<(AccountRef, Vec<String>)> {
        let Some(plugin) = &source.plugin else {
            return self
                .accounts
                .account_of_place(&source.id)
                .map(|account| (account, Vec::new()))
                .into_iter()
                .collect();
        };
        let mut all: Vec<(AccountRef, Vec<String>)> = Vec::new();
        for capability in self.plugins.granted_capabilities(plugin) {
            let Some((provider, scopes)) = sign_in_at(&capability) else {
                continue;
            };
            let account = AccountRef::of_plugin(plugin, provider);
            match all.iter_mut().find(|(known, _)| *known == account) {
                Some((_, known)) => known.extend(scopes),
                None => all.push((account, scopes)),
            }
        }
        all
    }

    /// The account that is shown with a source: of several the first that is missing or waits for a person, else the first.
    async fn account_shown(&self, source: &SourceSummary) -> Result<Option<(AccountRef, Option<OauthAccount>)>, WireError> {
        let mut first = None;
        for (account, _) in self.accounts_of(source) {
            let shown = self.accounts.sign_ins.account(&source.id, &account).await?;
            let good = shown
                .as_ref()
                .is_some_and(|a| !matches!(a.status.state, RunState::NeedsUser { .. }));
            if !good {
                return Ok(Some((account, shown)));
            }
            first.get_or_insert((account, shown));
        }
        Ok(first)
    }

    /// Adds a source's account to what is shown of it.
    pub(crate) async fn with_account(&self, mut detail: SourceDetail) -> Result<SourceDetail, WireError> {
        if let Some((account, shown)) = self.account_shown(&detail.summary).await? {
            let name = self.accounts.provider_name(&account.provider);
            detail.signs_in_at = Some(name.unwrap_or(account.provider));
            detail.account = shown;
        }
        Ok(detail)
    }

    async fn need(&self, source: &SourceSummary, redirect: Option<&str>) -> Result<Need, WireError> {
        if source.plugin.is_none() {
            let place = match self.accounts.places.get() {
                Some(places) => places.place(&source.id, redirect).await?,
                None => None,
            };
            if let Some(place) = place {
                return Ok(providers::of_place(place));
            }
            // An API's file names the provider and what it needs there.
            let account = self.accounts.account_of_place(&source.id).ok_or_else(|| needs_nobody(source))?;
            return Ok(Need {
                provider: self.accounts.provider(&account.provider).await?,
                scopes: self.sources.running.scopes(&source.id),
                account,
            });
        }
        self.plugins.trusted(source)?;
        let (account, _) = self.account_shown(source).await?.ok_or_else(|| needs_nobody(source))?;
        let scopes = self.accounts_of(source).into_iter().find(|(known, _)| *known == account);
        let provider = self.accounts.provider(&account.provider).await?;
        Ok(Need {
            provider,
            scopes: scopes.map(|(_, scopes)| scopes).unwrap_or_default(),
            account,
        })
    }

    /// `oauth.begin`
    pub(crate) async fn begin_sign_in(&self, params: OauthBegin) -> Result<OauthSignIn, WireError> {
        self.plugins.looked().await;
        let (source, _) = self.board.get(&params.source)?;
        let method = params.method.unwrap_or_default();
        let listener = match method {
            OauthMethod::Device => None,
            OauthMethod::Browser => Some(Listener::open(false).await.map_err(|e| {
                WireError::internal(format!("no port of this machine is free for the browser's answer: {e}"))
                    .hint("or sign in with `--device`")
            })?),
        };
        let redirect = listener.as_ref().map(Listener::redirect);
        let need = self.need(&source, redirect.as_deref()).await?;
        let way = match listener {
            _ if need.provider.machine => Way::Machine,
            Some(listener) => Way::Browser(listener.named(need.provider.by_name)),
            None => Way::Device,
        };
        let begun = self.accounts.sign_ins.begin(Begin {
            account: need.account,
            source: source.id,
            provider: need.provider,
            scopes: need.scopes,
            way,
        });
        let begun = begun.await?;
        let (hooks, told) = (Arc::clone(&self.hooks), begun.clone());
        self.tasks.spawn("oauth_open hooks", async move {
            let event = OauthOpen {
                provider: told.provider,
                scopes: told.scopes,
            };
            hooks.observe(event, None).await;
        });
        if method == OauthMethod::Browser
            && params.open != Some(false)
            && !begun.url.is_empty()
            && let Some(browser) = self.accounts.browser.get()
            && let Err(error) = browser.open(&begun.url)
        {
            // The person has the address all the same.
            tracing::info!(%error, "the browser was not opened");
        }
        Ok(begun)
    }

    /// `oauth.get`
    pub(crate) fn sign_in(&self, params: &OauthSignInRef) -> Result<OauthSignIn, WireError> {
        self.accounts.sign_ins.get(&params.id)
    }

    /// `oauth.cancel`
    pub(crate) fn cancel_sign_in(&self, params: &OauthSignInRef) -> Result<Empty, WireError> {
        self.accounts.sign_ins.cancel(&params.id)?;
        Ok(Empty {})
    }

    /// `oauth.accounts`: each account once, with the first source it serves.
    pub(crate) async fn list_accounts(&self) -> Result<Vec<OauthAccount>, WireError> {
        self.plugins.looked().await;
        let mut seen = std::collections::BTreeSet::new();
        let mut all = Vec::new();
        for source in self.board.list() {
            for (account, _) in self.accounts_of(&source) {
                if seen.insert(account.clone()) {
                    all.extend(self.accounts.sign_ins.account(&source.id, &account).await?);
                }
            }
        }
        Ok(all)
    }

    /// `oauth.revoke`: the tokens go from this machine in any case.
    pub(crate) async fn sign_out(&self, params: SourceRef) -> Result<SourceSummary, WireError> {
        self.plugins.looked().await;
        let (source, _) = self.board.get(&params.id)?;
        if self.accounts_of(&source).is_empty() {
            return Err(needs_nobody(&source));
        }
        self.forget_accounts(&source).await?;
        Ok(self.board.get(&params.id)?.0)
    }

    /// Signs a source out wherever it is signed in.
    pub(crate) async fn forget_accounts(&self, source: &SourceSummary) -> Result<(), WireError> {
        for (account, _) in self.accounts_of(source) {
            let outcome = self.accounts.tokens.remove(&account).await?;
            if outcome == Outcome::NotTold {
                let name = self
                    .accounts
                    .provider_name(&account.provider)
                    .unwrap_or_else(|| account.provider.clone());
                let id = format!("sign-out-not-told-{}", account.key());
                let mut notices = locked(&self.notices);
                notices.retain(|n| n.id != id);
                notices.push(Notice {
                    id,
                    at: self.clock.now(),
                    message: format!("“{}” is signed out here, but {name} could not be told.", source.name),
                    hint: Some(format!(
                        "Take the app's access away on {name}'s own page of connected apps, to be sure."
                    )),
                });
            }
            if outcome != Outcome::Nothing {
                self.start_anew(&account).await;
            }
        }
        Ok(())
    }

    /// Sources that work with an account.
    fn sources_of(&self, account: &AccountRef) -> Vec<SourceSummary> {
        let all = self.board.list().into_iter();
        all.filter(|source| match &account.owner {
            AccountOwner::Plugin(plugin) => source.plugin.as_ref() == Some(plugin),
            AccountOwner::Source(id) => source.id == *id,
        })
        .collect()
    }

    /// An account's state is another one: what cannot go on without a person shows it, whatever it does meanwhile.
    async fn account_changed(&self, account: &AccountRef) {
        for source in self.sources_of(account) {
            let status = match self.accounts.sign_ins.account(&source.id, account).await {
                Ok(Some(shown)) => shown.status,
                _ => continue,
            };
            if source.enabled && matches!(status.state, RunState::NeedsUser { .. }) {
                self.board.status(&source.id, status);
            }
            // Clients ask for the account again.
            if let Ok((source, _)) = self.board.get(&source.id) {
                self.events.publish(Fact::SourceChanged { source });
            }
        }
    }

    /// Somebody signed in or out: whatever works with the account begins anew.
    async fn start_anew(&self, account: &AccountRef) {
        for source in self.sources_of(account) {
            if source.plugin.is_none() {
                if let Some(places) = self.accounts.places.get() {
                    places.changed(&source.id).await;
                }
            } else if source.enabled
                && let Err(error) = self.plugins.restart_source(&source).await
            {
                tracing::warn!(source = %source.id, %error, "a source did not start after a sign-in");
            }
            if let Ok((source, _)) = self.board.get(&source.id) {
                self.events.publish(Fact::SourceChanged { source });
            }
        }
    }
}

fn needs_nobody(source: &SourceSummary) -> WireError {
    WireError::new(ErrorCode::Conflict, format!("“{}” signs in nowhere", source.name))
        .hint("a plugin asks for it by the capability oauth:PROVIDER:SCOPES; `kata sources show ID` says what a source needs")
}
