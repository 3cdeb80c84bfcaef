"""gdb commands that execute the switch from task to task in single_step_tasks.c one instruction at a time, and check the
backtrace before each one, as single_step.py does, whose functions are used here. What is not of arch/.._sched.S is run
through, not stepped through."""

LETTERS.update({"first": "f", "second": "s", "nested": "n", "yield_beside_an_array": "L", "co_yield": "L"})

# The functions of arch/.._sched.S, in their order.
TASK_SWITCHES = ["co__sched_run", "co__sched_landing", "co__park_behind_all", "co__park_root", "co__park_nested"]

# Which frames may be on each stack. The body is absent where its task begins; what closes a coroutine is its resumer.
RIGHT = {
    "main": r"^L+crm$",
    "first": r"^L+(cf)?EL+crm$",
    "second": r"^L+(cs)?EL+crm$",
    "nested": r"^L+cnEL+(csEL+)?crm$",
    "other": r"^L+EL+crm$",
}


class TaskStepper:
    def __init__(self, arch):
        self.names = MARKED[arch]
        self.base = {"x86_64": "rbx", "aarch64": "x19", "riscv64": "s1"}[arch]
        self.block = BLOCK[arch]
        if arch == "aarch64" and gdb.selected_frame().architecture().registers().find("vg"):
            self.names = [name for name in self.names if name.startswith("x")]
        self.stacks = []
        for i, name in enumerate(["first", "second", "nested"]):
            low = int(gdb.parse_and_eval(f"(long)&stacks[{i}]"))
            self.stacks.append((low, low + int(gdb.parse_and_eval("sizeof stacks[0]")), name))
        self.top = int(gdb.newest_frame().read_register("sp"))
        self.marks = {
            name: [int(gdb.parse_and_eval(f"{name}_marks[{i}]")) for i in range(len(self.names))]
            for name in ("run", "first", "second", "nested")
        }
        self.low = int(gdb.parse_and_eval("(long)&co__sched_run"))
        self.landing = int(gdb.parse_and_eval("(long)&co__sched_landing"))  # a label in the former, to gdb
        self.park_nested = int(gdb.parse_and_eval("(long)&co__park_nested"))
        self.nested_landing = int(gdb.parse_and_eval("(long)&co__park_nested_landing"))
        listing = gdb.newest_frame().architecture().disassemble(self.low, self.nested_landing)
        closing = [line for line in listing if "co__unwind" in line["asm"]]
        self.closing = [line["addr"] for line in closing]
        self.high = self.nested_landing + 256  # co__park_nested is the last, and ends before
        self.checked = self.marked = 0
        self.seen = set()
        self.caller = None  # registers of co__sched_run's caller, as it has called
        self.record = None  # the scheduler's frame pointer

    def inside(self, frame):
        return self.low <= frame.pc() < self.high and name_of(frame) in TASK_SWITCHES

    def side(self, sp):
        for low, high, name in self.stacks:
            if low <= sp <= high:
                return name
        return "main" if self.top - 65536 < sp <= self.top else "other"

    def check_marks(self, frame, but):
        caller = frame.older() and frame.older().name()
        if caller not in self.marks:
            fail(f"{caller} does not call call_marked")
        for name, mark in zip(self.names, self.marks[caller]):
            value = register(frame, name)
            if value != mark and name != but:
                fail(f"{name} of call_marked, which {caller} called, is {value:#x} and not {mark:#x}")
            self.marked += 1

    def check_caller(self, frame):
        for name, expected in self.caller.items():
            value = register(frame, name)
            if value != expected:
                fail(f"{name} of co__sched_run's caller is {value:#x} and not {expected:#x}")
            self.marked += 1

    def check_record(self, frame):
        """C code is called from the scheduler's frame with one frame pointer, however that frame was reached."""
        value = register(frame, self.names[0])
        if value != (self.record or value):
            fail(f"the frame pointer of the scheduler is {value:#x} and not {self.record:#x}")
        self.record = value
        self.marked += 1

    def check(self):
        frame = gdb.newest_frame()
        innermost, side, spelled = name_of(frame), self.side(int(frame.read_register("sp"))), ""
        # From when it is entered until its landing has put it right, resumer.base of the coroutine is where it goes on.
        parked = side == "nested" and not self.park_nested <= frame.pc() < self.nested_landing
        if self.caller is None:
            self.caller = {name: register(frame, name) for name in self.names}
            gdb.execute(f"tbreak *{frame.older().pc():#x}", to_string=True)
        while frame is not None:
            older = frame.older()
            if older is not None and name_of(frame) == "co__sched_run" and name_of(older).startswith("co_run"):
                self.check_caller(older)
            spelled += letter(frame)
            if len(spelled) > 60:
                fail("the backtrace does not end")
            if spelled[-1] == "c":
                self.check_marks(frame, self.base if parked and "E" in spelled else None)
            if spelled[-1] == "E" and register(older, self.block) != register(frame, "sp"):
                fail(f"{self.block} of the resumer is not the block")
            if older is None and frame.unwind_stop_reason() not in (gdb.FRAME_UNWIND_NO_REASON, gdb.FRAME_UNWIND_OUTERMOST):
                fail(gdb.frame_stop_reason_string(frame.unwind_stop_reason()))
            frame = older
        if not re.match(RIGHT[side], spelled):
            fail(f"in {innermost}, on the stack of {side}, the backtrace is {spelled}")
        self.checked += 1
        self.seen.add(("co__sched_landing" if gdb.newest_frame().pc() == self.landing else innermost, side))

    def finish(self):
        wanted = {("co__sched_run", side) for side in ("main", "first", "second", "nested", "other")}
        wanted |= {("co__sched_landing", "main"), ("co__park_root", "first"), ("co__park_root", "main")}
        wanted |= {("co__park_nested", "nested"), ("co__park_nested", "main")}
        wanted |= {("co__park_behind_all", "first"), ("co__park_behind_all", "main")}
        missed = wanted - self.seen
        if missed:
            print(f"FAILED: there was no step through {missed}, but {self.seen}")
            gdb.execute("quit 1")
        print(f"{self.checked} backtraces and {self.marked} registers are right")


def single_step_tasks(arch):
    gdb.execute("tbreak run")
    gdb.execute("continue")
    stepper = TaskStepper(arch)
    for name in TASK_SWITCHES:
        gdb.execute(f"break *(long)&{name}", to_string=True)
    for address in stepper.closing:
        gdb.execute(f"break *{address:#x}", to_string=True)
    gdb.execute("continue", to_string=True)
    while gdb.selected_inferior().pid:
        frame = gdb.newest_frame()
        if stepper.inside(frame):
            stepper.check()
            closes = frame.pc() in stepper.closing
            gdb.execute("continue" if closes else "stepi", to_string=True)
        elif name_of(frame) in ("co__sched_next", "co__sched_ended"):
            stepper.check_record(frame)
            gdb.execute("finish", to_string=True)
        elif name_of(frame).startswith("co_run"):
            stepper.check_caller(frame)  # it has returned there
            gdb.execute("continue", to_string=True)
        else:
            gdb.execute("continue", to_string=True)
    stepper.finish()
