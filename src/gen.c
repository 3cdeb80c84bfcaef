/* Generators: stepping, handing over, throwing, closing.
 *
 * A generator's record lies in the frame of its start function, at the top of its own coroutine's stack, and stays
 * there until the coroutine is destroyed: the start function never returns, co__gen_leave ends the coroutine for it.
 *
 * Generators that have handed over form chains. Each knows the last of its chain, its leaf, and who is to be resumed
 * for that one's next item; so a step costs the same however long the chain is. What changes the end of a chain, a
 * handing over or an end, tells all that wait for it (retarget). Several may wait for one. */
#include "co/gen.h"

#include "block.h"

#include <errno.h>

static bool is_executing(const co_gen_t *generator) {
    const co_gen_t *leaf = generator->leaf;
    if (leaf->kind != NULL)
        return leaf->executing;
    co_status_t status = co_status(leaf->self);
    return status == CO_RUNNING || status == CO_NORMAL;
}

/* ---- Making one ---------------------------------------------------------------------------------------------- */

co_gen_t *co__gen_create(const char *site, void *(*start)(void *), void *arguments) {
    void *generator = NULL;
    co_t *co = co_create_at(site, start, arguments);
    if (co != NULL)
        co_resume(co, NULL, &generator); /* as far as co__gen_enter */
    return generator;
}

void co__gen_enter(co_gen_t *generator, void *slot, size_t item_bytes) {
    co_t *self = co_self();
    *generator = (co_gen_t){.slot = slot, .next = self, .self = self, .leaf = generator};
    generator->small = item_bytes <= sizeof generator->item;
    co_yield_from(self, generator);
    generator->started = 1;
}

static void finish(co_gen_t *generator) {
    generator->done = 1;
    generator->next = NULL;
    generator->item = NULL;
}

void *co__gen_leave(co_gen_t *generator) {
    co_t *self = generator->self;
    struct co__outcome outcome = co__finish(self, NULL); /* deferred calls run */
    if (outcome.status != 0)
        generator->result = NULL;
    finish(generator);
    co__leave(self, NULL, outcome.status);
}

/* ---- Chains -------------------------------------------------------------------------------------------------- */

/* Of `top`, and of all that wait for it: a tree, whose branches `inner` leads back from. No recursion, since the stack
 * may be a coroutine's and the chain long. */
static void retarget(co_gen_t *top, co_gen_t *leaf) {
    co_gen_t *generator = top;
    for (;;) {
        generator->leaf = leaf;
        generator->next = leaf->kind == NULL ? leaf->self : NULL;
        if (generator->outers != NULL) {
            generator = generator->outers;
            continue;
        }
        while (generator != top && generator->next_outer == NULL)
            generator = generator->inner;
        if (generator == top)
            return;
        generator = generator->next_outer;
    }
}

static void link_inner(co_gen_t *outer, co_gen_t *inner) {
    outer->inner = inner;
    outer->next_outer = inner->outers;
    inner->outers = outer;
    retarget(outer, inner->leaf);
}

static void unlink_inner(co_gen_t *outer) {
    co_gen_t **link = &outer->inner->outers;
    while (*link != outer)
        link = &(*link)->next_outer;
    *link = outer->next_outer;
    outer->next_outer = NULL;
    outer->inner = NULL;
    retarget(outer, outer);
}

/* Who waits for `inner` on the way from `generator`. */
static co_gen_t *outer_of(co_gen_t *generator, co_gen_t *inner) {
    if (inner->outers->next_outer == NULL)
        return inner->outers;
    while (generator->inner != inner)
        generator = generator->inner;
    return generator;
}

/* The owner is done with `inner`. If others wait for it still, the last of them ends it. */
static void disown(co_gen_t *inner) {
    if (inner->outers != NULL)
        inner->outers->owns_inner = 1;
    else
        co_gen_destroy(inner);
}

/* `outer` waits no longer: what its pending CO_FROM will find. */
static void settle(co_gen_t *outer, int status) {
    co_gen_t *inner = outer->inner;
    outer->inner_status = status;
    outer->inner_result = status == 0 ? co_gen_result(inner) : NULL;
    unlink_inner(outer);
    if (outer->owns_inner)
        disown(inner);
}

