/* How co/itertools.h is made, which includes this file: the record of a helper, the functions that define helpers with
 * a function in them, and the calls that have the type of their argument. Nothing here is for direct use. */
#ifndef CO_ITERTOOLS_DEFINITIONS_H
#define CO_ITERTOOLS_DEFINITIONS_H

#include <co/gen.h>

#include <errno.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- A helper ------------------------------------------------------------------------------------------------ */

/* A generator that owns others, which lie behind its record. Layout is ABI. */
struct co__iter {
    co_gen_t generator;
    co_gen_t **sources; /* NULL those that are destroyed */
    size_t count;
};

/* A helper's record is `record_bytes` long, and zero behind struct co__iter. */
CO_API void *co__iter_create(const struct co__gen_kind *kind, size_t record_bytes, size_t item_bytes, size_t count,
                             co_gen_t *const *sources);
CO_API int co__iter_end(co_gen_t *generator);
CO_API void co__iter_release(co_gen_t *generator);

/* A step has got `status` from `source`, or, if that is NULL, found it by itself: the helper ends, unless the source is
 * only executing. Is what the step answers. */
CO_API CO__COLD int co__iter_ended(struct co__iter *iter, const co_gen_t *source, int status);

CO_API void *co__iter_from_array(const void *array, size_t count, size_t bytes);
CO_API void *co__iter_take(co_gen_t *source, size_t n);
CO_API void *co__iter_skip(co_gen_t *source, size_t n);
CO_API void *co__iter_chain(size_t count, co_gen_t *const *sources);
CO_API void *co__iter_batch(co_gen_t *source, size_t n, size_t bytes);
CO_API int co__iter_collect(co_gen_t *source, size_t most, void *items, size_t *count, size_t bytes);
CO_API int co__iter_tee(co_gen_t *source, size_t n, void *generators, size_t bytes);
CO_API void *co__memo_make(co_gen_t *source, size_t bytes);
CO_API void *co__memo_iterate(void *memo);
CO_API int co__memo_destroy(void *memo);

/* co_gen_next, which calls the step of another helper at once: for that, this is what step_kind of gen.c does. */
static CO__INLINE int co__iter_next(co_gen_t *source) {
    if (source == NULL || source->kind == NULL || source->done || source->executing)
        return co_gen_next(source);
    source->executing = 1;
    source->started = 1;
    int status = source->kind->step(source);
    source->executing = 0;
    return CO__LIKELY(status == 1) ? 1 : co__gen_kind_ended(source, status);
}

/* The next item of source number `which`, to *out. */
static CO__INLINE int co__iter_pull(struct co__iter *iter, size_t which, void *out, size_t bytes) {
    co_gen_t *source = iter->sources[which];
    int status = co__iter_next(source);
    if (!CO__LIKELY(status == 1))
        return co__iter_ended(iter, source, status);
    co__gen_take(out, &source->item, bytes);
    return 1;
}

/* The same, which becomes the helper's current item too. */
static CO__INLINE int co__iter_pass(struct co__iter *iter, void *out, size_t bytes) {
    co_gen_t *source = iter->sources[0];
    int status = co__iter_next(source);
    if (!CO__LIKELY(status == 1))
        return co__iter_ended(iter, source, status);
    iter->generator.item = source->item;
    co__gen_take(out, &iter->generator.item, bytes);
    return 1;
}

/* An item, copied to where the helper keeps its own. A small one is written as a whole word, as which it is read. */
static CO__INLINE int co__iter_put(co_gen_t *generator, const void *item, size_t bytes) {
    if (bytes <= sizeof generator->item) {
        generator->item = NULL;
        memcpy(&generator->item, item, CO__AT_MOST_A_POINTER(bytes));
    } else {
        generator->item = generator->slot;
        memcpy(generator->slot, item, bytes);
    }
    return 1;
}

/* ---- Those that are defined, with a function ------------------------------------------------------------------ */

/* A definition's further parameters, each in the forms that it needs: a list with a comma before each, or members.
 * CO__COUNT of gen.h counts what comes behind two names. */
#define CO__WITH(define, step, name, I, T, R, ...)                                                                     \
    CO__JOIN(CO__WITH_, CO__COUNT(name, __VA_ARGS__))(define, step, name, I, T, R, __VA_ARGS__)
