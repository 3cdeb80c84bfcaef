/* What the tests of src/symbol.c share: the functions, which only a static link shows, and an ELF file made here.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_SYMBOL_H
#define CO_TEST_SYMBOL_H

#include "support.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* src/symbol.h */
void co__symbol_describe(const void *address, char *text, size_t bytes) __attribute__((weak));
bool co__symbol_in_file(int file, uint64_t offset, uint64_t *address, char *name, size_t bytes) __attribute__((weak));
enum { TEXT_BYTES = 256 };

/* A weak reference takes nothing out of an archive: co_catch_overflow is what brings the functions. It reads the
 * running coroutine by an asm, which link-time optimisation does not see into: co_create brings what that refers to. */
static inline void skip_without_a_static_link(void) {
    int (*volatile catch_overflow)(void) = co_catch_overflow;
    co_t *(*volatile create)(co_fn, void *) = co_create;
    void (*volatile describe)(const void *, char *, size_t) = co__symbol_describe;
    if (catch_overflow == NULL || create == NULL || describe == NULL)
        skip();
}

/* ---- A file that is made here -------------------------------------------------------------------------------- */

enum { SYMBOLS = 40, LONG_NAME = 300, CODE = 0x1000, CODE_BYTES = 0x800, CODE_ADDRESS = 0x21000 };

struct crafted {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    Elf64_Shdr sections[5]; /* none, symbols, strings, dynamic symbols, their strings */
    Elf64_Sym symbols[SYMBOLS], dynamic[2];
    char strings[32 + LONG_NAME], dynamic_strings[16];
};

static const char names[] = "\0first\0target\0resolved\0data"; /* at 1, 7, 14, 23 */

static inline Elf64_Shdr section(uint32_t type, size_t offset, size_t bytes, uint32_t link) {
    const uint64_t each = type == SHT_STRTAB ? 0 : sizeof(Elf64_Sym);
    return (Elf64_Shdr){.sh_type = type, .sh_offset = offset, .sh_size = bytes, .sh_link = link, .sh_entsize = each};
}

static inline Elf64_Sym symbol(uint32_t name, unsigned char type, uint64_t at, uint64_t bytes) {
    const unsigned char info = ELF64_ST_INFO(STB_LOCAL, type);
    return (Elf64_Sym){
        .st_name = name, .st_info = info, .st_shndx = 1, .st_value = CODE_ADDRESS + at, .st_size = bytes};
}

static inline struct crafted craft(void) {
    struct crafted file;
    memset(&file, 0, sizeof file);
    memcpy(file.header.e_ident, ELFMAG, SELFMAG);
    file.header.e_ident[EI_CLASS] = ELFCLASS64;
    file.header.e_ident[EI_DATA] = ELFDATA2LSB;
    file.header.e_phoff = offsetof(struct crafted, segments);
    file.header.e_phentsize = sizeof file.segments[0];
    file.header.e_phnum = 3;
    file.header.e_shoff = offsetof(struct crafted, sections);
    file.header.e_shentsize = sizeof file.sections[0];
    file.header.e_shnum = 5;
    file.segments[0] = (Elf64_Phdr){.p_type = PT_NOTE, .p_flags = PF_X, .p_offset = CODE, .p_filesz = CODE_BYTES};
    /* Data before the code, in the same pages. */
    file.segments[1] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R, .p_vaddr = 0x10000, .p_filesz = 0x2000};
    file.segments[2] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = CODE};
    file.segments[2].p_vaddr = CODE_ADDRESS;
    file.segments[2].p_filesz = CODE_BYTES;
    file.sections[1] = section(SHT_SYMTAB, offsetof(struct crafted, symbols), sizeof file.symbols, 2);
    file.sections[2] = section(SHT_STRTAB, offsetof(struct crafted, strings), sizeof file.strings, 0);
    file.sections[3] = section(SHT_DYNSYM, offsetof(struct crafted, dynamic), sizeof file.dynamic, 4);
    file.sections[4] = section(SHT_STRTAB, offsetof(struct crafted, dynamic_strings), 16, 0);
    file.symbols[1] = symbol(23, STT_OBJECT, 0, CODE_BYTES);
    file.symbols[2] = symbol(1, STT_FUNC, 0, CODE_BYTES);
    file.symbols[2].st_shndx = SHN_UNDEF;
    file.symbols[3] = symbol(1, STT_FUNC, 0, 0x10);
    file.symbols[32] = symbol(7, STT_FUNC, 0x100, 0x20); /* in another chunk of the table */
    file.symbols[33] = symbol(14, STT_GNU_IFUNC, 0x200, 0x20);
    file.symbols[SYMBOLS - 1] = symbol(sizeof names, STT_FUNC, 0x300, 0x20);
    file.dynamic[1] = symbol(1, STT_FUNC, 0x100, 0x400);
    memcpy(file.strings, names, sizeof names);
    memset(file.strings + sizeof names, 'n', LONG_NAME - 100);
    memcpy(file.dynamic_strings, "\0exported", 10);
    return file;
}

#endif
