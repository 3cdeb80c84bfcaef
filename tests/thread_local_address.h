/* Coroutines that are handed from thread to thread, for test_thread_local_address. */
#ifndef CO_TEST_THREAD_LOCAL_ADDRESS_H
#define CO_TEST_THREAD_LOCAL_ADDRESS_H

#include <co.h>

struct moved {
    co_t *co, *inner;
    const int *resumer_errno;  /* the address of errno on the thread that resumes, which it notes before it does */
    const void *resumer_words; /* the same for a thread-local variable of the test */
    unsigned long rounds, errors;
};

/* What is true on the thread that calls; never inlined, never taken for the same as an earlier answer. */
int *here_errno(void);
void *here_words(void);
co_t *here_self(void);

/* The bodies, once for each door. */
void *moves_inline(void *moved);
void *moves_out_of_line(void *moved);
void *resumes_while_moving_inline(void *moved);
void *resumes_while_moving_out_of_line(void *moved);

#endif
