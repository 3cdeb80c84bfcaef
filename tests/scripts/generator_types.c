/* Uses of generators that must not compile, each where its name is defined, and beside each the right one. Both in C
 * and in C++. */
#include <co/gen.h>

struct point {
    int x, y;
};

struct pixel {
    int x, y;
};

CO_GEN(int) ints(int count);
CO_GEN(long) longs(int count);
CO_GEN(const char *) texts(void);
CO_GEN(char *) buffers(void);
CO_GEN(struct point) points(struct point first);
CO_GEN(struct pixel) pixels(void);
int use(CO_GEN(int) generator, CO_GEN(long) other);

CO_GENERATOR(ints, int, (int, count)) {
    for (int i = 0; i < count; i++)
        CO_EMIT(i);
}

CO_GENERATOR(longs, long, (int, count)) {
    for (int i = 0; i < count; i++)
        CO_EMIT(i);
}

CO_GENERATOR(texts, const char *) { CO_EMIT("text"); }

CO_GENERATOR(buffers, char *) {
    char buffer[] = "text";
    CO_EMIT(buffer);
}

#ifdef __cplusplus
#define LITERAL point
#else
#define LITERAL (struct point)
#endif

CO_GENERATOR(points, struct point, (struct point, first)) {
    CO_EMIT(first);
    CO_EMIT(LITERAL{1, 2});
    CO_EMIT_TO(CO_SELF, LITERAL{1, 2});
}

CO_GENERATOR(pixels, struct pixel) {
    struct pixel pixel = {1, 2};
    CO_EMIT(pixel);
}

/* A loop whose items are of another type than the generator's. */
int case_for(void);
int case_for(void) {
    int count = 0;
#if defined(WRONG_FOR_INT_AS_LONG)
    CO_FOR(long, x, ints(3))
        count += x > 0;
#elif defined(WRONG_FOR_LONG_AS_INT)
    CO_FOR(int, x, longs(3))
        count += x > 0;
#elif defined(WRONG_FOR_INT_AS_UNSIGNED)
    CO_FOR(unsigned, x, ints(3))
        count += x > 0;
#elif defined(WRONG_FOR_TEXT_AS_BUFFER)
    CO_FOR(char *, x, texts())
        count += x[0] == 't';
#elif defined(WRONG_FOR_BUFFER_AS_TEXT)
    CO_FOR(const char *, x, buffers())
        count += x[0] == 't';
#elif defined(WRONG_FOR_STRUCT)
    CO_FOR(struct point, x, pixels())
        count += x.x;
#elif defined(WRONG_FOR_STATUS)
    int status = 0;
    CO_FOR_STATUS(long, x, ints(3), status)
        count += x > 0;
#elif defined(WRONG_FOR_BORROWED)
    CO_FOR_BORROWED(long, x, ints(3))
        count += x > 0;
#elif defined(WRONG_FOR_UNTYPED)
    CO_FOR(int, x, CO_GEN_UNTYPED(ints(3)))
        count += x > 0;
#elif defined(WRONG_FOR_OTHER_POINTER)
    CO_FOR(int, x, &count)
        count += x > 0;
#else
    int status = 0;
    struct point first = {1, 2};
    CO_GEN(int) generator = ints(3);
    CO_FOR(int, x, ints(3))
        count += x > 0;
    CO_FOR(long, x, longs(3))
        count += x > 0;
    CO_FOR(const char *, x, texts())
        count += x[0] == 't';
    CO_FOR(char *, x, buffers())
        count += x[0] == 't';
    CO_FOR(struct point, x, points(first))
        count += x.x;
    CO_FOR(struct pixel, x, pixels())
        count += x.x;
    CO_FOR_STATUS(int, x, ints(3), status)
        count += x > 0;
    CO_FOR_BORROWED(int, x, generator)
        count += x > 0;
    CO_GEN_DESTROY(generator);
#endif
    return count;
}

