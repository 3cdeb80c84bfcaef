#!/usr/bin/env bash
# Catches a landing without the instruction that branch protection asks for. On x86-64 every landing has its endbr64 and the
# library claims indirect-branch tracking but no shadow stack. On AArch64 the same is looked up, and then run: a library marked
# for BTI gets its pages guarded by the loader, so that a branch to an unmarked landing in it raises SIGILL, which a control shows.
set -uo pipefail
source "$(dirname "$0")/common.sh"
read -ra flags <<<"$CFLAGS"
objcopy=${READELF/readelf/objcopy}

case $CO_ARCH in
x86_64)
    protect=-fcf-protection=full
    claimed='IBT'
    ;;
aarch64)
    protect=-mbranch-protection=standard
    claimed='BTI'
    ;;
*) skip "there is no branch protection to speak of on $CO_ARCH" ;;
esac
protected=("$CC" "${flags[@]}" "$protect")

# --- What objects say and hold ---
claims() { "$READELF" -nW "$1" | sed -n 's/.*feature: //p'; }

attempt "build the library with $protect" compile_library "$work/library" "${protected[@]}" || exit 1
for object in "$work"/library/*.o; do
    [[ $(claims "$object") == *"$claimed"* ]] || fail "$(basename "$object") is not marked for $claimed"
done
# Its own pc in co_resume and in co_yield_from, and the way to the unwinder; the last two also in co__park_behind_all,
# co__park_root and co__park_nested.
for object in "select 3" "select_sched 6"; do
    read -r object least <<<"$object"
    attempt "landings in $object.S" "$tests/scripts/landings.py" "$work/library/$object.S.o" "$objdump" "$objcopy" "$CO_ARCH" "$least"
    if [[ $(claims "$work/library/$object.S.o") == *SHSTK* ]]; then fail "$object.S claims to handle shadow stacks"; fi
done

# Entries that are only ever jumped to.
for name in co_resume co_yield co_yield_from co_defer co__entry co__leave co__closing co__refusal co__sched_run \
    co__sched_landing co__park_behind_all co__park_root co__park_nested; do
    first=$("$objdump" -d --no-show-raw-insn "$work"/library/select*.S.o | awk -v name="<$name>:" '$2 == name {getline; print $2, $3}')
    case $first in
    endbr64* | bti* | "hint #0x2"[246]*) ;;
    *) fail "$name begins with '$first'" ;;
    esac
done

for level in -O0 -O1 -O2 -O3; do
    # With language tables each of the two yields has a second landing.
    for exceptions in "-fno-exceptions 3" "-fexceptions 5"; do
        read -r exceptions least <<<"$exceptions"
        object=$work/inline.o
        attempt "compile the inline door, $level $exceptions" "${protected[@]}" "$level" "$exceptions" -std=c11 \
            -I"$CO_SOURCE_DIR/include" -I"$tests" -c "$tests/doors_inline.c" -o "$object" &&
            attempt "landings inline, $level $exceptions" "$tests/scripts/landings.py" "$object" "$objdump" "$objcopy" \
                "$CO_ARCH" "$least"
    done
done

shared=("${protected[@]}" -shared -nostartfiles)
attempt "link libco.so" "${shared[@]}" "$work"/library/*.o -Wl,-soname,libco.so -o "$work/libco.so" || exit 1
[[ $(claims "$work/libco.so") == *"$claimed"* ]] || fail "libco.so is not marked for $claimed"
if [[ $(claims "$work/libco.so") == *SHSTK* ]]; then fail "libco.so claims to handle shadow stacks"; fi

if [[ $CO_ARCH != aarch64 ]]; then
    [[ $failures -eq 0 ]]
    exit
fi

# --- Run under a processor that enforces it, and under one that knows nothing of it ---
# A whole test is a marked shared library; cmocka and the start files are not marked, so they are in the executable.
cat >"$work/control.S" <<'END'
/* int lands_unmarked(void): branches to an instruction that is no landing. */
    .text
    .globl lands_unmarked
    .type lands_unmarked, %function
lands_unmarked:
    hint 34
    adr x9, 1f
    br x9
    nop
1:  mov w0, #0
    ret
    .section .note.gnu.property, "a"
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000000, 4, 1, 0
    .section .note.GNU-stack, "", %progbits
END
echo 'int test_main(void); int main(void) { return test_main(); }' >"$work/main.c"
echo 'int lands_unmarked(void); int test_main(void); int test_main(void) { return lands_unmarked(); }' >"$work/control.c"

# build_marked NAME OBJECT...: a shared library of the objects, and the program NAME that calls its test_main().
build_marked() {
    local name=$1
    shift
    "${shared[@]}" "$@" -L"$work" -Wl,-rpath,"$work" -lco -lm -Wl,-soname,"libtest_$name.so" -o "$work/libtest_$name.so" &&
        "$READELF" -nW "$work/libtest_$name.so" | grep BTI &&
        "$CC" "${flags[@]}" "$work/main.c" -Wl,--export-dynamic -Wl,--whole-archive "$(cached CMOCKA_LIBRARY)" \
            -Wl,--no-whole-archive -L"$work" -Wl,-rpath,"$work" "-ltest_$name" -lm -pthread -o "$work/$name"
}

attempt "compile the control" "${protected[@]}" -fPIC -c "$work/control.c" -o "$work/control.c.o" || exit 1
attempt "assemble the control" "${protected[@]}" -c "$work/control.S" -o "$work/control.S.o" || exit 1
attempt "link the control" build_marked control "$work/control.c.o" "$work/control.S.o" || exit 1
on_processor max "$work/control" >"$work/output" 2>&1
status=$?
# 128 + SIGILL
[[ $status -eq 132 ]] || fail "an unmarked landing ended with status $status, so nothing is enforced and the rest shows nothing"
attempt "the control where BTI is ignored" on_processor cortex-a57 "$work/control"

# Tests that need nothing of libgcc, which is not marked.
for topic in doors registers red_zone fpenv thread_local_address task_registers task_fpenv; do
    attempt "compile test_$topic" compile_test "$work/$topic.d" "$topic" "${protected[@]}" -fPIC -Dmain=test_main &&
        attempt "link test_$topic" build_marked "$topic" "$work/$topic.d"/*.o || continue
    for processor in max cortex-a57; do
        attempt "test_$topic on $processor" on_processor "$processor" "$work/$topic"
    done
done
[[ $failures -eq 0 ]]
