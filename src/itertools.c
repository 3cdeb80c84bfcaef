#include "gen.h"
/* Generator helpers: what they have in common, and those that end with numbers or an array. */
#include "itertools.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* ---- Making one ------------------------------------------------------------------------------------------------ */

void co__iter_refuse(size_t count, co_gen_t *const *sources, int error) {
    for (size_t i = 0; i < count; i++) {
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again |= sources[j] == sources[i];
        if (!again)
            co_gen_destroy(sources[i]);
    }
    errno = error;
}

/* Whatever malloc aligns. */
static size_t round_up(size_t bytes) { return (bytes + 15) / 16 * 16; }

/* What stands against sources being handed in, as a positive errno value. */
static int check_sources(size_t count, co_gen_t *const *sources) {
    for (size_t i = 0; i < count; i++) {
        if (sources[i] == NULL)
            return errno == ENOMEM || errno == EAGAIN ? errno : EINVAL;
        for (size_t j = 0; j < i; j++)
            if (sources[j] == sources[i])
                return EINVAL;
    }
    return 0;
}

void *co__iter_create(const struct co__gen_kind *kind, size_t record_bytes, size_t item_bytes, size_t count,
                      co_gen_t *const *sources) {
    struct co__iter *iter = NULL;
    const size_t slot_bytes = item_bytes > sizeof iter->generator.item ? round_up(item_bytes) : 0;
    record_bytes = round_up(record_bytes);
    int error = check_sources(count, sources);
    if (error == 0) {
        iter = calloc(1, record_bytes + slot_bytes + count * sizeof *sources);
        if (iter == NULL)
            error = ENOMEM;
    }
    if (iter == NULL) {
        co__iter_refuse(count, sources, error);
        return NULL;
    }
    iter->sources = (co_gen_t **)(void *)((char *)iter + record_bytes + slot_bytes);
    iter->count = count;
    for (size_t i = 0; i < count; i++) {
        co__gen_take_over(sources[i]);
        iter->sources[i] = sources[i];
    }
    co_gen_t *generator = &iter->generator;
    generator->slot = slot_bytes > 0 ? (char *)iter + record_bytes : NULL;
    generator->leaf = generator;
    generator->kind = kind;
    generator->small = item_bytes <= sizeof generator->item;
    return iter;
}

/* ---- The end --------------------------------------------------------------------------------------------------- */

static bool is_busy_inside(const struct co__iter *iter);

/* A generator that has handed over is closed from its leaf on, which may be a helper that refuses. */
bool co__iter_is_busy(const co_gen_t *generator) {
    if (generator == NULL)
        return false;
    if (generator->outers != NULL || co_gen_state(generator) == CO_GEN_EXECUTING)
        return true;
    const co_gen_t *leaf = generator->leaf;
    if (leaf->kind == &co__tee_kind)
        return co__tee_is_busy(leaf);
    if (leaf->kind == NULL || leaf->kind->end != co__iter_end)
        return false;
    return is_busy_inside((const struct co__iter *)(const void *)leaf);
}

static bool is_busy_inside(const struct co__iter *iter) {
    for (size_t i = 0; i < iter->count; i++)
        if (co__iter_is_busy(iter->sources[i]))
            return true;
    return false;
}

/* Those that are busy stay: then *left is set. */
static int destroy_sources(struct co__iter *iter, bool *left) {
    int first = 0;
    *left = false;
    for (size_t i = 0; i < iter->count; i++) {
        co_gen_t *source = iter->sources[i];
        if (co__iter_is_busy(source)) {
            *left = true;
            continue;
        }
        iter->sources[i] = NULL; /* for who is called from its deferred calls */
        int status = co_gen_destroy(source);
        if (first == 0)
            first = status;
    }
    return first;
}

int co__iter_end(co_gen_t *generator) {
    struct co__iter *iter = (struct co__iter *)(void *)generator;
    bool left;
    if (is_busy_inside(iter))
        return -EBUSY;
    int status = destroy_sources(iter, &left);
    if (left)
        return -EBUSY; /* two consumers of one tee: the source became busy for the last of them */
    return status;
}

int co__iter_ended(struct co__iter *iter, const co_gen_t *source, int status) {
    if (status == -EBUSY && source != NULL && !source->done)
        return status;
    iter->generator.done = 1;
    bool left; /* for co_gen_destroy of the helper */
    int closed = destroy_sources(iter, &left);
    return status == 0 ? closed : status;
}

