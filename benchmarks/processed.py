"""Measures a build of a processed dataset beside the same job done otherwise.

    python benchmarks/processed.py               # seconds, beside datasets and pyarrow
    python benchmarks/processed.py --memory      # peak memory of a large build
    python benchmarks/processed.py --profile     # where a build's time goes

Every contender runs in a process of its own. This one imports nothing large: on
Linux a process starts with the peak memory of the one that started it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import pstats
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
HERE = PROJECT / "benchmarks"
RAW_FILE = "cais/mmlu/all/auxiliary_train-00000-of-00001.parquet"

# The last release whose `to_parquet` takes `compression`: from 4.6 to 5.2 that is a
# TypeError (huggingface/datasets#8576). pyarrow as in requirements.txt.
DATASETS = ("datasets==4.5.0", "pyarrow==25.0.1")

ROWS = 500_000
MEMORY_ROWS = 1_000_000
"""Questions; with three pairs for each, that is 4,000,000 output rows."""

MEMORY_TARGET = 2.5e9


@dataclass(frozen=True)
class Phase:
    """A part of a build, in a profile of its main thread.

    Attributes:
      file: ends the path of the file that has its function.
      functions: whose time, with all that they call, is the phase's.
      without: a phase that they call, and that counts for itself.
    """

    file: str
    functions: tuple[str, ...]
    without: str = ""


PHASES = {
    "read": Phase("transforms/read.py", ("_read",)),
    "parse, with ids": Phase("transforms/parse.py", ("process",)),
    "spill": Phase("transforms/shuffle.py", ("process",)),
    "load and sort": Phase("transforms/shuffle.py", ("sort_shard",)),
    "pair": Phase("transforms/pair.py", ("_pair",)),
    "measure, while threads write": Phase("transforms/write.py", ("_statistics",)),
    "write, beyond that": Phase(
        "transforms/write.py",
        ("process", "finish_bundle"),
        without="measure, while threads write",
    ),
    "validate": Phase("transforms/validate.py", ("_validate",)),
    "report": Phase("beam_thunder/build.py", ("_report",)),
    "publish": Phase("beam_thunder/publish.py", ("publish",)),
}


@dataclass(frozen=True)
class Figures:
    """What one run of a contender took.

    Attributes:
      job: seconds that the contender measured, its imports apart.
      cpu: seconds that all its threads computed in that time.
      process: seconds from its process's start to its end.
      peak: bytes of memory at most, of the largest process; none starts others.
    """

    job: float
    cpu: float
    process: float
    peak: float


@dataclass(frozen=True)
class Bench:
    """Where the benchmark works.

    Attributes:
      work: folder for raw rows, which stay, and for outputs, which do not.
      env: folder of the environment that has Hugging Face datasets.
      rows: of the raw file.
    """

    work: Path
    env: Path
    rows: int

    @property
    def raw(self) -> Path:
        """The raw folder."""
        return self.work / f"raw-{self.rows}"

    @property
    def outputs(self) -> Path:
        """The folder for everything else; another run at the same time has its own."""
        return self.work / f"outputs-{os.getpid()}"

    def contenders(self) -> dict[str, list[str]]:
        """The command of each contender, in the order they run."""
        file, built = str(self.raw / RAW_FILE), str(self.outputs / "build")
        by_datasets = [str(self.env / "bin/python"), script("contenders/hub_datasets.py"), file]
        out = {name: str(self.outputs / name) for name in ("datasets", "unshuffled", "pyarrow")}
        return {
            "build": self.build(),
            "build, not validated": self.build("--no-validate", out="unvalidated"),
            "datasets": [*by_datasets, out["datasets"], self.result, "--shuffle"],
            "datasets, not shuffled": [*by_datasets, out["unshuffled"], self.result],
            "pyarrow": [
                *(sys.executable, script("contenders/pyarrow_copy.py")),
                *(file, built, out["pyarrow"], self.result),
            ],
        }

    def build(self, *flags: str, out: str = "build") -> list[str]:
        """The command of this project's build."""
        return [
            *(sys.executable, script("contenders/thunder.py")),
            *(str(PROJECT / "recipes/processed.yaml"), str(self.raw)),
            *(str(self.outputs / out), self.result, *flags),
        ]

    @property
    def result(self) -> str:
        """The file in which a contender leaves what it measured."""
        return str(self.outputs / "result.json")

    def clear(self) -> None:
        """Empties the folder of outputs, and has the disk done with it."""
        shutil.rmtree(self.outputs, ignore_errors=True)
        (self.outputs / "tmp").mkdir(parents=True)
        os.sync()


