/* How a generator's function is made of CO_GENERATOR: what co/gen.h defines into its users. Included by it, at its end.
 */
#ifndef CO_GEN_DEFINE_H
#define CO_GEN_DEFINE_H

#include <co/gen.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Creation ------------------------------------------------------------------------------------------------ */

CO_API co_gen_t *co__gen_create(const char *site, void *(*start)(void *), void *arguments);
/* `owned` are the arguments that it owns; they are destroyed if it cannot be made. */
CO_API co_gen_t *co__gen_create_with(const char *site, void *(*start)(void *), void *arguments,
                                     const co_options_t *options, co_gen_t *const *owned, size_t count);
CO_API void co__gen_enter(co_gen_t *generator, void *slot, size_t item_bytes);
/* Never returns. If it were declared so, clang would take the call of the body before it for one that seldom runs. */
CO_API void *co__gen_leave(co_gen_t *generator);

static CO__INLINE co_gen_t *co__gen_make(const char *site, void *(*start)(void *), void *arguments,
                                         const co_options_t *options, co_gen_t *const *owned, size_t count) {
    if (options == NULL && count == 0)
        return co__gen_create(site, start, arguments);
    return co__gen_create_with(site, start, arguments, options, owned, count);
}

/* Locals of an instrumented function may lie elsewhere than on its stack, and go with the last switch. */
#if defined(__clang__)
#define CO__GEN_START __attribute__((noinline, no_sanitize("address", "memory", "thread")))
#elif defined(__SANITIZE_ADDRESS__)
#define CO__GEN_START __attribute__((noinline, no_sanitize_address))
#elif defined(__GNUC__)
#define CO__GEN_START __attribute__((noinline))
#else
#define CO__GEN_START
#endif

/* ---- Parameters ---------------------------------------------------------------------------------------------- */

/* Up to eight of them: how many, and something for each. */
#define CO__COUNT(...) CO__COUNT_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
#define CO__COUNT_(name, T, a, b, c, d, e, f, g, h, count, ...) count
#define CO__GENERATOR(options, ...) CO__JOIN(CO__GENERATOR_, CO__COUNT(__VA_ARGS__))(options, __VA_ARGS__)

/* A parameter is (type, name), or what CO_OWN makes: (type, name, CO__OWNED). CO__UNPACKED calls a macro with three
 * arguments, and more that do not count: type, name, and CO__OWNED or CO__LENT. */
#define CO__UNPACK(...) __VA_ARGS__
#define CO__UNPACKED(do_, pair) CO__UNPACKED_(do_, CO__UNPACK pair, CO__LENT, )
#define CO__UNPACKED_(do_, ...) do_(__VA_ARGS__)

#define CO__PARAMETER(pair) CO__UNPACKED(CO__PARAMETER_, pair)
#define CO__PARAMETER_(type, name, ...) type name
#define CO__MEMBER(pair) CO__UNPACKED(CO__MEMBER_, pair)
#define CO__MEMBER_(type, name, ...) type name;
#define CO__NAME(pair) CO__UNPACKED(CO__NAME_, pair)
#define CO__NAME_(type, name, ...) name
#define CO__PASS(pair) CO__UNPACKED(CO__PASS_, pair)
#define CO__PASS_(type, name, ...) , co__arguments.name
#define CO__OWNS(pair) CO__UNPACKED(CO__OWNS_, pair)
#define CO__OWNS_(type, name, kind, ...) CO__JOIN(CO__OWNS_, kind)(name)
#define CO__OWNS_CO__OWNED(name) CO_GEN_UNTYPED(name),
#define CO__OWNS_CO__LENT(name)

#define CO__EACH_1(do_, by, a) do_(a)
#define CO__EACH_2(do_, by, a, ...) do_(a) by() CO__EACH_1(do_, by, __VA_ARGS__)
#define CO__EACH_3(do_, by, a, ...) do_(a) by() CO__EACH_2(do_, by, __VA_ARGS__)
#define CO__EACH_4(do_, by, a, ...) do_(a) by() CO__EACH_3(do_, by, __VA_ARGS__)
#define CO__EACH_5(do_, by, a, ...) do_(a) by() CO__EACH_4(do_, by, __VA_ARGS__)
#define CO__EACH_6(do_, by, a, ...) do_(a) by() CO__EACH_5(do_, by, __VA_ARGS__)
#define CO__EACH_7(do_, by, a, ...) do_(a) by() CO__EACH_6(do_, by, __VA_ARGS__)
#define CO__EACH_8(do_, by, a, ...) do_(a) by() CO__EACH_7(do_, by, __VA_ARGS__)
#define CO__NOTHING()
#define CO__COMMA() ,

