#!/usr/bin/env bash
# Single-stepping through the out-of-line switch and the switch from task to task: the backtrace is right before every
# instruction, and so is every callee-saved register in the frames of callers. Of coroutines, with the resumer's stack below
# the coroutine's and above it.
set -uo pipefail
here=${CO_SOURCE_DIR:?}/tests/scripts/debugger
. "$here/session.sh"

failures=0
# judge WHAT: of the session in the log.
judge() {
    # The program has been stepped through to its end only if this line is there.
    if grep ' registers are right' "$work/log" && ! grep -E 'corrupt|Backtrace stopped' "$work/log"; then
        return
    fi
    echo "FAILED at $1; the end of the session:"
    tail -n 30 "$work/log"
    failures=$((failures + 1))
}

step() {
    local level=$1
    shift
    debug single_step "source $here/single_step.py" "python single_step('$CO_ARCH')" -- "$@" >"$work/log" 2>&1
    judge "$level, resumer's stack ${1-lower}"
}

for level in -O0 -O2; do
    build single_step "$level -DCO_NO_INLINE" "$here/single_step.c" "$here/call_marked_$CO_ARCH.S" || exit 1
    # An emulator is slow: each level meets one order there.
    [[ -n $CO_EMULATOR && $level == -O0 ]] || step "$level"
    [[ -n $CO_EMULATOR && $level == -O2 ]] || step "$level" higher
done

# Without optimisation the frames of inline yields are found by the frame pointer.
for flags in "-O2 -DCO_NO_INLINE" "-O0"; do
    build single_step_tasks "$flags" "$here/single_step_tasks.c" "$here/call_marked_$CO_ARCH.S" || exit 1
    debug single_step_tasks "source $here/single_step.py" "source $here/single_step_tasks.py" \
        "python single_step_tasks('$CO_ARCH')" -- >"$work/log" 2>&1
    judge "tasks, $flags"
done
[[ $failures -eq 0 ]]
