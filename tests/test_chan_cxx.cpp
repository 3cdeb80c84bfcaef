/* Channels in C++: the typed names in every standard, and tasks that wait inside handlers and among destructors.
 * C++ standards: 11 14 17 20 23 */
/* cmocka.h takes volatile parameters, which C++20 deprecates; it is not a system header everywhere. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wdeprecated-volatile"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wvolatile"
#endif
#include "support.h"

#include <co/chan.h>

#include <cerrno>

namespace {

struct point {
    int x, y;
};

struct chans {
    CO_CHAN(int) numbers;
    CO_CHAN(point) points;
};

struct guard {
    char letter;
    explicit guard(char c) : letter(c) {}
    guard(const guard &) = delete;
    ~guard() { trace_add(letter); }
};

void *send_both(void *arg) {
    const chans *all = static_cast<const chans *>(arg);
    for (int i = 1; i <= 3; i++) {
        const point at = {i, -i};
        assert_int_equal(CO_CHAN_SEND(all->numbers, &i, CO_NEVER), 0);
        assert_int_equal(CO_CHAN_SEND(all->points, &at, CO_NEVER), 0);
    }
    CO_CHAN_CLOSE(all->numbers);
    CO_CHAN_CLOSE(all->points);
    return nullptr;
}

void *receive_both(void *arg) {
    chans all = {CO_CHAN_CREATE(int, 0), CO_CHAN_CREATE(point, 2)};
    CO_CHAN(int) numbers = all.numbers;
    CO_CHAN(point) points = all.points;
    co_t *sender = co_spawn(send_both, &all);
    int sum = 0;
    assert_int_equal(CO_CHAN_CAPACITY(numbers), 0);
    assert_int_equal(CO_CHAN_CAPACITY(points), 2);
    while (numbers != nullptr || points != nullptr) {
        int number = 0;
        point at = {0, 0};
        co_select_case_t cases[] = {CO_CASE_RECEIVE(numbers, &number), CO_CASE_RECEIVE(points, &at)};
        const int index = co_select(cases, 2, CO_NEVER);
        assert_in_range(index, 0, 1);
        if (cases[index].status == 0 && index == 0)
            numbers = nullptr; /* from which nothing more will come */
        else if (cases[index].status == 0)
            points = nullptr;
        sum += number + 10 * at.x - 100 * at.y;
    }
    assert_int_equal(sum, 6 + 60 + 600);
    assert_int_equal(co_join(sender, nullptr, CO_NEVER), 0);
    assert_int_equal(CO_CHAN_COUNT(all.points), 0);
    CO_CHAN_DESTROY(all.numbers);
    CO_CHAN_DESTROY(all.points);
    return arg;
}

/* An item that is cut or mixed up on its way through the typed names. */
void test_typed_channels(void **) { assert_int_equal(co_run(receive_both, nullptr, nullptr), 0); }

struct partner {
    CO_CHAN(int) chan;
    bool sends;
};

/* Waits inside a handler, while another task throws and catches. */
void *wait_in_handlers(void *arg) {
    const partner *self = static_cast<const partner *>(arg);
    for (int i = 0; i < 10; i++) {
        try {
            throw i;
        } catch (const int &thrown) {
            int item = -1;
            if (self->sends == (i % 2 == 0)) {
                assert_int_equal(CO_CHAN_SEND(self->chan, &thrown, CO_NEVER), 0);
            } else {
                assert_int_equal(CO_CHAN_RECEIVE(self->chan, &item, CO_NEVER), 1);
                assert_int_equal(item, i);
            }
            try {
                throw;
            } catch (const int &again) {
                assert_int_equal(again, i);
            }
        }
    }
    return nullptr;
}

void *meet_in_handlers(void *arg) {
    partner partners[] = {{CO_CHAN_CREATE(int, 0), true}, {nullptr, false}};
    partners[1].chan = partners[0].chan;
    co_t *first = co_spawn(wait_in_handlers, &partners[0]), *second = co_spawn(wait_in_handlers, &partners[1]);
    assert_int_equal(co_join(first, nullptr, CO_NEVER), 0);
    assert_int_equal(co_join(second, nullptr, CO_NEVER), 0);
    CO_CHAN_DESTROY(partners[0].chan);
    return arg;
}

/* An exception that a handler of another task takes for its own. */
void test_waiting_in_handlers(void **) { assert_int_equal(co_run(meet_in_handlers, nullptr, nullptr), 0); }

void *wait_among_destructors(void *arg) {
    CO_CHAN(int) chan = *static_cast<CO_CHAN(int) *>(arg);
    guard outer('a');
    int item = 0;
    co_select_case_t cases[] = {CO_CASE_SEND(chan, &item), CO_CASE_RECEIVE(chan, &item)};
    guard inner('b');
    co_select(cases, 2, CO_NEVER);
    trace_add('!');
    return nullptr;
}

/* A task that is closed where it waits, and whose destructors do not run. */
void test_closed_in_a_deadlock(void **) {
    co_run_options_t options = {};
    CO_CHAN(int) chan = CO_CHAN_CREATE(int, 0);
    options.flags = CO_RUN_QUIET;
    trace_clear();
    assert_int_equal(co_run_with(&options, wait_among_destructors, &chan, nullptr), -EDEADLK);
    assert_trace("ba");
    assert_int_equal(CO_CHAN_DESTROY(chan), 0);
}

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typed_channels),
        cmocka_unit_test(test_waiting_in_handlers),
        cmocka_unit_test(test_closed_in_a_deadlock),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
