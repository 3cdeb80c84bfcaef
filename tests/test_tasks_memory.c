/* Memory: every allocation of co_run, of spawning and of groups fails in turn, and nothing is lost; and what does not
 * allocate, does not. The calls are intercepted at link time, which is not possible in a shared library.
 * Compiled with: -Wl,-wrap=mmap,-wrap=malloc,-wrap=calloc,-wrap=realloc,-wrap=free
 * Compiled with: -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "tasks.h"

#include "memory.h"
#include "tasks_memory_calls.h"

#include <co/group.h>

static void skip_where_calls_cannot_be_intercepted(void) {
    if (!calls_can_be_intercepted())
        skip();
}

/* ---- Failing ----------------------------------------------------------------------------------------------------- */

enum { MANY = 150 }; /* the ring grows twice */

static int refused, ran;

static void *sleep_a_little(void *arg) {
    REQUIRE(co_sleep(number_of(arg) % 7) == 0);
    ran++;
    return arg;
}

/* With and without options, which are two ways. */
static co_t *spawn(int i) {
    static const co_options_t named = {.name = "named"};
    co_t *task =
        i % 2 == 0 ? co_spawn(sleep_a_little, value_of(i)) : co_spawn_with(&named, sleep_a_little, value_of(i));
    if (task == NULL) {
        REQUIRE(errno == ENOMEM);
        refused++;
    }
    return task;
}

static void *spawn_many(void *arg) {
    static co_t *tasks[MANY];
    int joined = 0;
    for (int i = 0; i < MANY; i++)
        tasks[i] = spawn(i);
    for (int i = 0; i < MANY; i++) {
        void *result = UNTOUCHED;
        if (tasks[i] == NULL)
            continue;
        REQUIRE(co_join(tasks[i], &result, CO_NEVER) == 0);
        REQUIRE(number_of(result) == i);
        joined++;
    }
    REQUIRE(joined + refused == MANY);
    REQUIRE(ran == joined);
    return arg;
}

static void *fill_a_group(void *arg) {
    co_group_t group;
    int spawned = 0;
    REQUIRE(co_group_open(&group) == 0);
    for (int i = 0; i < MANY; i++) {
        errno = 0;
        if (co_group_spawn(&group, sleep_a_little, value_of(i)) != NULL) {
            spawned++;
        } else {
            REQUIRE(errno == ENOMEM);
            refused++;
        }
    }
    REQUIRE(co_group_wait(&group, CO_NEVER) == 0); /* the others have gone on */
    REQUIRE(ran == spawned && spawned + refused == MANY);
    return arg;
}

static void *sleep_or_be_cancelled(void *arg) {
    ran++;
    return co_sleep(1 + number_of(arg) % 7) == 0 ? arg : co_fail(ECANCELED);
}

static void *gather_many(void *arg) {
    static co_call_t calls[MANY];
    for (int i = 0; i < MANY; i++)
        calls[i] = (co_call_t){.fn = sleep_or_be_cancelled, .arg = value_of(i)};
    const int status = number_of(arg) != 0 ? co_race(calls, MANY, CO_NEVER) : co_gather(calls, MANY, CO_NEVER);
    REQUIRE(status >= 0 || status == -ENOMEM);
    refused += status == -ENOMEM;
    int begun = 0;
    for (int i = 0; i < MANY; i++) {
        REQUIRE(calls[i].status == 0 || calls[i].status == -ECANCELED || calls[i].status == -ESRCH);
        REQUIRE(status != -ENOMEM || calls[i].status == (i < ran ? -ECANCELED : -ESRCH));
        begun += calls[i].status != -ESRCH;
    }
    REQUIRE(begun == ran);
    return arg;
}

struct scene {
    co_fn fn;
    void *arg;
};

static const struct scene *scene;
static long *calls_undisturbed; /* shared with the children */
static long which;
static bool lasting;

static int run_scene(void) {
    void *result = UNTOUCHED;
    refused = ran = 0;
    const int status = run_virtually(scene->fn, scene->arg);
    const int again = co_run(do_nothing, value_of(1), &result);
    REQUIRE(again == 0 ? number_of(result) == 1 : again == -ENOMEM && result == UNTOUCHED);
    REQUIRE(co_task() == NULL);
    return status;
}

