//! A fault names the place in the source as its author wrote it, not in the JavaScript it became.

use crate::support::*;
use kata_protocol::{HookName, PluginFault, SourcePosition};
use serde_json::json;
use std::time::Duration;

/// Types, an enum and an interface before every throw, so that no line of the JavaScript is where it was written.
const PREFIX: &str = "interface Shape {\n  a: string;\n  b?: number;\n}\n\ntype Many = Record<string, Shape>;\n\nenum Color {\n  Red = 1,\n  Blue,\n}\n\n\
  declare const nothing: Many;\n\nexport class Holder {\n  constructor(private readonly color: Color, public shape?: Shape) {}\n}\n\n";

/// Where `needle` begins in the source, from 1.
fn place(file: &str, source: &str, needle: &str) -> SourcePosition {
    let at = source.find(needle).unwrap();
    let before = &source[..at];
    SourcePosition {
        file: file.into(),
        line: u32::try_from(before.matches('\n').count() + 1).unwrap(),
        column: u32::try_from(before.rsplit('\n').next().unwrap().chars().count() + 1).unwrap(),
    }
}

/// The line is exact. The column lies in the expression that threw: the engine marks a `new` by its last argument.
fn same_place(fault: &PluginFault, wanted: &SourcePosition, source: &str) {
    let found = fault.position.clone().unwrap_or_else(|| panic!("no position: {}", fault.message));
    assert_eq!((&found.file, found.line), (&wanted.file, wanted.line), "{}", fault.message);
    let width = source.lines().nth(wanted.line as usize - 1).unwrap().chars().count();
    let expression = wanted.column..=u32::try_from(width).unwrap();
    assert!(
        expression.contains(&found.column),
        "{found:?}, expected {wanted:?}: {}",
        fault.message
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throw_in_register_in_a_handler_in_a_timer_and_in_a_lost_promise_is_placed_in_the_authors_typescript() {
    let source = format!(
        "{PREFIX}import {{ deep }} from './lib/deep.ts';\n\nexport default (api: {{ registerHook(e: string, f: (e: {{ what: string }}) => unknown): void }}) => {{\n\
  api.registerHook('agent_end', async (event: {{ what: string }}) => {{\n\
    if (event.what === 'handler') {{\n      const made: Holder = new Holder(Color.Blue);\n      throw new TypeError('in a handler' + String(made as unknown));\n    }}\n\
    if (event.what === 'timer') setTimeout((): void => {{\n      throw new RangeError('in a timer');\n    }}, 0);\n\
    if (event.what === 'lost') void (async (): Promise<void> => {{\n      await null;\n      throw new Error('in a lost promise');\n    }})();\n\
    if (event.what === 'deep') deep<Shape>({{ a: 'x' }} satisfies Shape);\n  }});\n}};\n"
    );
    let deep = "export interface Un<T> { readonly of: T }\n\n\nexport function deep<T>(value: T): Un<T> {\n  const of = value as T;\n  if (of) throw new Error('in another file');\n  return { of };\n}\n";
    let bench = Bench::new();
    let candidate = bench.write("p", &manifest("p"), &[("index.ts", &source), ("lib/deep.ts", deep)]);
    bench.activate(candidate).await.unwrap();
    for (what, kind, file, text, needle) in [
        ("handler", "throw", "index.ts", source.as_str(), "new TypeError"),
        ("timer", "throw", "index.ts", source.as_str(), "new RangeError"),
        ("lost", "unhandled_rejection", "index.ts", source.as_str(), "new Error('in a lost"),
        ("deep", "throw", "lib/deep.ts", deep, "new Error"),
    ] {
        bench.backend.faults.lock().unwrap().clear();
        bench
            .hooks(HookName::AgentEnd, json!({ "what": what }), Duration::from_secs(5))
            .await;
        same_place(&bench.fault(kind).await, &place(file, text, needle), text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_that_does_not_load_is_placed_too() {
    let register = format!(
        "{PREFIX}export default (api: unknown): void => {{\n  const color: Color = Color.Red;\n  throw new Error(`in register ${{color}}`);\n}};\n"
    );
    let top = format!("{PREFIX}const shape: Shape = JSON.parse('{{') as Shape;\nexport default () => shape;\n");
    let syntax = format!("{PREFIX}export default (api: unknown) => {{\n  const a: number = = 2;\n}};\n");
    for (source, needle) in [(&register, "new Error"), (&top, "JSON.parse"), (&syntax, "= 2")] {
        let bench = Bench::new();
        let error = bench
            .activate(bench.write("p", &manifest("p"), &[("index.ts", source)]))
            .await
            .unwrap_err();
        let wanted = place("index.ts", source, needle);
        let fault = bench.fault("load").await;
        same_place(&fault, &wanted, source);
        assert_eq!(error.position(), fault.position);
    }
}
