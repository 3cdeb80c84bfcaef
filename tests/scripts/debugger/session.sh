# shellcheck shell=bash
# Sourced by the scripts that run a program under a debugger: natively, or under qemu's gdb stub. They exit with 77, which
# ctest counts as skipped, where there is no debugger.
#
#   build NAME FLAGS SOURCE...             compiles $work/NAME with these flags after the leg's, and links its libco.a
#   debug NAME COMMAND... -- ARGUMENT...   runs it under gdb: stopped at main, the commands follow; bounded in time
: "${CO_SOURCE_DIR:?}" "${CO_BUILD_DIR:?}" "${CO_ARCH:?}" "${CC:?}" "${CFLAGS?}" "${CO_EMULATOR?}"
seconds=140

skip() {
    echo "skipped: $*"
    exit 77
}

if [[ -z $CO_EMULATOR ]]; then
    gdb="gdb"
else
    gdb="gdb-multiarch"
    # A plain processor: with SVE gdb does not know where v8 to v15 are saved, and qemu's stub does not tell it which bits
    # of a signed return address are the signature.
    [[ $CO_ARCH != aarch64 ]] || CO_EMULATOR="$(sed -E 's/ -cpu +[^ ]+//' <<<"$CO_EMULATOR") -cpu cortex-a57"
fi
command -v $gdb >/dev/null || skip "there is no $gdb"
$gdb -nx -batch -ex 'python print(1)' 2>/dev/null | grep -q 1 || skip "$gdb has no Python"
if [[ -z $CO_EMULATOR ]] && gdb -nx -batch -ex run "$(command -v true)" 2>&1 | grep -q 'ptrace: Operation not permitted'; then
    skip "processes may not be traced here"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() {
    local name=$1 flags=$2
    shift 2
    # Flags are a list of words.
    # shellcheck disable=SC2086
    "$CC" $CFLAGS -g $flags -std=c11 -D_GNU_SOURCE -fasynchronous-unwind-tables -I"$CO_SOURCE_DIR/include" \
        "$@" "$CO_BUILD_DIR/libco.a" -o "$work/$name"
}

debug() {
    local name=$1 commands=() start
    shift
    while [[ $1 != -- ]]; do
        commands+=(-ex "$1")
        shift
    done
    shift
    start=(-ex 'set confirm off' -ex 'set pagination off' -ex 'set width 0' -ex 'set debuginfod enabled off')
    if [[ -z $CO_EMULATOR ]]; then
        timeout "$seconds" gdb -q -nx -batch "${start[@]}" -ex 'tbreak main' -ex run "${commands[@]}" --args "$work/$name" "$@"
        return
    fi
    local emulator root pid
    read -ra emulator <<<"$CO_EMULATOR"
    root=$(sed -nE 's/.*-L +([^ ]+).*/\1/p' <<<"$CO_EMULATOR")
    rm -f "$work/socket"
    timeout "$seconds" "${emulator[0]}" -g "$work/socket" "${emulator[@]:1}" "$work/$name" "$@" >"$work/program" 2>&1 &
    pid=$!
    # The kernel's table says when the socket is listened to (flag 0x10000).
    until grep -qE "^[^ ]+ [^ ]+ [^ ]+ 00010000 .* $work/socket\$" /proc/net/unix; do
        kill -0 "$pid" 2>/dev/null || {
            echo "the emulator ended before the debugger came:"
            cat "$work/program"
            return 1
        }
        sleep 0.05
    done
    timeout "$seconds" gdb-multiarch -q -nx -batch "${start[@]}" -ex "set sysroot $root" -ex "target remote $work/socket" \
        -ex 'tbreak main' -ex continue "${commands[@]}" "$work/$name"
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}
