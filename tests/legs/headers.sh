#!/usr/bin/env bash
# Every public header alone, in every language standard, by every compiler, both doors, with the warnings that careful programs
# use as errors. Optimised and with a use of the inline calls, since an asm is checked only where it is emitted.
set -uo pipefail
work=${CO_WORK_DIR:?}
include=${CO_SOURCE_DIR:?}/include
mkdir -p "$work"

warnings=(-Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-align -Wcast-qual -Wformat=2
    -Wnull-dereference -Wundef -Wwrite-strings)
c_warnings=(-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition)
cxx_warnings=(-Wold-style-cast -Wnon-virtual-dtor)

# The use of co.h. In C++ co_yield is a keyword from C++20 on, and co_suspend stands in its place.
cat >"$work/use.h" <<'EOF'
extern int co_header_use(co_t *co, void **out);
int co_header_use(co_t *co, void **out) {
    int status = co_resume(co, *out, out);
#ifdef __cplusplus
    *out = co_suspend(*out);
#else
    *out = co_yield(*out);
#endif
    *out = co_yield_from(co_self(), *out);
    return status;
}
EOF

# The use of co/itertools.h: what its macros define is compiled with the warnings of whoever uses them.
cat >"$work/use_itertools.h" <<'EOF'
struct co_header_point {
    long x, y, z;
};
static CO_MAP(co_header_map, struct co_header_point, int, x, (long, y), (const char *, text)) {
    struct co_header_point point = {x, y, text[0]};
    return point;
}
static CO_FILTER(co_header_filter, struct co_header_point, p) { return p.x != 0; }
static CO_TAKE_WHILE(co_header_take_while, struct co_header_point, p, (long, limit)) { return p.z < limit; }
static CO_SKIP_WHILE(co_header_skip_while, struct co_header_point, p) { return p.y < 0; }
static CO_FOLD(co_header_fold, long, struct co_header_point, total, p, (long, factor)) { return total + factor * p.z; }
CO_ZIP(co_header_zip, long, struct co_header_point);
static CO_ENUMERATE(co_header_enumerate, co_header_zip_item);
static CO_BATCH(co_header_batch, co_header_enumerate_item);
extern long co_header_itertools(FILE *file);
long co_header_itertools(FILE *file) {
    const int numbers[2] = {1, 2};
    long total = 0, *collected;
    size_t count;
    CO_GEN(struct co_header_point) both[2];
    CO_GEN(long) range = CO_SKIP(CO_CHAIN(co_range(0, 9, 2), co_count(0, 1), co_count(1, 1)), 1);
    CO_MEMO(long) memo = CO_MEMO_MAKE(range);
    CO_GEN(struct co_header_point) mapped = co_header_map(CO_FROM_ARRAY(numbers, 2), 3, "text");
    total += CO_TEE(co_header_skip_while(co_header_take_while(co_header_filter(mapped), 5)), 2, both);
    CO_FOR(co_header_batch_item, batch,
           co_header_batch(co_header_enumerate(co_header_zip(CO_MEMO_ITERATE(memo), both[0]), 0), 3))
        total += batch.items[0].value.first;
    CO_FOR(const char *, line, co_lines(file)) total += line[0];
    total += CO_COLLECT_AT_MOST(CO_TAKE(CO_MEMO_ITERATE(memo), 5), 3, &collected, &count);
    total += co_header_fold(both[1], &total, 7) + CO_MEMO_DESTROY(memo);
    return total;
}
EOF

# The use of co/sync.h: objects in a program's own, made by what initialises them.
cat >"$work/use_sync.h" <<'EOF'
struct co_header_objects {
    co_mutex_t mutex;
    co_rwlock_t rwlock;
    co_cond_t cond;
    co_semaphore_t semaphore;
    co_wait_group_t group;
    co_barrier_t barrier;
    co_once_t once;
};
extern struct co_header_objects co_header_objects;
struct co_header_objects co_header_objects = {CO_MUTEX_INIT,      CO_RWLOCK_INIT,    CO_COND_INIT, CO_SEMAPHORE_INIT(1),
                                              CO_WAIT_GROUP_INIT, CO_BARRIER_INIT(2), CO_ONCE_INIT};
extern int co_header_use(int (*fn)(void *arg));
int co_header_use(int (*fn)(void *arg)) {
    co_mutex_t mutex = CO_MUTEX_INIT;
    co_once_t once = CO_ONCE_INIT;
    return co_once(&once, fn, &mutex, CO_NEVER);
}
EOF

# check WHAT COMPILER ARGUMENT...: compile the header in $header, twice included.
check() {
    local what=$1 compiler=$2
    shift 2
    if ! command -v "$compiler" >/dev/null; then
        echo "skip $what: there is no $compiler"
        return
    fi
    printf '#include <%s>\n#include <%s>\nextern int unit_is_not_empty;\n' "$header" "$header" >"$work/unit.h"
    [[ $header == co.h ]] && cat "$work/use.h" >>"$work/unit.h"
    [[ $header == co/itertools.h ]] && cat "$work/use_itertools.h" >>"$work/unit.h"
    [[ $header == co/sync.h ]] && cat "$work/use_sync.h" >>"$work/unit.h"
    printf '#include "unit.h"\n' | tee "$work/unit.c" >"$work/unit.cpp"
    if "$compiler" "${warnings[@]}" -I"$include" "$@" -c -o "$work/unit.o"; then
        echo "ok $what"
    else
        echo "not ok $what"
    fi
}

# standards COMPILER C++-COMPILER [ARGUMENT...]
standards() {
    local c=$1 cxx=$2 standard
    shift 2
    for standard in c11 c17; do
        check "$header $c $* $standard" "$c" "$@" -O2 "-std=$standard" "${c_warnings[@]}" "$work/unit.c"
    done
    for standard in c++11 c++14 c++17 c++20 c++2b gnu++20; do
        check "$header $cxx $* $standard" "$cxx" "$@" -O2 "-std=$standard" "${cxx_warnings[@]}" "$work/unit.cpp"
    done
}

cd "$include" || exit 1
# The architectures' files are not for inclusion alone: co.h selects one.
for header in co.h co/*.h co/gen/*.h; do
    standards gcc g++
    standards clang-14 clang++-14
    standards clang-19 clang++-19
    [[ $header == co.h ]] || continue
    standards gcc g++ -DCO_NO_INLINE
    standards clang-19 clang++-19 -DCO_NO_INLINE
    standards clang-19 clang++-19 -fsanitize=address
    standards clang-19 clang++-19 -DCO_DEBUG
    for arch in aarch64 riscv64; do
        standards $arch-linux-gnu-gcc $arch-linux-gnu-g++
        standards clang-19 clang++-19 --target=$arch-linux-gnu
    done
    check "$header musl-gcc c11" musl-gcc -O2 -std=c11 "${c_warnings[@]}" "$work/unit.c"
done

# An architecture that nobody has written must stop with a sentence, not with a heap of errors.
header=co.h
if output=$(echo '#include <co.h>' | clang-19 --target=sparc64-linux-gnu -ffreestanding -I"$include" -fsyntax-only -x c - 2>&1); then
    echo "not ok an unknown architecture compiles"
elif grep -q 'error: .*libco' <<<"$output"; then
    echo "ok an unknown architecture is refused with a sentence"
else
    printf '%s\nnot ok an unknown architecture is refused without a sentence\n' "$output"
fi
exit 0
