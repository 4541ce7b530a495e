//! Questions that sources put to the person in the middle of a call (MCP elicitation, 2025-11-25: a flat form, or a page to
//! open). They wait here until somebody answers, the server gives up, or their time is over. The first answer counts.
//!
//! Deliberately absent: how a question is shown, and the protocol it came by.

use kata_core::ports::{Clock, Entropy};
use kata_protocol::{Elicitation, ElicitationAnswer, Json, Ms, SourceId, WireError};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a question waits.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// Questions of one source that may wait; one more is declined.
const MOST: usize = 8;
/// Longest message that is shown, characters.
const LONGEST: usize = 4_000;

/// What a source asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A form, by its JSON Schema.
    Form(Value),
    /// A page.
    Page(String),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The person agreed; with the form's contents.
    Accept(Option<Value>),
    /// The person refused.
    Decline,
    /// Nobody answered.
    Cancel,
}

struct Waiting {
    question: Elicitation,
    answer: oneshot::Sender<Answer>,
}

/// Questions that wait.
pub struct Questions {
    waiting: Mutex<BTreeMap<String, Waiting>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    changed: Arc<dyn Fn() + Send + Sync>,
}

impl Questions {
    /// None. `changed` is called after each that comes or goes.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, changed: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self {
            waiting: Mutex::default(),
            clock,
            entropy,
            changed,
        }
    }

    /// Those that wait, oldest first.
    pub fn list(&self) -> Vec<Elicitation> {
        let mut all: Vec<_> = self.lock().values().map(|w| w.question.clone()).collect();
        all.sort_by_key(|q| (q.expires_at, q.id.clone()));
        all
    }

    /// Whether a source has one.
    pub fn waits(&self, source: &SourceId) -> bool {
        self.lock().values().any(|w| w.question.source == *source)
    }

    /// Puts one to the person and waits for what comes of it. Dropping the future takes the question back.
    pub async fn ask(&self, source: &SourceId, message: &str, what: Ask) -> Answer {
        let (schema, url) = match what {
            Ask::Form(schema) => (Some(Json(schema)), None),
            Ask::Page(url) if page(&url) => (None, Some(url)),
            Ask::Page(_) => return Answer::Decline,
        };
        let (answer, answered) = oneshot::channel();
        let id = format!("q-{:08x}", self.entropy.next_u64() & 0xffff_ffff);
        {
            let mut waiting = self.lock();
            if waiting.values().filter(|w| w.question.source == *source).count() >= MOST {
                return Answer::Decline;
            }
            let question = Elicitation {
                id: id.clone(),
                source: source.clone(),
                message: message.chars().take(LONGEST).collect(),
                schema,
                url,
                expires_at: Ms(self.clock.now().0 + u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX)),
            };
            waiting.insert(id.clone(), Waiting { question, answer });
        }
        (self.changed)();
        let gone = Gone { questions: self, id };
        let answer = tokio::select! {
            answer = answered => answer.unwrap_or(Answer::Cancel),
            () = self.clock.sleep(PATIENCE) => Answer::Cancel,
        };
        drop(gone);
        answer
    }

    /// Answers one.
    ///
    /// # Errors
    /// There is none by that id, the action is none, or the form's contents do not fit; the error names the field.
    pub fn answer(&self, given: ElicitationAnswer) -> Result<(), WireError> {
        let answer = {
            let waiting = self.lock();
            let Some(known) = waiting.get(&given.id) else {
                return Err(WireError::not_found("question", &given.id).hint("it was answered already, or its time is over"));
            };
            match given.action.as_str() {
                "accept" => Answer::Accept(filled_in(&known.question, given.content.map(|c| c.0))?),
                "decline" => Answer::Decline,
                "cancel" => Answer::Cancel,
                other => return Err(WireError::invalid(format!("action: “{other}” is none of accept, decline, cancel"))),
            }
        };
        let known = self.lock().remove(&given.id);
        // Whoever asked may have gone in this very moment; the answer is then nobody's.
        let heard = known.is_some_and(|w| w.answer.send(answer).is_ok());
        (self.changed)();
        match heard {
            true => Ok(()),
            false => Err(WireError::not_found("question", &given.id).hint("it was answered already, or its time is over")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a question back when whoever asked goes.
struct Gone<'a> {
    questions: &'a Questions,
    id: String,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if self.questions.lock().remove(&self.id).is_some() {
            (self.questions.changed)();
        }
    }
}

/// Whether a person may be sent to an address.
fn page(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        url.scheme() == "https" || url.scheme() == "http" && loopback
    })
}

