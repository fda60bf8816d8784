"""What the scripts here share: one thread, a running Benchmark, sections of RESULTS.md."""

import os

for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[variable] = "1"

import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BASIS_DATA", ROOT.parent / "shared/data"))
K = 10


class Basis:
    """A running Benchmark, which does one round for each line."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen(
            [program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        # What it says of itself before it is ready.
        self.said = []
        while (line := self.line()) != "ready":
            self.said.append(line)

    def line(self):
        text = self.process.stdout.readline().strip()
        assert text, "the benchmark ended early"
        return text

    def round(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return float(self.line())

    def close(self):
        self.process.stdin.close()
        assert self.process.wait() == 0


def read_ids(path, count):
    """The ids that a Benchmark has written, a row for each of `count` queries."""
    values = np.fromfile(path, "<i4")
    return values.reshape(count, -1)[:, 1:]


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


def circumstances(peers):
    """The machine, the commit and the versions, as one phrase."""
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True).stdout.strip()

    def installed(name):
        try:
            return [f"{name} {version(name)}"]
        except PackageNotFoundError:
            return []

    versions = ", ".join(text for name in peers for text in installed(name))
    return (f"{processor()}, {os.cpu_count()} processors, {platform.system()} "
            f"{platform.machine()}, commit {commit}; Python {platform.python_version()}, "
            f"{versions}")


def write_section(title, lines):
    """Puts a section into RESULTS.md, in place of the one with its title if there is one."""
    path = ROOT / "Benchmarks/RESULTS.md"
    old = path.read_text() if path.exists() else ""
    sections = dict(re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", old, re.M))
    sections[title] = "\n".join(lines)
    path.write_text("# Benchmarks\n" + "".join(
        f"\n## {title}\n\n{body.strip()}\n" for title, body in sections.items()))
