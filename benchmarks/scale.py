"""Measures whether time per row and memory per worker stay the same as data grows.

    python benchmarks/scale.py                   # on this machine's local runner
    python benchmarks/scale.py --flink           # on the cluster of `make flink`

The same recipe builds 1, 2 and 4 times as many MMLU-like questions, with parallelism 1 and 2.
A build has costs that do not grow, TensorFlow's import above all: so what tells is what each
further question costs, beside the first ones.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rows import write_rows

from beam_thunder.runners.flink.cluster import FlinkCluster, options

ROOT = Path(__file__).resolve().parent.parent
RECIPE = "rows_per_shard: 100000\ndatasets:\n  mmlu:\n"
SIZES = (1, 2, 4)
PARALLELISM = (1, 2)
_POLL_SECONDS = 0.1


@dataclass
class Peaks:
    """The most memory that each process of a run has had, in bytes, by its id."""

    root: int
    marker: str
    bytes: dict[int, int] = field(default_factory=dict)

    def look(self) -> None:
        """Looks at the process `root` and its descendants whose command has the marker."""
        parents = dict(_parents())
        for pid in parents:
            if self._descends(pid, parents) and (found := _peak(pid, self.marker)):
                self.bytes[pid] = max(found, self.bytes.get(pid, 0))

    def _descends(self, pid: int, parents: dict[int, int]) -> bool:
        while pid not in (0, self.root):
            pid = parents.get(pid, 0)
        return pid == self.root


def _parents() -> Iterator[tuple[int, int]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after = path.read_text().rpartition(") ")[2]
            yield int(path.parent.name), int(after.split()[1])


def _peak(pid: int, marker: str) -> int | None:
    with contextlib.suppress(OSError, StopIteration, ValueError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        line = next(line for line in lines if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 if marker in command else None
    return None


@contextlib.contextmanager
def watching(watched: Sequence[Peaks]) -> Iterator[None]:
    """Looks at the processes again and again while the body runs."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(_POLL_SECONDS):
            for peaks in watched:
                peaks.look()

    thread = threading.Thread(target=look)
    thread.start()
    yield
    done.set()
    thread.join()


@dataclass(frozen=True)
class Run:
    """A build: its seconds, and the most memory that one of its workers had, in bytes."""

    seconds: float
    peak: int


def build(work: Path, rows: int, flags: Sequence[str], cluster: FlinkCluster | None) -> Run:
    """Builds so many questions once."""
    command = [sys.executable, "-m", "beam_thunder", "build", str(work / "recipe.yaml")]
    command += ["--raw", str(work / str(rows)), "--out", str(work / "out"), *flags]
    started = time.monotonic()
    with (work / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    watched = [Peaks(process.pid, "")]
    if cluster:  # workers are the task managers' children
        names = [f"taskmanager-{number}" for number in range(cluster.task_managers)]
        pids = [pid for name in names if (pid := cluster.pid(name))]
        watched = [Peaks(pid, "sdk_worker_main") for pid in pids]
    with watching(watched):
        process.wait()
    seconds = time.monotonic() - started
    if process.returncode:
        sys.exit((work / "log").read_text())
    shutil.rmtree(work / "out")
    return Run(seconds, max(peak for peaks in watched for peak in peaks.bytes.values()))


def main() -> None:
    """Prints a table of seconds, cost per question and peak memory of a worker."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=250_000, help="questions of size 1")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flink", action="store_true", help="on the cluster of `make flink`")
    args = parser.parse_args()
    home = ROOT / ".flink"
    cluster = FlinkCluster(home / "cluster", home / "dist" / "pyflink") if args.flink else None
    with tempfile.TemporaryDirectory(dir=_scratch()) as folder:
        work = Path(folder)
        (work / "recipe.yaml").write_text(RECIPE)
        for size in SIZES:
            write_rows(args.rows * size, work / str(args.rows * size))
        runs: dict[tuple[int, int], list[Run]] = {}
        for _ in range(args.rounds):
            for parallelism in PARALLELISM:
                for size in SIZES:
                    flags = _flags(cluster, parallelism)
                    run = build(work, args.rows * size, flags, cluster)
                    runs.setdefault((parallelism, size), []).append(run)
        Console().print(table(runs, args.rows))


def _scratch() -> Path:
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    return folder


def _flags(cluster: FlinkCluster | None, parallelism: int) -> list[str]:
    if cluster is None:
        mode = "multi_processing" if parallelism > 1 else "in_memory"
        return [f"--direct_num_workers={parallelism}", f"--direct_running_mode={mode}"]
    flags = " ".join(options(cluster, ROOT / ".flink" / "job-server.jar")).split()
    return [*flags, "--parallelism", str(parallelism)]


def table(runs: dict[tuple[int, int], list[Run]], rows: int) -> Table:
    """Medians of the rounds; what a further question costs is that beyond size 1."""
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("parallelism", "questions", "s", "µs each", "µs each further", "peak, GB"):
        found.add_column(name, justify="right")
    for (parallelism, size), each in runs.items():
        seconds = statistics.median(run.seconds for run in each)
        first = statistics.median(run.seconds for run in runs[parallelism, 1])
        further = (seconds - first) / (rows * (size - 1)) * 1e6 if size > 1 else None
        found.add_row(
            str(parallelism),
            f"{rows * size:,}",
            f"{seconds:.1f}",
            f"{seconds / (rows * size) * 1e6:.1f}",
            "-" if further is None else f"{further:.1f}",
            f"{statistics.median(run.peak for run in each) / 1e9:.2f}",
        )
    return found


if __name__ == "__main__":
    main()
