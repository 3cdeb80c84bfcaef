/* Naming code addresses: /proc/self/maps leads to the file that is mapped there, and the file's symbol table to the
 * function (System V gABI, chapters 4 and 5). dladdr would take locks and know no static functions.
 *
 * The file may be gone, another one by now, or nonsense: every offset is checked by the read that uses it, and every
 * loop is bounded by a count of 16 bits or by MOST_SYMBOLS. */
#define _DEFAULT_SOURCE 1 /* pread, S_ISREG */

#include "symbol.h"
#include "text.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_SYMBOLS ((uint64_t)1 << 24)
#define SYMBOLS_AT_ONCE 32
#define MOST_OF_A_MODULE ((size_t)100) /* of its name */

/* ---- In a file ----------------------------------------------------------------------------------------------- */

static bool read_at(int file, uint64_t offset, void *to, size_t bytes) {
    return offset <= (uint64_t)INT64_MAX - bytes && pread(file, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

static bool read_header(int file, Elf64_Ehdr *header) {
    return read_at(file, 0, header, sizeof *header) && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB;
}

/* The loaded code that holds the byte at `offset`. Segments that share a page map it twice, so that the file offset
 * alone does not tell which of them is meant. */
static bool find_code(int file, const Elf64_Ehdr *header, uint64_t offset, uint64_t *address) {
    Elf64_Phdr segment;
    if (header->e_phentsize != sizeof segment)
        return false;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (!read_at(file, header->e_phoff + i * sizeof segment, &segment, sizeof segment))
            return false;
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0 && offset >= segment.p_offset &&
            offset - segment.p_offset < segment.p_filesz) {
            *address = offset - segment.p_offset + segment.p_vaddr;
            return true;
        }
    }
    return false;
}

static bool read_section(int file, const Elf64_Ehdr *header, unsigned index, Elf64_Shdr *section) {
    return index < header->e_shnum && header->e_shentsize == sizeof *section &&
           read_at(file, header->e_shoff + index * sizeof *section, section, sizeof *section);
}

/* The first section of a type; files have one of each that is asked for. */
static bool find_section(int file, const Elf64_Ehdr *header, uint32_t type, Elf64_Shdr *section) {
    for (unsigned i = 0; read_section(file, header, i, section); i++)
        if (section->sh_type == type)
            return true;
    return false;
}

static void read_name(int file, const Elf64_Shdr *strings, uint32_t index, char *name, size_t bytes) {
    size_t most = bytes - 1;
    name[0] = 0;
    if (index >= strings->sh_size || strings->sh_offset > (uint64_t)INT64_MAX - index)
        return;
    if (most > strings->sh_size - index)
        most = (size_t)(strings->sh_size - index);
    ssize_t count = pread(file, name, most, (off_t)(strings->sh_offset + index));
    name[count > 0 ? count : 0] = 0;
    if (strlen(name) == bytes - 1 && bytes > 3)
        memcpy(name + bytes - 4, "...", 4);
}

static bool holds(const Elf64_Sym *symbol, uint64_t address) {
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF &&
           address >= symbol->st_value && address - symbol->st_value < symbol->st_size;
}

/* In the table of this type. */
static void find_name(int file, const Elf64_Ehdr *header, uint32_t type, uint64_t address, char *name, size_t bytes) {
    Elf64_Sym symbols[SYMBOLS_AT_ONCE];
    Elf64_Shdr table, strings;
    if (!find_section(file, header, type, &table) || table.sh_entsize != sizeof symbols[0] ||
        !read_section(file, header, table.sh_link, &strings))
        return;
    uint64_t count = table.sh_size / sizeof symbols[0];
    if (count > MOST_SYMBOLS)
        count = MOST_SYMBOLS;
    for (uint64_t first = 0; first < count; first += SYMBOLS_AT_ONCE) {
        size_t some = count - first < SYMBOLS_AT_ONCE ? (size_t)(count - first) : SYMBOLS_AT_ONCE;
        if (!read_at(file, table.sh_offset + first * sizeof symbols[0], symbols, some * sizeof symbols[0]))
            return;
        for (size_t i = 0; i < some; i++)
            if (holds(&symbols[i], address)) {
                read_name(file, &strings, symbols[i].st_name, name, bytes);
                return;
            }
    }
}

