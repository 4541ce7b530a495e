// Generated from kata-protocol by `cargo xtask gen`. Do not edit.
export {};
