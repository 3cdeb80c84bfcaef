/* Uses of channels that must not compile, each where its name is defined, and beside each the right one. Both in C and
 * in C++. */
#include <co/chan.h>
#include <co/gen.h>

struct point {
    int x, y;
};

struct pixel {
    int x, y;
};

int send(CO_CHAN(int) ints, CO_CHAN(const char *) texts, CO_CHAN(struct point) points);
int send(CO_CHAN(int) ints, CO_CHAN(const char *) texts, CO_CHAN(struct point) points) {
    int item = 1;
    const int constant = 2;
    long number = 1;
    unsigned unsign = 1;
    const char *text = "text";
    char **argument = NULL;
    struct point point = {1, 2};
    struct pixel pixel = {1, 2};
    (void)constant, (void)number, (void)unsign, (void)text, (void)argument, (void)point, (void)pixel;
#if defined(WRONG_SEND_LONG)
    return CO_CHAN_SEND(ints, &number, 0);
#elif defined(WRONG_SEND_UNSIGNED)
    return CO_CHAN_SEND(ints, &unsign, 0);
#elif defined(WRONG_SEND_VALUE)
    return CO_CHAN_SEND(ints, item, 0);
#elif defined(WRONG_SEND_TEXT)
    return CO_CHAN_SEND(texts, text, 0);
#elif defined(WRONG_SEND_BUFFER)
    return CO_CHAN_SEND(texts, argument, 0);
#elif defined(WRONG_SEND_STRUCT)
    return CO_CHAN_SEND(points, &pixel, 0);
#elif defined(WRONG_SEND_UNTYPED)
    return CO_CHAN_SEND(CO_CHAN_UNTYPED(ints), &item, 0);
#elif defined(WRONG_CASE_SEND)
    return CO_CASE_SEND(ints, &number).status;
#else
    return CO_CHAN_SEND(ints, &item, 0) + CO_CHAN_SEND(ints, &constant, 0) + CO_CHAN_SEND(texts, &text, 0) +
           CO_CHAN_SEND(points, &point, 0) + CO_CASE_SEND(ints, &constant).status + CO_CASE_SEND(texts, &text).status;
#endif
}

int receive(CO_CHAN(int) ints, CO_CHAN(const char *) texts, CO_CHAN(struct point) points);
int receive(CO_CHAN(int) ints, CO_CHAN(const char *) texts, CO_CHAN(struct point) points) {
    int item = 1;
    long number = 1;
    const char *text = "text";
    char *buffer = NULL;
    struct point point = {1, 2};
    struct pixel pixel = {1, 2};
    (void)number, (void)buffer, (void)pixel;
#if defined(WRONG_RECEIVE_LONG)
    return CO_CHAN_RECEIVE(ints, &number, 0);
#elif defined(WRONG_RECEIVE_VALUE)
    return CO_CHAN_RECEIVE(ints, item, 0);
#elif defined(WRONG_RECEIVE_BUFFER)
    return CO_CHAN_RECEIVE(texts, &buffer, 0);
#elif defined(WRONG_RECEIVE_STRUCT)
    return CO_CHAN_RECEIVE(points, &pixel, 0);
#elif defined(WRONG_CASE_RECEIVE)
    return CO_CASE_RECEIVE(points, &pixel).status;
#else
    return CO_CHAN_RECEIVE(ints, &item, 0) + CO_CHAN_RECEIVE(texts, &text, 0) + CO_CHAN_RECEIVE(points, &point, 0) +
           CO_CASE_RECEIVE(ints, &item).status + CO_CASE_RECEIVE(points, &point).status;
#endif
}

/* What C takes with a warning, and C++ does not. */
int warned_of(CO_CHAN(int) ints, CO_GEN(int) generator);
int warned_of(CO_CHAN(int) ints, CO_GEN(int) generator) {
    const int constant = 3;
    int item = 3;
    (void)constant, (void)item, (void)generator;
#if defined(WARNED_CREATED)
    CO_CHAN(int) chan = CO_CHAN_CREATE(long, 1);
    return CO_CHAN_DESTROY(chan);
#elif defined(WARNED_ASSIGNED)
    CO_CHAN(long) chan = ints;
    return CO_CHAN_DESTROY(chan);
#elif defined(WARNED_GENERATOR)
    CO_CHAN(int) chan = generator;
    return CO_CHAN_DESTROY(chan);
#elif defined(WARNED_RECEIVE_CONSTANT)
    return CO_CHAN_RECEIVE(ints, &constant, 0);
#elif defined(WARNED_CASE_RECEIVE_CONSTANT)
    return CO_CASE_RECEIVE(ints, &constant).status;
#elif defined(WRONG_CHANNEL_AS_GENERATOR)
    return CO_NEXT(ints, &item);
#elif defined(WRONG_GENERATOR_AS_CHANNEL)
    return CO_CHAN_RECEIVE(generator, &item, 0);
#else
    CO_CHAN(int) chan = CO_CHAN_CREATE(int, 1);
    chan = ints;
    return CO_CHAN_DESTROY(chan) + CO_NEXT(generator, &item) + CO_CHAN_RECEIVE(ints, &item, 0);
#endif
}

/* Expressions with side effects. */
int side_effects(CO_CHAN(int) const *chans, int *item);
int side_effects(CO_CHAN(int) const *chans, int *item) {
    int sum = 0;
    sum += CO_CHAN_SEND(*chans++, item++, 0);
    sum += CO_CHAN_RECEIVE(*chans++, item++, 0);
    sum += CO_CASE_SEND(*chans++, item++).status;
    sum += CO_CASE_RECEIVE(*chans++, item++).status;
    sum += CO_CHAN_CLOSE(*chans++);
    sum += (int)CO_CHAN_COUNT(*chans++);
    sum += (int)CO_CHAN_CAPACITY(*chans++);
    return sum;
}

/* Channels of channels, and of generators. */
int nested(void);
int nested(void) {
    CO_CHAN(CO_CHAN(int)) chans = CO_CHAN_CREATE(CO_CHAN(int), 1);
    CO_CHAN(int) chan = CO_CHAN_CREATE(int, 1);
    int status = CO_CHAN_SEND(chans, &chan, 0);
#if defined(WRONG_NESTED)
    CO_CHAN(long) other = CO_CHAN_CREATE(long, 1);
    status += CO_CHAN_RECEIVE(chans, &other, 0);
#else
    status += CO_CHAN_RECEIVE(chans, &chan, 0);
#endif
    return status;
}

int main(void) { return 0; }
