/* The generator contract, rules 38 to 40 and 57: states, who gets an item, independence, and creation. */
#define _GNU_SOURCE
#include "generators.h"

#include <pthread.h>

static co_gen_state_t seen[3];

static void look(void *generator) { seen[0] = co_gen_state((const co_gen_t *)generator); }

static CO_GENERATOR(look_at_itself, long) {
    seen[1] = CO_GEN_STATE(CO_SELF);
    co_defer(look, CO_GEN_UNTYPED(CO_SELF));
    CO_EMIT(0);
    seen[2] = CO_GEN_STATE(CO_SELF);
}

/* A state that is wrong somewhere in a life, cleanup included. */
static void test_rule_38_states(void **state) {
    (void)state;
    for (int closed = 0; closed < 2; closed++) {
        memset(seen, 0, sizeof seen);
        CO_GEN(long) generator = look_at_itself();
        assert_int_equal(CO_GEN_STATE(generator), CO_GEN_FRESH);
        assert_next(generator, 0);
        assert_int_equal(CO_GEN_STATE(generator), CO_GEN_SUSPENDED);
        if (closed)
            assert_int_equal(CO_GEN_CLOSE(generator), 0);
        else
            assert_none(generator, 0);
        assert_int_equal(CO_GEN_STATE(generator), CO_GEN_DONE);
        assert_int_equal(seen[0], CO_GEN_EXECUTING);
        assert_int_equal(seen[1], CO_GEN_EXECUTING);
        assert_int_equal(seen[2], closed ? CO_GEN_FRESH : CO_GEN_EXECUTING);
        assert_destroyed(generator);
    }
    assert_int_equal(co_gen_state(NULL), CO_GEN_DONE);
}

static CO_GENERATOR(count, long) {
    for (long i = 1;; i++)
        CO_EMIT(i);
}

/* Emits 1000 times what it takes from another. */
static CO_GENERATOR(thousandfold, long, (CO_GEN(long), from)) {
    CO_FOR_BORROWED(long, item, from) {
        CO_EMIT(1000 * item);
    }
}

static void *next_in_a_coroutine(void *generator) {
    CO_GEN(long) typed = (CO_GEN(long))generator;
    for (;;) {
        long item = NO_ITEM;
        if (CO_NEXT(typed, &item) != 1)
            return NULL;
        co_yield(value_of(item));
    }
}

static __attribute__((noinline)) long next_elsewhere(CO_GEN(long) generator) {
    long item = NO_ITEM;
    assert_int_equal(co_gen_next(CO_GEN_UNTYPED(generator)), 1);
    memcpy(&item, co_gen_item(CO_GEN_UNTYPED(generator)), sizeof item);
    return item;
}

/* An item that goes to who stepped first instead of who stepped last: this function, another, a generator, a plain
 * coroutine. */
static void test_rule_39_an_item_goes_to_the_last_stepper(void **state) {
    (void)state;
    void *out = NULL;
    CO_GEN(long) generator = count();
    CO_GEN(long) other = thousandfold(generator);
    co_t *co = co_create(next_in_a_coroutine, CO_GEN_UNTYPED(generator));
    for (long i = 1; i < 100; i += 4) {
        assert_next(generator, i);
        assert_int_equal(next_elsewhere(generator), i + 1);
        assert_next(other, 1000 * (i + 2));
        assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
        assert_int_equal(number_of(out), i + 3);
    }
    assert_int_equal(co_destroy(co), 0);
    assert_destroyed(other);
    assert_destroyed(generator);
}

static void *step_in_a_thread(void *generator) {
    static long items[20];
    for (int i = 0; i < 20; i++)
        if (CO_NEXT((CO_GEN(long))generator, &items[i]) != 1)
            return NULL;
    return items;
}

static void *close_in_a_thread(void *generator) { return value_of(CO_GEN_CLOSE((CO_GEN(long))generator)); }

