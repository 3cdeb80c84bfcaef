"""The workloads of tasks.c in Python, with asyncio.

Reads lines "work n tasks", and answers each with processor time in nanoseconds, the sum of the messages, and the bytes of
memory that its tasks have come to.
"""
import asyncio
import random
import re
import sys
import time

ROOM = 64
LEAD_NS = 10000  # going to sleep takes a task less
HOUR = 3600.0


def memory():
    with open("/proc/self/smaps_rollup") as pages, open("/proc/self/status") as status:
        rss = re.search(r"^Rss:\s*(\d+)", pages.read(), re.M)
        tables = re.search(r"^VmPTE:\s*(\d+)", status.read(), re.M)
    return (int(rss[1]) + int(tables[1])) * 1024


class Round:
    """One repetition: what is timed lies inside, for its tasks are made before it."""

    def __init__(self, n, tasks):
        self.n, self.tasks = n, tasks
        self.left = n
        self.sum = 0
        self.bytes = 0
        self.began = self.ended = 0
        self.memory_before = 0

    def begin(self):
        self.began = time.thread_time_ns()

    def end(self):
        self.ended = time.thread_time_ns()

    def alive(self):
        began = time.thread_time_ns()
        self.bytes = memory() - self.memory_before
        self.began += time.thread_time_ns() - began

    def spawn_all(self, body):
        self.memory_before = memory()
        return [asyncio.create_task(body(i)) for i in range(self.tasks)]

    async def work_yield(self):
        async def body(_):
            await asyncio.sleep(0)
            while self.left > 0:
                self.left -= 1
                if self.left == 0:
                    self.end()
                await asyncio.sleep(0)

        tasks = self.spawn_all(body)
        await asyncio.sleep(0)
        self.begin()
        self.alive()
        for task in tasks:
            await task

    async def work_spawn_join(self):
        async def body():
            pass

        self.begin()
        for _ in range(self.n):
            await asyncio.create_task(body())
        self.end()

    async def work_ping_pong(self):
        ping, pong = asyncio.Queue(1), asyncio.Queue(1)

        async def body():
            for _ in range(self.n // 2):
                await pong.put(await ping.get())

        task = asyncio.create_task(body())
        self.begin()
        for i in range(self.n // 2):
            await ping.put(i)
            self.sum += await pong.get()
        self.end()
        await task

    async def work_channel(self):
        queue = asyncio.Queue(ROOM)
        each = self.n // self.tasks

        async def receive():
            result = 0
            for _ in range(each):
                result += await queue.get()
            self.sum += result

        async def send():
            for i in range(each):
                await queue.put(i)

        self.begin()
        tasks = [asyncio.create_task(receive()) for _ in range(self.tasks)]
        tasks += [asyncio.create_task(send()) for _ in range(self.tasks)]
        for task in tasks:
            await task
        self.end()

    async def work_timers(self):
        self.left = self.tasks
        window = self.tasks * 1e-6
        least = self.tasks * LEAD_NS * 1e-9
        delays = [least + random.random() * window for _ in range(self.tasks)]

        async def body(i):
            await asyncio.sleep(0)
            await asyncio.sleep(delays[i])
            self.left -= 1
            if self.left == 0:
                self.end()

        tasks = self.spawn_all(body)
        await asyncio.sleep(0)
        self.begin()
        await asyncio.sleep(0)
        self.alive()
        for task in tasks:
            await task

    async def work_timer_cancel(self):
        async def sleep_long(_):
            await asyncio.sleep(HOUR + random.random() * HOUR)

        naps = [None, None]
        loop = asyncio.get_running_loop()

        def end(side):
            if naps[side] is not None and not naps[side].done():
                naps[side].set_result(None)

        async def nap(side):
            while self.left > 0:
                self.left -= 1
                end(1 - side)
                naps[side] = loop.create_future()
                await asyncio.wait_for(naps[side], HOUR + random.random() * HOUR)
            end(1 - side)

        sleepers = self.spawn_all(sleep_long)
        await asyncio.sleep(0)
        self.begin()
        nappers = [asyncio.create_task(nap(side)) for side in range(2)]
        for task in nappers:
            await task
        self.end()
        for task in sleepers:
            task.cancel()
        await asyncio.wait(sleepers)


def main():
    print("Python", sys.version.split()[0], flush=True)
    for line in sys.stdin:
        work, n, tasks = line.split()
        this = Round(int(n), int(tasks))
        asyncio.run(getattr(this, "work_" + work)())
        print(this.ended - this.began, this.sum, this.bytes, flush=True)


main()
