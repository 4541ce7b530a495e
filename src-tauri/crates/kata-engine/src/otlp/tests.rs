//! The export against a collector on this machine that answers as it is told.

use super::*;
use async_trait::async_trait;
use kata_protocol::Ms;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A clock whose waits are over at once, and written down.
#[derive(Default)]
struct Quick(Mutex<Vec<Duration>>);

#[async_trait]
impl Clock for Quick {
    fn now(&self) -> Ms {
        Ms(0)
    }
    fn monotonic_us(&self) -> u64 {
        0
    }
    async fn sleep(&self, duration: Duration) {
        if duration == LINGER {
            // Company comes at once or not at all.
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            return;
        }
        locked(&self.0).push(duration);
    }
}

fn trace(id: &str, steps: usize) -> Trace {
    let step =
        json!({"gate": "model", "label": "m", "plugin": null, "startUs": 0, "durationUs": 1, "outcome": "ok", "note": null, "diff": null});
    serde_json::from_value(json!({"id": id, "startedAt": 1, "origin": "cli", "session": null, "done": true, "steps": vec![step; steps]}))
        .unwrap()
}

/// Gives these answers, one a request, and hands on what was posted.
async fn collector_with(answers: Vec<&'static str>) -> (Url, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = collector(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let (told, posted) = mpsc::channel(16);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut text, mut part) = (Vec::new(), [0; 4096]);
            let body = loop {
                let n = stream.read(&mut part).await.unwrap();
                text.extend_from_slice(&part[..n]);
                let all = String::from_utf8_lossy(&text).into_owned();
                if let Some((_, body)) = all.split_once("\r\n\r\n")
                    && let Ok(body) = serde_json::from_str::<Value>(body)
                {
                    break (all.lines().next().unwrap().to_owned(), body);
                }
            };
            let reply = format!("HTTP/1.1 {answer}");
            stream.write_all(reply.as_bytes()).await.unwrap();
            told.send(body).await.unwrap();
        }
    });
    (url, posted)
}

const TAKEN: &str = "200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
const LATER: &str = "429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const BUSY: &str = "503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const WRONG: &str = "404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const PARTLY: &str = "200 OK\r\ncontent-length: 69\r\nconnection: close\r\n\r\n{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":\"out of luck\"}}";

/// Runs an exporter over some traces until everything is said of them.
async fn export(answers: Vec<&'static str>, traces: &[Trace]) -> (Standing, Vec<Duration>, Vec<(String, Value)>) {
    let (url, mut posted) = collector_with(answers).await;
    let (exporter, clock, stopping) = (Arc::new(Exporter::new()), Arc::new(Quick::default()), CancellationToken::new());
    exporter.to(Some(url));
    traces.iter().for_each(|trace| exporter.offer(trace));
    let work = tokio::spawn(Arc::clone(&exporter).run(clock.clone(), stopping.clone()));
    let mut all = Vec::new();
    while let Some(one) = posted.recv().await {
        all.push(one);
    }
    stopping.cancel();
    work.await.unwrap();
    let waits = locked(&clock.0).clone();
    (exporter.standing(), waits, all)
}

fn spans(posted: &Value) -> usize {
    posted["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_collector_that_is_busy_is_asked_again_when_it_says_and_slower_each_time() {
    let (standing, waits, posted) = export(vec![LATER, BUSY, BUSY, TAKEN], &[trace("a", 1), trace("b", 2)]).await;
    assert_eq!((standing.exported, standing.failed, standing.error), (2, 0, None));
    assert_eq!(waits, [7, 4, 8].map(Duration::from_secs));
    assert_eq!(posted[0].0, "POST /v1/traces HTTP/1.1");
    assert!(posted.iter().all(|(_, body)| spans(body) == 5), "both traces, each time");
}

#[tokio::test]
async fn what_a_collector_will_never_take_is_counted_with_the_reason_and_not_tried_again() {
    let (standing, waits, _) = export(vec![WRONG], &[trace("a", 1)]).await;
    assert_eq!((standing.exported, standing.failed, waits.len()), (0, 1, 0));
    assert!(standing.error.unwrap().contains("404"));
    let (standing, _, _) = export(vec![PARTLY], &[trace("a", 1)]).await;
    assert_eq!(standing.failed, 1);
    assert!(standing.error.unwrap().contains("2 spans: out of luck"));
    let (standing, waits, _) = export(vec![BUSY; 5], &[trace("a", 1)]).await;
    assert_eq!((standing.failed, waits.len()), (1, 4), "five times and no more");
}

#[tokio::test]
async fn a_trace_that_comes_again_with_a_step_more_is_one_trace() {
    let (standing, _, posted) = export(vec![TAKEN], &[trace("a", 1), trace("b", 1), trace("a", 3)]).await;
    assert_eq!((standing.exported, posted.len(), spans(&posted[0].1)), (2, 1, 6));
}

#[tokio::test]
async fn more_than_the_queue_holds_is_lost_with_a_count_and_nobody_waits() {
    let exporter = Exporter::new();
    exporter.offer(&trace("nowhere", 1));
    assert_eq!(exporter.standing().failed, 0, "without a collector nothing is lost");
    exporter.to(Some(collector("http://127.0.0.1:9").unwrap()));
    for n in 0..QUEUE + 10 {
        exporter.offer(&trace(&format!("t{n}"), 1));
    }
    assert_eq!(exporter.standing().failed, 10);
}

#[test]
fn an_address_is_completed_or_refused_with_the_reason() {
    let of = |text: &str| collector(text).map(|url| url.to_string());
    assert_eq!(of("http://127.0.0.1:4318").unwrap(), "http://127.0.0.1:4318/v1/traces");
    assert_eq!(of("https://x.example/otlp/").unwrap(), "https://x.example/otlp/v1/traces");
    assert_eq!(of("http://h/v1/traces").unwrap(), "http://h/v1/traces");
    for wrong in [
        "localhost:4318",
        "ftp://h",
        "http://",
        "http://a:b@h",
        "http://h?token=1",
        "nonsense",
    ] {
        assert!(of(wrong).is_err(), "{wrong}");
    }
}
