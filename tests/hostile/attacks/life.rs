//! A plugin's own life: module, register, start, stop, dispose.

use super::Attack;
use super::Door::{Command, Connect, Dispose, Files, Module, Register, Start, Stop};

pub(crate) const ATTACKS: &[Attack] = &[
    ("a throw at the top", Module, "throw new Error('no');", "load"),
    ("a throw in register", Register, "throw new Error('no')", "load"),
    ("a throw in start", Start, "throw new Error('no')", "throw"),
    (
        "a throw in start, later",
        Start,
        "await ctx.state.get('a'); throw new Error('no')",
        "throw",
    ),
    ("a throw in stop", Stop, "throw new Error('no')", "throw"),
    ("a throw in connect", Connect, "throw new Error('no')", "throw"),
    ("a throw in dispose", Dispose, "throw new Error('no')", ""),
    ("a register that never ends", Register, "return new Promise(() => {})", "load"),
    (
        "a register that storms",
        Register,
        "const f = () => Promise.resolve().then(f); return f()",
        "load",
    ),
    (
        "a top that waits for ever",
        Module,
        "await new Promise(() => {}); export default () => {};",
        "load",
    ),
    ("a stop that hangs", Stop, "return new Promise(() => {})", "timeout"),
    ("a dispose that hangs", Dispose, "return new Promise(() => {})", ""),
    (
        "a dispose that storms",
        Dispose,
        "const f = () => Promise.resolve().then(f); f()",
        "cpu|memory|timeout",
    ),
    ("no default export", Module, "export const a = 1;", "load"),
    (
        "a default export that is a trap",
        Module,
        "export default new Proxy({}, { get() { for (;;) {} } });",
        "load",
    ),
    ("a default export that is a number", Module, "export default 5;", "load"),
    (
        "a registration that is not declared",
        Register,
        "api.registerTool({ name: 'other', description: '', parameters: {}, execute() {} })",
        "load",
    ),
    (
        "a registration that is another's",
        Register,
        "api.registerTool({ name: 'bystander', description: '', parameters: {}, execute() {} })",
        "load",
    ),
    (
        "a registration twice",
        Register,
        "for (let i = 0; i < 2; i++) api.registerTool({ name: 'bad', description: '', parameters: {}, execute() {} })",
        "load",
    ),
    (
        "a registration with traps",
        Register,
        "api.registerTool({ get name() { for (;;) {} }, execute() {} })",
        "load",
    ),
    (
        "a registration of what is none",
        Register,
        "api.registerHook('everything', () => {})",
        "load",
    ),
    ("a registration of nothing", Register, "api.registerTool(null)", "load"),
    (
        "a registration after the time",
        Command,
        "globalThis.kept.registerCommand({ name: 'late', description: '', run() {} })",
        "throw",
    ),
    ("a handler that goes away", Command, "return ({ run: null }).run()", "throw"),
    (
        "a manifest that is a file of texts",
        Files(|| vec![("data.json".into(), "{\"a\":".repeat(100_000))]),
        "import d from './data.json'; export default () => d;",
        "load",
    ),
];
