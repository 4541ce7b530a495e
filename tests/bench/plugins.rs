//! Plugin folders for our half: copies of the bundled ones, small generated ones, and one that misbehaves on command.

use anyhow::Result;
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// Ways to misbehave, the same for both programs, by the mode's name in `openclaw/plugins/crashy`.
pub(crate) const WAYS: &[(&str, &str)] = &[
    ("register-throw", "`register` throws"),
    ("start-throw", "a service's `start` throws"),
    ("start-hang", "a service's `start` never resolves"),
    ("hook-throw", "a hook throws"),
    ("timer-throw", "a timer throws"),
    ("unhandled-rejection", "a promise is rejected and nobody listens"),
    ("block-loop", "a synchronous loop of 8 s"),
    ("exit", "`process.exit`"),
];

/// Files a plugin needs at run time, tests and packages left out.
pub(crate) fn ships(name: &str) -> bool {
    name == "kata-plugin.json" || name == "README.md" || (name.ends_with(".ts") && !name.ends_with(".test.ts"))
}

/// Copies what ships of a plugin.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)?.flatten() {
        if ships(&entry.file_name().to_string_lossy()) {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// A small plugin: a tool, a hook and a command. `says` stands in the tool's description, so that a change can be told.
pub(crate) fn small(folder: &Path, id: &str, says: &str) -> Result<()> {
    let manifest = json!({
        "id": id, "name": id, "version": "1.0.0", "api": "1", "description": "A small plugin of the benchmark.",
        "contributes": {"tools": [id], "hooks": ["message_received"], "commands": [id]}, "capabilities": ["hooks:conversation"],
    });
    write_file(&folder.join(id).join("kata-plugin.json"), &manifest.to_string())?;
    write_file(&folder.join(id).join("index.ts"), &SMALL.replace("ID", id).replace("SAYS", says))
}

const SMALL: &str = r#"import { definePlugin } from "@kata-agents/plugin-sdk";

interface Arguments {
  text: string;
}

export default definePlugin((api) => {
  let seen = 0;
  api.registerTool<Arguments>({
    name: "ID",
    description: "SAYS",
    parameters: { type: "object", properties: { text: { type: "string" } }, required: ["text"], additionalProperties: false },
    readOnly: true,
    execute: ({ text }) => text,
  });
  api.registerHook("message_received", () => {
    seen += 1;
  });
  api.registerCommand({ name: "ID", description: "Says how many messages were seen.", run: () => `${seen}` });
});
"#;

/// The listener of the message turns: the same three hooks as its counterpart in `openclaw/plugins/hookbench`.
pub(crate) fn hookbench(folder: &Path) -> Result<()> {
    let manifest = json!({
        "id": "hookbench", "name": "Hook Bench", "version": "1.0.0", "api": "1", "description": "Counts messages.",
        "contributes": {"hooks": ["message_received", "message_sending", "message_sent"]}, "capabilities": ["hooks:conversation"],
    });
    write_file(&folder.join("hookbench/kata-plugin.json"), &manifest.to_string())?;
    write_file(&folder.join("hookbench/index.ts"), HOOKBENCH)
}

const HOOKBENCH: &str = r#"import { definePlugin } from "@kata-agents/plugin-sdk";

export default definePlugin((api) => {
  const n = { received: 0, sending: 0, sent: 0 };
  api.registerHook("message_received", () => {
    n.received += 1;
  });
  api.registerHook("message_sending", () => {
    n.sending += 1;
  });
  api.registerHook("message_sent", () => {
    n.sent += 1;
  });
});
"#;

/// A plugin with `count` handlers of one hook.
pub(crate) fn listeners(folder: &Path, count: usize) -> Result<()> {
    let manifest = json!({
        "id": "listeners", "name": "Listeners", "version": "1.0.0", "api": "1", "description": "Listens many times.",
        "contributes": {"hooks": ["message_received"]}, "capabilities": ["hooks:conversation"],
    });
    write_file(&folder.join("listeners/kata-plugin.json"), &manifest.to_string())?;
    let module = format!(
        "let seen = 0;\nexport default (api) => {{\n  for (let n = 0; n < {count}; n++) api.registerHook(\"message_received\", () => {{ seen += 1; }});\n}};\n"
    );
    write_file(&folder.join("listeners/index.js"), &module)
}

/// The plugin that misbehaves. It has a service and a hook, as its counterpart has.
pub(crate) fn crashy(folder: &Path, mode: &str) -> Result<()> {
    let manifest = json!({
        "id": "crashy", "name": "Crashy", "version": "1.0.0", "api": "1", "description": "Misbehaves on command.",
        "contributes": {"services": ["crashsvc"], "hooks": ["message_received"]}, "capabilities": ["hooks:conversation"],
    });
    write_file(&folder.join("crashy/kata-plugin.json"), &manifest.to_string())?;
    write_file(&folder.join("crashy/index.ts"), &CRASHY.replace("MODE", mode))
}

const CRASHY: &str = r#"import { definePlugin } from "@kata-agents/plugin-sdk";

const mode: string = "MODE";

interface Process {
  exit(code: number): never;
}

export default definePlugin((api) => {
  if (mode === "register-throw") throw new Error("boom in register");
  api.registerService({
    id: "crashsvc",
    async start() {
      if (mode === "start-throw") throw new Error("boom in service start");
      if (mode === "start-hang") await new Promise(() => {});
      if (mode === "timer-throw") setTimeout(() => { throw new Error("boom in timer"); }, 3000);
      if (mode === "unhandled-rejection") setTimeout(() => { void Promise.reject(new Error("boom rejection")); }, 3000);
      if (mode === "block-loop") setTimeout(() => { const end = Date.now() + 8000; while (Date.now() < end) {} }, 3000);
      if (mode === "exit") setTimeout(() => { (globalThis as unknown as { process: Process }).process.exit(7); }, 3000);
      if (mode === "memory") setTimeout(() => { const all: string[][] = []; for (;;) all.push(new Array(4096).fill("x")); }, 3000);
    },
    stop() {},
  });
  api.registerHook("message_received", () => {
    if (mode === "hook-throw") throw new Error("boom in hook");
  });
});
"#;

/// Writes a file and the folders above it: throw-away files of a run, and the table.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::File::create(path)?.write_all(text.as_bytes())?;
    Ok(())
}