#define CO__GENERATOR_0(options, name, T)                                                                              \
    CO__GENERATOR_DEFINED(options, name, T, (void), char co__none;                                                     \
                          , 0, (CO_GEN(T) CO_SELF CO__UNUSED, T co__generator_item CO__UNUSED), , )
#define CO__GENERATOR_1(...) CO__GENERATOR_N(CO__EACH_1, __VA_ARGS__)
#define CO__GENERATOR_2(...) CO__GENERATOR_N(CO__EACH_2, __VA_ARGS__)
#define CO__GENERATOR_3(...) CO__GENERATOR_N(CO__EACH_3, __VA_ARGS__)
#define CO__GENERATOR_4(...) CO__GENERATOR_N(CO__EACH_4, __VA_ARGS__)
#define CO__GENERATOR_5(...) CO__GENERATOR_N(CO__EACH_5, __VA_ARGS__)
#define CO__GENERATOR_6(...) CO__GENERATOR_N(CO__EACH_6, __VA_ARGS__)
#define CO__GENERATOR_7(...) CO__GENERATOR_N(CO__EACH_7, __VA_ARGS__)
#define CO__GENERATOR_8(...) CO__GENERATOR_N(CO__EACH_8, __VA_ARGS__)
#define CO__GENERATOR_N(each, options, name, T, ...)                                                                   \
    CO__GENERATOR_DEFINED(                                                                                             \
        options, name, T, (each(CO__PARAMETER, CO__COMMA, __VA_ARGS__)), each(CO__MEMBER, CO__NOTHING, __VA_ARGS__),   \
        each(CO__NAME, CO__COMMA, __VA_ARGS__),                                                                        \
        (CO_GEN(T) CO_SELF CO__UNUSED, T co__generator_item CO__UNUSED, each(CO__PARAMETER, CO__COMMA, __VA_ARGS__)),  \
        each(CO__PASS, CO__NOTHING, __VA_ARGS__), each(CO__OWNS, CO__NOTHING, __VA_ARGS__))

#if defined(__GNUC__)
#define CO__UNUSED __attribute__((unused))
#else
#define CO__UNUSED
#endif

/* ---- The function -------------------------------------------------------------------------------------------- */

/* What is written before name, `static` perhaps, is said of its declaration, and holds for its definition. */
#define CO__GENERATOR_DEFINED(options, name, T, parameters, members, values, body_parameters, passed, owned)           \
    CO_GEN(T) name parameters;                                                                                         \
    struct name##_arguments {                                                                                          \
        members                                                                                                        \
    };                                                                                                                 \
    struct name##_frame {                                                                                              \
        co_gen_t generator;                                                                                            \
        T slot;                                                                                                        \
    };                                                                                                                 \
    static void name##_body body_parameters;                                                                           \
    CO__GEN_START static void *name##_start(void *co__given) {                                                         \
        const struct name##_arguments co__arguments = *CO__CAST(const struct name##_arguments *, co__given);           \
        struct name##_frame co__frame;                                                                                 \
        (void)co__arguments;                                                                                           \
        memset(CO__UNCONST(&co__frame.slot), 0, sizeof co__frame.slot);                                                \
        co__gen_enter(&co__frame.generator, &co__frame.slot, sizeof co__frame.slot);                                   \
        name##_body(CO__CAST(CO_GEN(T), CO__UNCONST(&co__frame)), co__frame.slot passed);                              \
        return co__gen_leave(&co__frame.generator);                                                                    \
    }                                                                                                                  \
    CO_GEN(T) name parameters {                                                                                        \
        struct name##_arguments co__arguments = {values};                                                              \
        co_gen_t *const co__owned[] = {owned NULL};                                                                    \
        return CO__CAST(CO_GEN(T),                                                                                     \
                        CO__UNCONST(co__gen_make(CO_HERE " (" #name ")", name##_start, &co__arguments, options,        \
                                                 co__owned, sizeof co__owned / sizeof *co__owned - 1)));               \
    }                                                                                                                  \
    static void name##_body body_parameters

#ifdef __cplusplus
}
#endif

#endif /* CO_GEN_DEFINE_H */
