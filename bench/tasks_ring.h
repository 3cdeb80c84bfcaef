/* A channel for schedulers that have condition variables and no channels, after tasks_template.h: a ring, and a
 * condition for each of its ends. A ring of one stands for a channel without a buffer. There is one thread, and a task
 * keeps its turn until it waits, so nothing is locked. Whoever includes this has also defined
 *
 *     condition_t
 *     condition_open(condition), condition_close(condition), condition_wait(condition), condition_signal(condition)
 */
typedef struct channel {
    long values[BENCH_CHANNEL_ROOM];
    size_t room, taken, put;
    condition_t not_empty, not_full;
} channel_t;

static void channel_open(channel_t *channel, size_t room) {
    channel->room = room > 0 ? room : 1;
    channel->taken = channel->put = 0;
    condition_open(&channel->not_empty);
    condition_open(&channel->not_full);
}

static void channel_close(channel_t *channel) {
    condition_close(&channel->not_empty);
    condition_close(&channel->not_full);
}

static void channel_send(channel_t *channel, long value) {
    while (channel->put - channel->taken == channel->room)
        condition_wait(&channel->not_full);
    channel->values[channel->put++ % channel->room] = value;
    condition_signal(&channel->not_empty);
}

static long channel_receive(channel_t *channel) {
    while (channel->put == channel->taken)
        condition_wait(&channel->not_empty);
    const long value = channel->values[channel->taken++ % channel->room];
    condition_signal(&channel->not_full);
    return value;
}
