//! Lies at the border: answers that are too deep, too large, of another kind, or traps for whoever reads them.

use super::Attack;
use super::Door::{Command, Hook, Send, Tool};

pub(crate) const ATTACKS: &[Attack] = &[
    ("a throw in a tool", Tool, "throw new Error('no')", ""),
    ("a throw in a hook", Hook, "throw new Error('no')", "throw"),
    ("a throw in a command", Command, "throw new Error('no')", "throw"),
    ("a throw in send", Send, "throw new Error('no')", "throw"),
    (
        "a throw that cannot be shown",
        Hook,
        "throw { get message() { throw 1; }, get name() { throw 2; } }",
        "throw",
    ),
    ("a throw of nothing", Hook, "throw undefined", "throw"),
    ("a throw of null", Hook, "throw null", "throw|memory"),
    ("a throw of a symbol", Hook, "throw Symbol('s')", "throw"),
    (
        "a throw of a proxy",
        Hook,
        "throw new Proxy({}, { get() { throw new Error('trap'); } })",
        "throw",
    ),
    (
        "a throw with a loop in its message",
        Hook,
        "throw { get message() { for (;;) {} } }",
        "cpu",
    ),
    (
        "a throw with a stack that is a trap",
        Hook,
        "const e = new Error('m'); Object.defineProperty(e, 'stack', { get() { for (;;) {} } }); throw e",
        "cpu",
    ),
    (
        "a throw that claims to be the engine",
        Hook,
        "const e = new Error('out of memory'); e.name = 'InternalError'; throw e",
        "throw|memory",
    ),
    (
        "an answer that is too deep",
        Hook,
        "let a = []; for (let i = 0; i < 3000; i++) a = [a]; return { text: 'x', a }",
        "",
    ),
    ("an answer that is too large", Tool, "return 'x'.repeat(2e6)", "bad_result"),
    (
        "an answer that is too large, from a hook",
        Hook,
        "return { text: 'x'.repeat(2e6) }",
        "bad_result",
    ),
    ("an answer that cannot be written", Tool, "const a = {}; a.a = a; return a", ""),
    ("an answer of another kind, from a hook", Hook, "return 5", ""),
    ("an answer that is a function", Hook, "return () => 1", ""),
    ("an answer with a large number", Tool, "return { a: 10n }", ""),
    (
        "an answer that changes while it is read",
        Tool,
        "let n = 0; return { get text() { return n++ ? { toString() { for (;;) {} } } : 'x'; } }",
        "",
    ),
    (
        "an answer that is a proxy",
        Tool,
        "return new Proxy({}, { get: (t, k) => (k === 'text' ? 'x' : undefined), ownKeys() { throw 1; } })",
        "",
    ),
    (
        "an answer with toJSON that throws",
        Tool,
        "return { toJSON() { throw new Error('no'); } }",
        "",
    ),
    ("an answer with half a character", Tool, "return '\\ud800'", ""),
    (
        "an answer with every character",
        Tool,
        "let s = ''; for (let i = 0; i < 65536; i++) s += String.fromCharCode(i); return s",
        "",
    ),
    ("a receipt that is none", Send, "return { messageIds: 'many' }", "bad_result"),
    (
        "a receipt with a hundred thousand ids",
        Send,
        "return { messageIds: Array.from({ length: 1e5 }, (_, i) => `${i}`) }",
        "",
    ),
    ("a receipt that is empty", Send, "", "bad_result"),
    (
        "a send error without sense",
        Send,
        "const e = new Error('x'); e.name = 'SendError'; e.code = 'nonsense'; e.retryAfterMs = -Infinity; throw e",
        "throw",
    ),
    (
        "a send error that waits for ever",
        Send,
        "const e = new Error('x'); e.name = 'SendError'; e.code = 'rate_limited'; e.retryAfterMs = 1e300; e.certain = true; throw e",
        "",
    ),
    (
        "a command that answers with everything",
        Command,
        "return { [Symbol.toPrimitive]() { for (;;) {} }, a: new Map([[1, 2]]), b: new Date(NaN) }",
        "",
    ),
];