/* A generator that belongs to the thread that made it, or that stepped it first. */
static void test_rule_39_in_another_thread(void **state) {
    (void)state;
    pthread_t thread;
    void *items = NULL, *status = UNTOUCHED;
    CO_GEN(long) generator = count();
    CO_GEN(long) outer = thousandfold(generator);
    for (long round = 0; round < 2; round++) {
        assert_next(outer, 1000 * (22 * round + 1));
        assert_int_equal(pthread_create(&thread, NULL, step_in_a_thread, CO_GEN_UNTYPED(outer)), 0);
        assert_int_equal(pthread_join(thread, &items), 0);
        assert_non_null(items);
        for (long i = 0; i < 20; i++)
            assert_int_equal(((long *)items)[i], 1000 * (22 * round + i + 2));
        assert_next(generator, 22 * round + 22);
    }
    assert_int_equal(pthread_create(&thread, NULL, close_in_a_thread, CO_GEN_UNTYPED(outer)), 0);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal(number_of(status), 0);
    assert_done(outer);
    assert_destroyed(outer);
    assert_destroyed(generator);
}

static CO_GENERATOR(count_from, long, (long, first)) {
    for (;;) {
        void *sent = CO_EMIT(first);
        first += sent == NULL ? 1 : (long)number_of(sent);
    }
}

enum { MANY = 1000 };

/* Words of one generator kept in a place that all share: a thousand at a time, in changing order, ended in any state.
 */
static void test_rule_40_instances_are_independent(void **state) {
    (void)state;
    static CO_GEN(long) all[MANY];
    for (long i = 0; i < MANY; i++) {
        all[i] = count_from(100 * i);
        assert_non_null(all[i]);
    }
    for (long round = 0; round < 5; round++)
        for (long i = 0; i < MANY; i++) {
            long which = (i * 7 + round * 13) % MANY;
            if (which % 5 < round)
                continue;
            if (round == 0)
                assert_next(all[which], 100 * which);
            else
                assert_send(all[which], which % 3, 100 * which + round * (which % 3 == 0 ? 1 : which % 3));
        }
    for (long i = 0; i < MANY; i += 3)
        assert_int_equal(CO_GEN_CLOSE(all[i]), 0);
    for (long i = 0; i < MANY; i++)
        assert_destroyed(all[(i * 3) % MANY]);
}

struct pair {
    long one;
    char two;
};

static CO_GENERATOR(tell_arguments, long, (char, a), (short, b), (struct pair, c), (double, d), (const char *, e),
                    (long double, f), (struct pair *, g), (bool, h)) {
    CO_EMIT(a);
    CO_EMIT(b);
    CO_EMIT(c.one);
    CO_EMIT(c.two);
    CO_EMIT((long)d);
    CO_EMIT(e[0]);
    CO_EMIT((long)f);
    CO_EMIT(g->one);
    CO_EMIT(h);
    b = 77;
    CO_EMIT(b);
}

/* Arguments that are mixed up, or read when the body first runs in place of when it was created. */
static void test_arguments_are_copied_at_creation(void **state) {
    (void)state;
    struct pair pair = {3, 4}, other = {8, 0};
    short b = 2;
    long items = 0;
    static const long expected[] = {1, 2, 3, 4, 5, 'e', 7, 9, 1, 77};
    CO_GEN(long) generator = tell_arguments(1, b, pair, 5.5, "e", 7.5L, &other, true);
    pair.one = -1, b = -1, other.one = 9;
    CO_FOR(long, item, generator) {
        assert_int_equal(item, expected[items++]);
    }
    assert_int_equal(items, 10);
}

/* Where a creation is said to be: the generator's name. */
static CO_GENERATOR(say_where, const char *) { CO_EMIT(co_site(co_self())); }

static void test_site_names_the_generator(void **state) {
    (void)state;
    const char *site = NULL;
    CO_GEN(const char *) generator = say_where();
    assert_int_equal(CO_NEXT(generator, &site), 1);
    assert_non_null(strstr(site, "test_generator_state.c:"));
    assert_non_null(strstr(site, "say_where"));
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_38_states),
        cmocka_unit_test(test_rule_39_an_item_goes_to_the_last_stepper),
        cmocka_unit_test(test_rule_39_in_another_thread),
        cmocka_unit_test(test_rule_40_instances_are_independent),
        cmocka_unit_test(test_arguments_are_copied_at_creation),
        cmocka_unit_test(test_site_names_the_generator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
