/* What the system and the architecture say of pages, and the guards made of them (guard.c). */
#ifndef CO_PAGES_H
#define CO_PAGES_H

#include <stddef.h>

/* 4, 16 or 64 KiB. */
size_t co__page_bytes(void);

/* Up to whole pages; the caller sees to it that there is room for a page more. */
size_t co__round_to_pages(size_t bytes);

/* What the kernel puts on a stack for a signal handler. */
size_t co__signal_frame_bytes(void);

/* How much address space lies below each stack, never to be touched: whole pages. */
size_t co__guard_bytes(void);

/* Makes guards at `first`, `first + stride_bytes`, ... Returns how many of the `count`, in this order, are there now;
 * fewer when the kernel has no more mappings or memory for them. */
size_t co__guards_install(char *first, size_t stride_bytes, size_t count);

/* Reserves address space for stacks, readable and writable, in small pages. NULL and errno (EAGAIN: the locked-memory
 * limit; ENOMEM) on failure. */
char *co__pages_reserve(size_t bytes);

#endif
