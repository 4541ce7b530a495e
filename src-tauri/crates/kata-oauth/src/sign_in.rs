//! Sign-ins on their way: one at a time for an account, each a task that ends with tokens kept, or with a reason and a code.
//!
//! [`Begin`] says what is wanted. In the browser: the person goes to an address, and the provider's answer comes to a
//! [`Listener`]. On a device: the person types a code elsewhere, and the provider is asked at its pace. Nothing is kept of a sign-in
//! but the account; one that was on its way when the program ended is begun anew by the person.

use crate::exchange::Given;
use crate::failure::Failure;
use crate::listener::{Arrived, Listener, Said};
use crate::page::Page;
use crate::provider::Provider;
use crate::tokens::Tokens;
use kata_core::ports::{AccountError, AccountRef, Clock, Entropy};
use kata_core::tasks::Tasks;
use kata_protocol::{ErrorCode, Json, Ms, OauthAccount, OauthMethod, OauthProgress, OauthSignIn, SourceId, WireError};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A person has so long.
const TIME: Duration = Duration::from_secs(600);
/// An ended sign-in can be asked for so long, milliseconds.
const KEPT_MS: u64 = 600_000;
/// Sign-ins on their way at once.
const MOST: usize = 32;
/// What `slow_down` adds to the pace (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// The slowest a device's code is asked for.
const SLOWEST: Duration = Duration::from_secs(60);

/// What is wanted.
pub struct Begin {
    /// Whose account.
    pub account: AccountRef,
    /// Source it is shown with.
    pub source: SourceId,
    /// Where.
    pub provider: Provider,
    /// What is needed.
    pub scopes: Vec<String>,
    /// How.
    pub way: Way,
}

/// How a person signs in.
pub enum Way {
    /// In the browser; the answer comes here.
    Browser(Listener),
    /// With a code on another device.
    Device,
    /// Nobody does: the app signs in as itself, and the sign-in has ended when it has begun.
    Machine,
}

struct Entry {
    shown: OauthSignIn,
    account: AccountRef,
    ended_at: Option<Ms>,
    cancel: CancellationToken,
}

/// Told when a sign-in ended.
type Ended = Box<dyn Fn(&OauthSignIn, &AccountRef) + Send + Sync>;

/// Sign-ins on their way.
pub struct SignIns {
    tokens: Arc<Tokens>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    tasks: Tasks,
    ended: Ended,
    entries: Mutex<BTreeMap<String, Entry>>,
}

/// Why a sign-in ended without an account.
struct Stop {
    code: &'static str,
    message: String,
}

impl Stop {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    fn of(failure: Failure, name: &str) -> Self {
        match failure {
            Failure::Denied => Self::new("denied", format!("{name} says that you refused")),
            Failure::Expired | Failure::Pending | Failure::SlowDown => Self::new("expired", "the time for it is over; begin again"),
            Failure::Scope { code } => Self::new("scope", format!("{name} does not give what is needed ({code})")),
            Failure::Client { code } => Self::new(
                "refused",
                format!("{name} does not take the app's id or secret ({code}); check what you entered"),
            ),
            Failure::Unreachable { reason, .. } => Self::new("unreachable", format!("{name} does not answer: {reason}")),
            Failure::GrantGone { code } | Failure::Refused { code } => Self::new("refused", format!("{name} refused: {code}")),
        }
    }
}