#define CO__WITH_0(define, step, name, I, T, R, x) define(step, name, I, T, R, x, , , , )
#define CO__WITH_1(...) CO__WITH_N(CO__EACH_1, __VA_ARGS__)
#define CO__WITH_2(...) CO__WITH_N(CO__EACH_2, __VA_ARGS__)
#define CO__WITH_3(...) CO__WITH_N(CO__EACH_3, __VA_ARGS__)
#define CO__WITH_4(...) CO__WITH_N(CO__EACH_4, __VA_ARGS__)
#define CO__WITH_5(...) CO__WITH_N(CO__EACH_5, __VA_ARGS__)
#define CO__WITH_6(...) CO__WITH_N(CO__EACH_6, __VA_ARGS__)
#define CO__WITH_7(...) CO__WITH_N(CO__EACH_7, __VA_ARGS__)
#define CO__WITH_8(...) CO__WITH_N(CO__EACH_8, __VA_ARGS__)
#define CO__WITH_N(each, define, step, name, I, T, R, x, ...)                                                          \
    define(step, name, I, T, R, x, each(CO__MORE, CO__NOTHING, __VA_ARGS__),                                           \
           each(CO__MEMBER, CO__NOTHING, __VA_ARGS__), each(CO__GIVEN, CO__NOTHING, __VA_ARGS__),                      \
           each(CO__STORED, CO__NOTHING, __VA_ARGS__))
#define CO__MORE(pair) CO__MORE_ pair
#define CO__MORE_(type, name) , type name
#define CO__GIVEN(pair) CO__GIVEN_ pair
#define CO__GIVEN_(type, name) , name
#define CO__STORED(pair) CO__STORED_ pair
#define CO__STORED_(type, name) , co__record->arguments.name

/* Where an object lies, for memcpy; its type may be one that compilers do not like to see copied so. */
#define CO__ADDRESS(object) CO__UNCONST(&(object))

#ifdef __cplusplus
#define CO__ASSERT_ALIGNED(T) static_assert(alignof(T) <= 2 * sizeof(void *), "elements are aligned as malloc aligns")
#else
#define CO__ASSERT_ALIGNED(T) _Static_assert(_Alignof(T) <= 2 * sizeof(void *), "elements are aligned as malloc aligns")
#endif

