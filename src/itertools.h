/* What the files of the generator helpers share. */
#ifndef CO_ITERTOOLS_INTERNAL_H
#define CO_ITERTOOLS_INTERNAL_H

#include "co/itertools.h"

#include <stdbool.h>

/* Whether a generator would refuse to be destroyed. */
bool co__iter_is_busy(const co_gen_t *generator);

/* Destroys all of `sources` and sets errno, for a creation that has failed. */
void co__iter_refuse(size_t count, co_gen_t *const *sources, int error);

/* A pointer whose type the caller keeps to itself. */
static inline void co__iter_store(void *to, const void *pointer) { memcpy(to, (const void *)&pointer, sizeof pointer); }

/* Memory for one element more, at least twice as many as before; or `items`, if there is room, or NULL. Never for more
 * than `most`, which is more than `count`. */
void *co__iter_grow(void *items, size_t count, size_t most, size_t bytes, size_t *room);

/* tee.c: the generators that share a source. */
extern const struct co__gen_kind co__tee_kind;
bool co__tee_is_busy(const co_gen_t *generator);

#endif
