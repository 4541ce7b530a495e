//! Tokens that renew themselves. Answers [`Accounts`]: one renewal per account at a time, whoever asks; the new pair is kept before
//! anybody gets it; an account the provider took back is asked for by a person and by nobody else.
//!
//! A renewal is a task of its own: whoever asked may go away, and what the provider answered is kept all the same. With a provider
//! that replaces refresh tokens, an answer that was lost would be a sign-in that was lost.

use crate::exchange::{Exchange, Given};
use crate::failure::Failure;
use crate::fresh::{Age, Patience};
use crate::kept::{End, Kept};
use crate::provider::Provider;
use async_trait::async_trait;
use kata_core::ports::{AccountError, AccountRef, AccountToken, AccountVault, Accounts, Clock, Entropy};
use kata_core::tasks::Tasks;
use kata_protocol::{Ms, RunState, Status, UserAction};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{Mutex as AsyncMutex, watch};

/// A provider's word that nobody knows is taken for passing so often.
const UNKNOWN_TWICE: u32 = 4;

type Answer = Result<(), AccountError>;

/// Accounts and their tokens.
pub struct Tokens {
    /// For renewals, which outlive whoever asked.
    me: Weak<Self>,
    vault: Arc<dyn AccountVault>,
    pub(crate) exchange: Exchange,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    tasks: Tasks,
    /// Told when an account's state is another one.
    tell: Box<dyn Fn(&AccountRef) + Send + Sync>,
    lines: Mutex<HashMap<AccountRef, Arc<Line>>>,
}

/// One account. Whoever holds the lock decides; a renewal holds it only to keep what came.
#[derive(Default)]
struct Line {
    state: AsyncMutex<State>,
}

#[derive(Default)]
struct State {
    loaded: bool,
    kept: Option<Kept>,
    /// A pair that could not be kept yet: nobody gets it before, and the refresh token it replaced is used up.
    unkept: Option<Kept>,
    patience: Patience,
    /// The platform refuses the present token, and it was not renewed for it.
    spoilt: bool,
    /// Odd refusals in a row.
    odd: u32,
    /// Counts sign-ins and sign-outs: a renewal of the account before is void.
    turn: u64,
    renewing: Option<watch::Receiver<Option<Answer>>>,
}

/// How a sign-out went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider knows of it.
    GivenBack,
    /// The tokens are gone from this machine; the provider has no way to be told.
    ForgottenHere,
    /// The tokens are gone from this machine; the provider could not be told.
    NotTold,
    /// There was no account.
    Nothing,
}

/// An account as it stands, for whoever shows it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) account: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<Ms>,
    pub(crate) status: Status,
}

enum Verdict {
    Give(AccountToken),
    Refuse(AccountError),
    Renew,
}