/* A helper of items I with a function, R body(T x, ...). */
#define CO__ITER_DEFINED(step, name, I, T, R, x, parameters, members, given, stored)                                   \
    CO_GEN(I) name(CO_GEN(T) co__source parameters);                                                                   \
    CO__ASSERT_ALIGNED(I);                                                                                             \
    CO__ASSERT_ALIGNED(T);                                                                                             \
    struct name##_arguments {                                                                                          \
        char co__none;                                                                                                 \
        members                                                                                                        \
    };                                                                                                                 \
    struct name##_record {                                                                                             \
        struct co__iter iter;                                                                                          \
        struct name##_arguments arguments;                                                                             \
        int skipped;                                                                                                   \
    };                                                                                                                 \
    CO__ASSERT_ALIGNED(struct name##_record);                                                                          \
    static R name##_body(T x parameters);                                                                              \
    static CO__INLINE R name##_call(const struct name##_record *co__record, T co__item) {                              \
        (void)co__record;                                                                                              \
        return name##_body(co__item stored);                                                                           \
    }                                                                                                                  \
    static int name##_step(co_gen_t *co__self) {                                                                       \
        struct name##_record *co__record = CO__CAST(struct name##_record *, CO__CAST(void *, co__self));               \
        T co__item = CO__ZERO;                                                                                         \
        step(name, I)                                                                                                  \
    }                                                                                                                  \
    CO_GEN(I) name(CO_GEN(T) co__source parameters) {                                                                  \
        static const struct co__gen_kind co__kind = {name##_step, co__iter_end, co__iter_release};                     \
        const struct name##_arguments co__arguments = {0 given};                                                       \
        co_gen_t *const co__sources[1] = {CO_GEN_UNTYPED(co__source)};                                                 \
        struct name##_record *co__record = CO__CAST(                                                                   \
            struct name##_record *, co__iter_create(&co__kind, sizeof *co__record, sizeof(I), 1, co__sources));        \
        if (co__record != NULL)                                                                                        \
            memcpy(CO__ADDRESS(co__record->arguments), CO__ADDRESS(co__arguments), sizeof co__arguments);              \
        return CO__CAST(CO_GEN(I), CO__UNCONST(co__record));                                                           \
    }                                                                                                                  \
    static R name##_body(T x parameters)

#define CO__MAP_STEP(name, I)                                                                                          \
    int co__status = co__iter_pull(&co__record->iter, 0, CO__ADDRESS(co__item), sizeof co__item);                      \
    if (!CO__LIKELY(co__status == 1))                                                                                  \
        return co__status;                                                                                             \
    I co__result = name##_call(co__record, co__item);                                                                  \
    return co__iter_put(co__self, CO__ADDRESS(co__result), sizeof co__result);

#define CO__FILTER_STEP(name, I)                                                                                       \
    for (;;) {                                                                                                         \
        int co__status = co__iter_pass(&co__record->iter, CO__ADDRESS(co__item), sizeof co__item);                     \
        if (!CO__LIKELY(co__status == 1) || name##_call(co__record, co__item))                                         \
            return co__status;                                                                                         \
    }

#define CO__TAKE_WHILE_STEP(name, I)                                                                                   \
    int co__status = co__iter_pass(&co__record->iter, CO__ADDRESS(co__item), sizeof co__item);                         \
    if (!CO__LIKELY(co__status == 1) || name##_call(co__record, co__item))                                             \
        return co__status;                                                                                             \
    return co__iter_ended(&co__record->iter, NULL, 0);

#define CO__SKIP_WHILE_STEP(name, I)                                                                                   \
    for (;;) {                                                                                                         \
        int co__status = co__iter_pass(&co__record->iter, CO__ADDRESS(co__item), sizeof co__item);                     \
        if (!CO__LIKELY(co__status == 1) || co__record->skipped)                                                       \
            return co__status;                                                                                         \
        co__record->skipped = !name##_call(co__record, co__item);                                                      \
        if (co__record->skipped)                                                                                       \
            return 1;                                                                                                  \
    }

#define CO__FOLD_DEFINED(total, name, A, T, R, x, parameters, members, given, stored)                                  \
    int name(CO_GEN(T) co__source, A *co__total parameters);                                                           \
    static A name##_body(A total, T x parameters);                                                                     \
    int name(CO_GEN(T) co__source, A *co__total parameters) {                                                          \
        int co__status;                                                                                                \
        CO_FOR_STATUS(T, co__item, co__source, co__status)                                                             \
            *co__total = name##_body(*co__total, co__item given);                                                      \
        return co__status;                                                                                             \
    }                                                                                                                  \
    static A name##_body(A total, T x parameters)

/* The first of a pair stays in the record when the second source is executing, and is to be asked again. */
#define CO__ZIP_DEFINED(name, A, B)                                                                                    \
    CO_GEN(struct name##_item) name(CO_GEN(A) co__first, CO_GEN(B) co__second);                                        \
    typedef struct name##_item {                                                                                       \
        A first;                                                                                                       \
        B second;                                                                                                      \
    } name##_item;                                                                                                     \
    struct name##_record {                                                                                             \
        struct co__iter iter;                                                                                          \
        A first;                                                                                                       \
        int has_first;                                                                                                 \
    };                                                                                                                 \
    CO__ASSERT_ALIGNED(struct name##_record);                                                                          \
    static int name##_step(co_gen_t *co__self) {                                                                       \
        struct name##_record *co__record = CO__CAST(struct name##_record *, CO__CAST(void *, co__self));               \
        struct name##_item co__item = CO__ZERO;                                                                        \
        int co__status;                                                                                                \
        if (!co__record->has_first) {                                                                                  \
            co__status =                                                                                               \
                co__iter_pull(&co__record->iter, 0, CO__ADDRESS(co__record->first), sizeof co__record->first);         \
            if (!CO__LIKELY(co__status == 1))                                                                          \
                return co__status;                                                                                     \
            co__record->has_first = 1;                                                                                 \
        }                                                                                                              \
        co__status = co__iter_pull(&co__record->iter, 1, CO__ADDRESS(co__item.second), sizeof co__item.second);        \
        if (!CO__LIKELY(co__status == 1))                                                                              \
            return co__status;                                                                                         \
        co__record->has_first = 0;                                                                                     \
        co__item.first = co__record->first;                                                                            \
        return co__iter_put(co__self, CO__ADDRESS(co__item), sizeof co__item);                                         \
    }                                                                                                                  \
    CO_GEN(struct name##_item) name(CO_GEN(A) co__first, CO_GEN(B) co__second) {                                       \
        static const struct co__gen_kind co__kind = {name##_step, co__iter_end, co__iter_release};                     \
        co_gen_t *const co__sources[2] = {CO_GEN_UNTYPED(co__first), CO_GEN_UNTYPED(co__second)};                      \
        return CO__CAST(CO_GEN(struct name##_item), co__iter_create(&co__kind, sizeof(struct name##_record),           \
                                                                    sizeof(struct name##_item), 2, co__sources));      \
    }                                                                                                                  \
    CO_GEN(struct name##_item) name(CO_GEN(A) co__first, CO_GEN(B) co__second)

#define CO__ENUMERATE_DEFINED(name, T)                                                                                 \
    CO_GEN(struct name##_item) name(CO_GEN(T) co__source, long co__start);                                             \
    typedef struct name##_item {                                                                                       \
        long index;                                                                                                    \
        T value;                                                                                                       \
    } name##_item;                                                                                                     \
    struct name##_record {                                                                                             \
        struct co__iter iter;                                                                                          \
        unsigned long next;                                                                                            \
        int overflowed;                                                                                                \
    };                                                                                                                 \
    CO__ASSERT_ALIGNED(struct name##_record);                                                                          \
    static int name##_step(co_gen_t *co__self) {                                                                       \
        struct name##_record *co__record = CO__CAST(struct name##_record *, CO__CAST(void *, co__self));               \
        struct name##_item co__item = CO__ZERO;                                                                        \
        int co__status = co__iter_pull(&co__record->iter, 0, CO__ADDRESS(co__item.value), sizeof co__item.value);      \
        if (!CO__LIKELY(co__status == 1))                                                                              \
            return co__status;                                                                                         \
        if (!CO__LIKELY(!co__record->overflowed))                                                                      \
            return co__iter_ended(&co__record->iter, NULL, -EOVERFLOW);                                                \
        co__item.index = CO__CAST(long, co__record->next++);                                                           \
        co__record->overflowed = CO__CAST(long, co__record->next) < co__item.index;                                    \
        return co__iter_put(co__self, CO__ADDRESS(co__item), sizeof co__item);                                         \
    }                                                                                                                  \
    CO_GEN(struct name##_item) name(CO_GEN(T) co__source, long co__start) {                                            \
        static const struct co__gen_kind co__kind = {name##_step, co__iter_end, co__iter_release};                     \
        co_gen_t *const co__sources[1] = {CO_GEN_UNTYPED(co__source)};                                                 \
        struct name##_record *co__record =                                                                             \
            CO__CAST(struct name##_record *,                                                                           \
                     co__iter_create(&co__kind, sizeof *co__record, sizeof(struct name##_item), 1, co__sources));      \
        if (co__record != NULL)                                                                                        \
            co__record->next = CO__CAST(unsigned long, co__start);                                                     \
        return CO__CAST(CO_GEN(struct name##_item), CO__UNCONST(co__record));                                          \
    }                                                                                                                  \
    CO_GEN(struct name##_item) name(CO_GEN(T) co__source, long co__start)

#define CO__BATCH_DEFINED(name, T)                                                                                     \
    CO_GEN(struct name##_item) name(CO_GEN(T) co__source, size_t co__n);                                               \
    typedef struct name##_item {                                                                                       \
        const T *items;                                                                                                \
        size_t count;                                                                                                  \
    } name##_item;                                                                                                     \
    CO__ASSERT_ALIGNED(T);                                                                                             \
    CO_GEN(struct name##_item) name(CO_GEN(T) co__source, size_t co__n) {                                              \
        return CO__CAST(CO_GEN(struct name##_item), co__iter_batch(CO_GEN_UNTYPED(co__source), co__n, sizeof(T)));     \
    }                                                                                                                  \
    CO_GEN(struct name##_item) name(CO_GEN(T) co__source, size_t co__n)

/* ---- Those that are used in place ------------------------------------------------------------------------------ */

/* Calls that keep the type of their argument: templates, and in C __typeof__, which evaluates nothing. */
#ifdef __cplusplus
extern "C++" {
template <class T> inline T *const *co__iter_typed(T *const *, void *made) {
    CO__ASSERT_ALIGNED(T);
    return static_cast<T *const *>(made);
}
template <class T> inline co_gen_t *co__iter_same(T *const *, T *const *source) { return CO_GEN_UNTYPED(source); }

template <class T> inline T *const *co__iter_from_array_of(const T *array, size_t count) {
    CO__ASSERT_ALIGNED(T);
    return static_cast<T *const *>(co__iter_from_array(array, count, sizeof(T)));
}
template <class T> inline T *const *co__iter_take_of(T *const *source, size_t n) {
    return co__iter_typed(source, co__iter_take(CO_GEN_UNTYPED(source), n));
}
template <class T> inline T *const *co__iter_skip_of(T *const *source, size_t n) {
    return co__iter_typed(source, co__iter_skip(CO_GEN_UNTYPED(source), n));
}
template <class T, class... Rest> inline T *const *co__iter_chain_of(T *const *first, Rest... rest) {
    co_gen_t *const sources[] = {CO_GEN_UNTYPED(first), co__iter_same(first, rest)...};
    return co__iter_typed(first, co__iter_chain(sizeof sources / sizeof sources[0], sources));
}
template <class T> inline int co__iter_tee_of(T *const *source, size_t n, T *const **generators) {
    CO__ASSERT_ALIGNED(T);
    return co__iter_tee(CO_GEN_UNTYPED(source), n, generators, sizeof(T));
}
template <class T> inline T *const *const *co__memo_make_of(T *const *source) {
    CO__ASSERT_ALIGNED(T);
    return static_cast<T *const *const *>(co__memo_make(CO_GEN_UNTYPED(source), sizeof(T)));
}
template <class T> inline T *const *co__memo_iterate_of(T *const *const *memo) {
    return static_cast<T *const *>(co__memo_iterate(CO__UNCONST(memo)));
}
template <class T> inline int co__iter_collect_of(T *const *source, size_t most, T **items, size_t *count) {
    CO__ASSERT_ALIGNED(T);
    return co__iter_collect(CO_GEN_UNTYPED(source), most, items, count, sizeof(T));
}
} /* extern "C++" */
#define CO__FROM_ARRAY(array, count) co__iter_from_array_of(array, count)
#define CO__TAKE(source, n) co__iter_take_of(source, n)
#define CO__SKIP(source, n) co__iter_skip_of(source, n)
#define CO__CHAIN(...) co__iter_chain_of(__VA_ARGS__)
#define CO__TEE(source, n, generators) co__iter_tee_of(source, n, generators)
#define CO__MEMO_MAKE(source) co__memo_make_of(source)
#define CO__MEMO_ITERATE(memo) co__memo_iterate_of(memo)
#define CO__COLLECT(source, most, items, count) co__iter_collect_of(source, most, items, count)
#else
/* The type of a value: without what its variable is qualified with. */
#define CO__TYPE_OF(pointer) __typeof__(&*(pointer))
#define CO__FROM_ARRAY(array, count)                                                                                   \
    ((__typeof__(((void)0, *(array))) *const *)co__iter_from_array(array, count, sizeof *(array)))
#define CO__TAKE(source, n) ((CO__TYPE_OF(source))co__iter_take(CO_GEN_UNTYPED(source), n))
#define CO__SKIP(source, n) ((CO__TYPE_OF(source))co__iter_skip(CO_GEN_UNTYPED(source), n))
#define CO__TEE(source, n, generators)                                                                                 \
    co__iter_tee(CO__SAME_TYPE(source, *(generators)), n, (void *)(generators), sizeof(***(generators)))
#define CO__MEMO_MAKE(source) ((CO__TYPE_OF(source) const *)co__memo_make(CO_GEN_UNTYPED(source), sizeof(**(source))))
#define CO__MEMO_ITERATE(memo) ((CO__TYPE_OF(*(memo)))co__memo_iterate(CO__UNCONST(memo)))
#define CO__COLLECT(source, most, items, count)                                                                        \
    co__iter_collect(CO__SAME_TYPE(source, items), most, (void *)(items), count, sizeof(**(items)))

/* One argument more, which tells nothing, is for the dots of a list of one. */
#define CO__CHAIN(...) CO__CHAIN_(__VA_ARGS__, )
#define CO__CHAIN_(first, ...)                                                                                         \
    ((CO__TYPE_OF(first))co__iter_chain(                                                                               \
        CO__COUNT(, first, __VA_ARGS__),                                                                               \
        (co_gen_t *const[]){CO_GEN_UNTYPED(first),                                                                     \
                            CO__JOIN(CO__SAME_, CO__COUNT(, first, __VA_ARGS__))(first, __VA_ARGS__)}))
#define CO__SAME_1(first, ...) NULL
#define CO__SAME_2(first, a, ...) CO__SAME_TYPE(a, first)
#define CO__SAME_3(first, a, ...) CO__SAME_TYPE(a, first), CO__SAME_2(first, __VA_ARGS__)
#define CO__SAME_4(first, a, ...) CO__SAME_TYPE(a, first), CO__SAME_3(first, __VA_ARGS__)
#define CO__SAME_5(first, a, ...) CO__SAME_TYPE(a, first), CO__SAME_4(first, __VA_ARGS__)
#define CO__SAME_6(first, a, ...) CO__SAME_TYPE(a, first), CO__SAME_5(first, __VA_ARGS__)
#define CO__SAME_7(first, a, ...) CO__SAME_TYPE(a, first), CO__SAME_6(first, __VA_ARGS__)
#define CO__SAME_8(first, a, ...) CO__SAME_TYPE(a, first), CO__SAME_7(first, __VA_ARGS__)
#endif

#ifdef __cplusplus
}
#endif

#endif /* CO_ITERTOOLS_DEFINITIONS_H */
