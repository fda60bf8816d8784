"""Searches with filters: filters.py BENCHMARK [--synthetic]

A graph, asked with a filter, beside a scan of what the filter lets through and the graph asked
without one: one thread, the three taking turns. Writes a section of Benchmarks/RESULTS.md per data
set. The vectors of `BENCHMARK_MINILM_BASE` and `..._QUERIES`, or those that the program makes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import neighbor_data
from harness import K, circumstances, write_section

TARGET = 0.95
EXPLAINED = (
    "Filters let through a share of the rows: *random* ones; those around a query, asked by queries "
    "*near* it; those around one *place*, asked from everywhere; or those *far* from the queries. "
    "Recall is of the exact filtered answer; short are queries that got fewer rows than there were. "
    "Microseconds a query; the last column is the graph over the faster of the other two.")


def rows_of(program, folder, way):
    done = subprocess.run(
        [program, "filters", folder / "base.npy", folder / "queries.npy", str(TARGET), str(K), way],
        capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        kind, share, recall, short, *seconds = line.split()
        yield kind, float(share), float(recall), int(short), *(1e6 * float(s) for s in seconds)


def table(program, folder, way):
    yield f"| {way} | share | recall | short | graph | filtered scan | unfiltered graph | ratio |"
    yield "|---|---|---|---|---|---|---|---|"
    for kind, share, recall, short, graph, flat, free in rows_of(program, folder, way):
        yield (f"| {kind} | {100 * share:g} % | {recall:.3f} | {short} | {graph:.1f} | {flat:.1f} "
               f"| {free:.1f} | {graph / min(flat, free):.2f} |")


def main():
    sets = neighbor_data.sets(["minilm"], "--synthetic" in sys.argv)
    measured = circumstances(["numpy"]) + (
        f". One thread, medians of processor time; k = {K}, the cosine, recall {TARGET} asked for. "
        "Made by `make bench`.")
    with tempfile.TemporaryDirectory() as name:
        for data in sets:
            np.save(Path(name) / "base.npy", data.base)
            np.save(Path(name) / "queries.npy", data.queries)
            lines = [measured, "", EXPLAINED]
            for way in ["batch", "single"]:
                lines += ["", *table(sys.argv[1], Path(name), way)]
            write_section(f"Filters: {data.title}", lines)
            print("\n".join(lines), flush=True)


main()
