//! The modules that channels share, inside the sandbox and its limits.

use crate::support::*;
use kata_plugins::HostOptions;
use serde_json::{Value, json};

const RENDER: &str = r##"
import { parseMarkdown, renderParts, htmlDialect, plainDialect } from "@kata-agents/plugin-sdk/markdown";
const SIZE = 256 * 1024;
const fill = (piece) => piece.repeat(Math.ceil(SIZE / piece.length)).slice(0, SIZE);
export default (api) => {
  api.registerTool({ name: "render", description: "d", parameters: {}, execute: ({ piece, before = "", html }) => {
    const blocks = parseMarkdown(before + fill(piece));
    const parts = renderParts(blocks, html ? htmlDialect : plainDialect, { max: 4096, unit: "utf16" });
    return JSON.stringify({ parts: parts.length, longest: Math.max(0, ...parts.map((part) => part.text.length)) });
  } });
};
"##;

const SENDING: &str = r##"
import { parseMarkdown, plainText } from "@kata-agents/plugin-sdk/markdown";
import { backoff, Names, PartialSends, sendErrorOf, systemClock, NetworkError } from "@kata-agents/plugin-sdk/sending";
import { SendError } from "@kata-agents/plugin-sdk";
export default (api) => {
  api.registerTool({ name: "sending", description: "d", parameters: {}, execute: async (_, ctx) => {
    const partial = new PartialSends(ctx.state);
    await partial.write("k", ["1", "2"]);
    const names = new Names(async (id) => `name of ${id}`, { clock: systemClock });
    const error = sendErrorOf(new NetworkError("x", true), { platform: "P" });
    const words = plainText(parseMarkdown("**a**"));
    return JSON.stringify([await partial.read("k"), await names.get("7"), backoff(() => 1).next(), error instanceof SendError, error.certain, words]);
  } });
};
"##;

const MAIL: &str = r##"
import { compose, cutQuotes, judge, parseHeaders, textOfHtml } from "@kata-agents/plugin-sdk/mail";
import { GoogleApi, googleTrouble, Quota, said } from "@kata-agents/plugin-sdk/google";
import { NetworkError, systemClock } from "@kata-agents/plugin-sdk/sending";
export default (api) => {
  api.registerTool({ name: "mail", description: "d", parameters: {}, execute: async (_, ctx) => {
    const raw = [...compose({ from: { address: "a@x.example", name: "Ann" }, to: [{ address: "b@x.example", name: null }], subject: "grüße", text: "**hi**", id: "i@x.example", date: 0 })].join("");
    const headers = parseHeaders(raw);
    const verdict = judge(headers, { own: "b@x.example", senderCheck: "none", authServer: "" });
    const api = new GoogleApi("https://google.example", new Quota(10, systemClock), systemClock);
    const error = await api.ask(ctx, { name: "x", path: "/x" }).catch((error) => error);
    const trouble = googleTrouble(error, { api: "Gmail API", reading: "mail" });
    return JSON.stringify([verdict.ok, headers.text("subject"), textOfHtml("<p>a<br>b"), cutQuotes("a\n\n> b"), error.name, trouble.report.state, googleTrouble(new NetworkError("x", true), {}).report.code]);
  } });
  api.registerTool({ name: "hostile", description: "d", parameters: {}, execute: ({ piece }) => {
    const text = piece.repeat(Math.ceil(262144 / piece.length)).slice(0, 262144);
    const done = [];
    for (const [name, read] of Object.entries({ html: () => textOfHtml(text), quotes: () => cutQuotes(text), headers: () => parseHeaders(text), from: () => parseHeaders("From: " + text) })) {
      try { read(); done.push(name); } catch (error) { throw new Error(`${name}: ${error.message}`); }
    }
    return String(done.length);
  } });
};
"##;

