"""The workloads of generators.c in Python.

Reads lines "work n depth", and answers each with processor time in nanoseconds, the sum of the items, and 0.
"""
import sys
import time

TREE_NODES = 1 << 20


def numbers(n):
    i = 0
    while i < n:
        yield i
        i += 1


def build(first, end):
    if first == end:
        return None
    middle = first + (end - first) // 2
    return build(first, middle), middle, build(middle + 1, end)


def walk(node):
    left, value, right = node
    if left is not None:
        yield from walk(left)
    yield value
    if right is not None:
        yield from walk(right)


def delegating(n, depth):
    yield from delegating(n, depth - 1) if depth > 1 else numbers(n)


def count():
    i = 0
    while True:
        yield i
        i += 1


def mapped(items):
    for x in items:
        yield 3 * x + 1


def filtered(items):
    for x in items:
        if x % 2 == 0:
            yield x


def taken(items, n):
    for x in items:
        yield x
        n -= 1
        if n == 0:
            return


def total(items):
    result = 0
    for x in items:
        result += x
    return result


def create(n):
    result = 0
    for _ in range(n):
        for x in numbers(1):
            result += x
    return result


def main():
    print("Python", sys.version.split()[0], flush=True)
    tree = None
    for line in sys.stdin:
        work, n, depth = line.split()
        n, depth = int(n), int(depth)
        if work == "tree" and tree is None:
            tree = build(0, TREE_NODES)
        began = time.thread_time_ns()
        if work == "numbers":
            result = total(numbers(n))
        elif work == "create":
            result = create(n)
        elif work == "tree":
            result = total(walk(tree))
        elif work == "delegate":
            result = total(delegating(n, depth))
        else:
            result = total(taken(filtered(mapped(count())), n))
        print(time.thread_time_ns() - began, result, 0, flush=True)


main()
