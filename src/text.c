/* Text in a buffer of fixed size, without stdio. */
#include "text.h"

void co__text_begin(struct co__text *text, char *memory, size_t bytes) {
    *text = (struct co__text){.memory = memory, .bytes = bytes};
    memory[0] = 0;
}

static void add_byte(struct co__text *text, char byte) {
    if (text->bytes - text->length <= 1)
        return;
    text->memory[text->length++] = byte;
    text->memory[text->length] = 0;
}

void co__text_add(struct co__text *text, const char *more) {
    while (*more != 0)
        add_byte(text, *more++);
}

void co__text_quote(struct co__text *text, const char *other, size_t most) {
    for (size_t i = 0; other[i] != 0; i++) {
        if (i == most) {
            co__text_add(text, "...");
            return;
        }
        unsigned char byte = (unsigned char)other[i];
        add_byte(text, byte < ' ' || byte == 127 ? '?' : other[i]);
    }
}

static void add_number(struct co__text *text, uint64_t number, unsigned base) {
    char digits[20]; /* of UINT64_MAX in decimal */
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    while (count > 0)
        add_byte(text, digits[--count]);
}

void co__text_decimal(struct co__text *text, uint64_t number) { add_number(text, number, 10); }

void co__text_hex(struct co__text *text, uint64_t number) {
    co__text_add(text, "0x");
    add_number(text, number, 16);
}
