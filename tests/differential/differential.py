#!/usr/bin/env python3
"""Compares libco's generators with CPython's, by random programs: generators.py.

    differential.py check SEED COUNT COMMAND...   COMMAND runs main.c's program; says what differs and what was seen
    differential.py trace PROGRAM                 one program's trace, as CPython has it
"""
import os
import random
import signal
import subprocess
import sys
import tempfile
import traceback
import zlib

from generators import SLOTS, python_trace

# --- Making programs ---

WEIGHTS = {"c": 7, "n": 10, "s": 6, "t": 6, "x": 3, "d": 2, "q": 2, "l": 1, "b": 1, "z": 2, "e": 16, "E": 4, "f": 10,
           "o": 3, "D": 9, "r": 4, "F": 3}


def make_programs(seed, count):
    chance = random.Random(seed)
    operations, weights, total = [], [], 0
    for letter, weight in WEIGHTS.items():
        for slot in range(SLOTS):
            for value in range(10):
                total += weight
                operations.append(f"{letter}{slot}{value}")
                weights.append(total)
    starts = ("", "c00", "c00c10", "c00c10c20", "c00c10c20c30", "c00c10n10n00", "c00c10c20n00f10n10f20")
    for _ in range(count):
        length = chance.randrange(4, 70)
        tape = chance.choices(operations, cum_weights=weights, k=length)
        yield chance.choice("lw") + chance.choice(starts) + "".join(tape)


# --- Comparing ---

ALARM = f"exit status {-signal.SIGALRM}"


def write_programs(path, programs):
    with open(path, "w") as file:
        file.writelines(program + "\n" for program in programs)


def c_trace(command, path, program):
    write_programs(path, [program])
    run = subprocess.run(command + ["--trace", path], capture_output=True, text=True)
    return run.stdout if run.returncode == 0 else run.stdout + f"exit status {run.returncode}\n{run.stderr[:3000]}"


def minimise(program, differs):
    """Leaves out operations as long as the traces still differ."""
    kind, tape = program[0], [program[i : i + 3] for i in range(1, len(program), 3)]
    size = max(1, len(tape) // 2)
    while True:
        shorter = False
        start = 0
        while start < len(tape):
            attempt = tape[:start] + tape[start + size :]
            if differs(kind + "".join(attempt)):
                tape = attempt
                shorter = True
            else:
                start += size
        if size == 1 and not shorter:
            return kind + "".join(tape)
        size = max(1, size // 2)


def report(program, command, path):
    print(f"program: {program}", flush=True)
    if ALARM not in c_trace(command, path, program):  # one that does not end would be run many times
        program = minimise(program, lambda p: python_trace(p) != c_trace(command, path, p))
        print(f"made shorter: {program}")
    theirs, ours = python_trace(program).splitlines(), c_trace(command, path, program).splitlines()
    print(f"  {'CPython':40} libco")
    for i in range(max(len(theirs), len(ours))):
        a, b = theirs[i] if i < len(theirs) else "", ours[i] if i < len(ours) else ""
        print(f"{' ' if a == b else '*'} {a:40} {b}")


def python_sums(programs, path):
    with open(path, "w") as file:
        for program in programs:
            file.write("%08x\n" % zlib.crc32(python_trace(program).encode()))


def check(seed, count, command):
    programs = list(make_programs(seed, count))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "programs")
        write_programs(path, programs)
        with open(os.path.join(folder, "sums"), "w") as sums:
            child = subprocess.Popen(command + [path], stdout=sums)
        half = os.fork()  # two processes, for two processors
        middle = count * 6 // 10
        if half == 0:
            try:
                python_sums(programs[middle:], os.path.join(folder, "second"))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        python_sums(programs[:middle], os.path.join(folder, "first"))
        if os.waitpid(half, 0)[1] != 0:
            raise SystemExit("the second half of the programs was not interpreted")
        status = child.wait()
        theirs = []
        for name in ("first", "second"):
            with open(os.path.join(folder, name)) as file:
                theirs += file.read().split()
        with open(os.path.join(folder, "sums")) as file:
            lines = file.read().splitlines()
        ours = [line for line in lines if not line.startswith("seen ")]
        if status != 0:
            print(f"libco's program ended with status {status} in program {len(ours)}")
            ours.append("")
        differing = [program for program, a, b in zip(programs, theirs, ours) if a != b]
        for program in differing[:3]:
            report(program, command, path)
        compared = min(len(theirs), len(ours))
        print(f"{compared} programs compared, {len(differing)} differ")
        print(f"CO_SEED={seed} CO_PROGRAMS={count} does it again", flush=True)
        failed = status != 0 or differing or compared != count
        missing = summarise([line.split()[1:] for line in lines if line.startswith("seen ")])
        if missing and count >= 10000:
            print(f"never seen: {' '.join(missing)}")
            failed = True
        return 1 if failed else 0


def summarise(seen):
    print("seen:")
    for i in range(0, len(seen), 4):
        print("  " + "".join(f"{name} {times}".ljust(34) for name, times in seen[i : i + 4]).rstrip())
    return [name for name, times in seen if times == "0"]


def main(arguments):
    if arguments[:1] == ["trace"] and len(arguments) == 2:
        print(python_trace(arguments[1]), end="")
        return 0
    if arguments[:1] == ["check"] and len(arguments) > 3:
        return check(int(arguments[1]), int(arguments[2]), arguments[3:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
