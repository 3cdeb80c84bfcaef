#!/usr/bin/env bash
# Catches what the ABIs without hardware floating point, or with half of it, need otherwise: the library and the scenes of
# test_registers and test_task_registers are built for lp64, lp64f and lp64d, and run under qemu. No C library is installed for the first two, so the
# programs do without one.
set -uo pipefail
source "$(dirname "$0")/common.sh"
read -ra emulator <<<"$CO_EMULATOR"
[[ $CO_ARCH == riscv64 ]] || skip "this build is for $CO_ARCH"

# The C library's headers ask for a list of stubs that is installed for lp64d only.
mkdir -p "$work/stubs/gnu"
touch "$work/stubs/gnu/stubs-lp64.h" "$work/stubs/gnu/stubs-lp64f.h"

build() {
    local folder=$1 source
    shift
    local include=(-I"$work/stubs" -I"$CO_SOURCE_DIR/include" -I"$CO_SOURCE_DIR/src" -I"$tests")
    mkdir -p "$folder"
    for source in "$CO_SOURCE_DIR"/src/*.c "$CO_SOURCE_DIR"/src/arch/select*.S "$tests"/registers_*.[cS] \
        "$tests/task_registers_scenes.c" "$tests/scripts/freestanding/riscv64.c"; do
        # Files that need threads or much else of a C library, whose headers are for double floats only.
        [[ ! $source =~ /src/(describe|iter_pass|itertools|lines|lock|overflow|pool|report|signal_stack|symbol|tee|text|trace|unpark)\.c$ ]] || continue
        local flags=(-std=c11 -fno-stack-protector)
        [[ $source != */freestanding/* ]] || flags+=(-ffreestanding)
        [[ $source != *.S ]] || flags=()
        "$@" "${flags[@]}" "${include[@]}" -c "$source" -o "$folder/$(basename "$source").o" || return
    done
    "$@" "${link[@]}" -nostdlib -static -no-pie "$folder"/*.o -o "$folder/program"
}

# What an object says of its ABI, as in "lp64f".
abi_of() {
    case $("$READELF" -hW "$1" | sed -n 's/.*Flags:.*\(soft-float\|single-float\|double-float\) ABI.*/\1/p') in
    soft-float) echo lp64 ;;
    single-float) echo lp64f ;;
    double-float) echo lp64d ;;
    esac
}

compilers=(riscv64-linux-gnu-gcc)
if command -v clang-19 >/dev/null && command -v ld.lld-19 >/dev/null; then
    compilers+=("clang-19 --target=riscv64-linux-gnu")
fi
for compiler in "${compilers[@]}"; do
    read -ra command <<<"$compiler"
    link=()
    [[ $compiler != clang* ]] || link=(-fuse-ld=lld)
    for target in "rv64imac lp64" "rv64gc lp64" "rv64imafc lp64f" "rv64gc lp64f" "rv64gc lp64d"; do
        read -r march mabi <<<"$target"
        for level in -O0 -O2; do
            what="$target, ${command[0]} $level"
            folder=$work/program
            rm -rf "$folder"
            attempt "build for $what" build "$folder" "${command[@]}" "$level" "-march=$march" "-mabi=$mabi" || continue
            [[ $(abi_of "$folder/select.S.o") == "$mabi" ]] || fail "the switch is not assembled for $mabi"
            attempt "run for $what" timeout 60 "${emulator[@]}" "$folder/program"
        done
    done
done
[[ $failures -eq 0 ]]