static bool has_ended(const co_gen_t *leaf) {
    return leaf->kind != NULL ? leaf->done : co_status(leaf->self) == CO_DEAD;
}

/* The leaf of `generator` has ended with `status`: those that wait for it go on, one after the other, until there is an
 * item or `generator` itself ends. */
static int go_on(co_gen_t *generator, int status) {
    for (;;) {
        co_gen_t *leaf = generator->leaf;
        if (!has_ended(leaf))
            return status; /* it was executing, and is untouched */
        if (leaf->reported)
            status = 0; /* told to whoever else waited for it */
        leaf->reported = 1;
        if (!leaf->done)
            finish(leaf);
        if (leaf == generator)
            return status;
        co_gen_t *outer = outer_of(generator, leaf);
        settle(outer, status);
        void *item;
        status = co_resume(outer->self, NULL, &item);
        if (status == CO_YIELDED) {
            generator->item = item;
            return status;
        }
    }
}

int co__gen_ended(co_gen_t *generator, int status) {
    if (CO__LIKELY(status == 0 && generator->leaf == generator && generator->done && !generator->reported)) {
        generator->reported = 1; /* most ends: its own body has returned */
        return 0;
    }
    return go_on(generator, status);
}

/* Ends what a generator without a coroutine owns. It executes meanwhile: what it owns has deferred calls, and these
 * may come back to it. */
static int run_end(co_gen_t *generator) {
    generator->executing = 1;
    int status = generator->kind->end(generator);
    generator->executing = 0;
    return status;
}

int co__gen_kind_ended(co_gen_t *generator, int status) {
    co_gen_t *leaf = generator->leaf;
    if (status == -EBUSY && !leaf->done)
        return status; /* what it would have stepped is executing, and nothing has changed */
    finish(leaf);
    return go_on(generator, status);
}

/* A step of a leaf that is no coroutine. */
static int step_kind(co_gen_t *generator) {
    co_gen_t *leaf = generator->leaf;
    if (leaf->executing)
        return -EBUSY;
    leaf->executing = 1;
    leaf->started = 1;
    int status = leaf->kind->step(leaf);
    leaf->executing = 0;
    if (status == 1) {
        generator->item = leaf->item;
        return 1;
    }
    return co__gen_kind_ended(generator, status);
}

int co__gen_step(co_gen_t *generator) {
    if (generator == NULL)
        return -EINVAL;
    if (generator->done)
        return 0;
    if (generator->leaf->kind != NULL && !generator->leaf->done)
        return step_kind(generator);
    return go_on(generator, 0); /* its leaf has ended for somebody else */
}

/* ---- Handing over -------------------------------------------------------------------------------------------- */

int co__gen_hand_over(co_gen_t *self, co_gen_t *inner, void **result, int owns) {
    if (result != NULL)
        *result = NULL;
    if (inner == NULL)
        return co__gen_no_loop();
    if (self == NULL || self->self != co_self())
        return -EPERM;
    int status = co_gen_next(inner); /* from here: if there is no item, nobody is suspended */
    if (status == -EBUSY && !inner->done)
        return status;
    if (status == 1) {
        link_inner(self, inner);
        self->owns_inner = (unsigned char)owns;
        co_yield_from(self->self, inner->item);
        if (self->inner != NULL) /* refused: this one is ending */
            settle(self, -EPERM);
        status = self->inner_status;
        if (result != NULL)
            *result = self->inner_result;
        return status;
    }
    if (result != NULL && status == 0)
        *result = co_gen_result(inner);
    if (owns)
        disown(inner);
    return status;
}

void *co__gen_emit_refused(void) {
    errno = EPERM;
    return NULL;
}

int co__gen_no_loop(void) { return errno == ENOMEM || errno == EAGAIN ? -errno : -EINVAL; }

/* ---- Send, throw --------------------------------------------------------------------------------------------- */

