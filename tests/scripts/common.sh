# What several scripts share; sourced by them, not run. Needs the environment that tests/CMakeLists.txt describes.
: "${CO_SOURCE_DIR:?}" "${CO_BUILD_DIR:?}" "${CO_ARCH:?}" "${CC:?}" "${CFLAGS?}" "${CO_EMULATOR?}" "${READELF:?}"
tests=$CO_SOURCE_DIR/tests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

skip() {
    echo "skipped: $*"
    exit 77
}

# attempt WHAT COMMAND...: runs the command, and fails with its output.
attempt() {
    local what=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        echo "ok: $what"
    else
        local status=$?
        fail "$what (exit status $status)"
        tail -n 15 "$work/output" | sed 's/^/    | /'
        return 1
    fi
}

# cached NAME: a variable of the CMake cache of this build.
cached() { sed -n "s/^$1:[^=]*=//p" "$CO_BUILD_DIR/CMakeCache.txt"; }

# The disassembler that belongs to READELF, the tool of the same package.
objdump=${READELF/readelf/objdump}

# on_processor CPU COMMAND...: runs a command in the emulator, as another processor than this build asks for.
on_processor() {
    local emulator processor=$1
    read -ra emulator <<<"$(sed -E 's/ -cpu [^ ]+//' <<<"$CO_EMULATOR")"
    shift
    timeout 60 "${emulator[0]}" -cpu "$processor" "${emulator[@]:1}" "$@"
}

# compile_library FOLDER COMPILER FLAGS...: the library's objects, with the flags of CMakeLists.txt.
compile_library() {
    local folder=$1 source
    shift
    mkdir -p "$folder"
    for source in "$CO_SOURCE_DIR"/src/*.c "$CO_SOURCE_DIR"/src/arch/select*.S; do
        local flags=(-fPIC)
        [[ $source == *.S ]] || flags+=(-std=c11 -fexceptions -fvisibility=hidden -fasynchronous-unwind-tables)
        "$@" "${flags[@]}" -I"$CO_SOURCE_DIR/include" -I"$CO_SOURCE_DIR/src" -c "$source" \
            -o "$folder/$(basename "$source").o" || return
    done
}

# compile_test FOLDER TOPIC COMPILER FLAGS...: the objects of test_TOPIC.c and its helpers.
compile_test() {
    local folder=$1 topic=$2 source
    shift 2
    mkdir -p "$folder"
    for source in "$tests/test_$topic.c" "$tests/${topic}"_*.[cS]; do
        [[ -e $source ]] || continue
        local flags=()
        [[ $source == *.S ]] || flags+=(-std=c11 -fasynchronous-unwind-tables)
        "$@" "${flags[@]}" -I"$CO_SOURCE_DIR/include" -I"$tests" -isystem "$(cached CMOCKA_INCLUDE)" -c "$source" \
            -o "$folder/test_$(basename "$source").o" || return
    done
}
