#!/usr/bin/env bash
# Catches a trace that our own reader of JSON takes and others do not: traces of several seeds, read by Python.
set -uo pipefail
source "$(dirname "$0")/common.sh"
read -ra flags <<<"$CFLAGS"
read -ra emulator <<<"$CO_EMULATOR"
here=$tests/scripts/task_trace

attempt "build" "$CC" "${flags[@]}" -std=c11 -I"$CO_SOURCE_DIR/include" "$here/program.c" "$CO_BUILD_DIR/libco.a" -pthread \
    -o "$work/program" || exit 1
for seed in "" 1 2 3 4 5 6 7 8 9; do
    attempt "trace ${seed:-in order}" "${emulator[@]}" "$work/program" "$work/trace$seed.json" $seed
done
attempt "what Python reads" python3 "$here/check.py" "$work"/trace*.json
[[ $failures -eq 0 ]]
