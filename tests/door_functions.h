/* The definition of one struct door, called DOOR. Whoever includes this has chosen the door by CO_NO_INLINE. */
#include "doors.h"

#define DOOR_TEXT_(x) #x
#define DOOR_TEXT(x) DOOR_TEXT_(x)

/* Each function is a frame of its own, so that what the switch inside of it must save is saved there. */
#if defined(__GNUC__)
#define DOOR_NOINLINE __attribute__((noinline))
#else
#define DOOR_NOINLINE
#endif

DOOR_NOINLINE static int door_resume(co_t *co, void *in, void **out) { return co_resume(co, in, out); }
DOOR_NOINLINE static void *door_yield(void *value) { return co_yield(value); }
DOOR_NOINLINE static void *door_yield_from(co_t *self, void *value) { return co_yield_from(self, value); }
DOOR_NOINLINE static co_t *door_self(void) { return co_self(); }

const struct door DOOR = {DOOR_TEXT(DOOR), door_resume, door_yield, door_yield_from, door_self};
