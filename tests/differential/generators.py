"""Programs of generator operations, run by CPython's own generators: the other half of program.h.

A program is `l` or `w`, the type of libco's items, and a tape of operations, three characters each: a letter, a slot of
four, a digit. Everybody reads from the tape:

    c  create; in place of one that is done; next, if the slot's generator goes on
    n  next        s  send the digit, 0 being NULL      t  throw the digit's error
    x  close       d  destroy                           q  tell all states
    l  loop that owns, and leaves after digit mod 4 items, 0 being never    b  the same, borrowed
    z  next, send, throw, close or destroy of oneself
  and in a body only, where main has c:
    e  emit the digit; the slot tells what to do with an error              E  the same, some calls deeper
    f  hand over, borrowed      o  hand over with ownership                 D  defer a cleanup of digit mod 4 operations
    r  return the digit         F  fail with the digit's error

How CPython's words are libco's: StopIteration's value is the result; Failure carries an errno value, as co_fail and
co_throw do; ValueError (already executing) is EBUSY, TypeError (a value for one that is fresh) EINVAL, RuntimeError
(ignored GeneratorExit) EPERM. None is NULL. co_defer is a list of calls that the body runs as it ends.

Where they differ by design, and what is done about it:
  cleanups    an emit in a cleanup fails at once in libco, and the other cleanups run, also after a return or a failure,
              where CPython would hand the item out. So cleanups are plain functions here; when the first error of a
              close was an emit, the body then really yields, once, and CPython tells the closer. What remains is closed
              again. The first error of the cleanups counts, and a failed body goes before them; CPython takes the last.
  executing   a generator whose delegate executes, because somebody else has stepped that one, is executing in libco. In
              CPython it is entered, and its body gets the ValueError. So this is looked for before a call, by
              gi_yieldfrom. CPython 3.11 forgets it altogether while a throw or a close passes through.
  waited for  to destroy a generator that another waits for is EBUSY; CPython counts references. gi_yieldfrom tells. For
              this reason only those are handed over with ownership, or to a loop, that nobody else waits for.
  for-each    a loop closes what it owns (rule 55), here by an explicit call.
  after close a body that goes on because its delegate's close failed, and emits, is closed by the same co_gen_close; in
              CPython it stays suspended, so it is closed again here.
  close's value  CPython 3.13's close tells what such a body returns; nobody asks here.
  refused     a step of NULL is EINVAL, and its destruction nothing.
Left out are the rules on StopIteration, catch-all handlers and bodies that take part in a close (29-31, 35-37, 48, 50).
"""
SLOTS = 4
ERRORS = (5, 2, 16, 1, 22)  # EIO, ENOENT, EBUSY, EPERM, EINVAL
EPERM, EBUSY, EINVAL = 1, 16, 22
PROPAGATE, IGNORE, RETURN, REPLACE = range(4)
LAST_VALUES = (PROPAGATE, RETURN, REPLACE)


class Failure(Exception):
    """An error of a body or a thrown one."""


CAUGHT = (Failure, RuntimeError, ValueError, TypeError)


def errno_of(error):
    if error is None:
        return 0
    if type(error) is Failure:
        return error.args[0]
    text = str(error)
    if text == "generator already executing":
        return EBUSY
    if text == "generator ignored GeneratorExit":
        return EPERM
    if text == "can't send non-None value to a just-started generator":
        return EINVAL
    raise SystemExit(f"an error that has no errno value: {error!r}") from error


def handling_of(letter, slot, value):
    if letter in "eE":
        return slot
    return IGNORE if value < 7 else LAST_VALUES[value - 7]


class Record:
    def __init__(self, number):
        self.number = number
        self.generator = None
        self.cleanups = []