/// The contents of a form, with the defaults of its schema where nothing was filled in.
fn filled_in(question: &Elicitation, content: Option<Value>) -> Result<Option<Value>, WireError> {
    let Some(Json(schema)) = &question.schema else { return Ok(None) };
    let mut content = match content {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(content)) => content,
        Some(_) => return Err(WireError::invalid("content: is no object")),
    };
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if let (false, Some(default)) = (content.contains_key(name), property.get("default")) {
            content.insert(name.clone(), default.clone());
        }
    }
    let content = Value::Object(content);
    // A schema that cannot be read is the server's own business: it checks what it gets.
    if let Ok(schema) = jsonschema::validator_for(schema)
        && let Err(error) = schema.validate(&content)
    {
        let at = error.instance_path().to_string();
        let field = at.trim_start_matches('/');
        let field = if field.is_empty() {
            "content".to_owned()
        } else {
            format!("content.{field}")
        };
        return Err(WireError::invalid(format!("{field}: {error}")));
    }
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Counting, ManualClock};
    use serde_json::json;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn questions() -> (Arc<Questions>, Arc<ManualClock>, Arc<AtomicU32>) {
        let (clock, told) = (Arc::new(ManualClock::default()), Arc::new(AtomicU32::new(0)));
        let count = Arc::clone(&told);
        let changed = Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let questions = Questions::new(Arc::clone(&clock) as _, Arc::new(Counting::default()), changed);
        (Arc::new(questions), clock, told)
    }

    fn source() -> SourceId {
        SourceId::new("mcp:w:s").unwrap()
    }

    fn form() -> Ask {
        Ask::Form(json!({
            "type": "object",
            "properties": { "name": { "type": "string" }, "size": { "type": "integer", "default": 3 } },
            "required": ["name"],
        }))
    }

    async fn settle() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn an_answer_that_does_not_fit_the_form_names_its_field_and_the_question_stays() {
        let (questions, _, told) = questions();
        let id = source();
        let asked = questions.ask(&id, "Who?", form());
        let answering = async {
            settle().await;
            let question = questions.list().remove(0);
            let answer = |action: &str, content: Option<Value>| {
                questions.answer(ElicitationAnswer {
                    id: question.id.clone(),
                    action: action.into(),
                    content: content.map(Json),
                })
            };
            assert!(answer("accept", None).unwrap_err().message.contains("name"));
            assert!(
                answer("accept", Some(json!({ "name": 3 })))
                    .unwrap_err()
                    .message
                    .starts_with("content.name: ")
            );
            assert!(answer("maybe", None).unwrap_err().message.starts_with("action: "));
            assert!(questions.waits(&source()));
            answer("accept", Some(json!({ "name": "Ana" }))).unwrap();
            assert!(
                answer("decline", None).unwrap_err().message.contains(&question.id),
                "the first answer counts"
            );
        };
        let (answer, ()) = tokio::join!(asked, answering);
        assert_eq!(answer, Answer::Accept(Some(json!({ "name": "Ana", "size": 3 }))));
        assert!(questions.list().is_empty());
        assert_eq!(told.load(Ordering::Relaxed), 2, "once when it came, once when it went");
    }

    #[tokio::test]
    async fn a_question_ends_when_its_time_is_over_and_when_its_server_gives_up() {
        let (questions, clock, _) = questions();
        let id = source();
        let timed = async {
            settle().await;
            clock.advance(PATIENCE);
        };
        let (answer, ()) = tokio::join!(questions.ask(&id, "Well?", form()), timed);
        assert_eq!(answer, Answer::Cancel);
        {
            let asked = questions.ask(&id, "Well?", form());
            tokio::pin!(asked);
            assert!(futures::poll!(&mut asked).is_pending());
            assert_eq!(questions.list().len(), 1);
        }
        assert!(questions.list().is_empty(), "whoever asked is gone");
    }

    #[tokio::test]
    async fn nobody_is_sent_to_a_page_that_is_not_safe_to_open_and_a_storm_of_questions_is_declined() {
        let (questions, ..) = questions();
        let id = source();
        for url in ["javascript:alert(1)", "file:///etc/passwd", "http://evil.test/", "no address"] {
            assert_eq!(questions.ask(&id, "Go", Ask::Page(url.into())).await, Answer::Decline, "{url}");
        }
        let mut waiting: Vec<_> = (0..MOST).map(|_| Box::pin(questions.ask(&id, "More", form()))).collect();
        for asked in &mut waiting {
            assert!(futures::poll!(asked).is_pending());
        }
        assert_eq!(questions.ask(&id, "More", form()).await, Answer::Decline);
    }
}