impl SignIns {
    /// None on its way.
    pub fn new(tokens: Arc<Tokens>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, tasks: Tasks, ended: Ended) -> Arc<Self> {
        Arc::new(Self {
            tokens,
            clock,
            entropy,
            tasks,
            ended,
            entries: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins. One that is on its way for the same account ends as cancelled.
    ///
    /// # Errors
    /// [`ErrorCode::NeedsUser`]: the provider is not configured. [`ErrorCode::Upstream`]: it gives no code for a device.
    /// [`ErrorCode::Busy`]: too many are on their way.
    pub async fn begin(self: &Arc<Self>, begin: Begin) -> Result<OauthSignIn, WireError> {
        let Begin {
            account,
            source,
            provider,
            scopes,
            way,
        } = begin;
        provider.complete().map_err(|misfit| {
            let mut error = WireError::new(ErrorCode::NeedsUser, misfit.to_string())
                .hint(format!("`kata oauth configure {} --client-id …`, see docs/oauth.md", provider.id));
            error.details = Some(Json(serde_json::json!({ "field": misfit.field, "provider": provider.id })));
            error
        })?;
        let ask = provider.scopes_to_ask(&scopes);
        let now = self.clock.now();
        let mut shown = OauthSignIn {
            id: format!("{:016x}", self.entropy.next_u64()),
            source,
            provider: provider.name.clone(),
            scopes: ask.clone(),
            method: OauthMethod::Browser,
            url: String::new(),
            user_code: None,
            expires_at: Ms(now.0 + u64::try_from(TIME.as_millis()).unwrap_or(u64::MAX)),
            progress: OauthProgress::Waiting,
        };
        self.make_room(&account, now)?;
        let cancel = CancellationToken::new();
        let wanted = Wanted {
            account: account.clone(),
            provider,
            scopes,
            ask,
        };
        match way {
            Way::Browser(listener) => {
                let asked = self.tokens.exchange.ask(&wanted.provider, &wanted.ask, &listener.redirect());
                let asked = asked.map_err(|misfit| WireError::invalid(misfit.to_string()))?;
                shown.url = asked.url.to_string();
                self.enter(&shown, account, &cancel);
                let (this, id) = (Arc::clone(self), shown.id.clone());
                self.tasks.spawn("sign in by the browser", async move {
                    let mut browser = None;
                    let run = this.by_browser(&wanted, &listener, &asked.state, &asked.verifier, &mut browser);
                    let outcome = this.within(&cancel, TIME, run).await;
                    let page = if outcome.is_ok() { Page::Done } else { Page::Failed };
                    this.end(&id, outcome);
                    if let Some(browser) = browser {
                        browser.finish(page).await;
                    }
                });
            }
            Way::Machine => {
                self.enter(&shown, account, &cancel);
                let run = async {
                    let given = self.tokens.exchange.machine(&wanted.provider, &wanted.ask).await;
                    self.take(&wanted, given.map_err(|failure| Stop::of(failure, &wanted.provider.name))?)
                        .await
                };
                let outcome = self.within(&cancel, TIME, run).await;
                self.end(&shown.id, outcome);
                return self.get(&shown.id);
            }
            Way::Device => {
                if wanted.provider.device_url.is_none() {
                    return Err(WireError::new(
                        ErrorCode::Conflict,
                        format!("{} has no sign-in by a code on another device", wanted.provider.name),
                    )
                    .hint("sign in by the browser"));
                }
                let device = self.tokens.exchange.device(&wanted.provider, &wanted.ask).await;
                let device = device.map_err(|failure| {
                    let stop = Stop::of(failure, &wanted.provider.name);
                    WireError::new(ErrorCode::Upstream, stop.message).hint("sign in by the browser, or try again")
                })?;
                shown.method = OauthMethod::Device;
                shown.url.clone_from(&device.url);
                shown.user_code = Some(device.user_code.clone());
                let time = device.expires_in.min(TIME * 3);
                shown.expires_at = Ms(now.0 + u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
                self.enter(&shown, account, &cancel);
                let (this, id) = (Arc::clone(self), shown.id.clone());
                self.tasks.spawn("sign in by a device", async move {
                    let run = this.by_device(&wanted, &device.code, device.interval);
                    let outcome = this.within(&cancel, time, run).await;
                    this.end(&id, outcome);
                });
            }
        }
        Ok(shown)
    }

    /// How a sign-in stands.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]: there is none, or it ended long ago.
    pub fn get(&self, id: &str) -> Result<OauthSignIn, WireError> {
        let now = self.clock.now();
        let mut entries = self.lock();
        entries.retain(|_, entry| entry.ended_at.is_none_or(|at| now.0.saturating_sub(at.0) < KEPT_MS));
        let entry = entries
            .get(id)
            .ok_or_else(|| WireError::not_found("sign-in", id).hint("begin a new one"))?;
        Ok(entry.shown.clone())
    }

    /// Ends one. One that has ended stays as it ended.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]: there is none.
    pub fn cancel(&self, id: &str) -> Result<(), WireError> {
        let entries = self.lock();
        let entry = entries.get(id).ok_or_else(|| WireError::not_found("sign-in", id))?;
        entry.cancel.cancel();
        Ok(())
    }

    /// An account as clients see it; `None` where nobody has signed in.
    ///
    /// # Errors
    /// [`AccountError::Store`]: it cannot be read.
    pub async fn account(&self, source: &SourceId, account: &AccountRef) -> Result<Option<OauthAccount>, AccountError> {
        let Some(shown) = self.tokens.show(account).await? else {
            return Ok(None);
        };
        Ok(Some(OauthAccount {
            source: source.clone(),
            provider: account.provider.clone(),
            account: shown.account,
            scopes: shown.scopes,
            expires_at: shown.expires_at,
            status: shown.status,
        }))
    }

    fn make_room(&self, account: &AccountRef, now: Ms) -> Result<(), WireError> {
        let mut entries = self.lock();
        entries.retain(|_, entry| entry.ended_at.is_none_or(|at| now.0.saturating_sub(at.0) < KEPT_MS));
        let mut running = 0;
        for entry in entries.values().filter(|e| e.ended_at.is_none()) {
            if entry.account == *account {
                entry.cancel.cancel();
            } else {
                running += 1;
            }
        }
        if running >= MOST {
            return Err(WireError::new(ErrorCode::Busy, format!("{MOST} sign-ins are on their way")).hint("finish or cancel one"));
        }
        Ok(())
    }

    fn enter(&self, shown: &OauthSignIn, account: AccountRef, cancel: &CancellationToken) {
        let entry = Entry {
            shown: shown.clone(),
            account,
            ended_at: None,
            cancel: cancel.clone(),
        };
        self.lock().insert(shown.id.clone(), entry);
    }

    fn end(&self, id: &str, outcome: Result<Option<String>, Stop>) {
        let ended = {
            let mut entries = self.lock();
            let Some(entry) = entries.get_mut(id) else { return };
            entry.ended_at = Some(self.clock.now());
            entry.shown.progress = match outcome {
                Ok(account) => OauthProgress::Done { account },
                Err(stop) => OauthProgress::Failed {
                    code: stop.code.to_owned(),
                    message: stop.message,
                },
            };
            // Nobody needs it any more, and it has the state in it.
            entry.shown.url = String::new();
            entry.shown.user_code = None;
            (entry.shown.clone(), entry.account.clone())
        };
        (self.ended)(&ended.0, &ended.1);
    }

    async fn within(
        &self,
        cancel: &CancellationToken,
        time: Duration,
        run: impl Future<Output = Result<Option<String>, Stop>>,
    ) -> Result<Option<String>, Stop> {
        let stopping = self.tasks.stopping();
        tokio::select! {
            outcome = run => outcome,
            () = cancel.cancelled() => Err(Stop::new("cancelled", "the sign-in was cancelled")),
            () = stopping.cancelled() => Err(Stop::new("cancelled", "the program ended")),
            () = self.clock.sleep(time) => Err(Stop::new("expired", "nobody finished it in time; begin again")),
        }
    }

    async fn by_browser(
        &self,
        wanted: &Wanted,
        listener: &Listener,
        state: &SecretString,
        verifier: &SecretString,
        browser: &mut Option<Arrived>,
    ) -> Result<Option<String>, Stop> {
        let name = &wanted.provider.name;
        let arrived = listener.answer(state, &self.clock).await;
        let arrived = arrived.map_err(|e| Stop::new("unreachable", format!("this machine cannot take the browser's answer: {e}")))?;
        let outcome = match &arrived.said {
            Said::No { error } => Err(Stop::of(Failure::named(error), name)),
            Said::Code { issuer: Some(issuer), .. } if wanted.provider.issuer.as_ref().is_some_and(|ours| ours != issuer) => {
                // RFC 9207: somebody else's answer. Its code goes nowhere.
                Err(Stop::new("state", format!("the answer is not from {name}")))
            }
            Said::Code { code, .. } => {
                let redirect = listener.redirect();
                let given = self
                    .tokens
                    .exchange
                    .code(&wanted.provider, code.expose_secret(), verifier, &redirect);
                match given.await {
                    Ok(given) => self.take(wanted, given).await,
                    Err(failure) => Err(Stop::of(failure, name)),
                }
            }
        };
        *browser = Some(arrived);
        outcome
    }

    async fn by_device(&self, wanted: &Wanted, code: &SecretString, interval: Duration) -> Result<Option<String>, Stop> {
        let mut pace = interval.clamp(Duration::from_secs(1), SLOWEST);
        loop {
            self.clock.sleep(pace).await;
            match self.tokens.exchange.poll(&wanted.provider, code).await {
                Ok(given) => return self.take(wanted, given).await,
                Err(Failure::Pending) => {}
                Err(Failure::SlowDown) => pace = (pace + SLOWER).min(SLOWEST),
                // RFC 8628 §3.5: less often while nobody answers; the code's time ends it.
                Err(Failure::Unreachable { retry_after, .. }) => pace = (pace * 2).max(retry_after.unwrap_or_default()).min(SLOWEST),
                Err(failure) => return Err(Stop::of(failure, &wanted.provider.name)),
            }
        }
    }

    /// Keeps what was given, if it is enough.
    async fn take(&self, wanted: &Wanted, given: Given) -> Result<Option<String>, Stop> {
        let scopes = given.scopes.clone().unwrap_or_else(|| wanted.ask.clone());
        let missing = wanted.provider.missing(&wanted.scopes, &scopes);
        if !missing.is_empty() {
            let message = format!(
                "{} did not give what is needed: {}; sign in again and allow it",
                wanted.provider.name,
                missing.join(", ")
            );
            return Err(Stop::new("scope", message));
        }
        let account = self.tokens.exchange.account(&wanted.provider, &given.access).await;
        let kept = self
            .tokens
            .put(&wanted.account, wanted.provider.clone(), given, scopes, account.clone());
        kept.await.map_err(|error| Stop::new("refused", error.to_string()))?;
        Ok(account)
    }
}

/// What a sign-in is for.
struct Wanted {
    account: AccountRef,
    provider: Provider,
    scopes: Vec<String>,
    ask: Vec<String>,
}
