/* The lines of a file. */
#define _GNU_SOURCE
#include "itertools.h"

#include "block.h"

#include <errno.h>
#include <stdlib.h>

struct lines {
    struct co__iter iter;
    FILE *file;
    char *line;
    size_t room;
};

static int no_line(struct lines *lines, int status) { return co__iter_ended(&lines->iter, NULL, status); }

/* What a file that gives no more says. It may have been told of an error long before. */
static int ended_with(FILE *file, bool had_failed) {
    if (!ferror(file))
        return 0;
    return errno != 0 ? -errno : had_failed ? 0 : -EIO;
}

/* MemorySanitizer does not know that the C library has written what an inlined getc_unlocked reads. */
CO__UNINSTRUMENTED static int read_line(struct lines *lines) {
    FILE *file = lines->file;
    const bool had_failed = ferror(file) != 0;
    size_t length = 0;
    for (;;) {
        char *grown = co__iter_grow(lines->line, length, SIZE_MAX, 1, &lines->room);
        if (grown == NULL)
            return no_line(lines, -ENOMEM);
        lines->line = grown;
        errno = 0;
        int byte = getc_unlocked(file);
        if (byte == EOF) {
            int status = ended_with(file, had_failed);
            if (status < 0 || length == 0)
                return no_line(lines, status);
            break;
        }
        if (byte == '\n')
            break;
        if (byte == '\0')
            return no_line(lines, -EILSEQ);
        grown[length++] = (char)byte;
    }
    lines->line[length] = '\0';
    lines->iter.generator.item = lines->line;
    return 1;
}

static int step_lines(co_gen_t *generator) {
    struct lines *lines = (struct lines *)(void *)generator;
    const int saved = errno;
    flockfile(lines->file);
    int status = read_line(lines);
    funlockfile(lines->file);
    errno = saved;
    return status;
}

static void release_lines(co_gen_t *generator) {
    free(((struct lines *)(void *)generator)->line);
    free(generator);
}

static const struct co__gen_kind lines_kind = {step_lines, co__iter_end, release_lines};

CO_GEN(const char *) co_lines(FILE *file) {
    if (file == NULL) {
        errno = EINVAL;
        return NULL;
    }
    struct lines *lines = co__iter_create(&lines_kind, sizeof *lines, sizeof lines->line, 0, NULL);
    if (lines != NULL) {
        lines->file = file;
    }
    return (CO_GEN(const char *))(void *)lines;
}
