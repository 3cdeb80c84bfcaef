#!/usr/bin/env bash
# The sanitizers and Valgrind on programs that use a library which was built without any of them: nothing is reported in
# correct programs (a switch they are not told of), and what is planted in a coroutine is reported, with its frames (a tool
# that has lost sight of coroutines). Every planted fault has a twin without the fault.
set -uo pipefail
sources=${CO_SOURCE_DIR:?}/tests/scripts/sanitizers
build=${CO_BUILD_DIR:?}
: "${CFLAGS?}" "${NM:?}"
if [[ -n ${CO_EMULATOR:-} ]]; then
    echo "Sanitizers do not work under an emulator."
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
skipped=0

# --- Checks ---

failed() {
    echo "FAILED: $1"
    sed 's/^/    /' "$work/output" | head -n 60
    failures=$((failures + 1))
}

# quiet WHAT COMMAND...: succeeds, and says `done` and nothing that a tool says.
quiet() {
    local what=$1 status
    shift
    "$@" >"$work/output" 2>&1
    status=$?
    if [[ $status -ne 0 ]] || ! grep -qx 'done' "$work/output" || grep -qE 'Sanitizer|Warning|WARNING' "$work/output"; then
        failed "$what (exit status $status)"
    else
        echo "ok: $what"
    fi
}

# reports WHAT TEXT... -- COMMAND...: fails, and every TEXT is in what it says.
reports() {
    local what=$1 texts=() text status
    shift
    while [[ $1 != -- ]]; do
        texts+=("$1")
        shift
    done
    shift
    "$@" >"$work/output" 2>&1
    status=$?
    if [[ $status -eq 0 ]]; then
        failed "$what: not reported"
        return
    fi
    for text in "${texts[@]}"; do
        if ! grep -qF -- "$text" "$work/output"; then
            failed "$what: the report lacks \"$text\""
            return
        fi
    done
    echo "ok: $what"
}

# Older run-time libraries know only some of the places where the kernel may put a program.
fixed=()
if setarch -R true 2>/dev/null; then fixed=(setarch -R); fi

# Runs a program of $work.
run() {
    local program=$1
    shift
    "${fixed[@]}" timeout 250 "$work/$program" "$@"
}

# compile COMPILER NAME LIBRARY FLAG...: every program there is, as COMPILER.NAME.PROGRAM
compile() {
    local compiler=$1 name=$2 library=$3 source
    shift 3
    for source in clean.c moving.c faults.c; do
        "$compiler" -std=gnu11 -g -O1 -fno-omit-frame-pointer "$@" "-I$CO_SOURCE_DIR/include" "$sources/$source" "$library" \
            "-Wl,-rpath,$build" -pthread -o "$work/$compiler.$name.${source%.c}" || failures=$((failures + 1))
    done
}

compile_cxx() {
    local compiler=$1 name=$2 library=$3
    shift 3
    "$compiler" -std=c++17 -g -O1 -fno-omit-frame-pointer "$@" "-I$CO_SOURCE_DIR/include" "$sources/clean_exceptions.cpp" \
        "$library" -pthread -o "$work/$compiler.$name.clean_exceptions" || failures=$((failures + 1))
}

have() {
    command -v "$1" >/dev/null && return
    echo "skipped: there is no $1"
    skipped=$((skipped + 1))
    return 1
}

# --- What is tested is what users have ---
"$NM" "$build/libco.a" >"$work/symbols" || failures=$((failures + 1))
if grep -qE ' U __(asan_report|tsan_func_entry|msan_warning)' "$work/symbols"; then
    echo "The library is built with a sanitizer; this test is about one that is not."
    exit 77
fi

# --- The tools ---

