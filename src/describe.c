/* What messages tell of a coroutine. */
#include "describe.h"

#include "symbol.h"

#include <string.h>

#define MOST_OF_A_SITE ((size_t)200)

/* Not inlined: its buffer is on the stack only while it is used. */
__attribute__((noinline)) void co__describe_code(struct co__text *text, const char *address) {
    char description[CO__SYMBOL_TEXT_BYTES];
    co__symbol_describe(address, description, sizeof description);
    co__text_add(text, description);
}

void co__describe_site(struct co__text *text, const struct co__block *block) {
    const char *site = block->site;
    if (site == NULL) {
        co__text_add(text, "in ");
        co__describe_code(text, (const char *)block->caller - 1); /* the call, which may be its function's last
                                                                       instruction */
        return;
    }
    co__text_add(text, "at ");
    size_t length = strlen(site);
    if (length > MOST_OF_A_SITE) { /* the end has the file's own name and the line */
        co__text_add(text, "...");
        site += length - MOST_OF_A_SITE;
    }
    co__text_quote(text, site, MOST_OF_A_SITE);
}

size_t co__described_stack_bytes(const struct co__block *block) {
    size_t asked = block->stack_bytes != 0 ? block->stack_bytes : CO__STACK_DEFAULT_BYTES;
    size_t size = co_stack_size(&block->hot);
    return asked >= size / 2 ? asked : size;
}
