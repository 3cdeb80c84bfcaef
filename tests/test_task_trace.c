/* A trace that viewers do not open: text that is no JSON, whatever tasks are called and however they end; a turn or a
 * wait without its end; an event on a track without a name; arrows that lead nowhere. And a trace that changes what it
 * records, or goes on when it cannot be written. */
#define _GNU_SOURCE
#include "task_trace_json.h"

/* ---- What holds for every trace ---------------------------------------------------------------------------------- */

enum { MOST_TRACKS = 64, MOST_ARROWS = 1024 };

struct track {
    bool named;
    int open; /* turns and waits that have begun and not ended */
    bool running;
    int turns, waits, ends, closed;
};

static struct track tracks[MOST_TRACKS];

/* Three digits of a fraction: whole nanoseconds. */
static int64_t nanoseconds(const char *microseconds) {
    char *end;
    const int64_t whole = strtoll(microseconds, &end, 10);
    assert_int_equal(*end, '.');
    assert_int_equal(strspn(end + 1, "0123456789"), 3);
    return whole * 1000 + strtoll(end + 1, NULL, 10);
}

static void check_metadata(const char *event, struct track *track) {
    const char *name = json_member(json_member(event, "args"), "name");
    assert_non_null(name);
    assert_int_equal(*name, '"');
    if (json_is(json_member(event, "name"), "thread_name")) {
        assert_false(track->named);
        track->named = true;
    } else {
        assert_true(json_is(json_member(event, "name"), "process_name"));
    }
}

static void check_event(const char *event, struct track *track, char phase) {
    assert_true(track->named);
    switch (phase) {
    case 'B':
        assert_int_equal(track->open, 0); /* neither a turn nor a wait is inside another */
        track->open = 1;
        track->running = json_is(json_member(event, "name"), "run");
        *(track->running ? &track->turns : &track->waits) += 1;
        break;
    case 'E':
        assert_int_equal(track->open, 1);
        track->open = 0;
        break;
    case 'i':
        assert_true(json_is(json_member(event, "s"), "t"));
        if (json_is(json_member(event, "name"), "end"))
            track->ends++;
        else if (json_is(json_member(event, "name"), "closed"))
            track->closed++;
        else
            assert_true(json_is(json_member(event, "name"), "spawn"));
        break;
    case 's': /* from a turn */
        assert_true(track->open && track->running);
        break;
    case 'f': /* to a wait, or to the turn that comes */
        assert_true(json_is(json_member(event, "name"), "wake") ? track->open && !track->running : !track->open);
        assert_int_equal(json_is(json_member(event, "bp"), "e"), track->open);
        break;
    default:
        FAIL("phase %c", phase);
    }
}

/* Every event has the fields that its phase requires, in the order of time; returns how many there are. */
static int check_trace(const char *text) {
    static struct {
        char name;
        long id;
    } arrow;
    int count = 0, tasks = 0;
    int64_t last = 0;
    bool arrow_open = false;
    const char *end = json_value(text);
    if (end == NULL)
        FAIL("this is no JSON: %s", text);
    assert_int_equal(*json_space(end), '\0');
    memset(tracks, 0, sizeof tracks);
    assert_true(json_is(json_member(text, "displayTimeUnit"), "ns"));
    const char *events = json_member(text, "traceEvents");
    assert_non_null(events);
    assert_int_equal(*events, '[');
    for (const char *event = json_space(events + 1); event != NULL; event = json_next(event), count++) {
        const char *phase = json_member(event, "ph"), *name = json_member(event, "name");
        const char *time = json_member(event, "ts"), *id = json_member(event, "id");
        assert_non_null(phase);
        assert_non_null(json_member(event, "pid"));
        const long number = strtol(json_member(event, "tid"), NULL, 10);
        assert_in_range(number, 0, MOST_TRACKS - 1);
        assert_int_equal(name == NULL, phase[1] == 'E');
        if (phase[1] == 'M') {
            check_metadata(event, &tracks[number]);
            continue;
        }
        assert_non_null(time);
        assert_true(nanoseconds(time) >= last);
        last = nanoseconds(time);
        check_event(event, &tracks[number], phase[1]);
        if (phase[1] == 's' || phase[1] == 'f') { /* both ends of an arrow are neighbours */
            assert_non_null(id);
            assert_int_equal(arrow_open, phase[1] == 'f');
            if (arrow_open)
                assert_true(arrow.id == strtol(id, NULL, 10) && arrow.name == name[1]);
            arrow.id = strtol(id, NULL, 10);
            arrow.name = name[1];
            arrow_open = phase[1] == 's';
        }
    }
    assert_false(arrow_open);
    for (int i = 0; i < MOST_TRACKS; i++) {
        assert_int_equal(tracks[i].open, 0);
        assert_int_equal(tracks[i].ends + tracks[i].closed, tracks[i].named);
        tasks += tracks[i].named;
    }
    assert_true(tasks > 0);
    return count;
}

