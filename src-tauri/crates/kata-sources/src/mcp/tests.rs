//! A server over a duplex stream that says what a test tells it to: what comes of a call, a silence, a death, a change.

use super::*;
use crate::testing::{Counting, ManualClock, Tokens};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf, duplex, split};

/// The server's end of the stream.
struct Fake {
    read: BufReader<ReadHalf<DuplexStream>>,
    write: WriteHalf<DuplexStream>,
}

impl Fake {
    /// The next message; `None` when the client is gone.
    async fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.read.read_line(&mut line).await {
            Ok(0) | Err(_) => None,
            Ok(_) => serde_json::from_str(&line).ok(),
        }
    }

    /// The next message of a method, others left aside.
    async fn next_of(&mut self, method: &str) -> Value {
        loop {
            let message = self.next().await.expect("the client is gone");
            if message["method"] == method {
                return message;
            }
        }
    }

    async fn say(&mut self, message: Value) {
        let line = format!("{message}\n");
        self.write.write_all(line.as_bytes()).await.unwrap();
    }

    async fn answer(&mut self, to: &Value, result: Value) {
        self.say(json!({ "jsonrpc": "2.0", "id": to["id"], "result": result })).await;
    }

    async fn welcome(&mut self) {
        let hello = self.next_of("initialize").await;
        let result = json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": { "listChanged": true } },
            "serverInfo": { "name": "fake", "version": "1" } });
        self.answer(&hello, result).await;
        self.next_of("notifications/initialized").await;
    }
}

struct Scene {
    server: Server,
    fake: Fake,
    clock: Arc<ManualClock>,
    questions: Arc<Questions>,
}

fn making(clock: &Arc<ManualClock>, questions: &Arc<Questions>) -> Making {
    Making {
        source: SourceId::new("mcp:w:demo").unwrap(),
        slug: "demo".into(),
        name: "Demo".into(),
        folder: "/".into(),
        http: reqwest::Client::new(),
        questions: Arc::clone(questions),
        lines: Arc::new(Lines::new(Arc::clone(clock) as _)),
        tasks: Tasks::default(),
        accounts: Arc::new(Tokens::default()),
        account: None,
        token: None,
        clock: Arc::clone(clock) as _,
        challenges: Challenges::default(),
    }
}

async fn scene() -> Scene {
    let clock = Arc::new(ManualClock::default());
    let questions = Questions::new(Arc::clone(&clock) as _, Arc::new(Counting::default()), Arc::new(|| {}));
    let questions = Arc::new(questions);
    let (ours, theirs) = duplex(64 * 1024);
    let (read, write) = split(theirs);
    let mut fake = Fake {
        read: BufReader::new(read),
        write,
    };
    let making = making(&clock, &questions);
    let (server, ()) = tokio::join!(Server::over(split(ours), ClientLifecycleMode::Initialize, &making), fake.welcome());
    Scene {
        server: server.unwrap(),
        fake,
        clock,
        questions,
    }
}

#[tokio::test]
async fn tools_have_names_that_every_model_takes_and_none_passes_for_an_apis() {
    let Scene { server, mut fake, .. } = scene().await;
    let long = "x".repeat(90);
    let listing = async {
        let asked = fake.next_of("tools/list").await;
        let tool = |name: &str| json!({ "name": name, "description": "d", "inputSchema": { "type": "object" } });
        let first = json!({ "tools": [tool("a.b/c"), tool("a_b_c"), tool("api_demo")], "nextCursor": "2" });
        fake.answer(&asked, first).await;
        let asked = fake.next_of("tools/list").await;
        assert_eq!(asked["params"]["cursor"], "2");
        let mut reads = tool(&long);
        reads["annotations"] = json!({ "readOnlyHint": true });
        fake.answer(&asked, json!({ "tools": [reads] })).await;
    };
    let (tools, ()) = tokio::join!(server.tools(), listing);
    let tools = tools.unwrap();
    let names: Vec<_> = tools.iter().map(|t| t.info.name.as_str()).collect();
    assert_eq!(names[..2], ["mcp__demo__a_b_c", "mcp__demo__a_b_c_2"]);
    assert!(
        names.len() == 3 && names[2].len() == NAME && names[2].starts_with("mcp__demo__xxx"),
        "{names:?}"
    );
    assert_eq!(
        tools.iter().map(|t| t.server.as_str()).collect::<Vec<_>>(),
        ["a.b/c", "a_b_c", &long]
    );
    assert_eq!(tools.iter().map(|t| t.info.read_only).collect::<Vec<_>>(), [false, false, true]);
}

