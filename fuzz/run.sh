#!/usr/bin/env bash
# Runs one target on stable Rust without cargo-fuzz: fuzz/run.sh TARGET [libFuzzer options]. New inputs go to found/, which is
# not kept; seeds are in corpus/.
set -eu
cd "$(dirname "$0")"
target="$1"
shift
# What `cargo fuzz run --sanitizer none` passes: coverage for libFuzzer, and nothing that needs a nightly compiler.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
host="$(rustc -vV | sed -n 's/^host: //p')"
# With a target named, build scripts and macros are left uninstrumented.
case "$target" in
  gateway | frame) features=--no-default-features ;;
  *) features=--all-features ;;
esac
cargo build --release --target "$host" --bin "$target" "$features"
# BUILD_ONLY=1 stops here: compiling and running may have other turns.
[ -z "${BUILD_ONLY:-}" ] || exit 0
mkdir -p "found/$target"
exec "target/$host/release/$target" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 "$@" "found/$target" "corpus/$target"