int co_gen_send(co_gen_t *generator, void *value) {
    if (value == NULL)
        return co_gen_next(generator);
    if (generator == NULL)
        return -EINVAL;
    if (generator->done)
        return 0;
    if (!generator->started || generator->leaf->kind != NULL)
        return is_executing(generator) ? -EBUSY : -EINVAL;
    int status = co_resume(generator->next, value, &generator->item);
    return status == CO_YIELDED ? status : go_on(generator, status);
}

/* One of which nothing has run. Tools want to see the end of whatever has run on its stack so far. */
static void end_fresh(co_gen_t *generator) {
    struct co__block *block = co__block_of(generator->self);
    if (block->slow)
        co_close(generator->self);
    else
        co__end_fresh(block);
    generator->reported = 1;
    finish(generator);
}

int co_gen_throw(co_gen_t *generator, int error) {
    if (generator == NULL || error <= 0)
        return -EINVAL;
    if (generator->done)
        return -error;
    if (is_executing(generator))
        return -EBUSY;
    if (!generator->started && generator->kind == NULL) {
        end_fresh(generator);
        return -error;
    }
    co_gen_t *leaf = generator->leaf;
    int status = -error;
    if (leaf->kind != NULL) {
        if (co_gen_close(leaf) == -EBUSY)
            return -EBUSY;
    } else if (!leaf->done) {
        status = co_throw(leaf->self, error, &generator->item);
    }
    if (leaf->done && status == -error)
        leaf->reported = 0; /* whatever was said of its end, this is new */
    return status == CO_YIELDED ? status : go_on(generator, status);
}

/* ---- The end ------------------------------------------------------------------------------------------------- */

/* The inner one's close has failed: the body is told, and may go on until it ends; it may not emit. */
static int close_outer_of_a_failure(co_gen_t *generator, int status) {
    settle(generator, status);
    status = co_resume(generator->self, NULL, NULL);
    if (status == CO_YIELDED) {
        int closed = co_gen_close(generator);
        return closed < 0 ? closed : -EPERM;
    }
    return status;
}

int co_gen_close(co_gen_t *generator) {
    if (generator == NULL)
        return -EINVAL;
    if (generator->done)
        return 0;
    if (is_executing(generator))
        return -EBUSY;
    int status = 0;
    if (generator->kind != NULL) {
        status = run_end(generator);
        if (status == -EBUSY)
            return status; /* a source of it is busy; nothing has changed */
    } else if (!generator->started) {
        end_fresh(generator);
        return 0;
    } else {
        if (generator->inner != NULL) {
            int inner_status = co_gen_close(generator->inner);
            if (inner_status == -EBUSY && !generator->inner->done)
                return inner_status; /* a helper that could not end */
            if (inner_status < 0)
                status = close_outer_of_a_failure(generator, inner_status);
            else
                settle(generator, 0);
        }
        if (!generator->done)
            status = co_close(generator->self);
    }
    generator->reported = 1;
    finish(generator);
    return status;
}

int co_gen_destroy(co_gen_t *generator) {
    if (generator == NULL)
        return 0;
    if (CO__LIKELY(generator->done && generator->kind == NULL && generator->outers == NULL))
        return co_destroy(generator->self);
    if (generator->outers != NULL || is_executing(generator))
        return -EBUSY; /* somebody waits for it */
    /* A helper that is done may own what was busy when it ended. */
    int status = generator->kind != NULL ? run_end(generator) : co_gen_close(generator);
    if (status == -EBUSY) {
        if (generator->kind != NULL || !generator->done)
            return status;
        status = -EINVAL; /* a deferred call's error: -EBUSY would say that nothing was freed */
    }
    if (generator->kind != NULL)
        generator->kind->release(generator);
    else
        co_destroy(generator->self);
    return status;
}

/* ---- Asking -------------------------------------------------------------------------------------------------- */

void *co_gen_result(co_gen_t *generator) {
    if (generator == NULL || !generator->done)
        return NULL;
    void *result = generator->result;
    generator->result = NULL;
    return result;
}

co_gen_state_t co_gen_state(const co_gen_t *generator) {
    if (generator == NULL || generator->done)
        return CO_GEN_DONE;
    if (is_executing(generator))
        return CO_GEN_EXECUTING;
    return generator->started ? CO_GEN_SUSPENDED : CO_GEN_FRESH;
}
