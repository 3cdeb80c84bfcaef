/* The workloads for channels, after tasks_template.h. Whoever includes this has also defined
 *
 *     channel_t
 *     channel_open(channel, room)         of longs; room 0: without a buffer, or with the least that there is
 *     channel_send(channel, value)
 *     channel_receive(channel)            the value
 *     channel_close(channel)              which is empty, and nobody waits there
 */

static channel_t channels[2];

/* ---- channel_unbuffered ------------------------------------------------------------------------------------------ */

static void *body_answer(void *arg) {
    for (long i = the_round->n / 2; i > 0; i--)
        channel_send(&channels[1], channel_receive(&channels[0]));
    return arg;
}

static void measure_ping_pong(bench_round_t *round) {
    the_round = round;
    channel_open(&channels[0], 0);
    channel_open(&channels[1], 0);
    const task_t answering = task_spawn(body_answer, NULL);
    if (answering == task_none)
        bench_fail("spawning a task");
    round->began = bench_now_ns();
    for (long i = 0; i < round->n / 2; i++) {
        channel_send(&channels[0], i);
        round->sum += channel_receive(&channels[1]);
    }
    round->ended = bench_now_ns();
    task_join(answering);
    channel_close(&channels[0]);
    channel_close(&channels[1]);
    round->made = round->tasks;
}

/* ---- channel_buffered -------------------------------------------------------------------------------------------- */

static void *body_send(void *arg) {
    for (long i = 0; i < the_round->n / (long)the_round->tasks; i++)
        channel_send(&channels[0], i);
    return arg;
}

static void *body_receive(void *arg) {
    long sum = 0;
    for (long i = the_round->n / (long)the_round->tasks; i > 0; i--)
        sum += channel_receive(&channels[0]);
    the_round->sum += sum;
    return arg;
}

static void measure_channel(bench_round_t *round) {
    task_t tasks[16];
    the_round = round;
    channel_open(&channels[0], BENCH_CHANNEL_ROOM);
    round->began = bench_now_ns();
    for (size_t i = 0; i < 2 * round->tasks; i++) {
        tasks[i] = task_spawn(i < round->tasks ? body_receive : body_send, NULL);
        if (tasks[i] == task_none)
            bench_fail("spawning a task");
    }
    for (size_t i = 0; i < 2 * round->tasks; i++)
        task_join(tasks[i]);
    round->ended = bench_now_ns();
    channel_close(&channels[0]);
    round->made = round->tasks;
}
