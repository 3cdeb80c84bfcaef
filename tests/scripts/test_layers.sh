#!/usr/bin/env bash
# Catches a layer that knows of one above it, or beside it: each file may include those of its own layer and of the layers
# that the table names, and no others. A file that is in no layer, a new one perhaps, is a failure too.
set -uo pipefail
source "$(dirname "$0")/common.sh"

# --- The layers ---
# layer NAME "BELOW..." "PATTERN...": the patterns are those of `case`, for paths below include/ and src/.
#
#        itertools         chan   sync   group
#            |                \    |    /
#           gen                  sched
#              \                 /
#                     core
names=()
declare -A below patterns
layer() {
    names+=("$1")
    below[$1]=$2
    patterns[$1]=$3
}
layer group     "sched core" "include/co/group.h src/group.c"
layer sync      "sched core" "include/co/sync.h src/sync.h src/mutex.c src/rwlock.c src/cond.c src/semaphore.c
                              src/wait_group.c src/barrier.c src/once.c"
layer chan      "sched core" "include/co/chan.h src/chan.[ch] src/select.c"
layer sched     "core"       "include/co/sched.h include/co/waiter.h src/sched.c src/task.[ch] src/task_close.c src/wait.[ch]
                              src/timers.c src/clock.c src/unpark.c src/report.c src/trace.c src/arch/*_sched.S"
layer itertools "gen core"   "include/co/itertools.h include/co/itertools/* src/itertools.[ch] src/iter_pass.c src/tee.c
                              src/lines.c"
layer gen       "core"       "include/co/gen.h include/co/gen/* src/gen.[ch] src/gen_own.c"
layer core      ""           "include/co.h include/co/layout.h include/co/deferred.h include/co/arch/* src/arch/* src/block.h
                              src/co.c src/self.c src/defer.c src/close.c src/handlers.c src/hooks.[ch] src/stack.[ch]
                              src/pool.[ch] src/slab.[ch] src/guard.c src/pages.h src/lock.[ch] src/watermark.[ch]
                              src/canary.[ch] src/overflow.c src/signal_stack.[ch] src/describe.[ch] src/symbol.[ch]
                              src/text.[ch]"

# layer_of PATH: the first layer that has it; nothing if none has.
layer_of() {
    local name pattern
    set -f
    for name in "${names[@]}"; do
        for pattern in ${patterns[$name]}; do
            # shellcheck disable=SC2254
            case $1 in
            $pattern)
                echo "$name"
                set +f
                return
                ;;
            esac
        done
    done
    set +f
}

# included FILE: what its #include lines name of this library, as a path below the top. What is named by a macro is chosen
# by co/arch/select.h, and is of the layer of who includes it.
included() {
    local name directory
    sed -nE 's/^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">].*/\1/p' "$1" | while read -r name; do
        for directory in "$(dirname "$1")" src include; do
            if [[ -f $directory/$name ]]; then
                realpath --relative-to=. "$directory/$name"
                break
            fi
        done
    done
}

# violations TOP PATH...: a line for each, of these files and of those below these directories.
violations() (
    cd "$1" || exit
    find "${@:2}" -name '*.[chS]' | sort | while read -r file; do
        own=$(layer_of "$file")
        if [[ -z $own ]]; then
            echo "$file is in no layer"
            continue
        fi
        included "$file" | while read -r other; do
            layer=$(layer_of "$other")
            [[ " $own ${below[$own]} " == *" $layer "* ]] || echo "$file ($own) includes $other (${layer:-no layer})"
        done
    done
)

found=$(violations "$CO_SOURCE_DIR" src include)
if [[ -z $found ]]; then
    echo "ok: includes point downwards only"
else
    fail "includes point downwards only"
    printf '%s\n' "$found" | sed 's/^/    | /'
fi

# finds WHAT FILE LINE: whether a violation is seen that this line, put into this file of a copy, is.
finds() {
    rm -rf "$work/copy"
    mkdir "$work/copy"
    cp -r "$CO_SOURCE_DIR/include" "$CO_SOURCE_DIR/src" "$work/copy"
    echo "$3" >>"$work/copy/$2"
    if [[ -n $(violations "$work/copy" "$2") ]]; then
        echo "ok: finds $1"
    else
        fail "does not find $1"
    fi
}
finds "an include of a layer above" src/co.c '#include "task.h"'
finds "an include of a layer beside" src/mutex.c '#  include "chan.h"'
finds "a public header of a layer beside" include/co/gen.h '#include <co/sched.h>'
finds "a file without a layer" src/new.c ''

[[ $failures -eq 0 ]]
