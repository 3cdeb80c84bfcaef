#!/usr/bin/env bash
# gdb's `bt` two coroutines deep, and in deferred calls: the coroutines' functions, then their resumers', down to main,
# and no complaint. Through both doors, with the resumer's stack below the coroutine's and above it.
set -uo pipefail
here=${CO_SOURCE_DIR:?}/tests/scripts/debugger
. "$here/session.sh"

look() {
    local title=$1
    shift
    debug gdb_backtrace "source $here/gdb_backtrace.py" "python backtraces(\"$title\")" -- "$@" >>"$work/log" 2>&1
}

for door in inline out-of-line; do
    flags=$([[ $door == inline ]] || echo -DCO_NO_INLINE)
    build gdb_backtrace "-O1 $flags" "$here/gdb_backtrace.c" || exit 1
    look "$door, resumer's stack lower"
    look "$door, resumer's stack higher" higher
done
sed -n 's/^== //p' "$work/log" >"$work/backtraces"
if ! diff -u "$CO_SOURCE_DIR/tests/expected/gdb_backtrace.txt" "$work/backtraces"; then
    echo "FAILED; the sessions:"
    cat "$work/log"
    exit 1
fi
