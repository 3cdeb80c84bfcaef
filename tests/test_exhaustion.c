/* The kernel's own limits: no more mappings, no more address space. A clean error, the others run on, and there is room
 * again after some are gone. Each in a child, which may use up what it likes.
 * Compiled with: -Wl,-wrap=madvise -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "memory.h"

int __real_madvise(void *, size_t, int);
int __wrap_madvise(void *, size_t, int);

static bool advice_refused;

int __wrap_madvise(void *memory, size_t bytes, int advice) {
    if (advice_refused && advice == MADV_GUARD_INSTALL) {
        errno = EINVAL;
        return -1;
    }
    return __real_madvise(memory, bytes, advice);
}

static void *count(void *arg) {
    for (intptr_t i = number_of(arg);; i++)
        co_yield(value_of(i));
    return NULL;
}

enum { MOST = 70000, RUNNING = 100 };
static co_t *all[MOST];
static int created;
static intptr_t turn; /* how often the running ones were resumed */

static void resume_running(void) {
    for (int i = 0; i < RUNNING; i++) {
        void *out = NULL;
        REQUIRE(co_resume(all[i], NULL, &out) == CO_YIELDED);
        REQUIRE(number_of(out) == i + turn);
    }
    turn++;
}

static void use_up_everything(void) {
    errno = 0;
    while (created < MOST && (all[created] = co_create(count, value_of(created))) != NULL)
        created++;
    REQUIRE(created < MOST);
    REQUIRE(errno == ENOMEM);
    for (int tries = 0; tries < 3; tries++) { /* and again, now that the failure has left its traces */
        errno = 0;
        REQUIRE(co_create(count, NULL) == NULL && errno == ENOMEM);
    }
}

static void exhaust(void) {
    for (; created < RUNNING; created++)
        REQUIRE((all[created] = co_create(count, value_of(created))) != NULL);
    resume_running();
    use_up_everything();
    const int at_most = created;
    resume_running();
    for (int i = RUNNING; i < created; i++)
        REQUIRE(i % 997 != 0 || kernel_refuses(stack_low(all[i]) - 1));
    /* A few go, and as many can be had again; the pool has them. */
    for (int i = 0; i < 50; i++)
        REQUIRE(co_destroy(all[--created]) == 0);
    use_up_everything();
    REQUIRE(created >= at_most);
    /* All go to the kernel, and another size can be had. */
    while (created > RUNNING)
        REQUIRE(co_destroy(all[--created]) == 0);
    resume_running();
    co_t *other = create(1500 * KIB, count, value_of(5));
    REQUIRE(other != NULL && co_resume(other, NULL, NULL) == CO_YIELDED && co_destroy(other) == 0);
    use_up_everything();
    REQUIRE(created >= at_most - at_most / 8);
    resume_running();
    while (created > 0)
        REQUIRE(co_destroy(all[--created]) == 0);
    co_pool_trim();
}

static void skip_where_the_tool_ends_first(void) {
#ifdef TEST_SANITIZED
    skip(); /* the sanitizer itself ends the program when it gets no memory */
#endif
    if (under_valgrind())
        skip(); /* it has a limit of its own, at which it ends the program */
}

static void exhaust_mappings(void) {
    advice_refused = true;
    exhaust();
}

/* vm.max_map_count, which guards by mprotect reach first. */
static void test_no_more_mappings(void **state) {
    (void)state;
    skip_where_the_tool_ends_first();
    long most = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    if (file != NULL && fscanf(file, "%ld", &most) != 1)
        most = 0;
    if (file != NULL)
        fclose(file);
    if (!calls_can_be_intercepted() || most <= 0 || most > 2 * 65536)
        skip(); /* a limit too far away */
    const struct child child = run_in_child(exhaust_mappings);
    assert_exited(&child, 0);
}

/* Before the limit of address space even a mapping of its own can fail. */
static void exhaust_address_space(void) {
    const rlim_t bytes = (rlim_t)(status_bytes("VmSize") + 2048 * MIB);
    REQUIRE(setrlimit(RLIMIT_AS, &(struct rlimit){bytes, bytes}) == 0);
    errno = 0;
    REQUIRE(create(4096 * MIB, count, NULL) == NULL && errno == ENOMEM);
    exhaust();
    REQUIRE(create(4096 * MIB, count, NULL) == NULL && errno == ENOMEM);
    co_t *co = create(500 * MIB, count, NULL);
    REQUIRE(co != NULL && co_destroy(co) == 0);
}

static void test_no_more_address_space(void **state) {
    (void)state;
    skip_where_the_tool_ends_first();
#ifndef __x86_64__
    skip(); /* emulators do not pass this limit on */
#endif
    const struct child child = run_in_child(exhaust_address_space);
    assert_exited(&child, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_more_mappings),
        cmocka_unit_test(test_no_more_address_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
