/* Runs programs of generator operations against libco: program.h.
 *
 *     programs FILE          prints a line per program of FILE: the CRC-32 of its trace; then what was seen, and how
 * often programs --trace FILE  prints the traces themselves
 *
 * A line of FILE is a program: `l` or `w` for the type of the items, then three characters for each operation. */
#define _GNU_SOURCE
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t table[256];

static void make_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = (table[i] >> 1) ^ ((table[i] & 1) != 0 ? 0xedb88320u : 0);
    }
}

static uint32_t crc_of(const char *text) {
    uint32_t crc = ~0u;
    for (; *text != '\0'; text++)
        crc = (crc >> 8) ^ table[(crc ^ (unsigned char)*text) & 255];
    return ~crc;
}

int main(int argc, char **argv) {
    bool whole = argc == 3 && strcmp(argv[1], "--trace") == 0;
    FILE *file = argc == (whole ? 3 : 2) ? fopen(argv[argc - 1], "r") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: programs [--trace] FILE\n");
        return 2;
    }
    make_table();
    setvbuf(stdout, NULL, _IOLBF, 0); /* what is printed tells which program was the last */
    char line[3 * MOST_OPERATIONS + 3];
    while (fgets(line, sizeof line, file) != NULL) {
        alarm(20); /* a program takes microseconds, if it ends */
        struct operation operations[MOST_OPERATIONS];
        size_t count = 0;
        for (const char *c = line + 1; *c != '\n' && *c != '\0'; c += 3)
            operations[count++] = (struct operation){c[0], c[1] - '0', c[2] - '0'};
        const char *trace = program_run(operations, count, line[0] == 'w');
        if (whole)
            fputs(trace, stdout);
        else
            printf("%08x\n", (unsigned)crc_of(trace));
    }
    fclose(file);
    const char *name = sight_names;
    for (int i = 0; !whole && i < SIGHT_COUNT; i++) {
        int length = (int)strcspn(name, ",");
        printf("seen %.*s %lu\n", length, name, sights[i]);
        name += length + (i + 1 < SIGHT_COUNT ? 2 : 0);
    }
    return 0;
}