impl Tokens {
    /// Nothing loaded yet.
    pub fn new(
        vault: Arc<dyn AccountVault>,
        exchange: Exchange,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        tasks: Tasks,
        tell: Box<dyn Fn(&AccountRef) + Send + Sync>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            vault,
            exchange,
            clock,
            entropy,
            tasks,
            tell,
            lines: Mutex::default(),
        })
    }

    fn line(&self, account: &AccountRef) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lines.entry(account.clone()).or_default())
    }

    async fn load(&self, account: &AccountRef, state: &mut State) -> Result<(), AccountError> {
        if state.loaded {
            return Ok(());
        }
        let text = self.vault.load(&account.key()).await?;
        state.kept = text.as_ref().and_then(Kept::read);
        if text.is_some() && state.kept.is_none() {
            tracing::warn!(
                account = account.key(),
                "what is kept of an account cannot be read; it has to be signed in anew"
            );
        }
        state.loaded = true;
        Ok(())
    }

    /// Keeps what a sign-in gave, in the place of what was there.
    pub(crate) async fn put(
        &self,
        account: &AccountRef,
        provider: Provider,
        given: Given,
        scopes: Vec<String>,
        name: Option<String>,
    ) -> Result<(), AccountError> {
        let line = self.line(account);
        {
            let mut state = line.state.lock().await;
            let kept = Kept {
                access: given.access,
                refresh: given.refresh,
                life: given.life,
                scopes,
                account: name,
                provider,
                ended: None,
            };
            self.save(account, &kept).await?;
            *state = State {
                loaded: true,
                kept: Some(kept),
                turn: state.turn + 1,
                ..State::default()
            };
        }
        (self.tell)(account);
        Ok(())
    }

    /// Signs out: the tokens go from this machine first, then the provider is told.
    ///
    /// # Errors
    /// [`AccountError::Store`]: they could not be removed.
    pub async fn remove(&self, account: &AccountRef) -> Result<Outcome, AccountError> {
        let line = self.line(account);
        let kept = {
            let mut state = line.state.lock().await;
            self.load(account, &mut state).await?;
            self.vault.save(&account.key(), None).await?;
            let kept = state.unkept.take().or(state.kept.take());
            *state = State {
                loaded: true,
                turn: state.turn + 1,
                ..State::default()
            };
            kept
        };
        (self.tell)(account);
        let Some(kept) = kept else { return Ok(Outcome::Nothing) };
        if kept.ended.is_some() {
            return Ok(Outcome::ForgottenHere);
        }
        // The refresh token takes the whole grant with it (RFC 7009 §2.1).
        let (token, hint) = match &kept.refresh {
            Some(refresh) => (refresh, "refresh_token"),
            None => (&kept.access, "access_token"),
        };
        Ok(match self.exchange.revoke(&kept.provider, token, hint).await {
            Ok(true) => Outcome::GivenBack,
            Ok(false) => Outcome::ForgottenHere,
            Err(error) => {
                tracing::warn!(account = account.key(), %error, "the provider could not be told of a sign-out");
                Outcome::NotTold
            }
        })
    }

    /// How an account stands; `None` where nobody has signed in. Asks the provider nothing.
    pub(crate) async fn show(&self, account: &AccountRef) -> Result<Option<Shown>, AccountError> {
        let line = self.line(account);
        let mut state = line.state.lock().await;
        self.load(account, &mut state).await?;
        let Some(kept) = &state.kept else { return Ok(None) };
        let now = self.clock.now();
        let status = match (&kept.ended, state.patience.waits(now)) {
            (Some(end), _) => Status {
                state: RunState::NeedsUser { action: action(&end.code) },
                code: end.code.clone(),
                message: end.message.clone(),
                since: end.at,
            },
            (None, Some(until)) => Status {
                state: RunState::Backoff {
                    attempt: state.patience.attempts(),
                    until,
                },
                code: "unreachable".into(),
                message: format!(
                    "{} does not answer, or its tokens are refused; it is asked again by itself.",
                    kept.provider.name
                ),
                since: now,
            },
            (None, None) => Status::plain(RunState::Running, kept.life.obtained_at),
        };
        Ok(Some(Shown {
            account: kept.account.clone(),
            scopes: kept.scopes.clone(),
            expires_at: kept.life.ends_at(),
            status,
        }))
    }

    fn decide(&self, account: &AccountRef, state: &State) -> Verdict {
        let now = self.clock.now();
        if state.unkept.is_some() {
            return Verdict::Renew;
        }
        let Some(kept) = &state.kept else {
            return Verdict::Refuse(AccountError::NeedsUser {
                code: "signed_out",
                message: format!("nobody is signed in at {}", account.provider),
            });
        };
        if let Some(end) = &kept.ended {
            return Verdict::Refuse(ended(end));
        }
        let waits = state.patience.waits(now);
        let age = kept.life.age(now, self.clock.monotonic_us());
        match (age, waits) {
            (_, Some(until)) if state.spoilt => Verdict::Refuse(self.waiting(kept, until)),
            (Age::Over, Some(until)) => Verdict::Refuse(self.waiting(kept, until)),
            (Age::Good, _) if !state.spoilt => Verdict::Give(token(kept)),
            (Age::Due, Some(_)) => Verdict::Give(token(kept)),
            // Without a refresh token it is used to its end.
            (Age::Due, None) if kept.refresh.is_none() && !kept.provider.machine && !state.spoilt => Verdict::Give(token(kept)),
            _ => Verdict::Renew,
        }
    }

    fn waiting(&self, kept: &Kept, until: Ms) -> AccountError {
        let clock = match self.exchange.clock_off_by_minutes() {
            Some(minutes) => format!("; this machine's clock and the provider's differ by {minutes} minutes"),
            None => String::new(),
        };
        AccountError::Unreachable {
            provider: kept.provider.name.clone(),
            reason: format!("it is left alone for a while after it failed{clock}"),
            retry_at: until,
        }
    }

    /// Joins the renewal that runs, or begins one.
    fn renew(&self, account: &AccountRef, line: &Arc<Line>, state: &mut State) -> watch::Receiver<Option<Answer>> {
        if let Some(running) = &state.renewing
            && running.borrow().is_none()
            && running.has_changed().is_ok()
        {
            return running.clone();
        }
        let (done, answer) = watch::channel(None);
        state.renewing = Some(answer.clone());
        let (account, line) = (account.clone(), Arc::clone(line));
        if let Some(this) = self.me.upgrade() {
            self.tasks.spawn("renew a token", async move {
                let answer = this.renewal(&account, &line).await;
                done.send_replace(Some(answer));
            });
        }
        answer
    }

    /// One renewal, from what is kept to what is kept.
    async fn renewal(&self, account: &AccountRef, line: &Line) -> Answer {
        let (turn, unkept, kept) = {
            let state = line.state.lock().await;
            (state.turn, state.unkept.clone(), state.kept.clone())
        };
        if let Some(unkept) = unkept {
            return self.keep(account, line, turn, unkept).await;
        }
        let Some(kept) = kept else { return Ok(()) };
        let given = match &kept.refresh {
            _ if kept.provider.machine => self.exchange.machine(&kept.provider, &kept.scopes).await,
            Some(refresh) => self.exchange.refresh(&kept.provider, refresh).await,
            None => {
                let message = format!("{} gives no token that can be renewed; sign in again", kept.provider.name);
                return self.end(account, line, turn, kept, "relogin", message).await;
            }
        };
        let name = kept.provider.name.clone();
        match given {
            Ok(given) => {
                let next = Kept {
                    access: given.access,
                    refresh: given.refresh.or_else(|| kept.refresh.clone()),
                    life: given.life,
                    scopes: given.scopes.unwrap_or_else(|| kept.scopes.clone()),
                    ..kept
                };
                self.keep(account, line, turn, next).await
            }
            Err(Failure::GrantGone { code }) => {
                let message = format!("{name} took the account back ({code}); sign in again");
                self.end(account, line, turn, kept, "relogin", message).await
            }
            Err(Failure::Denied | Failure::Expired) => {
                let message = format!("{name} took the account back; sign in again");
                self.end(account, line, turn, kept, "relogin", message).await
            }
            Err(Failure::Client { code }) => {
                let message = format!("{name} does not take the app's id or secret any more ({code}); check it, then sign in again");
                self.end(account, line, turn, kept, "configure", message).await
            }
            Err(Failure::Scope { code }) => {
                let message = format!("{name} does not give what is needed any more ({code}); sign in again");
                self.end(account, line, turn, kept, "scope", message).await
            }
            Err(failure) => self.passing(account, line, turn, &kept, failure).await,
        }
    }

    /// Keeps a new pair; only then does anybody get it.
    async fn keep(&self, account: &AccountRef, line: &Line, turn: u64, next: Kept) -> Answer {
        let mut state = line.state.lock().await;
        if state.turn != turn {
            // Somebody signed in or out meanwhile: this pair is of the account before.
            return Ok(());
        }
        if let Err(error) = self.save(account, &next).await {
            state.unkept = Some(next);
            return Err(error);
        }
        let recovered = state.patience.attempts() > 0;
        state.unkept = None;
        state.kept = Some(next);
        state.spoilt = false;
        state.odd = 0;
        state.patience.answered();
        drop(state);
        if recovered {
            (self.tell)(account);
        }
        Ok(())
    }

    /// The account gives no tokens any more. It is kept as ended, so that a restart asks the provider nothing either.
    async fn end(&self, account: &AccountRef, line: &Line, turn: u64, kept: Kept, code: &'static str, message: String) -> Answer {
        let end = End {
            code: code.to_owned(),
            message,
            at: self.clock.now(),
        };
        let refused = ended(&end);
        {
            let mut state = line.state.lock().await;
            if state.turn != turn {
                return Ok(());
            }
            let kept = Kept { ended: Some(end), ..kept };
            if let Err(error) = self.save(account, &kept).await {
                tracing::warn!(account = account.key(), %error, "that an account ended was not kept");
            }
            state.kept = Some(kept);
        }
        tracing::info!(account = account.key(), code, "an account waits for a person");
        (self.tell)(account);
        Err(refused)
    }

    /// Something that passes. A word that nobody knows passes a few times, and then a person has to look.
    async fn passing(&self, account: &AccountRef, line: &Line, turn: u64, kept: &Kept, failure: Failure) -> Answer {
        let retry_after = match &failure {
            Failure::Unreachable { retry_after, .. } => *retry_after,
            _ => None,
        };
        let until = {
            let mut state = line.state.lock().await;
            if state.turn != turn {
                return Ok(());
            }
            if matches!(failure, Failure::Refused { .. }) {
                state.odd += 1;
                if state.odd >= UNKNOWN_TWICE {
                    drop(state);
                    let message = format!("{} refuses to renew the sign-in ({failure}); sign in again", kept.provider.name);
                    return self.end(account, line, turn, kept.clone(), "relogin", message).await;
                }
            }
            state.patience.failed(self.clock.now(), retry_after, self.entropy.next_u64())
        };
        (self.tell)(account);
        Err(AccountError::Unreachable {
            provider: kept.provider.name.clone(),
            reason: failure.to_string(),
            retry_at: until,
        })
    }

    async fn save(&self, account: &AccountRef, kept: &Kept) -> Result<(), AccountError> {
        let text = kept.write().ok_or_else(|| AccountError::Store("it cannot be written".into()))?;
        self.vault.save(&account.key(), Some(text)).await
    }
}