void co__iter_release(co_gen_t *generator) { free(generator); }

/* ---- Numbers --------------------------------------------------------------------------------------------------- */

struct numbers {
    struct co__iter iter;
    unsigned long next, step, left; /* unsigned, so that the number behind the last may be one that does not fit */
    bool endless, overflowed;
};

static int step_numbers(co_gen_t *generator) {
    struct numbers *numbers = (struct numbers *)(void *)generator;
    if (numbers->overflowed)
        return -EOVERFLOW;
    if (!numbers->endless && numbers->left-- == 0)
        return 0;
    long item = (long)numbers->next;
    numbers->next += numbers->step;
    if (numbers->endless)
        numbers->overflowed = (long)numbers->step < 0 ? (long)numbers->next > item : (long)numbers->next < item;
    memcpy((void *)&generator->item, &item, sizeof item);
    return 1;
}

static const struct co__gen_kind numbers_kind = {step_numbers, co__iter_end, co__iter_release};

static CO_GEN(long) create_numbers(long start, long step, unsigned long left, bool endless) {
    struct numbers *numbers = co__iter_create(&numbers_kind, sizeof *numbers, sizeof(long), 0, NULL);
    if (numbers != NULL) {
        numbers->next = (unsigned long)start;
        numbers->step = (unsigned long)step;
        numbers->left = left;
        numbers->endless = endless;
    }
    return (CO_GEN(long))(void *)numbers;
}

CO_GEN(long) co_range(long start, long stop, long step) {
    unsigned long left = 0;
    if (step == 0) {
        errno = EINVAL;
        return NULL;
    }
    if (step > 0 && start < stop)
        left = ((unsigned long)stop - (unsigned long)start - 1) / (unsigned long)step + 1;
    else if (step < 0 && start > stop)
        left = ((unsigned long)start - (unsigned long)stop - 1) / (0 - (unsigned long)step) + 1;
    return create_numbers(start, step, left, false);
}

CO_GEN(long) co_count(long start, long step) { return create_numbers(start, step, 0, true); }

/* ---- An array -------------------------------------------------------------------------------------------------- */

struct array {
    struct co__iter iter;
    const unsigned char *next;
    size_t left, bytes;
};

static int step_array(co_gen_t *generator) {
    struct array *array = (struct array *)(void *)generator;
    if (array->left == 0)
        return 0;
    array->left--;
    generator->item = NULL;
    if (generator->small)
        memcpy((void *)&generator->item, array->next, array->bytes);
    else
        generator->item = CO__UNCONST(array->next);
    array->next += array->bytes;
    return 1;
}

static const struct co__gen_kind array_kind = {step_array, co__iter_end, co__iter_release};

void *co__iter_from_array(const void *elements, size_t count, size_t bytes) {
    if (elements == NULL && count > 0) {
        errno = EINVAL;
        return NULL;
    }
    struct array *array = co__iter_create(&array_kind, sizeof *array, bytes, 0, NULL);
    if (array != NULL) {
        array->next = elements;
        array->left = count;
        array->bytes = bytes;
    }
    return array;
}

/* ---- Into an array --------------------------------------------------------------------------------------------- */

void *co__iter_grow(void *items, size_t count, size_t most, size_t bytes, size_t *room) {
    enum { AT_FIRST = 8 };
    if (count < *room)
        return items;
    /* What there is fits into memory, and twice that into a size_t. */
    size_t wanted = *room == 0 ? AT_FIRST : *room * 2;
    if (wanted > most)
        wanted = most;
    void *grown = realloc(items, wanted * bytes);
    if (grown != NULL)
        *room = wanted;
    return grown;
}

int co__iter_collect(co_gen_t *source, size_t most, void *items, size_t *count, size_t bytes) {
    unsigned char *collected = NULL;
    size_t n = 0, room = 0;
    int status = source != NULL ? 1 : co__gen_null();
    while (status == 1 && n < most) {
        void *grown = co__iter_grow(collected, n, most, bytes, &room); /* first, so that no item is lost */
        if (grown == NULL) {
            status = -ENOMEM;
            break;
        }
        collected = grown;
        status = co__gen_next(source, collected + n * bytes, bytes);
        n += status == 1;
    }
    int destroyed = co_gen_destroy(source);
    if (status >= 0)
        status = destroyed;
    if (status < 0 || n == 0) {
        free(collected);
        collected = NULL;
        n = 0;
    }
    co__iter_store(items, collected);
    *count = n;
    return status;
}
