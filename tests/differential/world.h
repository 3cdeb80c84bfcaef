/* What the two halves of the interpreter share: program.c, which main runs, and program_inside.c, which bodies and
 * cleanups run. */
#ifndef WORLD_H
#define WORLD_H

#include "program.h"

#include <stdio.h>
#include <stdlib.h>

struct cleanup {
    struct record *owner;
    int number, operations;
};

struct world {
    const struct operation *tape;
    size_t tape_left;
    const struct items *items;
    struct record records[MOST_GENERATORS]; /* the first is main */
    struct record *slots[SLOTS];
    struct cleanup cleanups[MOST_CLEANUPS];
    int record_count, cleanup_count;
    long created, destroyed; /* coroutines */
    unsigned long emits;     /* how often somebody has emitted */
    bool emitted_last;       /* nothing has happened since somebody emitted */
    int emitted;             /* and this is what */
    char trace[65536];
    size_t trace_bytes;
};
extern struct world world;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold, after:\n%s", __FILE__, __LINE__, #condition, world.trace);       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int program_error_of(struct operation operation, int which);
enum handling program_handling_of(struct operation operation);
co_gen_state_t program_state_of(const struct record *record);
int program_number_of(const struct record *record);
int program_waiting_for(const struct record *record);
void program_stop_waiting(struct record *record);

#endif
