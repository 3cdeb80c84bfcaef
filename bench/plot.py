#!/usr/bin/python3
"""Draws what co_bench prints, as the picture in README.md.

    build/release/bench/co_bench | bench/plot.py docs/switch.svg

Needs matplotlib (Debian: python3-matplotlib). Takes the rows of the hot switch, of the switch over 100,000 coroutines in
shuffled order and of the generator; bars are nanoseconds on a logarithmic scale.
"""
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "libco"  # the same input gives the same file
import matplotlib.pyplot as plt

WORKLOADS = {
    "switch_hot": "one coroutine, per switch",
    "switch_cold_shuffled_100000": "100,000 in shuffled order, per switch",
    "generator": "generator, per item",
}


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: co_bench | bench/plot.py FILE.svg")
    rows: dict[str, list[tuple[str, float]]] = {name: [] for name in WORKLOADS}
    for line in sys.stdin:
        fields = line.rstrip("\n").split("\t")
        if len(fields) == 5 and fields[0] in rows:
            rows[fields[0]].append((fields[1], float(fields[3])))
    if not any(rows.values()):
        sys.exit("plot.py: no row of co_bench on standard input")

    figure, axes = plt.subplots(1, len(rows), figsize=(14, 4), layout="constrained")
    for axis, (workload, title) in zip(axes, WORKLOADS.items()):
        bars = sorted(rows[workload], key=lambda bar: -bar[1])
        names = [name for name, _ in bars]
        values = [value for _, value in bars]
        colours = ["#2f6f9f" if name.startswith("libco") else "#b0b0b0" for name in names]
        axis.barh(names, values, color=colours)
        axis.set_xscale("log")
        axis.set_xlabel("ns")
        axis.set_title(title, fontsize=10)
        axis.tick_params(labelsize=8)
        for position, value in enumerate(values):
            axis.text(value, position, f" {value:.2f}", va="center", fontsize=7)
        axis.margins(x=0.25)
    figure.savefig(sys.argv[1], metadata={"Date": None})


main()
