#!/usr/bin/env bash
# Random programs of generator operations behave with libco as with CPython's own generators: tests/differential. Each run
# has another seed. CO_SEED=N and CO_PROGRAMS=N do one again.
set -uo pipefail
source "$(dirname "$0")/common.sh"
read -ra flags <<<"$CFLAGS"
read -ra emulator <<<"$CO_EMULATOR"
sources=$tests/differential
right='import sys; sys.exit(sys.implementation.name != "cpython" or sys.version_info < (3, 11))'
python=
for candidate in /usr/bin/python3 python3; do # the first is Debian's, which tests/setup installs
    if "$candidate" -c "$right" 2>/dev/null; then
        python=$candidate
        break
    fi
done
[[ -n $python ]] || skip "there is no CPython 3.11 or later"

# The program counts the library's coroutines.
attempt "compile the interpreter" "$CC" "${flags[@]}" -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
    -I"$CO_SOURCE_DIR/include" "$sources"/{main,items,program,program_inside}.c "$CO_BUILD_DIR/libco.a" \
    -Wl,--wrap=co_create_at,--wrap=co_destroy -pthread -o "$work/programs" || exit 1

programs=100000
[[ -z $CO_EMULATOR ]] || programs=10000
# Seconds would be the same for legs that begin together.
seed=${CO_SEED:-$((RANDOM * 32768 + RANDOM))}
timeout 280 "$python" -B "$sources/differential.py" check "$seed" "${CO_PROGRAMS:-$programs}" \
    "${emulator[@]}" "$work/programs" || fail "the differential test (exit status $?); CO_SEED=$seed does it again"
[[ $failures -eq 0 ]]
