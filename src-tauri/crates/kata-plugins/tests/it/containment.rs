//! What a plugin can do to itself, and to nobody else. Each snippet runs as a tool of a plugin of its own; afterwards the
//! innocent plugin beside it must answer, and the host must have ended or answered the bad call by its own limits.

use crate::support::*;
use kata_core::ports::{PluginPart, Tools};
use kata_plugins::HostOptions;
use kata_protocol::{HookName, RunState};
use serde_json::json;
use std::time::{Duration, Instant};

const INNOCENT: &str = "export default (api) => { api.registerTool({ name: 'innocent', description: 'd', parameters: {}, execute: () => 'here' }); \
                        api.registerHook('message_received', (e) => ({ text: 'seen' })); };";

/// A bench with the innocent plugin up. Long native loops would show as a call that takes longer than this limit.
async fn bench() -> Bench {
    let call_slice = Duration::from_millis(100);
    let bench = Bench::with(HostOptions {
        tool_timeout: Duration::from_secs(15),
        call_slice,
        cpu_ms_per_minute: 2_000,
        ..quick()
    });
    bench.run("innocent", INNOCENT).await.unwrap();
    bench
}

async fn innocent_answers(bench: &Bench) {
    let began = Instant::now();
    assert_eq!(bench.tool("innocent", json!({})).await.text, "here");
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "the innocent plugin waited {:?}",
        began.elapsed()
    );
}

