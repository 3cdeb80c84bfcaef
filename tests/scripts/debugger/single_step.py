"""gdb commands that execute single_step.c one instruction at a time and check the backtrace before each one.

Which functions a backtrace must show follows from the stack that the stack pointer lies in. A backtrace is spelled with
one letter for a frame, innermost first, and compared with a regular expression."""
import re
import struct

import gdb

# The functions written in assembly that the program passes through.
SWITCHES = {"co_resume", "co_yield", "co_yield_from", "co__entry", "co__leave", "co__refusal", "co__closing"}

LETTERS = {
    "main": "m",
    "run": "r",
    "outer": "o",
    "inner": "i",
    "deferred": "d",
    "call_marked": "c",
    "co__entry": "E",
    "co__closing": "C",
    "co__refusal": "R",
    "allocate": "L",
    "release": "L",
}
LIBRARY = r"/(src|src/arch|include|include/co|include/co/arch)/[^/]+$"

# Anything of the library may run on top of a function of the program, which then waits in call_marked; a refused yield comes
# back through co__refusal. The body is absent while co__entry has not called it yet or has seen it return; the body that is
# closed lies above co__closing.
CALLS = "((L*R)?L*c)?"
ENDING = f"(({CALLS}d)?L*(CL*co)?)"
MAIN = f"^{CALLS}rm$"
OUTER = f"^({CALLS}o|{ENDING})EL+crm$"
INNER = f"^({CALLS}i|{ENDING})EL+coEL+crm$"

MARKED = {
    "x86_64": ["rbp", "rbx", "r12", "r13", "r14", "r15"],
    "aarch64": ["x29"] + [f"x{i}" for i in range(19, 29)] + [f"v{i}" for i in range(8, 16)],
    "riscv64": ["fp"] + [f"s{i}" for i in range(1, 12)] + [f"fs{i}" for i in range(12)],
}

# The register that is the block at every landing.
BLOCK = {"x86_64": "rdi", "aarch64": "x0", "riscv64": "a0"}


def fail(message):
    gdb.execute("x/2i $pc")
    gdb.execute("bt 40")
    print("FAILED:", message)
    gdb.execute("kill")
    gdb.execute("quit 1")


def register(frame, name):
    value = frame.read_register(name)
    if name.startswith("v"):
        return int(value["d"]["u"][0])
    if name.startswith("fs"):
        return struct.unpack("<q", struct.pack("<d", float(value["double"])))[0]
    return int(value)


def name_of(frame):
    """gdb takes co__entry for a name of Ada's, and spells it co.entry, if it knows only the symbol."""
    return (frame.name() or "?").replace("co.", "co__")


def letter(frame):
    """L is any function of the library that LETTERS does not know."""
    function = frame.function()
    symtab = function.symtab if function else frame.find_sal().symtab
    library = symtab and re.search(LIBRARY, symtab.fullname())
    return LETTERS.get(name_of(frame)) or ("L" if library else "?")


def switches_away(frame, older):
    """co__entry ends by switching: its last instructions are on the resumer's stack, as those of co__leave are."""
    return letter(frame) == "E" and older is not None and register(older, "sp") == register(frame, "sp")


class Stepper:
    def __init__(self, arch):
        self.names = MARKED[arch]
        self.block = BLOCK[arch]
        # gdb does not apply call-frame information for v8 to v15 where they are parts of SVE's registers.
        if arch == "aarch64" and gdb.selected_frame().architecture().registers().find("vg"):
            self.names = [name for name in self.names if name.startswith("x")]
        self.stacks = []
        for i in range(2):
            low = int(gdb.parse_and_eval(f"(long)&stacks[{i}]"))
            self.stacks.append((low, low + int(gdb.parse_and_eval("sizeof stacks[0]"))))
        self.order = int(gdb.parse_and_eval("outer_stack"))
        self.marks = {
            name: [int(gdb.parse_and_eval(f"{name}_marks[{i}]")) for i in range(len(self.names))]
            for name in ("run", "outer", "inner", "deferred")
        }
        self.checked = self.marked = self.skipped = 0
        self.previous = None
        self.seen = set()

    def side(self, sp):
        for i, (low, high) in enumerate(self.stacks):
            if low <= sp <= high:
                return "outer" if i == self.order else "inner"
        return "main"

    def check_marks(self, frame):
        caller = frame.older() and frame.older().name()
        if caller not in self.marks:
            fail(f"{caller} does not call call_marked")
        for name, mark in zip(self.names, self.marks[caller]):
            value = register(frame, name)
            if value != mark:
                fail(f"{name} of call_marked, which {caller} called, is {value:#x} and not {mark:#x}")
            self.marked += 1

    def check(self):
        """False when the program is back in main."""
        frame = gdb.newest_frame()
        innermost = name_of(frame)
        side = self.side(int(frame.read_register("sp")))
        # An inline switch within the library's C code has no call-frame information of its own between replacing the
        # stack pointer and its jump.
        if self.previous and innermost == self.previous[0] and side != self.previous[1] and frame.find_sal().symtab:
            if frame.find_sal().symtab.filename.endswith((".c", ".h")):
                self.skipped += 1
                return True
        self.previous = (innermost, side)
        spelled = ""
        while frame is not None:
            older = frame.older()
            spelled += "L" if switches_away(frame, older) else letter(frame)
            if len(spelled) > 60:
                fail("the backtrace does not end")
            if spelled[-1] == "c" and len(spelled) > 1:
                self.check_marks(frame)
            if spelled[-1] == "E" and register(older, self.block) != register(frame, "sp"):
                fail(f"{self.block} of the resumer is not the block")
            if older is None and frame.unwind_stop_reason() not in (gdb.FRAME_UNWIND_NO_REASON, gdb.FRAME_UNWIND_OUTERMOST):
                fail(gdb.frame_stop_reason_string(frame.unwind_stop_reason()))
            frame = older
        if spelled == "m":
            return False
        right = {"main": [MAIN], "outer": [OUTER], "inner": [INNER]}[side]
        # A yield that is refused switches to its resumer's stack and back.
        if "R" in spelled[:2]:
            right = [OUTER, INNER]
        if not any(re.match(pattern, spelled) for pattern in right):
            fail(f"on the stack of {side} the backtrace is {spelled}")
        self.checked += 1
        self.seen.add(innermost)
        return True

    def finish(self):
        missed = SWITCHES - self.seen
        if missed:
            fail(f"there was no step through {missed}")
        print(f"{self.checked} backtraces and {self.marked} registers are right; {self.skipped} instructions skipped")


def single_step(arch):
    gdb.execute("tbreak run")
    gdb.execute("continue")
    stepper = Stepper(arch)
    while True:
        # What is not of this program is neither checked nor stepped through, nor is the way there.
        name = gdb.newest_frame().name() or "@plt"
        if gdb.solib_name(gdb.newest_frame().pc()):
            gdb.execute("finish")
        elif name.endswith("@plt"):
            gdb.execute("stepi")
        elif stepper.check():
            gdb.execute("stepi")
        else:
            break
    stepper.finish()
    gdb.execute("kill")