def script(name: str) -> str:
    """The path of a script of the benchmark."""
    return str(HERE / name)


# Preparing.


def make_rows(bench: Bench) -> None:
    """Has the raw rows in place."""
    call([sys.executable, script("rows.py"), str(bench.rows), str(bench.raw)])


def make_env(env: Path) -> None:
    """Has an environment with the pinned Hugging Face datasets, made anew if the pins changed.

    Raises:
      SystemExit: it cannot be made; the message says how to make it by hand.
    """
    stamp = env / "installed.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8").split() == list(DATASETS):
        return
    print(f"Installing {' and '.join(DATASETS)} into {env}", flush=True)
    commands = [
        [sys.executable, "-m", "venv", "--clear", str(env)],
        [str(env / "bin/python"), "-m", "pip", "install", "--quiet", *DATASETS],
    ]
    try:
        for command in commands:
            subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        by_hand = "\n  ".join(shlex.join(command) for command in commands)
        raise SystemExit(
            f"{error}\nThe benchmark needs Hugging Face datasets in an environment of its own. "
            f"Where a package index can be reached:\n  {by_hand}\n"
            f"  printf '%s\\n' {' '.join(DATASETS)} > {stamp}\n"
            f"and give the folder with --env"
        ) from None
    stamp.write_text("\n".join(DATASETS), encoding="utf-8")


def call(command: Sequence[str]) -> None:
    """Runs a script of the benchmark that is not measured.

    Raises:
      SystemExit: it failed, and has said why.
    """
    if code := subprocess.run(command, check=False).returncode:
        raise SystemExit(f"{shlex.join(command)} ended with {code}")


# Measuring.


def measure(command: Sequence[str], bench: Bench) -> Figures:
    """Runs a contender.

    Raises:
      SystemExit: it failed.
    """
    log, tmp = bench.outputs / "log.txt", str(bench.outputs / "tmp")
    settings = {
        "PYTHONPATH": str(PROJECT),  # this checkout, wherever the package is installed from
        "PYTHONWARNINGS": "ignore",
        "HF_HOME": tmp,
        "HF_HUB_OFFLINE": "1",
        "TMPDIR": tmp,
    }
    os.sync()  # what the one before wrote is not to keep the disk busy now
    with log.open("w") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=os.environ | settings
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text(encoding="utf-8", errors="replace")
        raise SystemExit(f"{shlex.join(command)} ended with {process.returncode}:\n{said}")
    job = json.loads(Path(bench.result).read_text(encoding="utf-8"))
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Figures(job["seconds"], job["cpu"], seconds, peak)


def measure_all(bench: Bench, rounds: int) -> dict[str, list[Figures]]:
    """Runs all contenders, one after the other, so many times."""
    measured: dict[str, list[Figures]] = {name: [] for name in bench.contenders()}
    for number in range(rounds):
        bench.clear()
        for name, command in bench.contenders().items():
            measured[name].append(measure(command, bench))
            figures = measured[name][-1]
            print(f"round {number + 1}, {name}: {row(figures)}", flush=True)
        if number == 0:
            outputs = (str(bench.outputs / name) for name in ("build", "datasets"))
            call([sys.executable, script("same_texts.py"), *outputs])
    return measured


def median(runs: Iterable[Figures]) -> Figures:
    """The median of each figure on its own."""
    columns = zip(*((r.job, r.cpu, r.process, r.peak) for r in runs), strict=True)
    return Figures(*map(statistics.median, columns))


# Reporting.


def row(figures: Figures) -> str:
    """Figures as text."""
    return (
        f"job {figures.job:.2f} s (CPU {figures.cpu:.2f} s), "
        f"process {figures.process:.2f} s, peak {figures.peak / 1e9:.2f} GB"
    )


def conditions() -> str:
    """What the figures depend on, and how busy the machine is."""
    packages = ", ".join(
        f"{name} {version(name)}"
        for name in ("apache-beam", "pyarrow", "tensorflow-data-validation")
    )
    load = ", ".join(f"{each:.2f}" for each in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"{packages}; contender {', '.join(DATASETS)}; load {load}"
    )


