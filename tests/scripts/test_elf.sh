#!/usr/bin/env bash
# What the built libco.so and libco.a promise to a linker: no executable stack, no text relocation, exactly the symbols in
# tests/expected/symbols.txt, a marked landing wherever the objects are marked, and a core that is small.
set -uo pipefail
so=${CO_BUILD_DIR:?}/libco.so
archive=$CO_BUILD_DIR/libco.a
kept=${CO_SOURCE_DIR:?}/tests/expected/symbols.txt
: "${READELF:?}" "${NM:?}" "${CFLAGS?}" "${CO_ARCH:?}"
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

stack=$("$READELF" -lW "$so" | grep GNU_STACK) || fail "libco.so has no GNU_STACK header, so its stack is executable"
[[ $stack == *" RWE "* ]] && fail "libco.so asks for an executable stack"
# An object without the note makes every program that links it statically ask for an executable stack.
while read -r object sections; do
    [[ $sections -gt 0 ]] || fail "$object in libco.a has no .note.GNU-stack section"
done < <("$READELF" -SW "$archive" | awk '/^File:/ {if (f) print f, n; f = $2; n = 0}
    / \.note\.GNU-stack / {n++} END {print f, n}')
"$READELF" -SW "$archive" | grep -E '\.note\.GNU-stack .* [WA]*X' && fail "an object in libco.a asks for an executable stack"

"$READELF" -dW "$so" | grep TEXTREL && fail "libco.so has text relocations"
"$READELF" -lW "$so" | grep -E 'LOAD .* RWE ' && fail "libco.so has a segment both writable and executable"
"$READELF" -dW "$so" | grep 'SONAME.*\[libco\.so\.0\]' >/dev/null || fail "the soname is not libco.so.0"
"$READELF" -dW "$so" | grep NEEDED | grep -vE '\[(libc\.so\.6|ld-linux-[a-z0-9-]*\.so\.[0-9])\]' && fail "libco.so needs more than libc"

# The C names of the inline door may be missing in neither: bindings use them.
"$NM" -D --defined-only "$so" | awk '{print $NF}' | LC_ALL=C sort | diff -u "$kept" - ||
    fail "libco.so does not export exactly the symbols of tests/expected/symbols.txt"

# When some objects carry a landing-pad property and others do not, the linker drops it for the whole library.
case $CFLAGS in
*-mbranch-protection=standard*) property=BTI ;;
*-fcf-protection=full*) property='IBT' ;;
*) property='' ;;
esac
if [[ -n $property ]]; then
    "$READELF" -nW "$so" | grep 'feature' | grep "$property" >/dev/null || fail "libco.so is not marked for $property"
fi
# The switch leaves by jumps and knows nothing of shadow stacks, so it must not say that it does.
if "$READELF" -nW "$so" | grep SHSTK; then fail "libco.so is marked for shadow stacks"; fi

# A static program without tasks holds nothing of the scheduler.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/plain.c" <<'END'
#include <co.h>
int main(void) { return co_resume(NULL, NULL, NULL) == 0 || co_status(co_self()) != CO_DEAD || co_close(NULL) == 0; }
END
read -ra flags <<<"$CFLAGS"
"${CC:?}" "${flags[@]}" -std=c11 -I"$CO_SOURCE_DIR/include" "$work/plain.c" "$archive" -pthread -o "$work/plain" ||
    fail "a static program does not link"
"$NM" --defined-only "$work/plain" | grep -E ' co__(sched|park|task)_' && fail "a program without tasks links the scheduler"

# The core is what every program runs; beside it are where stacks come from, what tools are told, and diagnostics.
if [[ $CO_ARCH == x86_64 && $CFLAGS == *-O2* ]]; then
    text=$(size "$archive" | awk '$6 ~ /^((co|close|defer|handlers|self)\.c|select\.S)\.o$/ {sum += $1} END {print sum}')
    size "$archive" | awk 'NR > 1 {printf "%s %s, ", $6, $1}'
    echo "the core: $text bytes"
    [[ $text -ge 4096 && $text -le 8192 ]] || fail "the core has $text bytes of text, not 4096 to 8192"
fi
[[ $failures -eq 0 ]]
