#!/usr/bin/env bash
# What a user does after `cmake --install`: build a program outside of the tree against the installed library, by
# find_package and by pkg-config, in C and in C++, with the static and the shared library, and run it.
set -uo pipefail
source_dir=${CO_SOURCE_DIR:?}
work=${CO_WORK_DIR:?}
# The consumers lie in a folder of their own, so that nothing of the tree is found by accident.
consumer=$(mktemp -d)
trap 'rm -rf "$consumer"' EXIT
rm -rf "$work"
cp "$source_dir"/tests/consumer/* "$consumer"
cd "$consumer" || exit 1

# check WHAT COMMAND...
check() {
    local what=$1
    shift
    if "$@"; then echo "ok $what"; else echo "not ok $what"; fi
}

build_and_install() {
    cmake -S "$source_dir" -B "$work/build" -DCO_BUILD_TESTS=OFF -DCO_BUILD_EXAMPLES=OFF &&
        cmake --build "$work/build" && cmake --install "$work/build" --prefix "$work/first"
}
check "build and install" build_and_install
# Installed trees get moved; whatever wrote its prefix down would not be found any more.
mv "$work/first" "$work/prefix"
prefix=$work/prefix
pc=$(find "$prefix" -name libco.pc)
libdir=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=$libdir/pkgconfig

# What tests/consumer/consumer.c prints.
runs() { [[ $(LD_LIBRARY_PATH=$libdir "$@") == "0 1 2 done" ]]; }

with_find_package() {
    local shared=$1
    cmake -S "$consumer" -B "$consumer/build-$shared" "-DCMAKE_PREFIX_PATH=$prefix" "-DBUILD_SHARED_LIBS=$shared" &&
        cmake --build "$consumer/build-$shared" &&
        runs "$consumer/build-$shared/consumer" && runs "$consumer/build-$shared/consumer_cxx"
}
# The shell splits what pkg-config prints, as it does on a user's command line.
# shellcheck disable=SC2046
with_pkg_config() {
    local compiler=$1 source=$2
    shift 2
    "$compiler" -Wall -Wextra -Werror -o with_pc "$source" $(pkg-config --cflags libco) "$@" && runs ./with_pc
}
links_shared() { readelf -dW "$1" | grep 'NEEDED.*\[libco\.so\.0\]' >/dev/null; }
links_static() { readelf -dW "$1" | grep NEEDED >needed && ! grep libco needed; }

check "find_package, static" with_find_package OFF
check "find_package, static, does link the static library" links_static build-OFF/consumer
check "find_package, shared" with_find_package ON
check "find_package, shared, does link the shared library" links_shared build-ON/consumer
# shellcheck disable=SC2046
check "pkg-config, C" with_pkg_config gcc consumer.c $(pkg-config --libs libco)
check "pkg-config, C, links the shared library" links_shared with_pc
# shellcheck disable=SC2046
check "pkg-config, C++" with_pkg_config g++ consumer.cpp $(pkg-config --libs libco)
# shellcheck disable=SC2046
check "pkg-config, wholly static" with_pkg_config gcc consumer.c -static $(pkg-config --static --libs libco)
check "pkg-config, version" pkg-config --exact-version=0.1.0 libco

same_headers() { diff -r "$source_dir/include" "$prefix/include"; }
check "the public headers are installed, and nothing else" same_headers

in_another_tree() {
    mkdir -p outer && cp consumer.c outer/
    printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(outer C)' "add_subdirectory($source_dir co)" \
        'add_executable(consumer consumer.c)' 'target_link_libraries(consumer PRIVATE co::co)' >outer/CMakeLists.txt
    cmake -S outer -B outer/build && cmake --build outer/build && runs outer/build/consumer
}
check "add_subdirectory, with no tests and no C++" in_another_tree
exit 0
