//! The host's own JavaScript, compiled once per process.

use super::loader::PRELUDE;
use rquickjs::{Ctx, FromJs, Module, WriteOptions};
use std::sync::OnceLock;

/// One of the host's own scripts: an expression, compiled by the first plugin's thread and shared by all as bytecode.
/// Parsing them anew would be two thirds of a plugin's load.
pub(crate) struct HostScript {
    name: &'static str,
    source: &'static str,
    bytecode: OnceLock<Vec<u8>>,
}

impl HostScript {
    const fn new(name: &'static str, source: &'static str) -> Self {
        Self {
            name,
            source,
            bytecode: OnceLock::new(),
        }
    }

    /// Its value.
    #[expect(unsafe_code, reason = "loading bytecode; see the comment")]
    pub(crate) fn evaluate<'js, V: FromJs<'js>>(&'static self, ctx: &Ctx<'js>) -> rquickjs::Result<V> {
        let module = match self.bytecode.get() {
            // SAFETY: the bytes were written by this engine in this process from the source beside them, nothing can change
            // them, and as part of a static they outlive every runtime that points into them.
            Some(bytes) => unsafe { Module::load(ctx.clone(), bytes)? },
            None => {
                let module = Module::declare(ctx.clone(), self.name, format!("export default {}", self.source))?;
                // Names and lines stay: the module's name is what `import` in it starts from.
                let bytes = module.write(WriteOptions {
                    strip_source: true,
                    ..WriteOptions::default()
                })?;
                // Another thread may have been first; its bytes are the same.
                let _ = self.bytecode.set(bytes);
                module
            }
        };
        module.eval()?.0.get("default")
    }
}

/// Bounds on built-ins; evaluated first.
pub(crate) static BOUNDS: HostScript = HostScript::new("kata:plugin/bounds", include_str!("js/bounds.js"));
/// Registry, calls, timers.
pub(crate) static CORE: HostScript = HostScript::new(PRELUDE, include_str!("js/core.js"));
/// Web globals, one script for each kind, each at first use.
static WEB: [HostScript; 13] = [
    HostScript::new("kata:plugin/context", include_str!("js/context.js")),
    HostScript::new("kata:plugin/media", include_str!("js/media.js")),
    HostScript::new("kata:plugin/events", include_str!("js/events.js")),
    HostScript::new("kata:plugin/text", include_str!("js/text.js")),
    HostScript::new("kata:plugin/url", include_str!("js/url.js")),
    HostScript::new("kata:plugin/blob", include_str!("js/blob.js")),
    HostScript::new("kata:plugin/fetch", include_str!("js/fetch.js")),
    HostScript::new("kata:plugin/readable", include_str!("js/readable.js")),
    HostScript::new("kata:plugin/writable", include_str!("js/writable.js")),
    HostScript::new("kata:plugin/crypto", include_str!("js/crypto.js")),
    HostScript::new("kata:plugin/clone", include_str!("js/clone.js")),
    HostScript::new("kata:plugin/socket", include_str!("js/socket.js")),
    HostScript::new("kata:plugin/tcp", include_str!("js/tcp.js")),
];

/// The script of that name.
pub(crate) fn web(name: &str) -> Option<&'static HostScript> {
    WEB.iter().find(|script| script.name.rsplit('/').next() == Some(name))
}