static const char *trace_of(unsigned flags, uint64_t seed, int expected, co_fn fn, void *arg) {
    FILE *file = capture_begin(&capture);
    assert_int_equal(run_virtually(CO_RUN_QUIET | flags, seed, NULL, file, fn, arg), expected);
    assert_int_equal(ferror(file), 0);
    assert_int_not_equal(capture.text[0], '\0'); /* written out, though the file is still open */
    capture_end(&capture);
    (void)check_trace(capture.text);
    return capture.text;
}

/* ---- What is recorded -------------------------------------------------------------------------------------------- */

static void *small_body(void *arg) {
    static const int64_t some = 1234567;
    co_t *other = spawn_named("other", sleeper, (void *)(uintptr_t)&some);
    assert_int_equal(co_join(other, NULL, CO_NEVER), 0);
    return arg;
}

/* To the letter, since people and programs have to read it. */
static void test_small_trace(void **state) {
    (void)state;
    assert_string_equal(
        trace_of(0, 0, 0, small_body, NULL),
        "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
        "{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"name\":\"process_name\",\"args\":{\"name\":\"co_run\"}},\n"
        "{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"thread_name\",\"args\":{\"name\":\"first\"}},\n"
        "{\"ph\":\"i\",\"pid\":1,\"tid\":1,\"ts\":0.000,\"cat\":\"task\",\"name\":\"spawn\",\"s\":\"t\","
        "\"args\":{\"site\":\"here.c:1\"}},\n"
        "{\"ph\":\"B\",\"pid\":1,\"tid\":1,\"ts\":0.000,\"cat\":\"task\",\"name\":\"run\"},\n"
        "{\"ph\":\"M\",\"pid\":1,\"tid\":2,\"name\":\"thread_name\",\"args\":{\"name\":\"other\"}},\n"
        "{\"ph\":\"i\",\"pid\":1,\"tid\":2,\"ts\":0.000,\"cat\":\"task\",\"name\":\"spawn\",\"s\":\"t\","
        "\"args\":{\"site\":\"here.c:7\"}},\n"
        "{\"ph\":\"s\",\"pid\":1,\"tid\":1,\"ts\":0.000,\"cat\":\"task\",\"name\":\"spawn\",\"id\":2},\n"
        "{\"ph\":\"f\",\"pid\":1,\"tid\":2,\"ts\":0.000,\"cat\":\"task\",\"name\":\"spawn\",\"id\":2},\n"
        "{\"ph\":\"E\",\"pid\":1,\"tid\":1,\"ts\":0.000},\n"
        "{\"ph\":\"B\",\"pid\":1,\"tid\":1,\"ts\":0.000,\"cat\":\"task\",\"name\":\"join\","
        "\"args\":{\"task\":2,\"name\":\"other\"}},\n"
        "{\"ph\":\"B\",\"pid\":1,\"tid\":2,\"ts\":0.000,\"cat\":\"task\",\"name\":\"run\"},\n"
        "{\"ph\":\"E\",\"pid\":1,\"tid\":2,\"ts\":0.000},\n"
        "{\"ph\":\"B\",\"pid\":1,\"tid\":2,\"ts\":0.000,\"cat\":\"task\",\"name\":\"sleep\",\"args\":{}},\n"
        "{\"ph\":\"E\",\"pid\":1,\"tid\":2,\"ts\":1234.567,\"args\":{\"status\":0}},\n"
        "{\"ph\":\"B\",\"pid\":1,\"tid\":2,\"ts\":1234.567,\"cat\":\"task\",\"name\":\"run\"},\n"
        "{\"ph\":\"i\",\"pid\":1,\"tid\":2,\"ts\":1234.567,\"cat\":\"task\",\"name\":\"end\",\"s\":\"t\","
        "\"args\":{\"status\":0}},\n"
        "{\"ph\":\"s\",\"pid\":1,\"tid\":2,\"ts\":1234.567,\"cat\":\"task\",\"name\":\"wake\",\"id\":2},\n"
        "{\"ph\":\"f\",\"pid\":1,\"tid\":1,\"ts\":1234.567,\"cat\":\"task\",\"name\":\"wake\",\"id\":2,\"bp\":\"e\"},\n"
        "{\"ph\":\"E\",\"pid\":1,\"tid\":1,\"ts\":1234.567,\"args\":{\"status\":0}},\n"
        "{\"ph\":\"E\",\"pid\":1,\"tid\":2,\"ts\":1234.567},\n"
        "{\"ph\":\"B\",\"pid\":1,\"tid\":1,\"ts\":1234.567,\"cat\":\"task\",\"name\":\"run\"},\n"
        "{\"ph\":\"i\",\"pid\":1,\"tid\":1,\"ts\":1234.567,\"cat\":\"task\",\"name\":\"end\",\"s\":\"t\","
        "\"args\":{\"status\":0}},\n"
        "{\"ph\":\"E\",\"pid\":1,\"tid\":1,\"ts\":1234.567}\n"
        "]}\n");
}