bool co__symbol_in_file(int file, uint64_t offset, uint64_t *address, char *name, size_t bytes) {
    Elf64_Ehdr header;
    name[0] = 0;
    if (!read_header(file, &header) || !find_code(file, &header, offset, address))
        return false;
    find_name(file, &header, SHT_SYMTAB, *address, name, bytes);
    if (name[0] == 0) /* the file is stripped, and what is exported remains */
        find_name(file, &header, SHT_DYNSYM, *address, name, bytes);
    return true;
}

/* ---- In the process ------------------------------------------------------------------------------------------ */

struct reader {
    int file;
    size_t at, length;
    char buffer[512];
};

enum { END = -1 };

static int next_byte(struct reader *reader) {
    if (reader->at == reader->length) {
        ssize_t count;
        do
            count = read(reader->file, reader->buffer, sizeof reader->buffer);
        while (count < 0 && errno == EINTR);
        if (count <= 0)
            return END;
        reader->at = 0;
        reader->length = (size_t)count;
    }
    return (unsigned char)reader->buffer[reader->at++];
}

/* Reads digits and the byte behind them, which is left in *byte. */
static uint64_t read_hex(struct reader *reader, int *byte) {
    uint64_t number = 0;
    for (;;) {
        *byte = next_byte(reader);
        if (*byte >= '0' && *byte <= '9')
            number = number * 16 + (uint64_t)(*byte - '0');
        else if (*byte >= 'a' && *byte <= 'f')
            number = number * 16 + (uint64_t)(*byte - 'a' + 10);
        else
            return number;
    }
}

/* Reads up to the next space, or to the end of the line. */
static int skip_field(struct reader *reader) {
    int byte;
    do
        byte = next_byte(reader);
    while (byte != ' ' && byte != '\n' && byte != END);
    return byte;
}

struct mapping {
    uint64_t start, end;
    uint64_t offset; /* of start in the file */
    char path[1024]; /* "" if there is none, or a longer one */
};

/* One line, "start-end access offset device inode   path"; false at the end of all. */
static bool read_mapping(struct reader *reader, struct mapping *mapping) {
    size_t length = 0;
    int byte;
    mapping->offset = 0;
    mapping->start = read_hex(reader, &byte);
    if (byte == END)
        return false;
    mapping->end = byte == '-' ? read_hex(reader, &byte) : 0;
    if (byte == ' ')
        byte = skip_field(reader);
    if (byte == ' ')
        mapping->offset = read_hex(reader, &byte);
    if (byte == ' ')
        byte = skip_field(reader);
    if (byte == ' ')
        byte = skip_field(reader);
    while (byte == ' ')
        byte = next_byte(reader);
    for (; byte != '\n' && byte != END; byte = next_byte(reader)) {
        if (length < sizeof mapping->path)
            mapping->path[length++] = (char)byte;
    }
    mapping->path[length < sizeof mapping->path ? length : 0] = 0;
    return true;
}

static bool find_mapping(uint64_t address, struct mapping *mapping) {
    struct reader reader = {.file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
    bool found = false;
    if (reader.file < 0)
        return false;
    while (!found && read_mapping(&reader, mapping))
        found = address >= mapping->start && address < mapping->end;
    close(reader.file);
    return found;
}

/* A module may be a device's memory, which it is better not to read. */
static int open_module(const char *path) {
    struct stat status;
    int file = path[0] == '/' ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    if (file >= 0 && (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(file);
        file = -1;
    }
    return file;
}

void co__symbol_describe(const void *address, char *text, size_t bytes) {
    struct mapping mapping;
    struct co__text out;
    char name[CO__SYMBOL_TEXT_BYTES - MOST_OF_A_MODULE - 32];
    co__text_begin(&out, text, bytes);
    if (!find_mapping((uintptr_t)address, &mapping) || mapping.path[0] == 0) {
        co__text_hex(&out, (uintptr_t)address);
        return;
    }
    uint64_t offset = (uintptr_t)address - mapping.start + mapping.offset;
    uint64_t number = offset; /* in many files the same */
    name[0] = 0;
    int file = open_module(mapping.path);
    if (file >= 0) {
        (void)co__symbol_in_file(file, offset, &number, name, sizeof name);
        close(file);
    }
    const char *slash = strrchr(mapping.path, '/');
    if (name[0] != 0) {
        co__text_quote(&out, name, sizeof name);
        co__text_add(&out, " (");
    }
    co__text_quote(&out, slash != NULL ? slash + 1 : mapping.path, MOST_OF_A_MODULE);
    co__text_add(&out, "+");
    co__text_hex(&out, number);
    if (name[0] != 0)
        co__text_add(&out, ")");
}
