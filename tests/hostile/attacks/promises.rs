//! Promises, awaits and what never settles.

use super::Attack;
use super::Door::{Command, Connect, Hook, Send, Start, Timer, Tool};

pub(crate) const ATTACKS: &[Attack] = &[
    (
        "a rejection that nobody hears",
        Tool,
        "Promise.reject(new Error('unheard')); return 'x'",
        "unhandled_rejection",
    ),
    (
        "a rejection that nobody hears, in a timer",
        Timer,
        "Promise.reject(new Error('unheard'))",
        "unhandled_rejection",
    ),
    (
        "a hundred thousand rejections",
        Tool,
        "for (let i = 0; i < 1e5; i++) Promise.reject(new Error('n' + i)); return 'x'",
        "unhandled_rejection|cpu|memory",
    ),
    (
        "a rejection with a trap",
        Timer,
        "Promise.reject({ get message() { for (;;) {} } })",
        "cpu",
    ),
    (
        "a storm of microtasks",
        Tool,
        "const f = () => Promise.resolve().then(f); f(); return 'x'",
        "cpu|memory",
    ),
    (
        "a storm of microtasks in a hook",
        Hook,
        "const f = () => { queueMicrotask(f); queueMicrotask(f); }; f()",
        "cpu|memory",
    ),
    ("a storm of awaits", Tool, "return (async () => { for (;;) await null; })()", "cpu"),
    (
        "a storm of asynchronous iterators",
        Tool,
        "async function* g() { for (;;) yield 1; } return (async () => { for await (const x of g()) x; })()",
        "cpu",
    ),
    (
        "a thenable that breeds",
        Tool,
        "const t = { then(r) { r({ then: t.then }); } }; return t",
        "cpu|memory",
    ),
    ("a thenable with a loop", Tool, "return { then() { for (;;) {} } }", "cpu"),
    (
        "a thenable that answers twice",
        Tool,
        "return { then(a, b) { a('x'); b(new Error('no')); a('y'); } }",
        "",
    ),
    (
        "a promise of itself",
        Tool,
        "let r; const p = new Promise((s) => { r = s; }); r(p); return p",
        "",
    ),
    (
        "a million promises at once",
        Tool,
        "return Promise.all(Array.from({ length: 1e6 }, (_, i) => i)).then((a) => `${a.length}`)",
        "cpu|memory",
    ),
    (
        "a race of a million",
        Tool,
        "return Promise.race(Array.from({ length: 1e6 }, () => new Promise(() => {})))",
        "cpu|memory|timeout",
    ),
    (
        "all of an iterator without end",
        Tool,
        "function* g() { for (;;) yield 1; } return Promise.all(g())",
        "cpu|memory",
    ),
    ("a tool that never settles", Tool, "return new Promise(() => {})", "timeout"),
    ("a hook that never settles", Hook, "return new Promise(() => {})", "timeout"),
    ("a send that never settles", Send, "return new Promise(() => {})", "timeout"),
    ("a command that never settles", Command, "return new Promise(() => {})", "timeout"),
    ("a start that never resolves", Start, "return new Promise(() => {})", ""),
    ("a connect that never resolves", Connect, "return new Promise(() => {})", ""),
    ("a rejection with nothing", Tool, "return Promise.reject()", ""),
    (
        "a rejection with a circle",
        Tool,
        "const a = {}; a.a = a; return Promise.reject(a)",
        "",
    ),
    (
        "a rejection that is handled late",
        Timer,
        "const p = Promise.reject(new Error('late')); setTimeout(() => p.catch(() => {}), 5)",
        "unhandled_rejection",
    ),
    (
        "a loop after an await",
        Tool,
        "return (async () => { await null; for (;;) {} })()",
        "cpu",
    ),
    (
        "a loop after a host call",
        Tool,
        "return ctx.state.get('a').then(() => { for (;;) {} })",
        "cpu",
    ),
    (
        "a loop in a finally",
        Tool,
        "return Promise.resolve('x').finally(() => { for (;;) {} })",
        "cpu",
    ),
    (
        "a chain of a million",
        Tool,
        "let p = Promise.resolve('x'); for (let i = 0; i < 1e6; i++) p = p.then((v) => v); return p",
        "cpu|memory",
    ),
    (
        "a species for promises",
        Tool,
        "class P extends Promise { static get [Symbol.species]() { return function (f) { f(() => {}, () => {}); for (;;) {} }; } } return new P((r) => r('x')).then((x) => x)",
        "cpu",
    ),
];