/// Native loops that stock QuickJS does not interrupt, and their near relations.
const NATIVE_LOOPS: &[(&str, &str)] = &[
    ("reverse", "Array.prototype.reverse.call({ length: 2 ** 53 - 1 })"),
    ("reverse sparse", "const a = []; a.length = 2 ** 32 - 1; a.reverse()"),
    ("copyWithin", "Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 1, 0)"),
    ("unshift", "Array.prototype.unshift.call({ length: 2 ** 53 - 2 }, 1)"),
    ("splice", "Array.prototype.splice.call({ length: 2 ** 53 - 2 }, 0, 0, 1)"),
    ("shift", "Array.prototype.shift.call({ length: 2 ** 53 - 1 })"),
    ("shift sparse", "const a = []; a.length = 2 ** 32 - 1; a.shift()"),
    ("join", "Array.prototype.join.call({ length: 2 ** 32 }, '')"),
    ("toString sparse", "const a = []; a.length = 2 ** 32 - 1; String(a)"),
    ("toLocaleString", "const a = []; a.length = 2 ** 32 - 1; a.toLocaleString()"),
    ("concat", "const a = []; a.length = 2 ** 32 - 1; [].concat(a, a)"),
    (
        "concat spreadable",
        "[].concat({ length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true })",
    ),
    ("slice", "Array.prototype.slice.call({ length: 2 ** 53 - 1 }, 0, 2 ** 32 - 1)"),
    ("flat", "const a = []; a.length = 2 ** 32 - 1; [a].flat()"),
    ("flatMap", "const a = []; a.length = 2 ** 32 - 1; [1].flatMap(() => a)"),
    ("sort", "const a = []; a.length = 2 ** 32 - 1; a.sort()"),
    ("sort fake", "Array.prototype.sort.call({ length: 2 ** 53 - 1 })"),
    (
        "sort long texts",
        "const t = []; for (let i = 0; i < 8; i++) t.push('x'.repeat(2e6) + i); const a = []; for (let i = 0; i < 9e5; i++) a.push(t[i % 8]); a.sort()",
    ),
    (
        "indexOf of texts",
        "const a = []; const s = 'x'.repeat(1e6); for (let i = 0; i < 9e5; i++) a.push(s + ''); a.indexOf('x'.repeat(999999) + 'y')",
    ),
    ("indexOf fake", "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)"),
    ("lastIndexOf fake", "Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)"),
    ("includes fake", "Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)"),
    ("fill fake", "Array.prototype.fill.call({ length: 2 ** 53 - 1 }, 1, 2 ** 53 - 10)"),
    ("fill sparse", "const a = []; a.length = 2 ** 32 - 1; a.fill(1)"),
    ("text indexOf", "('a'.repeat(4e6)).indexOf('a'.repeat(2e6) + 'b')"),
    ("text lastIndexOf", "('a'.repeat(4e6)).lastIndexOf('b' + 'a'.repeat(2e6))"),
    ("text includes", "('a'.repeat(4e6)).includes('a'.repeat(2e6) + 'b')"),
    ("text split", "('a'.repeat(4e6)).split('a'.repeat(2e6) + 'b')"),
    ("text replace", "('a'.repeat(4e6)).replace('a'.repeat(2e6) + 'b', '')"),
    ("replaceAll amplified", "'a'.repeat(1e6).replaceAll('a', 'b'.repeat(1e6))"),
    ("replaceAll before", "'a'.repeat(1e6).replaceAll('a', '$`')"),
    ("replace regexp before", "'a'.repeat(1e6).replace(/a/g, '$`')"),
    ("forEach fake", "Array.prototype.forEach.call({ length: 2 ** 53 - 1 }, () => {})"),
    ("map fake", "Array.prototype.map.call({ length: 2 ** 32 - 1 }, (x) => x)"),
    ("reduce fake", "Array.prototype.reduce.call({ length: 2 ** 53 - 1 }, (a) => a, 0)"),
    (
        "reduceRight fake",
        "Array.prototype.reduceRight.call({ length: 2 ** 53 - 1 }, (a) => a, 0)",
    ),
    ("some fake", "Array.prototype.some.call({ length: 2 ** 53 - 1 }, () => false)"),
    ("every fake", "Array.prototype.every.call({ length: 2 ** 53 - 1 }, () => true)"),
    ("filter fake", "Array.prototype.filter.call({ length: 2 ** 53 - 1 }, () => true)"),
    ("find fake", "Array.prototype.find.call({ length: 2 ** 53 - 1 }, () => false)"),
    ("from fake", "Array.from({ length: 2 ** 53 - 1 })"),
    ("from itself", "Array.from.call(Object, { length: 2 ** 53 - 1 })"),
    ("toReversed fake", "Array.prototype.toReversed.call({ length: 2 ** 32 - 1 })"),
    ("toSorted fake", "Array.prototype.toSorted.call({ length: 2 ** 32 - 1 })"),
    ("toSpliced fake", "Array.prototype.toSpliced.call({ length: 2 ** 32 - 1 }, 0, 0)"),
    ("with fake", "Array.prototype.with.call({ length: 2 ** 32 - 1 }, 0, 0)"),
    ("raw fake", "String.raw({ raw: { length: 2 ** 53 - 1 } })"),
    ("apply fake", "Math.max.apply(null, { length: 2 ** 31 })"),
    ("stringify sparse", "const a = []; a.length = 2 ** 32 - 1; JSON.stringify(a)"),
    ("stringify list", "JSON.stringify({}, Object.assign([], { length: 2 ** 32 - 1 }))"),
    ("typed from fake", "new Uint8Array({ length: 2 ** 53 - 1 })"),
    ("typed set fake", "new Uint8Array(1e6).set({ length: 2 ** 53 - 1 })"),
    (
        "ownKeys fake",
        "Reflect.ownKeys(new Proxy({}, { ownKeys: () => ({ length: 2 ** 32 - 1 }) }))",
    ),
    (
        "entries sparse",
        "const a = []; a.length = 2 ** 32 - 1; for (const x of a.entries());",
    ),
    ("keys of sparse", "const a = []; a.length = 2 ** 32 - 1; Object.keys(a)"),
    ("spread sparse", "const a = []; a.length = 2 ** 32 - 1; [...a]"),
    (
        "lying proxy",
        "const p = new Proxy([], { get: (t, k) => (k === 'length' ? (p.n = !p.n) ? 1 : 2 ** 53 - 1 : undefined) }); Array.prototype.slice.call(p)",
    ),
    (
        "lying length",
        "let n = 0; Array.prototype.reverse.call({ get length() { return n++ ? 2 ** 53 - 1 : 1; } })",
    ),
    (
        "grown while it is read",
        "const a = [1]; a.copyWithin({ valueOf() { a.length = 2 ** 32 - 1; return 0; } }, 0, 2 ** 32)",
    ),
    (
        "set length",
        "const a = []; a[2 ** 32 - 2] = 1; a.length = 0; for (let i = 0; i < 1e6; i++) a[i] = i; a.length = 2 ** 32 - 1; a.pop()",
    ),
    ("regexp", "/(a+)+$/.test('a'.repeat(40) + 'b')"),
    ("regexp split", "'a'.repeat(1e6).split(/(?:)/)"),
    ("normalize", "'\\u0344'.repeat(2e6).normalize('NFD')"),
    ("bigint", "let x = 3n; for (let i = 0; i < 40; i++) x = x * x; String(x)"),
    ("pad", "'a'.padEnd(2 ** 30, 'b')"),
    ("repeat", "'ab'.repeat(2 ** 28).length"),
    ("json text", "JSON.parse('['.repeat(1e6))"),
    ("json wide", "JSON.parse('[' + '1,'.repeat(4e6) + '1]').length"),
    ("eval", "eval('1+'.repeat(1e6) + '1')"),
    ("eval nested", "eval('['.repeat(1e6))"),
    ("new Function", "new Function('return ' + '!'.repeat(1e6) + '1')()"),
    ("toString of nested", "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; String(a)"),
    (
        "structuredClone of nested",
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; structuredClone(a)",
    ),
    ("localeCompare", "('a'.repeat(6e6)).localeCompare('a'.repeat(6e6))"),
    (
        "groupBy",
        "Object.groupBy({ [Symbol.iterator]() { return { next: () => ({ done: false, value: 1 }) }; } }, () => 1)",
    ),
    (
        "Set of ever",
        "new Set({ [Symbol.iterator]() { return { next: () => ({ done: false, value: 1 }) }; } })",
    ),
    (
        "isSubsetOf",
        "new Set([1]).isSubsetOf({ size: 1e300, has: () => true, keys() { return { next: () => ({ done: false }) }; } })",
    ),
    ("Atomics", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_native_loop_holds_its_thread_longer_than_the_limits_allow() {
    let bench = bench().await;
    let mut wrong = Vec::new();
    for (name, body) in NATIVE_LOOPS {
        let module = tool_module("bad", &format!("{body}; return 'done';"));
        bench.run("bad", &module).await.unwrap();
        let began = Instant::now();
        let outcome = bench.tool("bad", json!({})).await;
        let took = began.elapsed();
        if took > Duration::from_secs(8) {
            wrong.push(format!("{name}: {took:?}: {}", outcome.text));
        }
    }
    innocent_answers(&bench).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a tool's body does, and the fault it must be blamed for; "" where it only harms its own answer.
const BODIES: &[(&str, &str, &str)] = &[
    ("a loop", "while (true) {}", "cpu"),
    (
        "a loop that catches its interrupt",
        "for (;;) { try { for (;;) {} } catch {} finally { for (;;) {} } }",
        "cpu",
    ),
    ("a loop in a getter", "const o = { get a() { for (;;) {} } }; return o.a", "cpu"),
    ("a loop in toJSON", "return { toJSON() { for (;;) {} } }", "cpu"),
    (
        "a loop behind an await",
        "return (async () => { await null; for (;;) {} })()",
        "cpu",
    ),
    (
        "a storm of microtasks",
        "const f = () => Promise.resolve().then(f); f(); return 'begun'",
        "cpu|memory",
    ),
    ("a storm of awaits", "return (async () => { for (;;) await null; })()", "cpu"),
    (
        "a thenable that breeds",
        "const t = { then(r) { r({ then: t.then }); } }; return t",
        "cpu|memory",
    ),
    (
        "a regular expression that backtracks",
        "return String(/^(a|a?)+$/.test('a'.repeat(30) + 'b'))",
        "cpu",
    ),
    (
        "timers without end",
        "const f = () => { setTimeout(f, 0); for (let i = 0; i < 1e6; i++); }; f(); return 'begun'",
        "busy",
    ),
    ("memory without end", "const a = []; for (;;) a.push(new Uint8Array(1e6))", "memory"),
    ("text without end", "let s = 'x'; for (;;) s += s", ""),
    ("a large buffer", "return String(new ArrayBuffer(2 ** 40))", ""),
    ("recursion", "const f = () => f() + 1; return f()", ""),
    (
        "recursion through a proxy",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x",
        "",
    ),
    (
        "recursion in a regular expression",
        "return String(new RegExp('('.repeat(1e5) + ')'.repeat(1e5)))",
        "",
    ),
    (
        "a result too deep",
        "let a = []; for (let i = 0; i < 3000; i++) a = [a]; return { text: 'x', a }",
        "",
    ),
    ("a result too large", "return 'x'.repeat(2e6)", "bad_result"),
    ("too many timers", "for (let i = 0; i < 1e6; i++) setTimeout(() => {}, 1e6)", ""),
    (
        "too many host calls",
        "for (let i = 0; i < 1e6; i++) ctx.state.get('a').catch(() => {})",
        "",
    ),
    ("a large host call", "return ctx.state.set('a', 'x'.repeat(3e6))", ""),
    ("a throw", "throw new Error('no')", ""),
    (
        "a throw that cannot be shown",
        "throw { get message() { throw 1; }, get name() { throw 2; } }",
        "",
    ),
    ("a throw of nothing", "throw undefined", ""),
    ("an exit", "process.exit(1)", ""),
    ("a module of Node", "return import('node:fs').then(() => 'open')", ""),
    (
        "a polluted prototype",
        "Object.prototype.then = () => {}; Array.prototype.push = null; Map.prototype.get = null; JSON.parse = null; Promise.prototype.then = null; return 'x'",
        "",
    ),
    (
        "a polluted toJSON",
        "Object.prototype.toJSON = () => { throw 1; }; String.prototype.toJSON = () => 5; return 'x'",
        "",
    ),
    (
        "broken globals",
        "for (const k of Object.getOwnPropertyNames(globalThis)) { try { delete globalThis[k]; } catch {} } return 'x'",
        "",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_tool_does_the_call_ends_the_blame_is_named_and_the_others_go_on() {
    let bench = bench().await;
    for (name, body, blamed) in BODIES {
        bench.run("bad", &tool_module("bad", body)).await.unwrap();
        bench.backend.faults.lock().unwrap().clear();
        let began = Instant::now();
        let outcome = bench.tool("bad", json!({})).await;
        // CPU limits, so on a busy machine the wall time is longer; the host's own limit of 15 s must not be what ends it.
        assert!(
            began.elapsed() < Duration::from_secs(14),
            "{name}: {:?}: {}",
            began.elapsed(),
            outcome.text
        );
        if blamed.is_empty() {
            assert!(
                outcome.is_error || ["x", "begun", "undefined"].contains(&outcome.text.as_str()),
                "{name}: {outcome:?}"
            );
        } else {
            let named = |b: &Backend| {
                b.faults
                    .lock()
                    .unwrap()
                    .iter()
                    .any(|(p, f)| *p == id("bad") && blamed.split('|').any(|k| k == f.kind))
            };
            bench.until(&format!("{name}: {blamed}"), named).await;
        }
        innocent_answers(&bench).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_that_loops_is_interrupted_well_within_its_limit_while_other_plugins_answer_at_once() {
    let bench = bench().await;
    bench
        .run(
            "bad",
            "export default (api) => { api.registerHook('message_received', () => { while (true) {} }, { priority: 1 }); };",
        )
        .await
        .unwrap();
    let began = Instant::now();
    let answers = bench
        .hooks(HookName::MessageReceived, json!({ "text": "a" }), Duration::from_secs(15))
        .await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(answers[0].0, "bad");
    let words = answers[0].1.as_ref().unwrap_err().to_string();
    assert!(
        words.contains("plugin “bad”") && words.contains("100ms") && words.contains("index.ts:1"),
        "{words}"
    );
    assert_eq!(answers[1], ("innocent".into(), Ok(Some(r#"{"text":"seen"}"#.into()))));
    // It comes back by itself.
    bench
        .until("a restart", |b| {
            b.statuses
                .lock()
                .unwrap()
                .iter()
                .filter(|s| s.0 == id("bad") && s.2.state == RunState::Running)
                .count()
                == 2
        })
        .await;
    assert_eq!(bench.host.generation(&id("bad")), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_whose_plugin_is_down_stays_in_the_list_and_fails() {
    let bench = Bench::with(HostOptions {
        policy: kata_core::lifecycle::Policy {
            first_delay_ms: 60_000,
            ..Default::default()
        },
        ..quick()
    });
    bench
        .run(
            "gate",
            "export default (api) => { api.registerHook('before_tool_call', () => { for (;;) {} }); };",
        )
        .await
        .unwrap();
    let first = bench.hooks(HookName::BeforeToolCall, json!({}), Duration::from_secs(15)).await;
    bench.state_of(PluginPart::Plugin, |s| matches!(s, RunState::Backoff { .. })).await;
    let second = bench.hooks(HookName::BeforeToolCall, json!({}), Duration::from_secs(15)).await;
    assert!(first[0].1.is_err() && second[0].1.is_err(), "{first:?} {second:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_crashes_within_the_window_quarantine_a_plugin() {
    let bench = bench().await;
    bench.run("bad", &tool_module("bad", "for (;;) {}")).await.unwrap();
    for round in 1..=5 {
        bench.tool("bad", json!({})).await;
        let crashes = |b: &Backend| {
            b.statuses
                .lock()
                .unwrap()
                .iter()
                .filter(|s| s.0 == id("bad") && matches!(s.2.state, RunState::Backoff { .. } | RunState::Quarantined { .. }))
                .count()
        };
        bench.until("a crash", |b| crashes(b) == round).await;
        if round < 5 {
            bench
                .until("a restart", |b| {
                    b.statuses.lock().unwrap().iter().rev().find(|s| s.0 == id("bad")).unwrap().2.state == RunState::Running
                })
                .await;
        }
    }
    assert!(matches!(
        bench.backend.statuses.lock().unwrap().last().unwrap().2.state,
        RunState::Quarantined { .. }
    ));
    let outcome = bench.tool("bad", json!({})).await;
    assert!(outcome.is_error && outcome.text.contains("not running"), "{}", outcome.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_never_settles_ends_by_the_hosts_own_limit_and_the_plugin_goes_on() {
    let options = HostOptions {
        tool_timeout: Duration::from_millis(200),
        send_timeout: Duration::from_millis(200),
        ..quick()
    };
    let bench = Bench::with(options);
    bench
        .run("bad", &tool_module("bad", "return args.now ? 'here' : new Promise(() => {})"))
        .await
        .unwrap();
    assert!(bench.tool("bad", json!({})).await.text.contains("no answer within"));
    assert!(bench.fault("timeout").await.message.contains("tool bad"));
    assert_eq!(bench.tool("bad", json!({ "now": true })).await.text, "here");
    assert_eq!(bench.host.generation(&id("bad")), 1, "waiting is no reason to be torn down");
    let cancelled = request("bad", json!({}));
    cancelled.cancel.cancel();
    assert_eq!(bench.host.call(cancelled).await.text, "tool “bad” of plugin “bad”: cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_throws_or_loops_or_hangs_while_it_loads_is_refused_with_the_place() {
    let bench = Bench::with(HostOptions {
        load_timeout: Duration::from_secs(3),
        load_slice: Duration::from_millis(200),
        ..quick()
    });
    for (name, module, words) in [
        (
            "a throw at the top",
            "const a: number = 1;\nthrow new Error('no' + a);",
            "index.ts:2",
        ),
        (
            "a throw in register",
            "interface A {}\n\nexport default () => {\n  throw new Error('no'); };",
            "index.ts:4",
        ),
        ("a loop at the top", "for (;;) {}\nexport default () => {};", "without a pause"),
        (
            "a register that never ends",
            "export default () => new Promise(() => {});",
            "did not end",
        ),
        ("no default export", "export const a = 1;", "default export"),
        ("a syntax error", "export default (api) => {\n  const = 1;\n};", "index.ts:2"),
        ("nesting", &format!("export default {}", "[".repeat(50_000)), "index.ts"),
        ("a file over the limit", &" ".repeat(600 << 10), "over the limit"),
        (
            "a registration that is not declared",
            "export default (api) => api.registerTool({ name: 'other', description: '', parameters: {}, execute() {} });",
            "contributes.tools",
        ),
        (
            "a bad registration",
            "export default (api) => api.registerTool({ name: 'bad', description: 5, parameters: {}, execute() {} });",
            "registerTool: description",
        ),
    ] {
        let error = bench.run("bad", module).await.expect_err(name).to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
    assert!(bench.host.running().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_in_the_background_are_named_and_end_nothing() {
    let bench = bench().await;
    let body = "setTimeout(() => { throw new Error('in a timer'); }, 1); Promise.reject(new Error('unheard')); const late = Promise.reject(1); late.catch(() => {}); return 'x'";
    bench.run("bad", &tool_module("bad", body)).await.unwrap();
    assert_eq!(bench.tool("bad", json!({})).await.text, "x");
    assert!(bench.fault("throw").await.message.contains("in a timer"));
    assert!(bench.fault("unhandled_rejection").await.message.contains("unheard"));
    assert_eq!(bench.fault_kinds().len(), 2, "a rejection somebody handles is none");
    assert_eq!(bench.tool("bad", json!({})).await.text, "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_log_lines_become_two_hundred_and_a_count() {
    let bench = bench().await;
    bench
        .run(
            "bad",
            &tool_module("bad", "for (let i = 0; i < 1e5; i++) console.log('line', i, { a: 1 }); return 'x'"),
        )
        .await
        .unwrap();
    bench.tool("bad", json!({})).await;
    bench.host.deactivate(&id("bad")).await;
    bench
        .until("the count", |b| {
            b.logs
                .lock()
                .unwrap()
                .iter()
                .any(|(_, l)| l.contains("more log lines were dropped"))
        })
        .await;
    let logs = bench.backend.logs.lock().unwrap();
    assert_eq!(logs.len(), 201);
    assert_eq!(logs[0], ("info".to_owned(), r#"line 0 {"a":1}"#.to_owned()));
}