#[async_trait]
impl Accounts for Tokens {
    async fn token(&self, account: &AccountRef, scopes: &[String]) -> Result<AccountToken, AccountError> {
        let line = self.line(account);
        let mut renewal = {
            let mut state = line.state.lock().await;
            self.load(account, &mut state).await?;
            match self.decide(account, &state) {
                Verdict::Give(token) => return covers(&state, token, scopes),
                Verdict::Refuse(error) => return Err(error),
                Verdict::Renew => self.renew(account, &line, &mut state),
            }
        };
        let answer = match renewal.wait_for(Option::is_some).await {
            Ok(answer) => answer.clone().unwrap_or(Ok(())),
            Err(_) => Err(AccountError::Store("the program is ending".into())),
        };
        let state = line.state.lock().await;
        match (answer, &state.kept) {
            // What came is given to all who waited, however short it lives; whoever asks next is judged anew.
            (Ok(()), Some(kept)) if kept.ended.is_none() => covers(&state, token(kept), scopes),
            // What still counts is used while the provider does not answer.
            (Err(AccountError::Unreachable { .. }), Some(kept))
                if !state.spoilt && kept.ended.is_none() && kept.life.age(self.clock.now(), self.clock.monotonic_us()) != Age::Over =>
            {
                covers(&state, token(kept), scopes)
            }
            (Err(error), _) => Err(error),
            (Ok(()), _) => match self.decide(account, &state) {
                Verdict::Refuse(error) => Err(error),
                _ => Err(AccountError::NeedsUser {
                    code: "signed_out",
                    message: format!("nobody is signed in at {}", account.provider),
                }),
            },
        }
    }