#[tokio::test]
async fn what_comes_of_a_call_is_told_whether_the_server_answers_with_a_result_or_with_an_error() {
    let Scene { server, mut fake, .. } = scene().await;
    let cancel = CancellationToken::new();
    let params = json!({ "text": "hi" });
    for (reply, text, failed) in [
        (json!({ "result": { "content": [{ "type": "text", "text": "hi" }] } }), "hi", false),
        (
            json!({ "result": { "content": [{ "type": "text", "text": "no such tool" }], "isError": true } }),
            "no such tool",
            true,
        ),
        (
            json!({ "error": { "code": -32602, "message": "Unknown tool" } }),
            "The server refused the call: Unknown tool (code -32602)",
            true,
        ),
    ] {
        let serving = async {
            let asked = fake.next_of("tools/call").await;
            assert_eq!(asked["params"]["arguments"], params);
            let mut reply = reply.clone();
            reply["jsonrpc"] = json!("2.0");
            reply["id"] = asked["id"].clone();
            fake.say(reply).await;
        };
        let ((outcome, trouble), ()) = tokio::join!(server.call("echo", &params, &cancel), serving);
        assert_eq!((outcome.text.as_str(), outcome.is_error, trouble), (text, failed, None));
    }
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_of_a_call_fails_it_at_once() {
    let Scene { server, mut fake, .. } = scene().await;
    let cancel = CancellationToken::new();
    let dying = async move {
        fake.next_of("tools/call").await;
        drop(fake);
    };
    let params = json!({});
    let ((outcome, _), ()) = tokio::join!(server.call("slow", &params, &cancel), dying);
    assert!(outcome.is_error);
    assert_eq!(
        outcome.text,
        "The server of “Demo” closed the connection in the middle of the call. It is being started again."
    );
    assert_eq!(server.gone().await.code, "ended");
}

#[tokio::test]
async fn a_call_that_is_stopped_or_given_up_is_cancelled_at_the_server_and_progress_keeps_it_alive() {
    let Scene {
        server, mut fake, clock, ..
    } = scene().await;
    let params = json!({});
    let cancel = CancellationToken::new();
    let stopping = async {
        let asked = fake.next_of("tools/call").await;
        cancel.cancel();
        let told = fake.next_of("notifications/cancelled").await;
        assert_eq!(told["params"]["requestId"], asked["id"]);
    };
    let ((outcome, _), ()) = tokio::join!(server.call("slow", &params, &cancel), stopping);
    assert_eq!(outcome.text, "The call was stopped.");

    let cancel = CancellationToken::new();
    let mut shared = server.shared.progress.subscribe();
    let waiting = async {
        let asked = fake.next_of("tools/call").await;
        let token = asked["params"]["_meta"]["progressToken"].clone();
        for step in 1..4 {
            clock.advance(CALL_SILENT - Duration::from_secs(1));
            let params = json!({ "progressToken": token, "progress": step, "total": 10 });
            fake.say(json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params }))
                .await;
            shared.changed().await.unwrap();
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        clock.advance(CALL_SILENT);
        fake.next_of("notifications/cancelled").await;
    };
    let ((outcome, _), ()) = tokio::join!(server.call("slow", &params, &cancel), waiting);
    assert_eq!(outcome.text, "“Demo” did not answer in time; the call was given up.");
    assert_eq!(server.shared.lines.newest().len(), 3, "each step is on the source's page");
}

#[tokio::test]
async fn a_question_in_the_middle_of_a_call_is_put_to_the_person_and_no_time_runs_out_meanwhile() {
    let Scene {
        server,
        mut fake,
        clock,
        questions,
    } = scene().await;
    let (params, cancel) = (json!({}), CancellationToken::new());
    let asking = async {
        let call = fake.next_of("tools/call").await;
        let schema = json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] });
        let params = json!({ "mode": "form", "message": "Who are you?", "requestedSchema": schema });
        fake.say(json!({ "jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": params }))
            .await;
        while questions.list().is_empty() {
            tokio::task::yield_now().await;
        }
        clock.advance(CALL_SILENT + Duration::from_secs(1));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let question = questions.list().remove(0);
        assert_eq!(question.message, "Who are you?");
        let answer = kata_protocol::ElicitationAnswer {
            id: question.id,
            action: "accept".into(),
            content: Some(Json(json!({ "name": "Ana" }))),
        };
        questions.answer(answer).unwrap();
        let answered = fake.next().await.unwrap();
        assert_eq!(answered["result"], json!({ "action": "accept", "content": { "name": "Ana" } }));
        fake.answer(&call, json!({ "content": [{ "type": "text", "text": "Hello Ana" }] }))
            .await;
    };
    let ((outcome, _), ()) = tokio::join!(server.call("ask", &params, &cancel), asking);
    assert_eq!(outcome.text, "Hello Ana");
}