address() {
    local c=$1 cxx=$2 p=$1.address
    compile "$c" address "$build/libco.a" -fsanitize=address
    compile_cxx "$cxx" address "$build/libco.a" -fsanitize=address
    export ASAN_OPTIONS=detect_stack_use_after_return=1:detect_leaks=1
    quiet "$p: 10,000 rounds" run "$p.clean" 10000
    quiet "$p: exceptions" run "$cxx.address.clean_exceptions" 300
    quiet "$p: four threads" run "$p.moving" 100
    reports "$p: overflow of an array" stack-buffer-overflow 'in overflows' 'in overflow_body' 'in run_twice' "'text'" -- \
        run "$p.faults" overflow
    quiet "$p: its twin" run "$p.faults" overflow right
    reports "$p: overflow of a block" heap-buffer-overflow 'in heap_overflows' 'in heap_overflow_body' 'allocated by' -- \
        run "$p.faults" heap_overflow
    quiet "$p: its twin" run "$p.faults" heap_overflow right
    reports "$p: use after return" stack-use-after-return 'in use_after_return_body' 'in lets_escape' -- \
        run "$p.faults" use_after_return
    quiet "$p: its twin" run "$p.faults" use_after_return right
    leaks "$p"
    # Without its detection of uses after return there are no fake stacks.
    export ASAN_OPTIONS=detect_stack_use_after_return=0:detect_leaks=1
    quiet "$p: no fake stacks" run "$p.clean" 100
    leaks "$p"
}

leaks() {
    local p=$1
    reports "$p: a block that only a destroyed coroutine knew" LeakSanitizer 'in holds_body' '2000 byte' -- \
        run "$p.faults" leak_suspended
    quiet "$p: blocks that a suspended coroutine knows" run "$p.faults" leak_suspended right
    reports "$p: destroyed, and nothing deferred" LeakSanitizer 'in holds_body' '2000 byte' -- run "$p.faults" leak_destroyed
    quiet "$p: destroyed, and deferred calls free" run "$p.faults" leak_destroyed right
    reports "$p: exit in a coroutine, and a lost block" LeakSanitizer 'in loses' '1000 byte' -- run "$p.faults" leak_exit
    quiet "$p: exit in a coroutine, and three stacks that know blocks" run "$p.faults" leak_exit right
}

# LeakSanitizer alone ignores blocks whose allocation it cannot trace, which is so in all coroutines if it takes the short
# way of tracing.
leak() {
    local c=$1 p=$1.leak
    compile "$c" leak "$build/libco.a" -fsanitize=leak
    LSAN_OPTIONS=fast_unwind_on_malloc=0 leaks "$p"
    quiet "$p: 1,000 rounds" run "$p.clean" 1000
}

thread() {
    local c=$1 cxx=$2 p=$1.thread
    compile "$c" thread "$build/libco.a" -fsanitize=thread
    compile_cxx "$cxx" thread "$build/libco.a" -fsanitize=thread
    # A fiber costs GCC's library milliseconds.
    quiet "$p: 300 rounds" run "$p.clean" 300
    quiet "$p: exceptions" run "$cxx.thread.clean_exceptions" 50
    quiet "$p: four threads" run "$p.moving" 200
    reports "$p: race of coroutines on two threads" 'data race' '#0 counts' '#1 race_body' -- run "$p.faults" race
    quiet "$p: its twin" run "$p.faults" race right
    reports "$p: handed over without order" 'data race' '#0 announce_resume' handover -- run "$p.faults" handover
    quiet "$p: its twin" run "$p.faults" handover right
}

memory() {
    local c=$1 p=$1.memory
    compile "$c" memory "$build/libco.a" -fsanitize=memory
    quiet "$p: 1,000 rounds" run "$p.clean" 1000
    quiet "$p: four threads" run "$p.moving" 100
    reports "$p: branch on what is not initialised" use-of-uninitialized-value 'in branches_on' 'in uninitialised_body' -- \
        run "$p.faults" uninitialised
    quiet "$p: its twin" run "$p.faults" uninitialised right
    # Older compilers hand the state of every argument and result over in thread-local variables.
    compile "$c" memory-by-thread "$build/libco.a" -fsanitize=memory -fno-sanitize-memory-param-retval
    quiet "$p, arguments judged late: rounds" run "$p-by-thread.clean" 300
    reports "$p, arguments judged late: the planted fault" use-of-uninitialized-value 'in uninitialised_body' -- \
        run "$p-by-thread.faults" uninitialised
}

