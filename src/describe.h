/* What messages tell of a coroutine. Async-signal-safe. */
#ifndef CO_DESCRIBE_H
#define CO_DESCRIBE_H

#include "block.h"
#include "text.h"

/* Adds where it was created: "at file.c:12" or, where no place was named, "in function (module+0x1234)", which takes
 * 5 KiB of stack. */
void co__describe_site(struct co__text *text, const struct co__block *block);

/* Adds what co__symbol_describe says of a code address. */
void co__describe_code(struct co__text *text, const char *address);

/* The size of its stack in the terms of whoever chose it, unless the least size was more. */
size_t co__described_stack_bytes(const struct co__block *block);

#endif
