/* Naming code addresses of this process, from the files it was loaded from. Async-signal-safe: no allocation, no locks,
 * 4 KiB of stack. */
#ifndef CO_SYMBOL_H
#define CO_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for what co__symbol_describe writes. */
#define CO__SYMBOL_TEXT_BYTES 256

/* Writes "function (module+0x1234)". The number is the address in the module's file, as addr2line wants it. Without a
 * symbol it is "module+0x1234", outside of all modules the address alone; what exceeds `bytes`, at least 1, is left
 * out. */
void co__symbol_describe(const void *address, char *text, size_t bytes);

/* Whether an open ELF file has code at `offset`, and then the address that the file gives to it, and the function's
 * name, "" if there is none. The file is believed nothing. */
bool co__symbol_in_file(int file, uint64_t offset, uint64_t *address, char *name, size_t bytes);

#endif
