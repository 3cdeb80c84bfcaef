/* Pages: their size, address space made of them, and guards, in the cheapest way that is proven to work here.
 *
 * MADV_GUARD_INSTALL (Linux 6.13) marks pages in the page table and splits no mapping, so that a million guards count
 * as none against vm.max_map_count. Since Linux 6.14 process_madvise takes many ranges of one's own process in one
 * call (PIDFD_SELF). Where these are missing, mprotect makes the guard: it splits a mapping, and ends near 32,000
 * stacks with ENOMEM under the default limit. */
#define _GNU_SOURCE 1

#include "pages.h"

#include "block.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif
#define OLD_MINSIGSTKSZ ((size_t)2048) /* of kernels that do not tell */

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef PIDFD_SELF
#define PIDFD_SELF (-10000) /* PIDFD_SELF_THREAD: any thread names the process's memory */
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440 /* the same number on all architectures */
#endif
#ifndef MAP_STACK
#define MAP_STACK 0
#endif

static _Atomic size_t page_bytes;

size_t co__page_bytes(void) {
    size_t bytes = atomic_load_explicit(&page_bytes, memory_order_relaxed);
    if (bytes == 0) {
        bytes = (size_t)sysconf(_SC_PAGESIZE);
        atomic_store_explicit(&page_bytes, bytes, memory_order_relaxed);
    }
    return bytes;
}

size_t co__round_to_pages(size_t bytes) {
    const size_t page = co__page_bytes();
    return (bytes + page - 1) / page * page;
}

size_t co__signal_frame_bytes(void) {
    size_t bytes = getauxval(AT_MINSIGSTKSZ);
    return bytes != 0 ? bytes : OLD_MINSIGSTKSZ;
}

size_t co__guard_bytes(void) {
    size_t page = co__page_bytes();
    return page > CO__GUARD_LEAST_BYTES ? page : CO__GUARD_LEAST_BYTES;
}

char *co__pages_reserve(size_t bytes) {
    /* MAP_NORESERVE: stacks are address space first and memory as they grow; what a heuristic thinks of the sum is no
     * help. MAP_STACK asks for what else a system wants of stacks. */
    char *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) {
        errno = errno == EAGAIN ? EAGAIN : ENOMEM;
        return NULL;
    }
#ifdef MADV_NOHUGEPAGE
    /* A stack in a huge page would cost 2 MiB from its first byte. Where the kernel knows no huge pages this fails,
     * and there is nothing to prevent. */
    (void)madvise(memory, bytes, MADV_NOHUGEPAGE);
#endif
    return memory;
}

/* ---- Guards -------------------------------------------------------------------------------------------------- */

enum method { UNKNOWN, BY_PROTECTION, BY_ADVICE, BY_MANY_ADVICES };

static _Atomic int method_of_process;

/* Guards in one call. The ranges lie on the stack of whoever creates, which may be a small coroutine itself. */
enum { RANGES = 32 };

static bool advise_many(char *first, size_t stride_bytes, size_t count, size_t guard_bytes) {
    struct iovec ranges[RANGES];
    for (size_t i = 0; i < count; i++)
        ranges[i] = (struct iovec){first + i * stride_bytes, guard_bytes};
    long advised = syscall(SYS_process_madvise, PIDFD_SELF, ranges, count, MADV_GUARD_INSTALL, 0);
    return advised >= 0 && (size_t)advised == count * guard_bytes;
}

/* A success is believed only where the kernel itself then refuses to write there: an emulator may answer success and
 * install nothing. uname is such a write, and has no other effect. */
static bool faults(char *memory) { return uname((struct utsname *)(void *)memory) == -1 && errno == EFAULT; }

/* Tools that search memory look at mappings, and such a guard is in none: they would run into it. */
static int probe(void) {
    int method = BY_PROTECTION;
    if (co__hooks_present())
        return method;
    const size_t page = co__page_bytes();
    const int kept_errno = errno;
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return UNKNOWN; /* asked again when there is memory */
    if (madvise(memory, page, MADV_GUARD_INSTALL) == 0 && faults(memory)) {
        method = BY_ADVICE;
        if (advise_many(memory + page, page, 1, page) && faults(memory + page))
            method = BY_MANY_ADVICES;
    }
    munmap(memory, 2 * page);
    errno = kept_errno;
    return method;
}

static int method(void) {
    int method = atomic_load_explicit(&method_of_process, memory_order_relaxed);
    if (method == UNKNOWN) {
        method = probe();
        atomic_store_explicit(&method_of_process, method, memory_order_relaxed);
    }
    return method;
}

size_t co__guards_install(char *first, size_t stride_bytes, size_t count) {
    const size_t guard_bytes = co__guard_bytes();
    const int best = method();
    size_t done = 0;
    while (done < count) {
        char *guard = first + done * stride_bytes;
        size_t many = count - done < RANGES ? count - done : RANGES;
        if (best == BY_MANY_ADVICES && many > 1 && advise_many(guard, stride_bytes, many, guard_bytes)) {
            done += many;
            continue;
        }
        /* Advice is refused for single mappings, too: those that are locked in memory. */
        if ((best < BY_ADVICE || madvise(guard, guard_bytes, MADV_GUARD_INSTALL) != 0) &&
            mprotect(guard, guard_bytes, PROT_NONE) != 0)
            break;
        done++;
    }
    return done;
}
