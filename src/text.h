/* Text in a buffer of fixed size, for messages from signal handlers: async-signal-safe, without allocation, always
 * terminated; what does not fit is left out. */
#ifndef CO_TEXT_H
#define CO_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct co__text {
    char *memory;
    size_t bytes;  /* of memory, at least 1 */
    size_t length; /* without the terminating zero */
};

/* An empty text. */
void co__text_begin(struct co__text *text, char *memory, size_t bytes);
void co__text_add(struct co__text *text, const char *more);
/* The first `most` bytes of a text that somebody else wrote, with ? for control characters; "..." tells that there was
 * more. */
void co__text_quote(struct co__text *text, const char *other, size_t most);
void co__text_decimal(struct co__text *text, uint64_t number);
void co__text_hex(struct co__text *text, uint64_t number);

#endif
