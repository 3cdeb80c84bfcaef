/* Generators: who owns one, and ends it. Creation's caller does, until it hands it to a loop, to CO_FROM, or to another
 * generator's creation as an owned parameter.
 *
 * A loop that runs in a coroutine, and a generator that owns parameters, put the record of what they own on their own
 * coroutine's list of deferred calls: so a close of that coroutine ends it, at its place in the order of cleanup, and
 * so does its end. A record is on one list at most: whoever comes to own a generator takes it off the list where it
 * was. The record lies in the generator, and not in the frame of a loop, so that the list stays sound when that frame
 * is gone: left by longjmp, say, or by `return` where there is no __attribute__((cleanup)). */
#include "gen.h"

#include "block.h"

#include <errno.h>

void co__gen_take_over(co_gen_t *generator) {
    if (generator->held.holder != NULL)
        co__undefer(generator->held.holder, &generator->held);
}

int co__gen_release(co_gen_t *generator) {
    if (generator->outers == NULL)
        return co_gen_destroy(generator);
    generator->outers->owns_inner = 1;
    return 0;
}

void co__gen_end_held(void *generator) {
    int status = co__gen_release(generator);
    if (status < 0)
        (void)co_fail(-status);
}

int co__gen_loop_left(co_gen_t *generator, co_t *holder) {
    if (holder != NULL && !co__undefer(holder, &generator->held))
        return 0; /* ended already: by a close, before it unwound the loop's frame; or it was never the loop's */
    return co__gen_release(generator);
}

/* ---- Owned parameters ---------------------------------------------------------------------------------------- */

/* 0, or why a generator of these cannot be made. */
static int check_owned(co_gen_t *const *owned, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (owned[i] == NULL)
            return -co__gen_null();
        if (co_gen_state(owned[i]) == CO_GEN_EXECUTING)
            return EBUSY;
    }
    return 0;
}

static co_gen_t *create(const char *site, void *(*start)(void *), void *arguments, const co_options_t *options) {
    co_options_t own;
    if (options == NULL)
        return co__gen_create(site, start, arguments);
    own = *options;
    if (own.site == NULL)
        own.site = site;
    return co__gen_enter_first(co_create_with(&own, start, arguments));
}

/* One of them may stand there twice. */
static void destroy_owned(co_gen_t *const *owned, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t first = 0;
        while (owned[first] != owned[i])
            first++;
        if (first == i)
            co_gen_destroy(owned[i]);
    }
}

co_gen_t *co__gen_create_with(const char *site, void *(*start)(void *), void *arguments, const co_options_t *options,
                              co_gen_t *const *owned, size_t count) {
    co_gen_t *generator = NULL;
    int error = check_owned(owned, count);
    if (error == 0) {
        generator = create(site, start, arguments, options);
        error = errno;
    }
    if (generator == NULL) {
        destroy_owned(owned, count);
        errno = error;
        return NULL;
    }
    struct co__block *block = co__block_of(generator->self);
    /* The mark is that of co__entry's frame: a close ends them when it has unwound all frames of the body. */
    for (size_t i = 0; i < count; i++)
        co__defer_for(block, &owned[i]->held, co__gen_end_held, owned[i], (uintptr_t)block);
    return generator;
}
