/* Generators in C++: the header in every standard, destructors and exceptions in bodies and in loops.
 * C++ standards: 11 14 17 20 23 */
/* cmocka.h takes volatile parameters, which C++20 deprecates; it is not a system header everywhere. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wdeprecated-volatile"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wvolatile"
#endif
#include "support.h"

#include <co/gen.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <vector>

struct point {
    double x, y, z;
};

CO_GEN(long) count_to(long last); /* as a header would declare it */

CO_GENERATOR(count_to, long, (long, last)) {
    for (long i = 1; i <= last; i++)
        CO_EMIT(i);
    CO_RETURN(value_of(last));
}

namespace {

struct guard {
    char letter;
    explicit guard(char c) : letter(c) {}
    guard(const guard &) = delete;
    ~guard() { trace_add(letter); }
};

static CO_GENERATOR(points, point, (int, count), (point, first)) {
    for (int i = 0; i < count; i++) {
        CO_EMIT((point{first.x + i, first.y, first.z}));
    }
}

static CO_GENERATOR(words, const char *, (const std::string *, text)) {
    std::string word;
    for (char c : *text) {
        if (c == ' ') {
            CO_EMIT(word.c_str());
            word.clear();
        } else {
            word += c;
        }
    }
    CO_EMIT(word.c_str());
}

/* Items of classes, and of strings in the body's own locals. */
void test_items(void **) {
    int count = 0;
    CO_FOR(point, p, points(3, point{1, 2, 3})) {
        assert_true(static_cast<int>(p.x) == count + 1 && static_cast<int>(p.z) == 3);
        count++;
    }
    assert_int_equal(count, 3);
    std::vector<std::string> all;
    const std::string text = "a few words, one longer than a short string";
    CO_FOR(const char *, word, words(&text)) {
        all.push_back(word);
    }
    assert_int_equal(all.size(), 9);
    assert_string_equal(all[0].c_str(), "a");
    assert_string_equal(all[8].c_str(), "string");
}

/* Stepping by hand, sending, throwing, results: the macros with C++'s conversions. */
void test_steps(void **) {
    long item = 0;
    CO_GEN(long) generator = count_to(3);
    assert_int_equal(CO_GEN_STATE(generator), CO_GEN_FRESH);
    assert_int_equal(CO_NEXT(generator, &item), 1);
    assert_int_equal(CO_SEND(generator, nullptr, &item), 1);
    assert_int_equal(CO_THROW(generator, EIO, &item), 1);
    assert_int_equal(item, 3);
    assert_int_equal(CO_NEXT(generator, &item), 0);
    assert_int_equal(number_of(CO_GEN_RESULT(generator)), 3);
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
    CO_GEN(long) nothing = nullptr;
    int status = 0;
    CO_FOR_STATUS(long, x, nothing, status) {
        assert_int_equal(x, 0);
    }
    assert_true(status < 0);
}

void emit_twice(CO_GEN(long) self, long item) {
    guard local('t');
    CO_EMIT_TO(self, item);
    CO_EMIT_TO(self, item + 1);
}

static CO_GENERATOR(with_destructors, long) {
    guard outer('o');
    co_defer(trace_letter, LETTER("d"));
    {
        guard inner('i');
        CO_EMIT(1);
    }
    emit_twice(CO_SELF, 2);
    CO_EMIT(4);
}

static CO_GENERATOR(hand_over, long) {
    guard local('h');
    CO_FROM(with_destructors(), nullptr);
    CO_EMIT(5);
}

/* Destructors that a close does not run, or runs again, wherever the generator stands. */
void test_close_runs_destructors(void **) {
    static const char *const expected[] = {"", "iod", "itod", "itod", "itod"};
    static const char *const handed[] = {"", "iodh", "itodh", "itodh", "itodh"};
    for (int over = 0; over < 2; over++)
        for (int steps = 0; steps < 5; steps++) {
            long item = 0;
            CO_GEN(long) generator = over ? hand_over() : with_destructors();
            trace_clear();
            for (long i = 1; i <= steps; i++) {
                assert_int_equal(CO_NEXT(generator, &item), 1);
                assert_int_equal(item, i);
            }
            assert_int_equal(CO_GEN_DESTROY(generator), 0);
            assert_int_equal(trace_length, strlen(over ? handed[steps] : expected[steps]));
            for (const char *letter = over ? handed[steps] : expected[steps]; *letter != '\0'; letter++)
                assert_non_null(strchr(trace, *letter));
        }
}

static CO_GENERATOR(squares, long, (CO_GEN(long), from)) {
    CO_FOR(long, x, from) {
        CO_EMIT(x * x);
    }
}

/* A generator of a loop in the body that is left when the body is closed. */
void test_close_ends_loops(void **) {
    trace_clear();
    CO_FOR(long, x, squares(squares(with_destructors()))) {
        if (x == 16)
            break;
    }
    assert_int_equal(trace_length, 4); /* i, t, o, d */
}

static CO_GENERATOR(owning, long, CO_OWN(long, from), (char, letter)) {
    guard local(letter);
    co_defer(trace_letter, LETTER("1"));
    CO_FOR_OR_FAIL(long, x, from) {
        guard in_the_loop('x');
        CO_EMIT(x * x);
    }
}

static CO_GENERATOR(idle, long, CO_OWN(long, from)) {
    guard local('g');
    long item = 0;
    CO_NEXT(from, &item);
    CO_EMIT(item);
}

/* Owned parameters and loops that a close ends twice, or in another order than deferred calls: before the guards of
 * their frame, and the loop within before what was deferred earlier. */
void test_owned_parameters(void **) {
    static const char *const expected[] = {"", "dio1xb1xa", "xxitdo1xb1xa"};
    for (int steps = 0; steps < 3; steps++) {
        long item = 0;
        trace_clear();
        CO_GEN(long) generator = owning(owning(with_destructors(), 'b'), 'a');
        for (int i = 0; i < steps; i++)
            assert_int_equal(CO_NEXT(generator, &item), CO_GEN_ITEM);
        assert_int_equal(CO_GEN_DESTROY(generator), 0);
        if (strcmp(trace, "xxidto1xb1xa") != 0) /* emit_twice is inlined, and its guard one of the body's */
            assert_trace(expected[steps]);
    }
    long item = 0;
    trace_clear();
    CO_GEN(long) generator = idle(with_destructors());
    assert_int_equal(CO_NEXT(generator, &item), CO_GEN_ITEM);
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
    assert_trace("gdio");
    trace_clear();
    long sum = 0;
    CO_FOR(long, x, owning(owning(count_to(3), 'b'), 'a'))
        sum += x;
    assert_int_equal(sum, 1 + 16 + 81);
    assert_trace("xxxxxxb1a1");
}

static CO_GENERATOR(throw_out_of_a_loop, long, CO_OWN(long, from)) {
    try {
        CO_FOR(long, x, from) {
            CO_FOR(long, y, with_destructors()) {
                CO_EMIT(x);
                if (x == 2)
                    throw std::runtime_error("left");
                if (y == 1)
                    break;
            }
        }
    } catch (const std::runtime_error &) {
        CO_EMIT(-1);
    }
    CO_EMIT(-2);
}

/* Loops in a coroutine that an exception leaves, and that a close leaves then. */
void test_an_exception_leaves_loops_in_a_generator(void **) {
    static const long expected[] = {1, 2, -1, -2};
    for (int stop = 0; stop < 5; stop++) {
        int count = 0;
        trace_clear();
        CO_GEN(long) generator = throw_out_of_a_loop(with_destructors());
        for (; count < stop; count++) {
            long item = 0;
            assert_int_equal(CO_NEXT(generator, &item), CO_GEN_ITEM);
            assert_int_equal(item, expected[count]);
        }
        assert_int_equal(CO_GEN_DESTROY(generator), 0);
        assert_int_equal(trace_length, stop == 0 ? 0 : stop == 1 ? 6 : 10);
    }
}

static CO_GENERATOR(compound, point, (double, x)) { CO_EMIT(point{x, 2, 3}); }

/* Items and options with commas. */
void test_commas(void **) {
    CO_FOR(point, p, compound(1)) {
        assert_true(static_cast<int>(p.y) == 2);
    }
}

static CO_GENERATOR(throw_and_catch, long, (int, count)) {
    for (int i = 0; i < count; i++) {
        try {
            guard local('g');
            CO_EMIT(i);
            throw std::runtime_error("thrown");
        } catch (const std::exception &caught) {
            CO_EMIT(100 + i); /* while the exception is handled */
            assert_string_equal(caught.what(), "thrown");
        }
    }
}

/* Exceptions that two bodies handle at a time: each has its own. */
void test_exceptions_in_bodies(void **) {
    CO_GEN(long) one = throw_and_catch(5);
    CO_GEN(long) two = throw_and_catch(5);
    long a = 0, b = 0;
    trace_clear();
    assert_int_equal(CO_NEXT(two, &b), 1);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(CO_NEXT(one, &a), 1);
        assert_int_equal(CO_NEXT(two, &b), 1);
        assert_int_equal(a, i / 2 + i % 2 * 100);
        assert_int_equal(b, (i + 1) / 2 + (i + 1) % 2 * 100);
    }
    assert_int_equal(CO_GEN_DESTROY(two), 0); /* inside its handler */
    assert_int_equal(CO_GEN_DESTROY(one), 0);
    assert_int_equal(trace_length, 10);
}

