/* Random programs of sends, receives, selects, deadlines, cancels and closes, in the orders of many seeds: every item
 * that was sent is received once or held at the end, no other is, and none overtakes another of its sender. */
#define _GNU_SOURCE
#include "channels.h"

enum { CHANNELS = 3, TASKS = 6, CALLS = 10, ITEMS = TASKS * CALLS };

struct program {
    uint64_t random;
    co_chan_t *chans[CHANNELS];
    co_t *tasks[TASKS];
    unsigned char sent[ITEMS], received[ITEMS];
    unsigned long moved;
    int ended;
};

struct member {
    struct program *program;
    int number, next;          /* its next item is next + CALLS * number */
    int last[TASKS][CHANNELS]; /* that it has received of each sender, by channel */
};

/* SplitMix64. */
static unsigned random_below(struct program *program, unsigned limit) {
    uint64_t x = program->random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((x ^ x >> 31) % limit);
}

static void note_sent(struct program *program, int item) { assert_int_equal(program->sent[item]++, 0); }

static void note_received(struct member *member, int item, int chan) {
    struct program *program = member->program;
    assert_in_range(item, 0, ITEMS - 1);
    assert_int_equal(program->received[item]++, 0);
    assert_true(item > member->last[item / CALLS][chan]);
    member->last[item / CALLS][chan] = item;
    program->moved++;
}

/* What a call may answer that has moved nothing; 0 is the end of a closed channel. */
static void assert_not_done(int status, bool sends) {
    assert_true(status == -ETIMEDOUT || status == -ECANCELED || status == (sends ? -EPIPE : 0));
}

static int64_t random_deadline(struct program *program) {
    const unsigned kind = random_below(program, 4);
    return kind == 0 ? 0 : kind == 1 ? CO_NEVER : co_after((int64_t)random_below(program, 20));
}

static void make_random_select(struct member *member) {
    struct program *program = member->program;
    co_select_case_t cases[4];
    int items[4], chans[4];
    const size_t count = 1 + random_below(program, 4);
    const int item = member->next + CALLS * member->number;
    for (size_t i = 0; i < count; i++) {
        chans[i] = (int)random_below(program, CHANNELS);
        items[i] = item;
        cases[i] = random_below(program, 2) == 0 ? co_case_send(program->chans[chans[i]], &items[i])
                                                 : co_case_receive(program->chans[chans[i]], &items[i]);
    }
    const int index = select_by(cases, count, random_deadline(program));
    if (index < 0) {
        assert_not_done(index, true);
        return;
    }
    const bool sends = cases[index].direction == CO_SELECT_SEND;
    if (sends && cases[index].status == 0)
        note_sent(program, item);
    else if (!sends && cases[index].status == 1)
        note_received(member, items[index], chans[index]);
    else
        assert_not_done(cases[index].status, sends);
}

static void make_random_call(struct member *member) {
    struct program *program = member->program;
    const int chan = (int)random_below(program, CHANNELS);
    int item = member->next + CALLS * member->number, status;
    switch (random_below(program, 16)) {
    case 0:
        co_cancel(program->tasks[random_below(program, TASKS)]);
        break;
    case 1:
        if (random_below(program, 8) == 0)
            assert_int_equal(co_chan_close(program->chans[chan]), 0);
        break;
    case 2:
        co_sleep((int64_t)random_below(program, 10));
        break;
    case 3:
        co_sched_yield();
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        status = send_by(program->chans[chan], item, random_deadline(program));
        if (status == 0)
            note_sent(program, item);
        else
            assert_not_done(status, true);
        break;
    case 8:
    case 9:
    case 10:
    case 11:
        status = receive_by(program->chans[chan], &item, random_deadline(program));
        if (status == 1)
            note_received(member, item, chan);
        else
            assert_not_done(status, false);
        break;
    default:
        make_random_select(member);
    }
}

static void *run_member(void *arg) {
    struct member *member = arg;
    memset(member->last, 0xff, sizeof member->last); /* -1 */
    for (; member->next < CALLS; member->next++) {
        make_random_call(member);
        co_uncancel();
    }
    member->program->ended++;
    return NULL;
}

static void *run_program(void *arg) {
    struct program *program = arg;
    struct member members[TASKS];
    size_t held = 0;
    program->ended = 0;
    memset(program->sent, 0, sizeof program->sent);
    memset(program->received, 0, sizeof program->received);
    for (int i = 0; i < CHANNELS; i++)
        program->chans[i] = int_chan(random_below(program, 4));
    for (int i = 0; i < TASKS; i++) {
        members[i] = (struct member){.program = program, .number = i};
        program->tasks[i] = spawn(run_member, &members[i]);
    }
    while (program->ended < TASKS) {
        co_sleep(1000);
        for (int i = 0; i < TASKS; i++)
            co_cancel(program->tasks[i]); /* who is left waits for nobody */
    }
    for (int i = 0; i < TASKS; i++)
        join(program->tasks[i]); /* not before: each may cancel each */
    for (int i = 0; i < ITEMS; i++) {
        assert_true(program->received[i] <= program->sent[i]);
        held += (size_t)(program->sent[i] - program->received[i]);
    }
    for (int i = 0; i < CHANNELS; i++) {
        int item = 0;
        held -= co_chan_count(program->chans[i]);
        while (receive_by(program->chans[i], &item, 0) == 1)
            assert_int_equal(program->received[item]++, 0);
        assert_int_equal(co_chan_destroy(program->chans[i]), 0);
    }
    assert_int_equal(held, 0);
    assert_memory_equal(program->received, program->sent, ITEMS);
    return NULL;
}

static void test_random_programs(void **state) {
    (void)state;
    struct program program = {.random = 5};
    run_in_all_orders(run_program, &program);
    assert_in_range(program.moved, seeds(), 1000 * seeds()); /* the programs are not all in vain */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_programs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
