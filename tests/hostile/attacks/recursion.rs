//! Depth without end: in calls, data, source and patterns.

use super::Attack;
use super::Door::{Files, Hook, Module, Tool};

fn nested(head: &str, open: &str, middle: &str, close: &str, times: usize) -> Vec<(String, String)> {
    let text = format!("{head}{}{middle}{}", open.repeat(times), close.repeat(times));
    vec![("deep.ts".into(), text)]
}

const IMPORT: &str = "import * as deep from './deep.ts'; export default (api) => api.registerCommand({ name: 'bad', description: '', run: () => `${Object.keys(deep)}` });";

pub(crate) const ATTACKS: &[Attack] = &[
    ("recursion", Tool, "const f = () => f() + 1; return f()", ""),
    ("recursion in a hook", Hook, "const f = () => f() + 1; f()", "throw|stack"),
    (
        "recursion that is caught",
        Tool,
        "const f = () => { try { f(); } catch { f(); } }; f()",
        "cpu",
    ),
    (
        "mutual recursion through bind",
        Tool,
        "let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null, i); return f()",
        "",
    ),
    (
        "recursion through a proxy",
        Tool,
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x",
        "",
    ),
    (
        "recursion through prototypes",
        Tool,
        "let p = {}; for (let i = 0; i < 1e6; i++) p = Object.create(p); return p.x",
        "",
    ),
    (
        "recursion in a getter",
        Tool,
        "const o = { get a() { return this.a; } }; return o.a",
        "",
    ),
    (
        "recursion in class fields",
        Tool,
        "class A { a = new A(); } return `${new A()}`",
        "",
    ),
    (
        "recursion in constructors",
        Tool,
        "class A { constructor() { return new this.constructor(); } } new A()",
        "",
    ),
    (
        "recursion in toString",
        Tool,
        "const o = { toString() { return `${this}`; } }; return `${o}`",
        "",
    ),
    ("recursion in a tag", Tool, "const t = (s) => t`${s}`; return t`a`", ""),
    (
        "recursion in a replacer",
        Tool,
        "const f = () => 'a'.replace('a', f); return f()",
        "",
    ),
    ("recursion in sort", Tool, "const f = () => [2, 1].sort(f); return f()", ""),
    ("recursion in JSON text", Tool, "JSON.parse('['.repeat(1e6))", ""),
    (
        "recursion in JSON data",
        Tool,
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return JSON.stringify(a)",
        "",
    ),
    (
        "recursion in toJSON",
        Tool,
        "return JSON.stringify({ toJSON() { return JSON.stringify(this); } })",
        "",
    ),
    ("data in a circle", Tool, "const a = {}; a.a = a; return JSON.stringify(a)", ""),
    (
        "a copy of a circle",
        Tool,
        "const a = { l: [] }; a.l.push(a); return `${structuredClone(a).l.length}`",
        "",
    ),
    (
        "a copy of what is deep",
        Tool,
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return `${structuredClone(a).length}`",
        "",
    ),
    (
        "text of what is deep",
        Tool,
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return String(a)",
        "",
    ),
    (
        "flat of what is deep",
        Tool,
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return `${a.flat(Infinity).length}`",
        "",
    ),
    (
        "a deep rope",
        Tool,
        "let s = ''; for (let i = 0; i < 1e6; i++) s = s + String.fromCharCode(97 + (i % 26)); return `${s.length}${s.at(5)}`",
        "",
    ),
    (
        "a regular expression that is deep",
        Tool,
        "return `${new RegExp('('.repeat(1e5) + ')'.repeat(1e5))}`",
        "",
    ),
    (
        "a regular expression of choices",
        Tool,
        "return `${new RegExp('(?:a|'.repeat(3e4) + 'b' + ')'.repeat(3e4)).test('c')}`",
        "",
    ),
    ("source that is deep, in eval", Tool, "eval('['.repeat(1e6))", ""),
    (
        "source that is deep, in a Function",
        Tool,
        "new Function('return ' + '!'.repeat(1e6) + '1')()",
        "",
    ),
    (
        "labels in eval",
        Tool,
        "eval(Array.from({ length: 1e5 }, (_, i) => `l${i}:`).join('') + ';')",
        "",
    ),
    ("sums in eval", Tool, "return `${eval('1+'.repeat(1e6) + '1')}`", ""),
    (
        "brackets in a module",
        Files(|| nested("export default ", "[", "1", "]", 200_000)),
        IMPORT,
        "load",
    ),
    (
        "negations in a module",
        Files(|| nested("export default ", "!", "1", "", 400_000)),
        IMPORT,
        "load",
    ),
    (
        "parentheses in a module",
        Files(|| nested("export default ", "(", "1", ")", 200_000)),
        IMPORT,
        "load",
    ),
    (
        "blocks in a module",
        Files(|| nested("export default 1;", "{", ";", "}", 200_000)),
        IMPORT,
        "load",
    ),
    (
        "functions in a module",
        Files(|| nested("export default ", "()=>", "1", "", 100_000)),
        IMPORT,
        "load",
    ),
    (
        "choices in a module",
        Files(|| nested("export default ", "1?", "1", ":1", 100_000)),
        IMPORT,
        "load",
    ),
    (
        "members in a module",
        Files(|| nested("export default a", ".a", "", "", 200_000)),
        IMPORT,
        "load",
    ),
    (
        "sums in a module",
        Files(|| nested("export default ", "1+", "1", "", 200_000)),
        IMPORT,
        "",
    ),
    (
        "else after else in a module",
        Files(|| nested("const a = 1; export default a; ", "if(a);else ", ";", "", 40_000)),
        IMPORT,
        "load",
    ),
    (
        "templates in a module",
        Files(|| nested("export default ", "`${", "1", "}`", 100_000)),
        IMPORT,
        "load",
    ),
    (
        "patterns in a module",
        Files(|| nested("export const ", "[", "a", "]", 100_000)),
        IMPORT,
        "load",
    ),
    (
        "types in a module",
        Files(|| nested("export default 1; type A = ", "[", "1", "]", 200_000)),
        IMPORT,
        "load",
    ),
    (
        "types that choose in a module",
        Files(|| nested("export default 1; type A<T> = ", "T extends 1 ? ", "1", " : 1", 20_000)),
        IMPORT,
        "load|",
    ),
    (
        "generics in a module",
        Files(|| nested("export default 1; type A = ", "Array<", "1", ">", 60_000)),
        IMPORT,
        "",
    ),
    (
        "namespaces in a module",
        Files(|| nested("export default 1; ", "namespace A{", "", "}", 30_000)),
        IMPORT,
        "load",
    ),
    (
        "a deep module by itself",
        Module,
        "export default ((((((((((((((((((((((((((((((((((((((((((((((((((((1",
        "load",
    ),
];
