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
/// Web globals, at first use.
pub(crate) static WEB: HostScript = HostScript::new("kata:plugin/web", include_str!("js/web.js"));
