#!/bin/sh
# Builds and runs a fuzz target with a stable compiler: ./run.sh TARGET [libFuzzer's options]
set -eu
cd "$(dirname "$0")"
target=$1
shift
export RUSTFLAGS="--cfg fuzzing \
  -Cpasses=sancov-module \
  -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares \
  -Ccodegen-units=1"
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --target "$host" --bin "$target"
mkdir -p "corpus/$target" "artifacts/$target"
if [ -f "${1:-}" ]; then
  exec "target/$host/release/$target" "$@"
fi
exec "target/$host/release/$target" -artifact_prefix="artifacts/$target/" "corpus/$target" "$@"
