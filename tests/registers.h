/* What a function must keep for its caller, as tests/arch writes it down for each architecture: one row a register, and
 * the functions that fill and read them all. */
#ifndef CO_TEST_REGISTERS_H
#define CO_TEST_REGISTERS_H

#include <stdint.h>

#define REGISTERS_MOST 40

/* One word a row. Where a register is narrower, its value is in the low bits. */
struct registers {
    uint64_t word[REGISTERS_MOST];
};

enum registers_kind {
    REGISTERS_KEPT,    /* filled before the call, the same after it */
    REGISTERS_FIXED,   /* not filled, only compared: stack pointer, thread pointer */
    REGISTERS_CONTROL, /* floating-point control state */
};

struct registers_row {
    char name[8];
    uint64_t mask; /* the bits that may be filled and are compared */
    uint64_t set;  /* bits that are filled with ones */
    uint64_t kind; /* enum registers_kind */
};

extern const struct registers_row registers_rows[];
extern const uint64_t registers_count;

/* Any function of at most three words that returns one. */
typedef void (*registers_function)(void);

/* Fills every register from `before`, calls function(a, b, c), reads every register into `after`, and returns what the
 * function returned. Rows of the kind REGISTERS_FIXED are read into `before` instead of being filled from it. */
uintptr_t registers_around(struct registers *before, struct registers *after, registers_function function, uintptr_t a,
                           uintptr_t b, uintptr_t c);

/* Only the rows of the kind REGISTERS_CONTROL. */
void registers_load_control(const struct registers *from);
void registers_store_control(struct registers *to);

/* Overwrites every register that a function need not keep: general ones, floating-point and vector registers as far as
 * the flags of this build know them, masks, and the vector length. */
void registers_scribble(void);

/* Stores the stack pointer as it is at the call of this function, before a return address is pushed, in *(void **)arg,
 * and returns it. It serves as the body of a coroutine and as a deferred call. */
void *stack_pointer_at_call(void *arg);

#endif
