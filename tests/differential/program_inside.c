/* The interpreter of program.h: what bodies and cleanups do. */
#include "world.h"

#include <errno.h>

/* ---- In a body ------------------------------------------------------------------------------------------------- */

void program_starts(struct record *me, int argument) {
    CHECK(program_state_of(me) == CO_GEN_EXECUTING);
    program_trace("%d starts %d\n", me->number, argument);
}

static void mark_emitted(struct record *record) {
    record->emitted = world.emits;
    for (int i = 1; i < world.record_count; i++)
        if (world.records[i].waits_for == record && !world.records[i].cleaning) /* in a cleanup it goes no further */
            mark_emitted(&world.records[i]);
}

void program_emits(struct record *me, struct operation operation) {
    program_trace("%d emits %d\n", me->number, operation.value);
    if (operation.letter == 'E')
        SEEN(emit_nested);
    if (me->closing)
        SEEN(close_body_emits);
    world.emits++;
    mark_emitted(me);
    world.emitted_last = true;
    world.emitted = operation.value;
}

int program_resumed(struct record *me, void *got) {
    int error = co_error();
    if (error == 0)
        program_trace("%d got %d\n", me->number, (int)(uintptr_t)got);
    else
        program_trace("%d thrown %d\n", me->number, error);
    CHECK(error == 0 || got == NULL);
    if (error == 0)
        sights[got == NULL ? got_null : got_value]++;
    return error;
}

static int chain_length(const struct record *record) {
    int length = 0;
    for (; record != NULL; record = record->waits_for)
        length++;
    return length;
}

/* Whether `record` waits for `inner`, over others. */
static bool waits_for(const struct record *record, const struct record *inner) {
    for (; record != NULL; record = record->waits_for)
        if (record->waits_for == inner)
            return true;
    return false;
}

int program_from(struct record *me, struct operation operation) {
    struct record *inner = world.slots[operation.slot];
    co_gen_state_t before = program_state_of(inner);
    bool busy = before == CO_GEN_EXECUTING;
    bool owns = operation.letter == 'o' && inner != NULL && !busy && program_waiting_for(inner) == 0;
    int number = program_number_of(inner);
    if (inner == NULL) {
        SEEN(from_null);
    } else if (busy) {
        sights[inner == me ? from_itself : waits_for(inner, me) ? from_cycle : from_busy]++;
    } else {
        sights[owns ? from_owned : from_borrowed]++;
        if (before == CO_GEN_DONE)
            SEEN(from_of_ended);
        if (program_waiting_for(inner) > 0)
            SEEN(from_shared);
        me->waits_for = inner;
        if (chain_length(me) > 2)
            SEEN(from_chain_of_three);
    }
    if (owns)
        world.slots[operation.slot] = NULL;

    void *result = me;
    unsigned long emits_before = world.emits;
    errno = 0;
    bool asks = owns || (busy && operation.letter == 'o'); /* refused, it stays its owner's */
    int status = world.items->from(me, inner == NULL ? NULL : inner->generator, asks, &result);
    if (me->cleaning && inner != NULL && inner->emitted > emits_before) {
        CHECK(status == -EPERM);
        me->refused = true;
        if (!owns)
            me->waits_for = NULL; /* and it may go on to wait for others */
    }
    program_stop_waiting(me);
    CHECK(status <= 0 && (status == 0 || result == NULL));
    CHECK(inner != NULL || status == -EINVAL);
    CHECK(!busy || status == -EBUSY);
    if (me->closing && !me->cleaning)
        SEEN(close_body_goes_on);
    program_trace("%d from %d = %d error %d\n", me->number, number, (int)(uintptr_t)result, -status);
    sights[status < 0 ? from_error : result != NULL ? from_result : from_no_result]++;
    return -status;
}

bool program_ends(struct record *me, struct operation operation, int error) {
    if (operation.letter == 'F')
        me->error = program_error_of(operation, 0);
    else if (operation.letter != 'r') {
        if (error == 0)
            return false;
        enum handling handling = program_handling_of(operation);
        if (operation.letter == 'e' || operation.letter == 'E')
            sights[thrown_propagated + (int)handling]++;
        if (handling == IGNORE)
            return false;
        if (handling != RETURN)
            me->error = handling == REPLACE ? program_error_of(operation, 1) : error;
    }
    me->ended = true;
    me->result = me->error == 0 ? operation.value : 0;
    if (me->error == 0)
        program_trace("%d returns %d\n", me->number, me->result);
    else
        program_trace("%d fails %d\n", me->number, me->error);
    return true;
}

/* ---- Cleanups -------------------------------------------------------------------------------------------------- */

/* One operation of a cleanup. Tells whether the cleanup ends, and with which error. */
static bool clean(struct record *me, struct operation operation, int *failure) {
    int error = 0;
    void *got = NULL;
    *failure = 0;
    switch (operation.letter) {
    case 'e':
    case 'E':
        SEEN(cleanup_emits);
        got = world.items->emit(me, operation.value);
        CHECK(got == NULL && co_error() == EPERM);
        program_trace("%d emits %d in vain\n", me->number, operation.value);
        me->refused = true;
        error = EPERM;
        break;
    case 'f':
    case 'o':
        SEEN(cleanup_hands_over);
        error = program_from(me, operation);
        break;
    case 'D':
        SEEN(cleanup_in_cleanup);
        program_defer(me, operation);
        return false;
    case 'r':
        return true;
    case 'F':
        SEEN(cleanup_fails);
        *failure = program_error_of(operation, 0);
        return true;
    default:
        SEEN(cleanup_operates);
        error = program_operate(me, operation);
    }
    enum handling handling = program_handling_of(operation);
    if (error == 0 || handling == IGNORE)
        return false;
    *failure = handling == PROPAGATE ? error : handling == REPLACE ? program_error_of(operation, 1) : 0;
    return true;
}

static void run_cleanup(void *argument) {
    const struct cleanup *cleanup = argument;
    struct record *me = cleanup->owner;
    CHECK(me->top > 0 && me->cleanups[me->top - 1] == cleanup->number && program_state_of(me) == CO_GEN_EXECUTING);
    me->top--;
    me->run++;
    me->refused = false;
    me->cleaning = true;
    program_stop_waiting(me);
    program_trace("%d cleanup %d\n", me->number, cleanup->number);
    sights[!me->ended ? cleanup_after_close : me->error == 0 ? cleanup_after_return : cleanup_after_failure]++;
    int failure = 0;
    for (int i = 0; i < cleanup->operations; i++)
        if (clean(me, program_fetch(), &failure))
            break;
    me->cleaning = false;
    if (failure != 0)
        (void)co_fail(failure);
    if (failure == 0 && me->refused)
        failure = EPERM;
    if (me->error == 0)
        me->error = failure;
    program_trace("%d cleaned %d\n", me->number, failure);
}

void program_defer(struct record *me, struct operation operation) {
    struct cleanup *cleanup = &world.cleanups[world.cleanup_count];
    *cleanup = (struct cleanup){me, world.cleanup_count++, operation.value % 4};
    me->cleanups[me->top++] = cleanup->number;
    me->registered++;
    CHECK(co_defer(run_cleanup, cleanup) == 0);
    program_trace("%d defers %d\n", me->number, cleanup->number);
}