# The hooks of the shared library are found by the dynamic linker.
shared() {
    local c=$1 kind=$2 p=$1.shared-$2
    export ASAN_OPTIONS=detect_stack_use_after_return=1:detect_leaks=1
    compile "$c" "shared-$kind" "$build/libco.so" "-fsanitize=$kind"
    quiet "$p: rounds" run "$p.clean" 100
    quiet "$p: four threads" run "$p.moving" 50
    case $kind in
    address)
        reports "$p: use after return" stack-use-after-return 'in lets_escape' -- run "$p.faults" use_after_return
        quiet "$p: blocks that a suspended coroutine knows" run "$p.faults" leak_suspended right
        ;;
    thread) reports "$p: handed over without order" 'data race' '#0 announce_resume' -- run "$p.faults" handover ;;
    esac
}

memcheck() {
    local program=$1
    shift
    valgrind --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,possible \
        --show-leak-kinds=definite,possible "$work/$program" "$@"
}

valgrind_alone() {
    local p=$CC.plain
    # Valgrind 3.19 cannot read what clang 19 writes for debuggers. Symbols are enough.
    compile "$CC" plain "$build/libco.a" -Wl,--strip-debug
    compile_cxx "$CXX" plain "$build/libco.a" -Wl,--strip-debug
    # Its warning of an unknown stack makes `quiet` fail.
    quiet "valgrind: 300 rounds" memcheck "$p.clean" 300
    if grep -q 'in use at exit: 0 bytes' "$work/output"; then
        echo "ok: valgrind: all is freed"
    else
        failed "valgrind: something is not freed"
    fi
    quiet "valgrind: exceptions" memcheck "$CXX.plain.clean_exceptions" 50
    quiet "valgrind: four threads" memcheck "$p.moving" 20
    reports "valgrind: overflow of a block" 'Invalid read of size 1' 'heap_overflow_body' -- memcheck "$p.faults" heap_overflow
    quiet "valgrind: its twin" memcheck "$p.faults" heap_overflow right
    reports "valgrind: branch on what is not initialised" 'uninitialised value' 'uninitialised_body' -- \
        memcheck "$p.faults" uninitialised
    quiet "valgrind: its twin" memcheck "$p.faults" uninitialised right
    reports "valgrind: destroyed, and nothing deferred" 'definitely lost' 'holds_body' -- memcheck "$p.faults" leak_destroyed
    quiet "valgrind: destroyed, and deferred calls free" memcheck "$p.faults" leak_destroyed right
    # The warning does appear where there is reason for it.
    memcheck "$p.faults" unknown_stack >"$work/output" 2>&1
    if grep -q 'client switching stacks' "$work/output"; then
        echo "ok: valgrind: an unknown stack is noticed"
    else
        failed "valgrind: an unknown stack is not noticed, so the other checks show nothing"
    fi
    quiet "valgrind: its twin" memcheck "$p.faults" unknown_stack right
}

CC=${CC##*/} CXX=${CXX##*/}
for pair in gcc:g++ clang-19:clang++-19; do
    c=${pair%:*} cxx=${pair#*:}
    if ! have "$c" || ! have "$cxx"; then continue; fi
    address "$c" "$cxx"
    thread "$c" "$cxx"
    leak "$c"
    shared "$c" address
    shared "$c" thread
done
if have clang-19; then
    memory clang-19
    shared clang-19 memory
fi
if have valgrind; then valgrind_alone; fi

echo "$failures failed, $skipped skipped"
[[ $failures -eq 0 ]] || exit 1
[[ $skipped -eq 0 ]] || exit 77