/* An item that is stored as another type. */
int case_next(CO_GEN(int) generator, CO_GEN(const char *) text, CO_GEN(struct pixel) pixel);
int case_next(CO_GEN(int) generator, CO_GEN(const char *) text, CO_GEN(struct pixel) pixel) {
    long wrong = 0;
    int right = 0;
    unsigned unsign = 0;
    char *buffer = NULL;
    const char *string = NULL;
    struct point point = {0, 0};
    struct pixel dot = {0, 0};
    (void)wrong, (void)unsign, (void)buffer, (void)string, (void)point, (void)dot, (void)text, (void)pixel;
#if defined(WRONG_NEXT_INT_TO_LONG)
    return CO_NEXT(generator, &wrong);
#elif defined(WRONG_NEXT_INT_TO_UNSIGNED)
    return CO_NEXT(generator, &unsign);
#elif defined(WRONG_NEXT_TEXT_TO_BUFFER)
    return CO_NEXT(text, &buffer);
#elif defined(WRONG_NEXT_STRUCT)
    return CO_NEXT(pixel, &point);
#elif defined(WRONG_NEXT_VALUE)
    return CO_NEXT(generator, right);
#elif defined(WRONG_SEND)
    return CO_SEND(generator, NULL, &wrong);
#elif defined(WRONG_THROW)
    return CO_THROW(generator, 1, &wrong);
#else
    return CO_NEXT(generator, &right) + CO_SEND(generator, NULL, &right) + CO_THROW(generator, 1, &right) +
           CO_NEXT(text, &string) + CO_NEXT(pixel, &dot);
#endif
}

/* Handing over to a generator of another type. */
CO_GENERATOR(hand_over, int, (CO_GEN(int), other), (CO_GEN(long), wrong)) {
    (void)other, (void)wrong;
#if defined(WRONG_FROM)
    CO_FROM(longs(3), NULL);
#elif defined(WRONG_FROM_BORROWED)
    CO_FROM_BORROWED(wrong, NULL);
#elif defined(WRONG_FROM_TO)
    CO_FROM_TO(wrong, other, NULL);
#elif defined(WARNED_FROM_RESULT)
    long result = 0;
    CO_FROM(ints(3), &result);
    CO_EMIT(result > 0);
#else
    void *result = NULL;
    CO_FROM(ints(3), NULL);
    CO_FROM(ints(3), &result);
    CO_FROM_BORROWED(other, NULL);
    CO_FROM_TO(CO_SELF, ints(3), NULL);
#endif
}

/* Parameters that a generator owns, of another type than the argument's or the loop's; loops and delegations that fail
 * the body. */
extern const co_options_t options;

CO_GENERATOR_WITH(&options, own, int, CO_OWN(int, source), (long, first), CO_OWN(const char *, text)) {
    (void)source, (void)first, (void)text;
#if defined(WRONG_OWNED_FOR)
    CO_FOR(long, x, source)
        CO_EMIT(x > 0);
#elif defined(WRONG_FOR_OR_FAIL)
    CO_FOR_OR_FAIL(int, x, longs(3))
    CO_EMIT(x > 0);
#elif defined(WRONG_FROM_OR_FAIL)
    CO_FROM_OR_FAIL(text, NULL);
#else
    CO_FOR_OR_FAIL(int, x, source)
    CO_EMIT(x > 0);
    CO_FOR(const char *, x, text)
        CO_EMIT(x[0]);
    CO_FROM_OR_FAIL(ints(3), NULL);
#endif
}

CO_GENERATOR_WITH(NULL, own_nothing, int) { CO_EMIT(1); }

int make_owners(void);
int make_owners(void) {
#if defined(WARNED_OWNED_ARGUMENT)
    return CO_GEN_DESTROY(own(longs(3), 1, texts()));
#elif defined(WRONG_OWNED_NUMBER)
    return CO_GEN_DESTROY(own(3.0, 1, texts()));
#elif defined(WRONG_OWNED_MISSING)
    return CO_GEN_DESTROY(own(ints(3), 1));
#else
    return CO_GEN_DESTROY(own(ints(3), 1, texts())) + CO_GEN_DESTROY(own_nothing());
#endif
}

