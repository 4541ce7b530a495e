//! Modules: circles, bombs, names without end, and sizes.

use super::Attack;
use super::Door::{Files, Module};
use std::fmt::Write;

fn circle() -> Vec<(String, String)> {
    let link = |from: usize, to: usize| {
        let text = format!("import {{ v as w }} from './m{to}.ts'; export const v = {from}; export const get = () => w;");
        (format!("m{from}.ts"), text)
    };
    (0..200).map(|n| link(n, (n + 1) % 200)).collect()
}

/// Each module imports the next ten: ten levels would be ten thousand million imports.
fn bomb() -> Vec<(String, String)> {
    (0..480)
        .map(|n| {
            let imports = (1..=10).fold(String::new(), |mut text, step| {
                let _ = write!(text, "import './b{}.ts';", (n + step).min(480));
                text
            });
            (format!("b{n}.ts"), imports)
        })
        .chain([("b480.ts".to_owned(), "export {};".to_owned())])
        .collect()
}

fn many() -> Vec<(String, String)> {
    let all = (0..600).fold(String::new(), |mut text, n| {
        let _ = write!(text, "import './x{n}.ts';");
        text
    });
    (0..600)
        .map(|n| (format!("x{n}.ts"), "export {};".to_owned()))
        .chain([("all.ts".to_owned(), all)])
        .collect()
}

/// Sixty modules of half a megabyte: over the heap's limit, and a while for the parser.
fn heavy() -> Vec<(String, String)> {
    let body = "export const a = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];\n".replace("a =", "NAME =");
    (0..60)
        .map(|n| {
            let text = (0..9_000).fold(String::new(), |mut text, line| {
                text.push_str(&body.replace("NAME", &format!("v{line}")));
                text
            });
            let next = if n + 1 < 60 {
                format!("import './h{}.ts';", n + 1)
            } else {
                String::new()
            };
            (format!("h{n}.ts"), format!("{next}\n{text}"))
        })
        .collect()
}

fn exports() -> Vec<(String, String)> {
    let text = (0..25_000).fold(String::new(), |mut text, n| {
        let _ = write!(text, "export let e{n}=1;");
        text
    });
    vec![("names.ts".into(), text)]
}

/// Stars over stars: every module gives on everything of the two after it.
fn stars() -> Vec<(String, String)> {
    (0..100)
        .map(|n| {
            let text = format!(
                "export * from './s{}.ts'; export * from './s{}.ts'; export const n{n} = 1;",
                n + 1,
                n + 2
            );
            (format!("s{n}.ts"), text)
        })
        .chain([100, 101].map(|n| (format!("s{n}.ts"), format!("export const n{n} = 1;"))))
        .collect()
}

fn big(length: usize) -> Vec<(String, String)> {
    vec![("big.ts".into(), format!("export default '{}';", "x".repeat(length)))]
}

fn lines(line: &str, times: usize) -> Vec<(String, String)> {
    vec![("big.ts".into(), format!("export default 1;\n{}", line.repeat(times)))]
}

const BIG: &str = "import big from './big.ts'; export default (api) => api.registerCommand({ name: 'bad', description: '', run: () => `${big}`.slice(0, 5) });";

pub(crate) const ATTACKS: &[Attack] = &[
    (
        "a circle of two hundred",
        Files(circle),
        "import { get } from './m0.ts'; export default () => get();",
        "",
    ),
    (
        "a module that imports itself",
        Module,
        "import me from './index.ts'; export default () => me;",
        "",
    ),
    (
        "a module that imports itself and needs it",
        Module,
        "import me from './index.ts'; me(); export default () => {};",
        "load",
    ),
    ("a bomb of imports", Files(bomb), "import './b0.ts'; export default () => {};", ""),
    (
        "too many modules",
        Files(many),
        "import './all.ts'; export default () => {};",
        "load",
    ),
    (
        "sixty modules of half a megabyte",
        Files(heavy),
        "import './h0.ts'; export default () => {};",
        "load",
    ),
    (
        "names without end",
        Files(exports),
        "import * as all from './names.ts'; export default () => Object.keys(all).length;",
        "",
    ),
    (
        "stars over stars",
        Files(stars),
        "import * as all from './s0.ts'; export default () => Object.keys(all).length;",
        "",
    ),
    (
        "a star on itself",
        Module,
        "export * from './index.ts'; import { nothing } from './index.ts'; export default () => nothing;",
        "load",
    ),
    ("a module of half a megabyte", Files(|| big(500_000)), BIG, ""),
    ("a module over the limit", Files(|| big(600_000)), BIG, "load"),
    ("a module of comments", Files(|| lines("/* a */", 60_000)), BIG, ""),
    (
        "a module of regular expressions",
        Files(|| lines("/[\\0-\\u{10ffff}]/iu;", 20_000)),
        BIG,
        "load|",
    ),
    (
        "a module with one long regular expression",
        Files(|| {
            vec![(
                "big.ts".into(),
                format!("export default /{}/iu;", "[\\0-\\u{10ffff}]".repeat(30_000)),
            )]
        }),
        BIG,
        "load|",
    ),
    (
        "a module of large numbers",
        Files(|| vec![("big.ts".into(), format!("export default {}n;", "9".repeat(300_000)))]),
        BIG,
        "load|",
    ),
    (
        "a module of labels",
        Files(|| {
            vec![(
                "big.ts".into(),
                format!(
                    "export default 1; {} ;",
                    (0..50_000).fold(String::new(), |mut t, n| {
                        let _ = write!(t, "l{n}:");
                        t
                    })
                ),
            )]
        }),
        BIG,
        "load",
    ),
    (
        "a module with a hundred thousand names",
        Files(|| {
            vec![(
                "big.ts".into(),
                format!(
                    "export default 1; let {};",
                    (0..60_000).map(|n| format!("v{n}")).collect::<Vec<_>>().join(",")
                ),
            )]
        }),
        BIG,
        "load|",
    ),
    (
        "a module with many cases",
        Files(|| {
            vec![(
                "big.ts".into(),
                format!(
                    "export default 1; switch (1 as number) {{ {} }}",
                    (0..30_000).map(|n| format!("case {n}:")).collect::<Vec<_>>().join("")
                ),
            )]
        }),
        BIG,
        "",
    ),
    (
        "a module with many classes",
        Files(|| lines("(class { static a = 1; #b = 2; get c() { return this.#b; } });", 7_000)),
        BIG,
        "load|",
    ),
    (
        "a module with an enum of thousands",
        Files(|| {
            vec![(
                "big.ts".into(),
                format!(
                    "export default 1; enum E {{ {} }}",
                    (0..20_000).map(|n| format!("A{n}")).collect::<Vec<_>>().join(",")
                ),
            )]
        }),
        BIG,
        "",
    ),
    (
        "a module that is no text",
        Files(|| vec![("big.ts".into(), "\u{fffd}\u{0}\u{1}\u{feff}export default".into())]),
        BIG,
        "load",
    ),
    ("a module that is half a statement", Module, "export default (api) => {", "load"),
    (
        "a module with a strange end of line",
        Module,
        "export default () => { return\u{2028}1; }\r\u{2029}/*\u{0}*/",
        "",
    ),
    ("a top with a loop", Module, "for (;;) {}\nexport default () => {};", "load"),
    (
        "a top with a storm",
        Module,
        "const f = () => Promise.resolve().then(f); f(); await new Promise(() => {}); export default () => {};",
        "load",
    ),
];
