/* The generators of program.h, for one type of items. Included once per type, with these defined:
 *   ITEMS      the name of the struct items
 *   ITEM       the type
 *   TO_ITEM    a macro: an ITEM that holds a value
 *   FROM_ITEM  a macro: the value in an ITEM */
#define BODY CO__JOIN(ITEMS, _body)
#define IN_BODY(name) CO__JOIN(ITEMS, CO__JOIN(_, name))
#define TYPED(generator) ((CO_GEN(ITEM))CO__UNCONST(generator))

/* Emits from a function that other functions have called. */
static __attribute__((noinline)) void *IN_BODY(emit_below)(CO_GEN(ITEM) self, int value, int depth) {
    void *volatile got = depth == 0 ? CO_EMIT_TO(self, TO_ITEM(value)) : IN_BODY(emit_below)(self, value, depth - 1);
    return got;
}

CO_GENERATOR(BODY, ITEM, (struct record *, me), (int, argument)) {
    program_starts(me, argument);
    for (;;) {
        struct operation operation = program_fetch();
        int error = 0;
        switch (operation.letter) {
        case 'e':
            program_emits(me, operation);
            error = program_resumed(me, CO_EMIT(TO_ITEM(operation.value)));
            break;
        case 'E':
            program_emits(me, operation);
            error = program_resumed(me, IN_BODY(emit_below)(CO_SELF, operation.value, 3));
            break;
        case 'f':
        case 'o':
            error = program_from(me, operation);
            break;
        case 'D':
            program_defer(me, operation);
            break;
        case 'r':
        case 'F':
            break;
        default:
            error = program_operate(me, operation);
        }
        if (program_ends(me, operation, error)) {
            if (me->error != 0)
                CO_FAIL(me->error);
            CO_RETURN((void *)(uintptr_t)me->result);
        }
    }
}

static co_gen_t *IN_BODY(create)(struct record *me, int argument) { return CO_GEN_UNTYPED(BODY(me, argument)); }

static int IN_BODY(step)(co_gen_t *generator, struct operation operation, long *item) {
    int status;
    void *value = (void *)(uintptr_t)operation.value;
    if (operation.value % 2 == 0) {
        ITEM typed = TO_ITEM(-1);
        if (operation.letter == 'n')
            status = CO_NEXT(TYPED(generator), &typed);
        else if (operation.letter == 's')
            status = CO_SEND(TYPED(generator), value, &typed);
        else
            status = CO_THROW(TYPED(generator), operation.value, &typed);
        *item = FROM_ITEM(typed);
        return status;
    }
    if (operation.letter == 'n')
        status = co_gen_next(generator);
    else if (operation.letter == 's')
        status = co_gen_send(generator, value);
    else
        status = co_gen_throw(generator, operation.value);
    *item = status == 1 ? FROM_ITEM(*(const ITEM *)co_gen_item(generator)) : -1;
    return status;
}

static int IN_BODY(loop)(co_gen_t *generator, bool owns, int most, long *items, int *status) {
    int count = 0;
    *status = 0;
    if (owns) {
        CO_FOR_STATUS(ITEM, item, TYPED(generator), *status) {
            items[count++] = FROM_ITEM(item);
            if (count == most)
                break;
        }
    } else {
        CO_FOR_BORROWED(ITEM, item, TYPED(generator)) {
            items[count++] = FROM_ITEM(item);
            if (count == most)
                break;
        }
    }
    return count;
}

static void *IN_BODY(emit)(struct record *me, int value) { return CO_EMIT_TO(TYPED(me->generator), TO_ITEM(value)); }

static int IN_BODY(from)(struct record *me, co_gen_t *inner, bool owns, void **result) {
    return owns ? CO_FROM_TO(TYPED(me->generator), TYPED(inner), result)
                : CO_FROM_BORROWED_TO(TYPED(me->generator), TYPED(inner), result);
}

const struct items ITEMS = {IN_BODY(create), IN_BODY(step), IN_BODY(loop), IN_BODY(emit), IN_BODY(from)};

#undef BODY
#undef IN_BODY
#undef TYPED
#undef ITEMS
#undef ITEM
#undef TO_ITEM
#undef FROM_ITEM