def body(world, me, argument):
    number = me.number
    trace = world.trace
    fetch = world.fetch
    failure = leaving = result = None
    trace(f"{number} starts {argument}")
    try:
        while True:
            letter, slot, value = fetch()
            error = None
            if letter in "eE":
                trace(f"{number} emits {value}")
                try:
                    got = yield value
                    trace(f"{number} got {got or 0}")
                except CAUGHT as caught:
                    error = caught
                    trace(f"{number} thrown {errno_of(error)}")
            elif letter in "fo":
                inner, target = world.inner(letter, slot)
                given = None
                try:
                    if target is None:
                        raise Failure(EINVAL)
                    if delegate_runs(target):
                        raise ValueError("generator already executing")
                    given = yield from target
                except CAUGHT as caught:
                    error = caught
                    if type(error) is RuntimeError:
                        error = close(target) or error
                trace(f"{number} from {inner} = {given or 0} error {errno_of(error)}")
            elif letter == "D":
                world.defer(me, value)
            elif letter == "r":
                result = value or None
                break
            elif letter == "F":
                failure = Failure(ERRORS[value % 5])
                break
            else:
                error = world.operate(me, letter, slot, value)
            if error is not None:
                handling = handling_of(letter, slot, value)
                if handling == PROPAGATE:
                    failure = error
                    break
                if handling == RETURN:
                    result = value or None
                    break
                if handling == REPLACE:
                    failure = Failure(ERRORS[(value + 1) % 5])
                    break
        if failure is None:
            trace(f"{number} returns {result or 0}")
        else:
            trace(f"{number} fails {errno_of(failure)}")
    except GeneratorExit as exit_:
        leaving = exit_
    first = 0
    while me.cleanups:
        error = world.clean(me, *me.cleanups.pop())
        first = first or error
    if leaving is not None:
        if first == EPERM:
            yield "in vain"
        if first:
            raise Failure(first)
        raise leaving
    if failure is not None:
        raise failure
    if first:
        raise Failure(first)
    return result


def delegate_runs(generator):
    """Whether somebody has stepped the one that `generator` has handed over to."""
    leaf = generator
    while (inner := leaf.gi_yieldfrom) is not None:
        leaf = inner
    return leaf is not generator and leaf.gi_running


def state_of(generator):
    if generator is None:
        return "done"
    leaf = generator
    while (inner := leaf.gi_yieldfrom) is not None:
        leaf = inner
    if leaf.gi_running:
        return "executing"
    if generator.gi_suspended:
        return "suspended"
    return "done" if generator.gi_frame is None else "fresh"


def close(generator):
    """Close it for good. Returns the last error."""
    last = None
    while True:
        try:
            generator.close()
            return last
        except RuntimeError as error:
            last = error
        except CAUGHT as error:
            return error


def python_trace(program):
    return World(program).run()


