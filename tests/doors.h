/* Both doors of the switch in one program. A test that wants them has two small sources, NAME_inline.c and
 * NAME_out_of_line.c, which include door_functions.h; in a sanitizer build, or with CO_NO_INLINE, both are the latter.
 */
#ifndef CO_TEST_DOORS_H
#define CO_TEST_DOORS_H

#include <co.h>

struct door {
    const char *name;
    int (*resume)(co_t *co, void *in, void **out);
    void *(*yield)(void *value);
    void *(*yield_from)(co_t *self, void *value);
    co_t *(*self)(void);
};

extern const struct door door_inline, door_out_of_line;

#endif
