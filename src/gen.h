/* What the files of the generators share inside the library. */
#ifndef CO_GEN_INTERNAL_H
#define CO_GEN_INTERNAL_H

#include "co/gen.h"

/* gen.c: runs a new coroutine as far as its record; NULL for NULL. */
co_gen_t *co__gen_enter_first(co_t *co);

/* gen_own.c: it has a new owner, which keeps account of it in another way than by a list of deferred calls. */
void co__gen_take_over(co_gen_t *generator);

/* gen_own.c: its owner is done with it. If others wait for it still, the last of them ends it. Answers as
 * co_gen_destroy. */
int co__gen_release(co_gen_t *generator);

#endif
