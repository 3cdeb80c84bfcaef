/* The programs of program.h out of a fuzzer's bytes. What must hold of any program is checked there: what a step
 * answers in each state, that an item is the last one emitted, that a cleanup runs exactly once and in its order, that
 * an end tells what the body and its cleanups have ended with, that every coroutine is destroyed. AddressSanitizer sees
 * the rest. scripts/test_fuzz.sh runs it for some seconds, and tells how to run it for longer. */
#include "program.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static const char letters[] = "ccnnstxdqlbzeeeEffoDDrF";
    struct operation operations[MOST_OPERATIONS];
    size_t count = 0;
    for (size_t i = 1; i + 1 < size && count < MOST_OPERATIONS; i += 2)
        operations[count++] =
            (struct operation){letters[data[i] % (sizeof letters - 1)], data[i + 1] / 10 % SLOTS, data[i + 1] % 10};
    if (count > 0)
        (void)program_run(operations, count, data[0] % 2 != 0);
    return 0;
}
