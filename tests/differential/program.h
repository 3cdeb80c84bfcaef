/* Random programs of generator operations, for the differential test and the fuzz target. generators.py interprets the
 * same programs with CPython's generators, and tells how they are written.
 *
 * A program is a tape of operations that everybody reads from: main, the bodies and their cleanups each take the next
 * one as long as they run. So every operation is carried out, by whoever happens to run then, and two interpreters that
 * differ once go apart for good. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <co/gen.h>

#include <stdbool.h>
#include <stddef.h>

enum { SLOTS = 4, MOST_OPERATIONS = 120, MOST_GENERATORS = MOST_OPERATIONS + 1, MOST_CLEANUPS = MOST_OPERATIONS + 1 };

struct operation {
    char letter;
    int slot, value; /* below SLOTS; below 10 */
};

/* A generator as the interpreter knows it. */
struct record {
    int number;
    co_gen_t *generator;
    struct record *waits_for; /* whom it has handed over to */
    int cleanups[MOST_CLEANUPS], registered, top, run;
    int error, result;      /* what its body and its cleanups have ended with so far */
    unsigned long emitted;  /* when it, or one that it waits for, emitted last: a count of emits */
    bool closing;           /* somebody closes it, or whoever has handed over to it */
    bool ended;             /* its body has returned or failed */
    bool cleaning, refused; /* a cleanup runs, and has tried to emit */
};

/* How a cleanup or a body goes on after an error. */
enum handling { PROPAGATE, IGNORE, RETURN, REPLACE };

/* What depends on the type of the items. program_body.h defines one for long, which is handed over in a word, and one
 * for a structure, which is handed over by its address. */
struct items {
    co_gen_t *(*create)(struct record *me, int argument);
    int (*step)(co_gen_t *generator, struct operation operation, long *item);
    int (*loop)(co_gen_t *generator, bool owns, int most, long *items, int *status);
    void *(*emit)(struct record *me, int value);
    int (*from)(struct record *me, co_gen_t *inner, bool owns, void **result);
};
extern const struct items items_word, items_wide;

/* What has been seen: every name must be met by 10,000 programs. */
#define SIGHTS                                                                                                         \
    next_item, next_end, next_result, next_error, next_busy, next_null, send_item, send_end, send_result, send_error,  \
        send_busy, send_null, send_to_fresh, throw_item, throw_end, throw_result, throw_error, throw_busy, throw_null, \
        throw_at_fresh, throw_at_done, close_fresh, close_suspended, close_done, close_busy, close_null, close_error,  \
        close_refused_emit, close_body_goes_on, close_body_emits, destroy_fresh, destroy_suspended, destroy_done,      \
        destroy_executing, destroy_waited_for, destroy_null, destroy_error, destroy_busy_as_invalid, loop_to_end,      \
        loop_left, loop_error, loop_borrowed_left, loop_borrowed_to_end, got_null, got_value, thrown_propagated,       \
        thrown_ignored, thrown_then_return, thrown_replaced, from_result, from_no_result, from_error, from_busy,       \
        from_null, from_cycle, from_itself, from_shared, from_of_ended, from_chain_of_three, from_owned,               \
        from_borrowed, cleanup_after_close, cleanup_after_return, cleanup_after_failure, cleanup_in_cleanup,           \
        cleanup_fails, cleanup_emits, cleanup_hands_over, cleanup_operates, itself_stepped, itself_ended, emit_nested, \
        step_through_chain, state_fresh, state_suspended, state_executing, state_done
enum sight { SIGHTS, SIGHT_COUNT };
extern const char sight_names[]; /* with a comma between two */
extern unsigned long sights[];
#define SEEN(name) (sights[name]++)

/* Run a program to its end. What must hold of any program is checked, with abort where it does not.
 * returns  its trace, which the next run overwrites */
const char *program_run(const struct operation *operations, size_t count, bool wide);

/* For program_body.h. */
struct operation program_fetch(void);
void program_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
int program_operate(struct record *me, struct operation operation);
void program_starts(struct record *me, int argument);
void program_emits(struct record *me, struct operation operation);
int program_resumed(struct record *me, void *got);
int program_from(struct record *me, struct operation operation);
void program_defer(struct record *me, struct operation operation);
bool program_ends(struct record *me, struct operation operation, int error);

#endif
