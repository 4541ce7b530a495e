//! The same hook in a Node process of its own, asked over stdin and stdout, one line of JSON each way.

use crate::{event, figures, pss};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

const CHILD: &str = "const handler = async (event) => ({ text: event.n });\
require('readline').createInterface({ input: process.stdin }).on('line', async (line) => {\
  const { id, event } = JSON.parse(line);\
  process.stdout.write(JSON.stringify({ id, result: await handler(event) }) + '\\n');\
});\
process.stdout.write('ready\\n');";

struct Node {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Node {
    fn start() -> Option<Self> {
        let mut child = Command::new("node")
            .args(["-e", CHILD])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let input = child.stdin.take()?;
        let output = BufReader::new(child.stdout.take()?);
        let mut node = Self { child, input, output };
        (node.line()? == "ready").then_some(node)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.output.read_line(&mut line).ok().filter(|n| *n > 0)?;
        Some(line.trim_end().to_owned())
    }

    fn ask(&mut self, request: &str) -> Option<String> {
        self.input.write_all(request.as_bytes()).ok()?;
        self.line()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Null where there is no Node.
pub(crate) fn measure(calls: usize, quick: bool) -> Value {
    let mut loads = Vec::new();
    for _ in 0..if quick { 2 } else { 10 } {
        let began = Instant::now();
        if Node::start().is_none() {
            return Value::Null;
        }
        loads.push(began.elapsed());
    }
    let Some(mut node) = Node::start() else { return Value::Null };
    let request = format!("{}\n", json!({ "id": 1, "event": event() }));
    let mut hook = serde_json::Map::new();
    for count in crate::HANDLERS {
        let rounds = (calls / count).max(100);
        let mut times = Vec::with_capacity(rounds);
        for round in 0..rounds + 50 {
            let began = Instant::now();
            for _ in 0..count {
                assert!(node.ask(&request).is_some_and(|l| l.contains("result")), "the Node child answers");
            }
            if round >= 50 {
                times.push(began.elapsed());
            }
        }
        hook.insert(count.to_string(), figures(times));
    }
    drop(node);
    let mut memory = serde_json::Map::new();
    let mut nodes: Vec<Node> = Vec::new();
    for count in [1_u32, 10] {
        while nodes.len() < count as usize {
            nodes.extend(Node::start());
        }
        let all: f64 = nodes.iter().map(|n| pss(n.child.id())).sum();
        memory.insert(count.to_string(), json!(all / f64::from(count)));
    }
    json!({ "load": figures(loads), "hook": hook, "memory": memory })
}
