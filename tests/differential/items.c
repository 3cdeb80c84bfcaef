/* The generators of program.h: of words, and of structures that do not fit into one. */
#include "program.h"

#define ITEMS items_word
#define ITEM long
#define TO_ITEM(value) (value)
#define FROM_ITEM(item) (item)
#include "program_body.h"

struct wide {
    long complement, padding[3], value;
};

static struct wide widen(long value) { return (struct wide){.complement = ~value, .value = value}; }

/* Of an item that is not whole it makes a value that nobody emits. */
static long narrow(struct wide wide) { return wide.complement == ~wide.value ? wide.value : -2; }

#define ITEMS items_wide
#define ITEM struct wide
#define TO_ITEM(value) widen(value)
#define FROM_ITEM(item) narrow(item)
#include "program_body.h"