static void sleep_and_yield(void *arg) {
    const int64_t number = number_of(arg);
    for (int64_t i = 0; i < 3; i++) {
        (void)co_sleep((number * 5 + i * 3) % 4);
        (void)co_sched_yield();
        (void)co_park(co_after((number + i) % 2));
    }
}

enum { TASKS = 6 };

static void *everything(void *arg) {
    struct at_depth at[TASKS];
    co_t *tasks[TASKS];
    static const int depths[] = {0, 1, 10};
    for (int i = 0; i < TASKS; i++) {
        at[i] = (struct at_depth){depths[i % 3], sleep_and_yield, value_of(i)};
        tasks[i] = co_spawn(body_at_depth, &at[i]);
    }
    assert_int_equal(co_join(tasks[0], NULL, co_after(1)), -ETIMEDOUT);
    assert_int_equal(co_unpark(tasks[1]), 0);
    assert_int_equal(co_cancel(tasks[2]), 0);
    assert_int_equal(co_detach(tasks[3]), 0);
    (void)co_spawn(ends_at_once, NULL); /* is never joined */
    for (int i = 0; i < TASKS; i++)
        assert_true(i == 3 || co_join(tasks[i], NULL, CO_NEVER) == 0);
    return arg;
}

/* Turns as co_counters counts them, in every order; and the same record for the same seed. */
static void test_seeds(void **state) {
    static struct capture again;
    (void)state;
    const uint64_t seeds = under_valgrind() ? 10 : 1000;
    for (uint64_t seed = 0; seed < seeds; seed++) {
        const char *text = trace_of(CO_RUN_SEEDED, seed, 0, everything, NULL);
        FILE *file = capture_begin(&again);
        assert_int_equal(run_virtually(CO_RUN_SEEDED, seed, NULL, file, everything, NULL), 0);
        assert_string_equal(capture_end(&again), text);
    }
}

static void *count_turns(void *counters) {
    (void)everything(NULL);
    assert_int_equal(co_sleep(100), 0); /* the one that is detached ends */
    assert_int_equal(co_counters((co_counters_t *)counters), 0);
    return NULL;
}

static void test_turns_and_wakes(void **state) {
    co_counters_t counters = {0};
    uint64_t turns = 0, waits = 0, spawned = 0;
    (void)state;
    (void)trace_of(0, 0, 0, count_turns, &counters);
    for (int i = 0; i < MOST_TRACKS; i++) {
        turns += (uint64_t)tracks[i].turns;
        waits += (uint64_t)tracks[i].waits;
        spawned += tracks[i].named;
    }
    assert_int_equal(turns, counters.switches);
    assert_int_equal(waits, counters.wakes);
    assert_int_equal(spawned, counters.spawned);
}

static void *deadlocked(void *arg) {
    static const struct at_depth deep = {10, sleep_for_ever, NULL};
    co_t *other = spawn_named("other", body_at_depth, (void *)(uintptr_t)&deep);
    assert_int_equal(co_join(spawn_named("third", ends_at_once, NULL), NULL, CO_NEVER), 0);
    (void)co_join(other, NULL, CO_NEVER);
    return arg;
}

static void test_deadlock(void **state) {
    (void)state;
    (void)trace_of(0, 0, -EDEADLK, deadlocked, NULL);
    assert_int_equal(tracks[1].closed, 1);
    assert_int_equal(tracks[2].closed, 1);
    assert_int_equal(tracks[3].ends, 1);
}

