#!/usr/bin/env bash
# Catches, in the disassembly, what no run shows on this machine: a platform register that the switch writes (x18 on AArch64,
# gp and tp on RISC-V), and a return instruction on the way into another context, which the processor would mispredict.
set -uo pipefail
source "$(dirname "$0")/common.sh"
read -ra flags <<<"$CFLAGS"

attempt "assemble the switch" "$CC" "${flags[@]}" -fPIC -I"$CO_SOURCE_DIR/include" -I"$CO_SOURCE_DIR/src" \
    -c "$CO_SOURCE_DIR/src/arch/select.S" -o "$work/switch.o" || exit 1
attempt "assemble the switch from task to task" "$CC" "${flags[@]}" -fPIC -I"$CO_SOURCE_DIR/include" -I"$CO_SOURCE_DIR/src" \
    -c "$CO_SOURCE_DIR/src/arch/select_sched.S" -o "$work/tasks.o" || exit 1
attempt "compile the inline door" "$CC" "${flags[@]}" -std=c11 -I"$CO_SOURCE_DIR/include" -I"$tests" \
    -c "$tests/doors_inline.c" -o "$work/inline.o" || exit 1

# instructions OBJECT [SYMBOL...]: "mnemonic operands", of these functions or of all.
instructions() {
    local object=$1
    shift
    "$objdump" -d --no-show-raw-insn "$object" | awk -v wanted=" $* " '
        /^[0-9a-f]+ <.*>:$/ {name = substr($2, 2, length($2) - 3); inside = wanted == "  " || index(wanted, " " name " ")}
        inside && /^ *[0-9a-f]+:/ {sub(/^ *[0-9a-f]+:[ \t]*/, ""); print}'
}

# never WHAT PATTERN OBJECT [SYMBOL...]: no instruction matches.
never() {
    local what=$1 pattern=$2 found
    shift 2
    [[ -n $(instructions "$@") ]] || fail "$what: nothing was disassembled"
    if found=$(instructions "$@" | grep -E "$pattern"); then
        fail "$what"
        printf '    | %s\n' "$found"
    else
        echo "ok: never $what"
    fi
}

doors=(co_resume co_yield co_yield_from)
case $CO_ARCH in
x86_64)
    never "a return in a door" '^(rep[a-z]* )?ret' "$work/switch.o" "${doors[@]}"
    never "a return from task to task" '^(rep[a-z]* )?ret' "$work/tasks.o"
    never "the control words on the default path" 'mxcsr|fldcw|fn?stcw' "$work/switch.o" "${doors[@]}"
    never "the control words in the inline door" 'mxcsr|fldcw|fn?stcw' "$work/inline.o"
    ;;
aarch64)
    for object in switch tasks; do
        never "x18 in $object" '\b[xw]18\b' "$work/$object.o"
        never "the thread pointer written in $object" 'msr[[:space:]]+tpidr' "$work/$object.o"
    done
    # Where branch targets are enforced a caller has no landing, so that there a return it must be.
    if [[ $CFLAGS != *branch-protection* ]]; then
        never "a return in a door" '^ret' "$work/switch.o" "${doors[@]}"
        never "a return from task to task" '^ret' "$work/tasks.o"
    fi
    never "FPCR on the default path" 'fpcr' "$work/switch.o" "${doors[@]}"
    never "FPCR in the inline door" 'fpcr' "$work/inline.o"
    ;;
riscv64)
    for object in switch tasks inline; do
        never "gp in $object" '\bgp\b' "$work/$object.o"
        # Whatever has tp as its first operand writes it, but for stores, which do not occur.
        never "tp written in $object" '^[a-z.]+[[:space:]]+tp\b' "$work/$object.o"
    done
    never "a return in a door" '^ret' "$work/switch.o" "${doors[@]}"
    never "a return from task to task" '^ret' "$work/tasks.o"
    never "frm on the default path" 'fr[rs]m|fs?csr' "$work/switch.o" "${doors[@]}"
    ;;
*) skip "nothing is known of $CO_ARCH" ;;
esac
[[ $failures -eq 0 ]]
