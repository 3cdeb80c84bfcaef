#!/usr/bin/env bash
# libFuzzer with AddressSanitizer on random programs of generator operations: tests/differential/fuzz.c. It runs for some
# seconds here; for ten minutes, with a corpus that is kept:
#
#   CO_FUZZ_SECONDS=600 CO_FUZZ_CORPUS=build/corpus CO_SOURCE_DIR=$PWD tests/scripts/test_fuzz.sh
#
# An input that fails stays in the corpus's folder, and CO_FUZZ_INPUT=FILE runs it alone.
set -uo pipefail
top=${CO_SOURCE_DIR:?}
if [[ -n ${CO_EMULATOR:-} ]]; then
    echo "Sanitizers do not work under an emulator."
    exit 77
fi
compiler=clang-19
if ! command -v "$compiler" >/dev/null; then
    echo "There is no $compiler."
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
corpus=${CO_FUZZ_CORPUS:-$work/corpus}
mkdir -p "$corpus" "$work/objects"

flags=(-g -O1 -fno-omit-frame-pointer "-fsanitize=address,undefined,fuzzer-no-link" -fno-sanitize-recover=undefined
    "-I$top/include" "-I$top/src")
c=(-std=c11 -fexceptions -fasynchronous-unwind-tables)
(cd "$work/objects" &&
    "$compiler" "${flags[@]}" "${c[@]}" -c "$top"/src/*.c "$top"/tests/differential/{fuzz,items,program,program_inside}.c &&
    "$compiler" "${flags[@]}" -c "$top"/src/arch/select*.S) || exit 1
"$compiler" "-fsanitize=address,undefined,fuzzer" -Wl,--wrap=co_create_at,--wrap=co_destroy "$work"/objects/*.o -pthread \
    -o "$work/fuzz" || exit 1

export ASAN_OPTIONS=detect_stack_use_after_return=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
if [[ -n ${CO_FUZZ_INPUT:-} ]]; then
    "$work/fuzz" "$CO_FUZZ_INPUT"
    exit
fi
if ! "$work/fuzz" -max_total_time="${CO_FUZZ_SECONDS:-15}" -timeout=20 -max_len=241 -use_value_profile=1 -print_final_stats=1 \
    -artifact_prefix="$corpus/" "$corpus" >"$work/output" 2>&1; then
    echo "FAILED:"
    tail -n 120 "$work/output" | sed 's/^/    | /'
    exit 1
fi
grep -E '^(#[0-9]+.*DONE|stat::number_of_executed_units|Done)' "$work/output"
# A fuzzer that has found nothing to do has shown nothing.
executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/output")
[[ $executed -gt 1000 ]]