static CO_GENERATOR(step_in_a_handler, long) {
    try {
        throw std::runtime_error("outer");
    } catch (const std::exception &caught) {
        CO_FROM(throw_and_catch(2), nullptr);
        assert_string_equal(caught.what(), "outer");
        CO_FOR(long, x, throw_and_catch(1)) {
            CO_EMIT(x);
        }
        assert_string_equal(caught.what(), "outer");
    }
}

/* Generators made, handed over to and iterated inside a handler. */
void test_inside_a_handler(void **) {
    static const long expected[] = {0, 100, 1, 101, 0, 100};
    for (int stop = 1; stop <= 6; stop++) {
        int count = 0;
        CO_FOR(long, x, step_in_a_handler()) {
            assert_int_equal(x, expected[count]);
            if (++count == stop)
                break;
        }
        assert_int_equal(count, stop);
    }
}

/* A loop that an exception leaves: the generator is ended, and the exception goes on. */
void test_an_exception_leaves_a_loop(void **) {
    trace_clear();
    long seen = 0;
    try {
        CO_FOR(long, x, with_destructors()) {
            CO_FOR(long, y, with_destructors()) {
                seen = 10 * x + y;
                if (seen == 22)
                    throw std::runtime_error("left");
            }
        }
        assert_true(false);
    } catch (const std::runtime_error &caught) {
        assert_string_equal(caught.what(), "left");
    }
    assert_int_equal(seen, 22);
    assert_int_equal(trace_length, 12); /* four each of an inner loop to its end, one left, and the outer one */
}

static CO_GENERATOR(emit_in_a_lambda, long) {
    auto emit = [&](long item) { return CO_EMIT(item); };
    auto emit_to = [](CO_GEN(long) self, long item) { return CO_EMIT_TO(self, item); };
    emit(1);
    emit_to(CO_SELF, 2);
    emit(3);
}

/* Lambdas that emit for the body that calls them. */
void test_lambdas(void **) {
    long expected = 1;
    CO_FOR(long, x, emit_in_a_lambda()) {
        assert_int_equal(x, expected++);
    }
    assert_int_equal(expected, 4);
}

} // namespace

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_close_runs_destructors),
        cmocka_unit_test(test_close_ends_loops),
        cmocka_unit_test(test_owned_parameters),
        cmocka_unit_test(test_an_exception_leaves_loops_in_a_generator),
        cmocka_unit_test(test_commas),
        cmocka_unit_test(test_exceptions_in_bodies),
        cmocka_unit_test(test_inside_a_handler),
        cmocka_unit_test(test_an_exception_leaves_a_loop),
        cmocka_unit_test(test_lambdas),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