    async fn refused(&self, account: &AccountRef, access: &SecretString) -> Result<(), AccountError> {
        let line = self.line(account);
        let mut renewal = {
            let mut state = line.state.lock().await;
            self.load(account, &mut state).await?;
            let Some(kept) = &state.kept else { return Ok(()) };
            if let Some(end) = &kept.ended {
                return Err(ended(end));
            }
            // It was renewed meanwhile, or somebody has reported it already.
            if kept.access.expose_secret() != access.expose_secret() {
                return Ok(());
            }
            let (now, now_us) = (self.clock.now(), self.clock.monotonic_us());
            if let Some(until) = state.patience.waits(now) {
                let error = self.waiting(kept, until);
                state.spoilt = true;
                return Err(error);
            }
            let joins = state
                .renewing
                .as_ref()
                .is_some_and(|r| r.borrow().is_none() && r.has_changed().is_ok());
            if !joins {
                let life = kept.life;
                if let Err(until) = state.patience.refused(&life, now, now_us) {
                    state.spoilt = true;
                    let error = state.kept.as_ref().map(|kept| self.waiting(kept, until));
                    drop(state);
                    (self.tell)(account);
                    return error.map_or(Ok(()), Err);
                }
            }
            state.spoilt = true;
            self.renew(account, &line, &mut state)
        };
        match renewal.wait_for(Option::is_some).await {
            Ok(answer) => answer.clone().unwrap_or(Ok(())),
            Err(_) => Err(AccountError::Store("the program is ending".into())),
        }
    }
}

fn token(kept: &Kept) -> AccountToken {
    AccountToken {
        access: kept.access.clone(),
        expires_at: kept.life.ends_at(),
        scopes: kept.scopes.clone(),
        account: kept.account.clone(),
    }
}

/// A token without what is needed would be refused by the platform for ever.
fn covers(state: &State, token: AccountToken, scopes: &[String]) -> Result<AccountToken, AccountError> {
    let missing = state
        .kept
        .as_ref()
        .map(|kept| kept.provider.missing(scopes, &token.scopes))
        .unwrap_or_default();
    if missing.is_empty() {
        return Ok(token);
    }
    Err(AccountError::NeedsUser {
        code: "scope",
        message: format!(
            "the sign-in does not have what is needed: {}; sign in again and allow it",
            missing.join(", ")
        ),
    })
}

fn ended(end: &End) -> AccountError {
    AccountError::NeedsUser {
        code: match end.code.as_str() {
            "scope" => "scope",
            "configure" => "configure",
            _ => "relogin",
        },
        message: end.message.clone(),
    }
}

/// What a person does about it.
fn action(code: &str) -> UserAction {
    match code {
        "configure" => UserAction::Configure { field: "clientId".into() },
        _ => UserAction::Relogin,
    }
}
