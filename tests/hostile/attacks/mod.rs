//! The attacks, as data: where the code runs, the code, and for what its plugin must be blamed.

mod floods;
mod life;
mod loops;
mod memory;
mod modules;
mod natives;
mod promises;
mod recursion;
mod results;
mod tampering;

/// Where an attack's code runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Door {
    /// The whole module, whatever it is.
    Module,
    /// The body of `register(api)`.
    Register,
    /// The body of a tool, with `args` and `ctx`.
    Tool,
    /// The body of a hook on `message_received`, with `event` and `ctx`.
    Hook,
    /// A timer that a tool has set.
    Timer,
    /// The body of a service's `start(ctx)`.
    Start,
    /// The body of a service's `stop(ctx)`.
    Stop,
    /// The body of a channel's `connect(ctx)`.
    Connect,
    /// The body of a channel's `send(message, ctx)`.
    Send,
    /// The body of a channel's `typing(route, ctx)`.
    Typing,
    /// The body of a command, with `args`.
    Command,
    /// The body of the module's `dispose()`.
    Dispose,
    /// Files that the attack writes beside its module, which is the code.
    Files(fn() -> Vec<(String, String)>),
}

/// One attack: name, where, code, blame. The blame is the kinds of fault that name it, separated by `|`; "" where it harms
/// nobody but its own answer, so that no fault has to be there.
pub(crate) type Attack = (&'static str, Door, &'static str, &'static str);

/// Every attack by class.
pub(crate) const CLASSES: &[(&str, &[Attack])] = &[
    ("floods", floods::ATTACKS),
    ("life", life::ATTACKS),
    ("loops", loops::ATTACKS),
    ("memory", memory::ATTACKS),
    ("modules", modules::ATTACKS),
    ("natives", natives::ATTACKS),
    ("promises", promises::ATTACKS),
    ("recursion", recursion::ATTACKS),
    ("results", results::ATTACKS),
    ("tampering", tampering::ATTACKS),
];