#[tokio::test]
async fn a_call_that_needs_a_page_first_is_made_again_when_the_person_has_been_there() {
    let Scene {
        server,
        mut fake,
        questions,
        ..
    } = scene().await;
    let (params, cancel) = (json!({}), CancellationToken::new());
    let visiting = async {
        let call = fake.next_of("tools/call").await;
        let page = json!({ "mode": "url", "message": "Link your account", "url": "https://x.test/link", "elicitationId": "e1" });
        let error = json!({ "code": URL_FIRST, "message": "first", "data": { "elicitations": [page] } });
        fake.say(json!({ "jsonrpc": "2.0", "id": call["id"], "error": error })).await;
        while questions.list().is_empty() {
            tokio::task::yield_now().await;
        }
        let question = questions.list().remove(0);
        assert_eq!(question.url.as_deref(), Some("https://x.test/link"));
        let answer = kata_protocol::ElicitationAnswer {
            id: question.id,
            action: "accept".into(),
            content: None,
        };
        questions.answer(answer).unwrap();
        let again = fake.next_of("tools/call").await;
        fake.answer(&again, json!({ "content": [{ "type": "text", "text": "linked" }] }))
            .await;
    };
    let ((outcome, _), ()) = tokio::join!(server.call("ask", &params, &cancel), visiting);
    assert_eq!(outcome.text, "linked");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_after_its_time() {
    let clock = Arc::new(ManualClock::default());
    let questions = Questions::new(Arc::clone(&clock) as _, Arc::new(Counting::default()), Arc::new(|| {}));
    let making = making(&clock, &Arc::new(questions));
    let env = BTreeMap::new();
    let args = ["-c".to_owned(), "echo no luck >&2; sleep 1000".to_owned()];
    let connecting = Server::start("sh", &args, &env, making.clone());
    let passing = async {
        // Its complaint has come, so it has begun; then its time passes.
        while making.lines.newest().is_empty() {
            tokio::task::yield_now().await;
        }
        clock.advance(PROGRAM_ANSWERS);
    };
    let (connected, ()) = tokio::join!(connecting, passing);
    let Err(trouble) = connected else { panic!("it said nothing") };
    assert_eq!((trouble.code, trouble.next), ("silent", Next::Again));
    assert_eq!(trouble.message, "The server did not answer within 60 s. It said: no luck");
}

#[tokio::test]
async fn a_program_that_is_not_there_or_ends_at_once_says_so_with_its_last_words() {
    let clock = Arc::new(ManualClock::default());
    let questions = Questions::new(Arc::clone(&clock) as _, Arc::new(Counting::default()), Arc::new(|| {}));
    let making = making(&clock, &Arc::new(questions));
    let env = BTreeMap::new();
    let Err(trouble) = Server::start("no-such-program-here", &[], &env, making.clone()).await else {
        panic!("there is no such program")
    };
    assert_eq!((trouble.code, trouble.next), ("no_command", Next::Stay));
    let args = ["-c".to_owned(), "echo cannot read the key >&2; exit 3".to_owned()];
    let Err(trouble) = Server::start("sh", &args, &env, making).await else {
        panic!("it ends at once")
    };
    assert_eq!(trouble.code, "ended");
    assert!(
        trouble.message.starts_with("The server ended with code 3 before it answered."),
        "{}",
        trouble.message
    );
}

/// How a server in the network takes the newest protocol's first question.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Discover {
    /// With a result that is none.
    Nonsense,
    /// Not at all.
    Silence,
    /// With an answer that begins and does not go on.
    Half,
}

/// A server of before 2026 in the network, and the methods it was asked.
async fn old_server(discover: Discover) -> (url::Url, watch::Receiver<Vec<String>>) {
    use axum::response::IntoResponse;
    let (asked, seen) = watch::channel(Vec::new());
    let answer = move |axum::Json(message): axum::Json<Value>| async move {
        let method = message["method"].as_str().unwrap_or_default().to_owned();
        asked.send_modify(|all: &mut Vec<String>| all.push(method.clone()));
        let result = match (method.as_str(), discover) {
            ("initialize", _) => {
                json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": { "name": "old", "version": "1" } })
            }
            ("server/discover", Discover::Silence) => std::future::pending().await,
            ("server/discover", Discover::Half) => {
                let never = axum::body::Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
                return ([("content-type", "text/event-stream")], never).into_response();
            }
            _ => json!({}),
        };
        match message.get("id") {
            Some(id) => axum::Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response(),
            None => axum::http::StatusCode::ACCEPTED.into_response(),
        }
    };
    let router = axum::Router::new().route("/mcp", axum::routing::post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url::Url::parse(&format!("http://{}/mcp", listener.local_addr().unwrap())).unwrap();
    Tasks::default().spawn("server", async move { axum::serve(listener, router).await.unwrap() });
    (url, seen)
}

#[tokio::test]
async fn a_server_in_the_network_that_does_not_know_the_newest_protocols_question_is_asked_as_before_however_it_takes_it() {
    for discover in [Discover::Nonsense, Discover::Silence, Discover::Half] {
        let (url, mut asked) = old_server(discover).await;
        let clock = Arc::new(ManualClock::default());
        let questions = Questions::new(Arc::clone(&clock) as _, Arc::new(Counting::default()), Arc::new(|| {}));
        let making = making(&clock, &Arc::new(questions));
        let config = Mcp::Remote {
            url,
            sse: false,
            auth: McpAuth::None,
            headers: BTreeMap::new(),
        };
        let passing = async {
            asked.wait_for(|all| !all.is_empty()).await.unwrap();
            if discover != Discover::Nonsense {
                clock.advance(NEWEST_ANSWERS);
            }
        };
        let (connected, ()) = tokio::join!(Server::connect(&config, making), passing);
        assert_eq!(connected.err(), None, "{discover:?}");
        let asked: Vec<_> = asked.borrow().iter().take(2).cloned().collect();
        assert_eq!(asked, ["server/discover", "initialize"], "{discover:?}");
    }
}
