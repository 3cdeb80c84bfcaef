#!/usr/bin/env bash
# Catches a use of a typed object as one of another type that compiles: each wrong use of generator_types.c, or of the file that is
# the argument, must be an error by itself, without -Werror, in C11 and in C++11 to C++23; and the right uses beside it must
# compile without a warning.
set -uo pipefail
source "$(dirname "$0")/common.sh"
read -ra flags <<<"$CFLAGS"
cases=${1:-$tests/scripts/generator_types.c}
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
wrong=$(grep -oE 'WRONG_[A-Z_]+' "$cases" | sort -u)
warned=$(grep -oE 'WARNED_[A-Z_]+' "$cases" | sort -u)

# rejected WHAT COMMAND...: the compiler says no, and the reason is an error of its own.
rejected() {
    local what=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        fail "$what compiles"
    elif ! grep -q 'error: ' "$work/output" || grep -q 'internal compiler error' "$work/output"; then
        fail "$what: the compiler failed otherwise: $(tail -n 3 "$work/output")"
    else
        echo "ok: $what is an error"
    fi
}

# check NAME COMPILER...: all cases in one language. ALSO_WARNED are the cases that are errors here by themselves.
check() {
    local name=$1 case
    shift
    local compile=("$@" "${flags[@]}" -I"$CO_SOURCE_DIR/include" -fsyntax-only)
    attempt "$name: the right uses" "${compile[@]}" "${warnings[@]}" "$cases" || return
    for case in $wrong; do
        rejected "$name: $case" "${compile[@]}" -w "-D$case" "$cases"
    done
    for case in $warned; do
        rejected "$name: $case" "${compile[@]}" "${strict[@]}" "-D$case" "$cases"
    done
}

strict=(-Werror)
check "C11" "$CC" -std=c11 -x c
attempt "C11 with GNU extensions: the right uses" "$CC" -std=gnu11 "${flags[@]}" -I"$CO_SOURCE_DIR/include" -fsyntax-only \
    "${warnings[@]}" "$cases"
if [[ -n ${CXX:-} ]] && echo 'int main() {}' >"$work/main.cpp" && "$CXX" -fsyntax-only "$work/main.cpp" 2>/dev/null; then
    strict=(-w)
    for standard in 11 14 17 20 23; do
        spelling=$standard
        [[ $standard == 23 ]] && spelling=2b
        check "C++$standard" "$CXX" "-std=c++$spelling" -x c++
    done
fi
[[ $failures -eq 0 ]]