def comparison(measured: Mapping[str, Sequence[Figures]]) -> str:
    """A Markdown table of medians, with ratios of each contender's time to the build's."""
    medians = {name: median(runs) for name, runs in measured.items()}
    ours = medians["build"]
    lines = [
        "| | job, s | ratio | least, s | CPU, s | ratio | process, s | ratio | peak, GB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, each in medians.items():
        least = min(run.job for run in measured[name])
        lines.append(
            f"| {name} | {each.job:.1f} | {each.job / ours.job:.2f} | {least:.1f} "
            f"| {each.cpu:.1f} | {each.cpu / ours.cpu:.2f} "
            f"| {each.process:.1f} | {each.process / ours.process:.2f} "
            f"| {each.peak / 1e9:.2f} |"
        )
    return "\n".join(lines)


def verdicts(measured: Mapping[str, Sequence[Figures]]) -> str:
    """The job's ratios beside their targets."""
    job = {name: median(runs).job for name, runs in measured.items()}
    return "\n".join(
        f"{name}: {job['datasets'] / job[name]:.2f} times as fast as datasets (target: 5 or "
        f"more), {job[name] / job['pyarrow']:.2f} times the time of pyarrow (3 or less)"
        for name in ("build", "build, not validated")
    )


def phases(profile: Path) -> str:
    """A Markdown table of the seconds that a profiled build spent in each phase.

    Raises:
      SystemExit: the profile lacks a phase, as after its function was renamed.
    """
    stats: Any = pstats.Stats(str(profile))
    whole = {
        name: sum(
            cumulative
            for (file, _, function), (_, _, _, cumulative, _) in stats.stats.items()
            if file.endswith(phase.file) and function in phase.functions
        )
        for name, phase in PHASES.items()
    }
    if missing := [PHASES[name] for name, seconds in whole.items() if not seconds]:
        raise SystemExit(f"the profile has nothing of {missing}; see PHASES")
    spent = {name: whole[name] - whole.get(PHASES[name].without, 0.0) for name in PHASES}
    spent["Beam and the rest"] = stats.total_tt - sum(spent.values())
    lines = ["| phase | s | share |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {s:.2f} | {s / stats.total_tt:.0%} |" for name, s in spent.items()]
    return "\n".join([*lines, f"| all | {stats.total_tt:.2f} | 100% |"])


# The three commands.


def compare(bench: Bench, rounds: int) -> None:
    make_env(bench.env)
    make_rows(bench)
    print(conditions(), flush=True)
    measured = measure_all(bench, rounds)
    print(f"\n{bench.rows:,} raw rows, medians of {rounds}:\n\n{comparison(measured)}\n")
    print(f"{verdicts(measured)}\n{conditions()}")


def memory(bench: Bench) -> None:
    make_rows(bench)
    bench.clear()
    figures = measure(bench.build(), bench)
    print(f"{bench.rows:,} raw rows: {row(figures)} (target: at most {MEMORY_TARGET / 1e9} GB)")
    print(conditions())


def profiled(bench: Bench) -> None:
    make_rows(bench)
    bench.clear()
    profile = bench.outputs / "profile"
    measure(bench.build(str(profile)), bench)
    print(f"{bench.rows:,} raw rows:\n\n{phases(profile)}\n\n{conditions()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rows", type=int, help="of the raw file (500,000; of --memory 1,000,000)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken")
    parser.add_argument("--work", type=Path, default=PROJECT / "build/benchmark")
    parser.add_argument("--env", type=Path, default=PROJECT / "build/benchmark-env")
    parser.add_argument("--memory", action="store_true", help="measure a large build's peak")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    given = parser.parse_args()
    rows = given.rows or (MEMORY_ROWS if given.memory else ROWS)
    bench = Bench(given.work.resolve(), given.env.absolute(), rows)
    try:
        if given.memory:
            memory(bench)
        if given.profile:
            profiled(bench)
        if not given.memory and not given.profile:
            compare(bench, given.rounds)
    finally:
        shutil.rmtree(bench.outputs, ignore_errors=True)


if __name__ == "__main__":
    main()