/// What a model never writes and an attacker may: 256 KiB of each, after a beginning.
const HOSTILE: &[(&str, &str)] = &[
    ("", "*"),
    ("", "*a"),
    ("", "*a **b "),
    ("", "a* "),
    ("_a _a _a _a _a _a _a _a _a _a _a _a _a _a _a _a _a _a _a _a ", "a* "),
    ("", "_a*b~~c`d"),
    ("", "`"),
    ("", "`a``b```c"),
    ("", "["),
    ("", "[]"),
    ("", "]("),
    ("", "[a]("),
    ("", "[a](http://x/(((("),
    ("", "[a](<"),
    ("", "[a](http://x \"t"),
    ("", "![a](http://x)"),
    ("", "[a](http://x)"),
    ("", "<"),
    ("", "<a"),
    ("", "<http://a>"),
    ("", "&"),
    ("", "&amp;&#x41;"),
    ("", "\\"),
    ("", "\\*"),
    ("", "h"),
    ("", "http"),
    ("", "http://a "),
    ("", "http://a("),
    ("", "\n"),
    ("", "a\n"),
    ("", "a\n\n"),
    ("", "  \n a  \n"),
    ("", ">"),
    ("", "> "),
    ("", "> a\n"),
    ("", ">\n"),
    ("", "> > > > > > > > > a\n"),
    ("", "- "),
    ("", "- a\n"),
    ("", "-\n"),
    ("", "- - - - - - - - a\n"),
    ("", "- a\n  - b\n    - c\n      - d\n        - e\n          - f\n"),
    ("", "1. a\n"),
    ("", "- [ ] a\n\n"),
    ("", "# a\n"),
    ("", "#"),
    ("", "```\n"),
    ("", "```\na\n```\n"),
    ("```rust\n", "fn main() {}\n"),
    ("```\n", "<&>\""),
    ("", "~~~~"),
    ("", "|"),
    ("", "|\n"),
    ("|a|b|\n|-|-|\n", "|\n"),
    ("|a|b|\n|-|-|\n", "|`|`"),
    ("|a|b|\n|-|-|\n", "|a|b|c|d|e\n"),
    ("", "a|b\n-|-\n"),
    ("", "a|"),
    ("", "|-"),
    ("", "---\n"),
    ("", "- * _ \n"),
    ("", " "),
    ("", "\t"),
    ("", "0"),
    ("", "1. 2. 3. "),
    ("", "word "),
    ("", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}"),
    ("", "\u{1f1e9}\u{1f1ea}"),
    ("a", "\u{301}"),
    ("", "\u{200d}"),
    ("", "\u{4e2d}"),
    ("", "**a** _b_ `c` ~~d~~ "),
    ("", "*a_b*c_"),
    ("", "<br>"),
    ("", "\"<>&"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_quarter_of_a_mebibyte_of_any_markdown_is_rendered_within_the_limits_of_one_call() {
    let bench = Bench::with(HostOptions {
        cpu_ms_per_minute: 600_000,
        ..quick()
    });
    bench.run("render", RENDER).await.unwrap();
    let mut bad = Vec::new();
    for (before, piece) in HOSTILE {
        for html in [true, false] {
            let answer = bench
                .tool("render", json!({ "piece": piece, "before": before, "html": html }))
                .await;
            let said: Value = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
            if answer.is_error || said["longest"].as_u64().is_none_or(|longest| longest > 4096) {
                bad.push(format!("{before:?}+{piece:?} html={html}: {}", answer.text));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_channels_share_to_send_works_in_the_sandbox() {
    let bench = Bench::new();
    bench.run("sending", SENDING).await.unwrap();
    let answer = bench.tool("sending", json!({})).await;
    assert_eq!(answer.text, r#"[["1","2"],"name of 7",500,true,false,"a"]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_plugins_share_for_mail_and_google_works_in_the_sandbox_and_no_mail_holds_it_up() {
    let bench = Bench::new();
    let mut manifest = manifest("mail");
    manifest["contributes"]["tools"] = json!(["mail", "hostile"]);
    let candidate = bench.write("mail", &manifest, &[("index.ts", MAIL)]);
    bench.activate(candidate).await.unwrap();
    let answer = bench.tool("mail", json!({})).await;
    assert_eq!(
        answer.text,
        r#"[true,"grüße","a\nb","a","SignInNeeded","needs_user","unreachable"]"#
    );
    for piece in [
        "<",
        "<a href=",
        "&",
        "\"",
        "> ",
        "On a wrote:\n",
        "=?utf-8?B?",
        "a,",
        "(",
        "\r\n ",
        "-- \n",
        "a:\n",
        "____\n",
    ] {
        let answer = bench.tool("hostile", json!({ "piece": piece })).await;
        assert_eq!((answer.is_error, answer.text.as_str()), (false, "4"), "{piece:?}");
    }
}
