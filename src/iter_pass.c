/* Generator helpers that pass on what others produce: take, skip, chain, batch. */
#include "itertools.h"

#include <errno.h>
#include <stdlib.h>

/* The items of these are those of their source, whose size is not told. */
static void *inherit(void *helper, const co_gen_t *source) {
    struct co__iter *iter = helper;
    if (iter != NULL)
        iter->generator.small = source->small;
    return iter;
}

/* ---- Take, skip ------------------------------------------------------------------------------------------------ */

struct counted {
    struct co__iter iter;
    size_t left;
};

static int pass(struct co__iter *iter) {
    co_gen_t *source = iter->sources[0];
    int status = co__iter_next(source);
    if (!CO__LIKELY(status == 1))
        return co__iter_ended(iter, source, status);
    iter->generator.item = source->item;
    return 1;
}

static int step_take(co_gen_t *generator) {
    struct counted *take = (struct counted *)(void *)generator;
    if (take->left == 0)
        return co__iter_ended(&take->iter, NULL, 0);
    int status = pass(&take->iter);
    if (status == 1)
        take->left--;
    return status;
}

static int step_skip(co_gen_t *generator) {
    struct counted *skip = (struct counted *)(void *)generator;
    for (; skip->left > 0; skip->left--) {
        int status = pass(&skip->iter);
        if (status != 1)
            return status;
    }
    return pass(&skip->iter);
}

static const struct co__gen_kind take_kind = {step_take, co__iter_end, co__iter_release};
static const struct co__gen_kind skip_kind = {step_skip, co__iter_end, co__iter_release};

static void *create_counted(const struct co__gen_kind *kind, co_gen_t *source, size_t n) {
    struct counted *counted = inherit(co__iter_create(kind, sizeof *counted, 0, 1, &source), source);
    if (counted != NULL)
        counted->left = n;
    return counted;
}

void *co__iter_take(co_gen_t *source, size_t n) { return create_counted(&take_kind, source, n); }

void *co__iter_skip(co_gen_t *source, size_t n) { return create_counted(&skip_kind, source, n); }

/* ---- Chain ----------------------------------------------------------------------------------------------------- */

struct chain {
    struct co__iter iter;
    size_t current;
};

static int step_chain(co_gen_t *generator) {
    struct chain *chain = (struct chain *)(void *)generator;
    struct co__iter *iter = &chain->iter;
    for (; chain->current < iter->count; chain->current++) {
        co_gen_t *source = iter->sources[chain->current];
        int status = co__iter_next(source);
        if (CO__LIKELY(status == 1)) {
            generator->item = source->item;
            return 1;
        }
        if (status != 0)
            return co__iter_ended(iter, source, status);
        if (co__iter_is_busy(source))
            continue; /* somebody waits for it: it goes with the helper */
        iter->sources[chain->current] = NULL;
        co_gen_destroy(source); /* it has ended, so its close has been answered for */
    }
    return co__iter_ended(iter, NULL, 0);
}

static const struct co__gen_kind chain_kind = {step_chain, co__iter_end, co__iter_release};

void *co__iter_chain(size_t count, co_gen_t *const *sources) {
    return inherit(co__iter_create(&chain_kind, sizeof(struct chain), 0, count, sources), sources[0]);
}

/* ---- Batch ----------------------------------------------------------------------------------------------------- */

/* As struct name_item. */
struct batch_item {
    const void *items;
    size_t count;
};

struct batch {
    struct co__iter iter;
    unsigned char *items;
    size_t n, bytes, room, filled;
};

static int step_batch(co_gen_t *generator) {
    struct batch *batch = (struct batch *)(void *)generator;
    co_gen_t *source = batch->iter.sources[0];
    while (batch->filled < batch->n) {
        void *grown = co__iter_grow(batch->items, batch->filled, batch->n, batch->bytes, &batch->room);
        if (grown == NULL)
            return co__iter_ended(&batch->iter, NULL, -ENOMEM);
        batch->items = grown;
        int status = co__gen_next(source, batch->items + batch->filled * batch->bytes, batch->bytes);
        if (status < 0)
            return co__iter_ended(&batch->iter, source, status);
        if (status == 0)
            break; /* which it answers the next time too */
        batch->filled++;
    }
    if (batch->filled == 0)
        return co__iter_ended(&batch->iter, NULL, 0);
    const struct batch_item item = {batch->items, batch->filled};
    batch->filled = 0;
    return co__iter_put(generator, &item, sizeof item);
}

static void release_batch(co_gen_t *generator) {
    free(((struct batch *)(void *)generator)->items);
    free(generator);
}

static const struct co__gen_kind batch_kind = {step_batch, co__iter_end, release_batch};

void *co__iter_batch(co_gen_t *source, size_t n, size_t bytes) {
    if (n == 0) {
        co__iter_refuse(1, &source, EINVAL);
        return NULL;
    }
    struct batch *batch = co__iter_create(&batch_kind, sizeof *batch, sizeof(struct batch_item), 1, &source);
    if (batch != NULL) {
        batch->n = n;
        batch->bytes = bytes;
    }
    return batch;
}