static void run_undisturbed(void) {
    begin_calls(0, false);
    REQUIRE(run_scene() == 0 && refused == 0);
    *calls_undisturbed = memory_calls.count;
}

static void run_with_a_failure(void) {
    REQUIRE(co_run(do_nothing, NULL, NULL) == 0); /* what the process keeps */
    co_pool_trim();
    const long blocks = memory_calls.blocks;
    begin_calls(which, lasting);
    const int status = run_scene(), refusals = refused;
    const bool failed = memory_calls.failed;
    begin_calls(0, false);
    REQUIRE(status == 0 || status == -ENOMEM);
    REQUIRE(failed || (status == 0 && refusals == 0));
    co_pool_trim();
    REQUIRE(memory_calls.blocks == blocks);
    const bool saved = lasting;
    lasting = false;
    REQUIRE(run_scene() == 0 && refused == 0); /* as if nothing had been */
    lasting = saved;
    _exit(status != 0 ? 4 : refusals > 0 ? 3 : 0);
}

static void test_each_call_fails(void **state) {
    (void)state;
    static const struct scene scenes[] = {
        {spawn_many, NULL}, {fill_a_group, NULL}, {gather_many, NULL}, {gather_many, (void *)1}};
    skip_where_calls_cannot_be_intercepted();
    const size_t bytes = sizeof *calls_undisturbed;
    calls_undisturbed = (long *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        bool refusals = false, failures = false;
        scene = &scenes[i];
        const struct child first = run_in_child(run_undisturbed);
        assert_exited(&first, 0);
        assert_true(*calls_undisturbed >= 5);
        const long step = under_valgrind() ? 5 : 1;
        for (which = 1; which <= *calls_undisturbed; which += step)
            for (int last = 0; last < 2; last++) {
                lasting = last != 0;
                const struct child child = run_in_child(run_with_a_failure);
                const int code = WIFEXITED(child.status) ? WEXITSTATUS(child.status) : -1;
                if (code != 0 && code != 3 && code != 4)
                    FAIL("scene %d, call %ld%s: status %#x: %s", (int)i, which, last ? " and all later ones" : "",
                         (unsigned)child.status, child.text);
                refusals = refusals || code == 3;
                failures = failures || code == 4;
            }
        assert_true(refusals);
        assert_true(failures);
    }
    munmap(calls_undisturbed, bytes);
}

/* ---- Not asking -------------------------------------------------------------------------------------------------- */

enum { ROUNDS = 200 };

static void *take_turns(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        REQUIRE(co_sched_yield() == 0);
        co_yield(NULL);
        REQUIRE(co_sleep(1 + i % 3) == 0);
        REQUIRE(co_park(co_after(1)) == -ETIMEDOUT);
        REQUIRE(co_unpark(co_task()) == 0);
        REQUIRE(co_park(CO_NEVER) == 0);
        REQUIRE(co_cancel(co_task()) == 0);
        REQUIRE(co_uncancel() == 1);
    }
    return arg;
}

static void all_at_work(void *arg) {
    co_t *tasks[20];
    (void)arg;
    for (int round = 0; round < 2; round++) { /* the second time there are stacks for all */
        begin_calls(0, false);
        for (int i = 0; i < 20; i++)
            tasks[i] = co_spawn(take_turns, NULL);
        for (int i = 0; i < 20; i++)
            REQUIRE(co_join(tasks[i], NULL, CO_NEVER) == 0);
        co_group_t group;
        REQUIRE(co_group_open(&group) == 0);
        for (int i = 0; i < 20; i++)
            REQUIRE(co_group_spawn(&group, take_turns, NULL) != NULL);
        REQUIRE(co_group_wait(&group, CO_NEVER) == 0);
        if (round > 0)
            assert_int_equal(memory_calls.count, 0);
    }
}

static void *work_at_every_depth(void *arg) {
    for (int i = 0; i < DEPTHS; i++)
        at_depth(depths[i], all_at_work, NULL);
    return arg;
}

/* A list node for a waiter, a timer. What a sanitizer keeps of a stack is another matter. */
static void test_nothing_is_allocated(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
#ifdef TEST_SANITIZED
    skip();
#endif
    assert_int_equal(run_virtually(work_at_every_depth, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_fails),
        cmocka_unit_test(test_nothing_is_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
