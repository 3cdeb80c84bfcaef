/* The bodies, whose names end as BY_DOOR(name) says. The loops are tight, so that optimisers find what to hoist. */
#include "thread_local_address.h"

#include <errno.h>
#include <stdlib.h>

/* Everything that depends on the thread, asked for anew. */
static void BY_DOOR(check)(struct moved *moved, co_t *self) {
    if (here_self() != self || co_self() != self)
        moved->errors++;
    if (here_errno() != moved->resumer_errno || here_words() != moved->resumer_words)
        moved->errors++;
}

/* A loop of yields, each of which may come back on another thread. */
void *BY_DOOR(moves)(void *argument) {
    struct moved *moved = argument;
    co_t *self = co_self();
    for (unsigned long i = 0; i < moved->rounds; i++) {
        void *allocated = malloc(i % 500 + 1);
        co_yield(NULL);
        co_yield_from(self, NULL);
        free(allocated);
        co_yield(NULL);
        BY_DOOR(check)(moved, self);
        /* The library reports on the thread that it is called on. */
        *here_errno() = 0;
        if (co_create(NULL, NULL) != NULL || *here_errno() != EINVAL)
            moved->errors++;
    }
    return NULL;
}

static void *BY_DOOR(answers)(void *argument) {
    struct moved *moved = argument;
    for (;;) {
        BY_DOOR(check)(moved, moved->inner);
        if (co_yield(NULL) == moved)
            return NULL;
    }
}

/* A loop that resumes another coroutine and then yields: whom the inner one returns to, and what is current then, must
 * be looked up on the thread of this round. */
void *BY_DOOR(resumes_while_moving)(void *argument) {
    struct moved *moved = argument;
    moved->inner = co_create(BY_DOOR(answers), moved);
    for (unsigned long i = 0; i < moved->rounds; i++) {
        if (co_resume(moved->inner, NULL, NULL) != CO_YIELDED || here_self() != moved->co)
            moved->errors++;
        co_yield(NULL);
        if (co_resume(moved->inner, NULL, NULL) != CO_YIELDED)
            moved->errors++;
        BY_DOOR(check)(moved, moved->co);
        co_yield(NULL);
        BY_DOOR(check)(moved, moved->co);
    }
    if (co_resume(moved->inner, moved, NULL) != CO_RETURNED || co_destroy(moved->inner) != 0)
        moved->errors++;
    return NULL;
}