/* Turns that change floating-point modes, and stacks with canaries, pass the same places. */
static void *with_options(void *arg) {
    static unsigned char mine[64 * 1024];
    const co_options_t watched = {.flags = CO_CANARIES, .stack = mine, .stack_bytes = sizeof mine};
    const co_options_t options = {.flags = CO_FPENV};
    const struct at_depth deep = {1, sleep_and_yield, NULL};
    co_t *task = co_spawn_with(&options, body_at_depth, (void *)(uintptr_t)&deep);
    assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
    task = co_spawn_with(&watched, body_at_depth, (void *)(uintptr_t)&deep);
    assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
    return arg;
}

static void test_tasks_with_options(void **state) {
    (void)state;
    (void)trace_of(0, 0, 0, with_options, NULL);
}

/* The monotonic clock's times lie between what co_now says before and after. */
static void test_monotonic_clock(void **state) {
    (void)state;
    FILE *file = capture_begin(&capture);
    const co_run_options_t options = {.trace = file};
    const int64_t before = co_now();
    assert_int_equal(co_run_with(&options, small_body, NULL, NULL), 0);
    const int64_t after = co_now();
    (void)check_trace(capture_end(&capture));
    int64_t time = 0;
    for (const char *at = capture.text; (at = strstr(at, "\"ts\":")) != NULL; at++) {
        time = nanoseconds(at + 5);
        assert_true(time >= before && time <= after);
    }
    assert_true(time - before >= 1234567);
}

/* ---- Names ------------------------------------------------------------------------------------------------------- */

static void *named_alike(void *name) {
    co_t *task =
        co_spawn_with(&(co_options_t){.name = (const char *)name, .site = (const char *)name}, ends_at_once, NULL);
    assert_non_null(task);
    assert_int_equal(co_join(task, NULL, 0), -ETIMEDOUT);
    assert_int_equal(co_join(task, NULL, CO_NEVER), 0); /* tells the name once more */
    return NULL;
}

static void test_every_byte(void **state) {
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        char expected[64], name[] = {'<', (char)byte, '>', '\0'};
        if (byte >= 0x80)
            snprintf(expected, sizeof expected, "\"<\\ufffd>\"");
        else if (byte < ' ' || byte == 0x7f || byte == '"' || byte == '\\')
            snprintf(expected, sizeof expected, "\"<\\u%04x>\"", (unsigned)byte);
        else
            snprintf(expected, sizeof expected, "\"%s\"", name);
        const char *text = trace_of(0, 0, 0, named_alike, name);
        int found = 0;
        for (const char *at = text; (at = strstr(at, expected)) != NULL; at++)
            found++;
        assert_int_equal(found, 3); /* the track, the place, the join */
    }
}

