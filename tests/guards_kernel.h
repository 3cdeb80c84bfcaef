/* A kernel for test_guards.c, which answers as another one would where guards are made. */
#ifndef CO_GUARDS_KERNEL_H
#define CO_GUARDS_KERNEL_H

#include "memory.h"

enum answer { AS_IT_IS, REFUSED, PRETENDED, IN_PART };

extern struct kernel {
    enum answer advice, many; /* madvise and process_madvise, of guards */
    int refusal;              /* the errno of REFUSED */
    size_t page;              /* 0: as it is */
    int small_maps_refused;   /* how many times there is no memory to try a guard in */
} kernel;

extern struct seen {
    int advices, many, protections; /* that made guards */
    int probes;
    int misaligned; /* addresses or lengths that are not of whole pages of the scene */
} seen;

size_t page_bytes(void); /* of the scene */
size_t guard_bytes(void);

/* What this machine really has: MADV_GUARD_INSTALL, and many at a time by process_madvise. */
/* Whether a sanitizer or Valgrind is there, which looks at mappings. */
bool tools_watch(void);
bool guards_by_advice(void);
bool guards_by_many(void);

#endif