#if defined(WRONG_OPTIONS)
CO_GENERATOR_WITH(options, with_wrong_options, int) { CO_EMIT(1); }
#endif

/* A loop that fails a function which is no body, and has something to return. */
int fail_outside(void);
int fail_outside(void) {
#if defined(WARNED_FOR_OR_FAIL_OUTSIDE)
    CO_FOR_OR_FAIL(int, x, ints(3))
    (void)x;
#endif
    return 0;
}

/* Items of another type than the generator's. */
CO_GENERATOR(emit_long, long, (struct point, point), (void *, pointer)) {
    (void)point, (void)pointer;
#if defined(WRONG_EMIT_STRUCT)
    CO_EMIT(point);
#elif defined(WRONG_EMIT_NOTHING)
    CO_EMIT((void)0);
#else
    CO_EMIT(point.x);
    CO_EMIT('c');
#endif
}

CO_GENERATOR(emit_point, struct point, (struct pixel, pixel)) {
    struct point point = {pixel.x, pixel.y};
#if defined(WRONG_EMIT_OTHER_STRUCT)
    CO_EMIT(pixel);
#elif defined(WRONG_EMIT_NUMBER)
    CO_EMIT(3);
#else
    CO_EMIT(point);
#endif
    (void)point;
}

void emit_for(CO_GEN(struct point) self, struct pixel pixel, struct point point);
void emit_for(CO_GEN(struct point) self, struct pixel pixel, struct point point) {
    (void)pixel, (void)point;
#if defined(WRONG_EMIT_TO)
    CO_EMIT_TO(self, pixel);
#else
    CO_EMIT_TO(self, point);
#endif
}

/* Emitting, ending and handing over where there is no generator. */
void outside(void);
void outside(void) {
#if defined(WRONG_EMIT_OUTSIDE)
    CO_EMIT(1);
#elif defined(WRONG_FROM_OUTSIDE)
    CO_FROM(ints(3), NULL);
#elif defined(WRONG_RETURN_OUTSIDE)
    CO_RETURN(NULL);
#endif
}

/* Arguments and generators that are handed to functions. */
int hand_to_functions(void);
int hand_to_functions(void) {
    struct pixel pixel = {1, 2};
    struct point point = {1, 2};
    (void)pixel, (void)point;
#if defined(WRONG_ARGUMENT)
    return CO_GEN_DESTROY(points(pixel));
#elif defined(WRONG_ARGUMENT_NUMBER)
    return CO_GEN_DESTROY(points(3));
#elif defined(WRONG_ARGUMENT_COUNT)
    return CO_GEN_DESTROY(ints(3, 4));
#elif defined(WRONG_ARGUMENT_MISSING)
    return CO_GEN_DESTROY(ints());
#elif defined(WRONG_ARGUMENT_SPARE)
    return CO_GEN_DESTROY(texts(3));
#else
    return CO_GEN_DESTROY(points(point)) + CO_GEN_DESTROY(ints(3)) + CO_GEN_DESTROY(texts());
#endif
}

/* What C takes with a warning, and C++ does not: only C++'s word counts, and C's with -Werror. */
int warned_of(void);
int warned_of(void) {
    int status = 0;
#if defined(WARNED_ASSIGNED)
    CO_GEN(long) generator = ints(3);
    status = CO_GEN_DESTROY(generator);
#elif defined(WARNED_HANDED)
    status = use(longs(3), longs(3));
#else
    CO_GEN(int) generator = ints(3);
    status = CO_GEN_DESTROY(generator);
#endif
    return status;
}

/* A generator whose expression has side effects. */
int side_effects(CO_GEN(int) const *generators, int *item);
int side_effects(CO_GEN(int) const *generators, int *item) {
    int sum = 0;
    sum += CO_NEXT(*generators++, item++);
    CO_FOR_BORROWED(int, x, *generators++)
        sum += x;
    CO_FOR(int, x, *generators++)
        sum += x;
    return sum;
}

int main(void) { return 0; }
