#!/usr/bin/env bash
# Catches wide vectors, masks and registers of unknown length that the clobber list forgets: test_live_values and test_registers,
# library and tests compiled for processors that have them, at every level of optimisation. AVX-512 needs a processor that has
# it; SVE and RVV run under qemu.
set -uo pipefail
source "$(dirname "$0")/common.sh"
read -ra flags <<<"$CFLAGS"
link=()
run=(timeout 60)

case $CO_ARCH in
x86_64)
    for feature in avx512f avx512bw avx512dq avx512vl avx512cd; do
        grep -qw "$feature" /proc/cpuinfo || skip "this processor has no $feature"
    done
    compilers=("$CC")
    march=(x86-64-v4)
    ;;
aarch64)
    compilers=("$CC ${flags[*]}")
    march=(armv8.2-a+sve)
    run=(on_processor max)
    ;;
riscv64)
    # gcc 12 knows no vector registers; the linker that goes with it does not know all that clang writes.
    command -v clang-19 >/dev/null && command -v ld.lld-19 >/dev/null || skip "there is no clang-19"
    compilers=("clang-19 --target=riscv64-linux-gnu")
    march=(rv64gcv)
    link=(-fuse-ld=lld)
    run=(on_processor "rv64,v=true")
    ;;
*) skip "nothing is known of $CO_ARCH" ;;
esac

build() {
    local folder=$1
    shift
    compile_library "$folder" "$@" && compile_test "$folder" "$topic" "$@" &&
        "$@" "${link[@]}" "$folder"/*.o "$(cached CMOCKA_LIBRARY)" -pthread -o "$folder/program"
}

for compiler in "${compilers[@]}"; do
    read -ra command <<<"$compiler"
    for level in -O0 -O1 -O2 -O3; do
        for topic in live_values registers; do
            what="$topic, ${compiler##*/} $level -march=${march[0]}"
            folder=$work/$topic$level
            attempt "build $what" build "$folder" "${command[@]}" "$level" "-march=${march[0]}" &&
                attempt "run $what" "${run[@]}" "$folder/program"
        done
    done
done
[[ $failures -eq 0 ]]