static void test_utf8(void **state) {
    static const struct {
        const char *name, *told;
    } names[] = {
        {"\xc2\x80", "\xc2\x80"},
        {"\xdf\xbf", "\xdf\xbf"},
        {"\xe0\xa0\x80", "\xe0\xa0\x80"},
        {"\xed\x9f\xbf", "\xed\x9f\xbf"},
        {"\xee\x80\x80", "\xee\x80\x80"},
        {"\xef\xbf\xbf", "\xef\xbf\xbf"},
        {"\xf0\x90\x80\x80", "\xf0\x90\x80\x80"},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xc0\x80", "\\ufffd\\ufffd"}, /* longer than need be */
        {"\xc1\xbf", "\\ufffd\\ufffd"},
        {"\xe0\x9f\xbf", "\\ufffd\\ufffd\\ufffd"},
        {"\xf0\x8f\xbf\xbf", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},            /* half of a UTF-16 pair */
        {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"}, /* beyond the last character */
        {"\xf5\x80\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\xe2\x82", "\\ufffd\\ufffd"}, /* cut off */
        {"\xf0\x9f\x98", "\\ufffd\\ufffd\\ufffd"},
        {"\xe2\x82z", "\\ufffd\\ufffdz"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char expected[128];
        snprintf(expected, sizeof expected, "\"thread_name\",\"args\":{\"name\":\"%s\"}", names[i].told);
        assert_non_null(strstr(trace_of(0, 0, 0, named_alike, (void *)(uintptr_t)names[i].name), expected));
    }
}

static void *named_by_place(void *arg) {
    char expected[512];
    co_t *task = co_spawn(ends_at_once, NULL);
    snprintf(expected, sizeof expected, "%s:%d", __FILE__, __LINE__ - 1);
    assert_string_equal(co_site(task), expected);
    assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
    assert_int_equal(co_join((co_spawn)(ends_at_once, NULL), NULL, CO_NEVER), 0);
    strcpy((char *)arg, expected);
    return NULL;
}

static void test_tasks_without_names(void **state) {
    char site[512], expected[600];
    (void)state;
    const char *text = trace_of(0, 0, 0, named_by_place, site);
    snprintf(expected, sizeof expected, "\"tid\":2,\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}", site);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "\"tid\":3,\"name\":\"thread_name\",\"args\":{\"name\":\"task 3\"}"));
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static void test_errors_of_writing(void **state) {
    static const co_fn bodies[] = {everything, deadlocked};
    struct limited limited;
    (void)state;
    for (int i = 0; i < 2; i++) {
        const int expected = i == 0 ? 0 : -EDEADLK;
        const size_t bytes = strlen(trace_of(0, 0, expected, bodies[i], NULL));
        for (size_t limit = 0; limit < bytes; limit += under_valgrind() ? 997 : 31)
            for (int buffering = 0; buffering < 2; buffering++) {
                FILE *file = limited_open(&limited, limit, buffering == 0 ? _IONBF : _IOFBF);
                assert_int_equal(run_virtually(CO_RUN_QUIET, 0, NULL, file, bodies[i], NULL), expected);
                assert_true(!ERRORS_ARE_TOLD || ferror(file));
                assert_int_equal(limited.refused, 1); /* it has not gone on */
                (void)fclose(file);
            }
    }
    FILE *full = fopen("/dev/full", "w");
    if (full != NULL) {
        assert_int_equal(run_virtually(0, 0, NULL, full, everything, NULL), 0);
        assert_true(ferror(full));
        (void)fclose(full);
    }
}

static void *fails_to_trace(void *arg) {
    co_t *task = co_spawn(sleeper, arg);
    assert_int_equal(co_sched_yield(), 0);
    errno = EXDEV;
    assert_int_equal(co_cancel(task), 0); /* is written, in vain */
    assert_int_equal(errno, EXDEV);
    assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
    return NULL;
}

/* A call that does not set errno sets it, because of the trace. */
static void test_errno_is_kept(void **state) {
    static const int64_t some = 1000;
    struct limited limited;
    (void)state;
    const size_t all = strlen(trace_of(0, 0, 0, fails_to_trace, (void *)(uintptr_t)&some));
    for (size_t limit = 0; limit < all; limit++) {
        FILE *file = limited_open(&limited, limit, _IONBF);
        assert_int_equal(run_virtually(0, 0, NULL, file, fails_to_trace, (void *)(uintptr_t)&some), 0);
        assert_true(!ERRORS_ARE_TOLD || ferror(file));
        (void)fclose(file);
    }
}

/* The file stays the caller's, and a run that does not begin writes nothing. */
static void test_whose_the_file_is(void **state) {
    (void)state;
    FILE *file = capture_begin(&capture);
    const co_options_t wrong = {.stack_bytes = 1};
    assert_int_equal(co_run_with(&(co_run_options_t){.trace = file}, NULL, NULL, NULL), -EINVAL);
    assert_int_equal(co_run_with(&(co_run_options_t){.trace = file, .first = &wrong}, ends_at_once, NULL, NULL),
                     -EINVAL);
    assert_int_equal(fflush(file), 0);
    assert_string_equal(capture.text, "");
    assert_int_equal(run_virtually(0, 0, NULL, file, ends_at_once, NULL), 0);
    assert_int_equal(run_virtually(0, 0, NULL, file, ends_at_once, NULL), 0);
    (void)capture_end(&capture);
    char *second = strstr(capture.text + 1, "{\"displayTimeUnit\"");
    assert_non_null(second);
    (void)check_trace(second);
    *second = '\0';
    (void)check_trace(capture.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_trace),         cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_turns_and_wakes),     cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_tasks_with_options),  cmocka_unit_test(test_monotonic_clock),
        cmocka_unit_test(test_every_byte),          cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_tasks_without_names), cmocka_unit_test(test_errors_of_writing),
        cmocka_unit_test(test_errno_is_kept),       cmocka_unit_test(test_whose_the_file_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
