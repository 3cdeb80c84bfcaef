/* What the kernel says about the memory of this process. */
#define _GNU_SOURCE
#include "many.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The kibibytes that a line of a file in /proc tells, in bytes; -1 where the file or the line is missing. Not by stdio,
 * whose buffers would count. */
static long long bytes_told(const char *path, const char *label) {
    static char text[16 * 1024];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t length = 0;
    ssize_t got;
    while (length < sizeof text - 1 && (got = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    text[length] = '\0';
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, label, strlen(label)) == 0)
            return strtoll(line + strlen(label), NULL, 10) * 1024;
    }
    return -1;
}

/* smaps_rollup looks at the pages; status gives sums that newer kernels gather per processor, some megabytes late. */
size_t bench_memory_used(void) {
    long long pages = bytes_told("/proc/self/smaps_rollup", "Rss:");
    if (pages < 0)
        pages = bytes_told("/proc/self/status", "VmRSS:");
    long long tables = bytes_told("/proc/self/status", "VmPTE:");
    return (size_t)(pages > 0 ? pages : 0) + (size_t)(tables > 0 ? tables : 0);
}

size_t bench_memory_available(void) {
    long long bytes = bytes_told("/proc/meminfo", "MemAvailable:");
    return bytes > 0 ? (size_t)bytes : 0;
}

/* A system call answers EFAULT where the program itself would be killed. */
int bench_is_guarded(const void *page) { return access(page, F_OK) != 0 && errno == EFAULT; }

/* A virtual machine may have lent its free memory to the host: then the first touch of it costs what no program can
 * answer for. */
void bench_memory_reclaim(size_t bytes) {
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return;
#ifdef MADV_HUGEPAGE
    (void)madvise(memory, bytes, MADV_HUGEPAGE); /* which is quicker; a kernel without them refuses it */
#endif
    for (size_t i = 0; i < bytes; i += 4096)
        ((volatile char *)memory)[i] = 1;
    munmap(memory, bytes);
}

void *bench_alloc_touched(size_t count, size_t bytes) {
    char *memory = bench_alloc(count, bytes);
    memset(memory, 1, count * bytes);
    return memory;
}
