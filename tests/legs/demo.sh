#!/usr/bin/env bash
# The first command of the README, on a machine that has CMake, make and one C compiler and nothing else: a clean copy of the
# tree, and a PATH that holds no more than that.
set -uo pipefail
source_dir=${CO_SOURCE_DIR:?}
work=${CO_WORK_DIR:?}
expected=$source_dir/examples/expected/foo_bar.txt

# demo NAME COMPILER: run the workflow where COMPILER is the only one, called NAME.
demo() {
    local with=$1 compiler=$2 tool
    rm -rf "$work"
    mkdir -p "$work/bin" "$work/tree"
    for tool in cmake make as ld ar ranlib nm objdump objcopy strip readelf sh uname; do
        ln -s "$(readlink -f "$(command -v "$tool")")" "$work/bin/$tool" || return
    done
    ln -s "$(readlink -f "$(command -v "$compiler")")" "$work/bin/$with" || return
    (cd "$source_dir" && tar --exclude=./build --exclude=./.git -cf - .) | tar -C "$work/tree" -xf - || return
    (cd "$work/tree" && env -i PATH="$work/bin" HOME="$work" "$work/bin/cmake" --workflow --preset demo) >"$work/output" 2>&1
    local status=$?
    cat "$work/output"
    # The example's lines stand in the build's output as they are.
    if [[ $status -eq 0 ]] && grep -xFf "$expected" "$work/output" | diff - "$expected"; then
        echo "ok cmake --workflow --preset demo, with $with and no C++ compiler"
    else
        echo "not ok cmake --workflow --preset demo, with $with and no C++ compiler"
    fi
}

demo gcc gcc
demo clang clang-19
exit 0