class World:
    def __init__(self, program):
        self.lines = []
        self.trace = self.lines.append
        self.tape = ((program[i], int(program[i + 1]), int(program[i + 2])) for i in range(1, len(program), 3))
        self.slots = [None] * SLOTS
        self.records = []
        self.cleanups = 0
        self.main = Record(0)

    def fetch(self):
        return next(self.tape, ("r", 0, 0))

    def run(self):
        while (operation := next(self.tape, None)) is not None:
            self.operate(self.main, *operation)
        for _ in range(SLOTS):
            for slot in range(SLOTS):
                if self.slots[slot] is not None:
                    self.operate(self.main, "d", slot, 0)
        return "\n".join(self.lines) + "\n" if self.lines else ""

    def is_waited_for(self, generator):
        return any(record.generator.gi_yieldfrom is generator for record in self.records)

    def inner(self, letter, slot):
        """Whom a body hands over to: number and generator."""
        record = self.slots[slot]
        if record is None:
            return 0, None
        target = record.generator
        if letter == "o" and state_of(target) != "executing" and not self.is_waited_for(target):
            self.slots[slot] = None
        return record.number, target

    # --- Operations ---

    def operate(self, me, letter, slot, value):
        """Returns the error, or None."""
        target = self.slots[slot]
        if letter == "z" and me is not self.main:
            target = me
            letter = "nstxd"[value % 5]
        if letter == "n" or letter == "s" or letter == "t":
            return self.step(me, target, letter, value)
        if letter == "x":
            return self.close(me, target)
        if letter == "d":
            return self.destroy(me, target)
        if letter == "l" or letter == "b":
            return self.loop(me, letter, slot, value)
        if letter == "q":
            states = " ".join(state_of(record and record.generator) for record in self.slots)
            self.trace(f"{me.number} states {states}")
            return None
        if target is not None and state_of(target.generator) == "done":
            self.destroy(me, target)
            target = self.slots[slot]
        if target is not None:
            return self.step(me, target, "n", value)
        record = self.slots[slot] = Record(len(self.records) + 1)
        record.generator = body(self, record, value)
        self.records.append(record)
        self.trace(f"{me.number} create {record.number}")
        return None

    def step(self, me, target, letter, value):
        generator = target and target.generator
        given = 0 if letter == "n" else value if letter == "s" else ERRORS[value % 5]
        error = None
        try:
            if generator is None:
                raise Failure(EINVAL)
            if delegate_runs(generator):
                raise ValueError("generator already executing")
            if letter == "n":
                what = f"item {next(generator)}"
            elif letter == "s":
                what = f"item {generator.send(value or None)}"
            else:
                what = f"item {generator.throw(Failure(given))}"
        except StopIteration as end:
            what = f"end {end.value or 0}"
        except CAUGHT as caught:
            error = caught
            what = f"error {errno_of(error)}"
        name = "next" if letter == "n" else "send" if letter == "s" else "throw"
        self.trace(f"{me.number} {name} {target.number if target else 0} {given} = {what} {state_of(generator)}")
        return error

    def close(self, me, target):
        if target is None:
            error = Failure(EINVAL)
        elif delegate_runs(target.generator):
            error = Failure(EBUSY)
        else:
            error = close(target.generator)
        self.trace(f"{me.number} close {target.number if target else 0} = {errno_of(error)}")
        return error

    def destroy(self, me, target):
        error = None
        if target is not None:
            generator = target.generator
            if delegate_runs(generator) or self.is_waited_for(generator):
                error = Failure(EBUSY)
            elif generator.gi_running:
                error = close(generator)  # ValueError
            else:
                self.slots = [None if record is target else record for record in self.slots]
                error = close(generator)
                if errno_of(error) == EBUSY:
                    error = Failure(EINVAL)  # EBUSY would say that nothing was freed
        self.trace(f"{me.number} destroy {target.number if target else 0} = {errno_of(error)}")
        return error

    def loop(self, me, letter, slot, value):
        target = self.slots[slot]
        generator = target and target.generator
        if target is None or (
            letter == "l" and (state_of(generator) == "executing" or self.is_waited_for(generator))
        ):
            self.trace(f"{me.number} loop {target.number if target else 0} refused")
            return None
        if letter == "l":
            self.slots[slot] = None
        items = []
        error = None
        try:
            if not delegate_runs(generator):
                for item in generator:
                    items.append(f" {item}")
                    if len(items) == value % 4:
                        break
        except CAUGHT as caught:
            error = caught
        if letter == "l":
            closing = close(generator)
            if errno_of(closing) == EBUSY:
                closing = Failure(EINVAL)
            error = error or closing
        else:
            error = None  # nobody tells
        self.trace(f"{me.number} loop {target.number} ={''.join(items)} error {errno_of(error)}")
        return error

    # --- Cleanups ---

    def defer(self, me, value):
        me.cleanups.append((self.cleanups, value % 4))
        self.trace(f"{me.number} defers {self.cleanups}")
        self.cleanups += 1

    def clean(self, me, cleanup, operations):
        """Returns its error as an errno value, or 0."""
        number = me.number
        self.trace(f"{number} cleanup {cleanup}")
        failure = 0
        refused = False
        for _ in range(operations):
            letter, slot, value = self.fetch()
            if letter == "r":
                break
            if letter == "F":
                failure = ERRORS[value % 5]
                break
            if letter == "D":
                self.defer(me, value)
                continue
            if letter in "eE":
                self.trace(f"{number} emits {value} in vain")
                refused = True
                error = EPERM
            elif letter in "fo":
                error, emitted = self.hand_over_in_cleanup(me, letter, slot)
                refused = refused or emitted
            else:
                error = errno_of(self.operate(me, letter, slot, value))
            handling = handling_of(letter, slot, value)
            if error and handling != IGNORE:
                failure = (error, 0, 0, ERRORS[(value + 1) % 5])[handling]
                break
        failure = failure or (EPERM if refused else 0)
        self.trace(f"{number} cleaned {failure}")
        return failure

    def hand_over_in_cleanup(self, me, letter, slot):
        """Returns an errno value, and whether there was an item, which nobody gets."""
        inner, target = self.inner(letter, slot)
        given = None
        error = 0
        emitted = False
        if target is None:
            error = EINVAL
        elif delegate_runs(target):
            error = EBUSY
        else:
            try:
                next(target)
                error = EPERM
                emitted = True
                if letter == "o" and not any(record and record.generator is target for record in self.slots):
                    close(target)
            except StopIteration as end:
                given = end.value
            except CAUGHT as caught:
                error = errno_of(caught)
        self.trace(f"{me.number} from {inner} = {given or 0} error {error}")
        return error, emitted
