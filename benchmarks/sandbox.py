"""Measures how many programs a second the sandbox runs, beside starting one for each.

    python benchmarks/sandbox.py                # on one core
    python benchmarks/sandbox.py --seconds 20   # for each contender

All contenders run the same small programs on the same core in turn, several times over,
so that whatever else the machine does meets them alike. Figures are medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from beam_thunder.grading.sandbox import Sandbox, bubblewrap

PROGRAMS = (
    ("def total(items):\n    return sum(items)\n", "assert total([1, 2, 3]) == 6"),
    (
        "import re\ndef words(text):\n    return re.findall(r'\\w+', text)\n",
        "assert words('a b, c') == ['a', 'b', 'c']\nassert words('') == []",
    ),
    (
        "def primes(n):\n  return [p for p in range(2, n) if all(p % d for d in range(2, p))]",
        "assert primes(12) == [2, 3, 5, 7, 11]\nassert primes(2) == []",
    ),
    (
        "from collections import Counter\ndef common(a, b):\n    return set(a) & set(b)\n",
        "assert set(common((3, 4, 5), (5, 7, 4))) == {4, 5}",
    ),
    (
        "def rotate(items, n):\n    n %= len(items)\n    return items[n:] + items[:n]\n",
        "assert rotate([1, 2, 3, 4], 1) == [2, 3, 4, 1]\nassert rotate([1, 2], 5) == [2, 1]",
    ),
)

BASELINE = "bwrap python -c for each"

TARGET = 10.0
"""Times as many as with a bubblewrap for each."""

Runner = Callable[[str, str], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="for each contender")
    seconds = parser.parse_args().seconds
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with Sandbox() as sandbox:

        def sandboxed(answer: str, tests: str) -> None:
            assert sandbox.run("", answer, tests).rule == "tests_passed"

        contenders: dict[str, Runner] = {
            "sandbox": sandboxed,
            BASELINE: started,
            f"{BASELINE}, without site": started_bare,
            "forked, no sandbox": forked,
        }
        rounds = {name: list[float]() for name in contenders}
        for _ in range(5):
            for name, run in contenders.items():
                rounds[name].append(rate(run, seconds / 5))
    rates = {name: statistics.median(figures) for name, figures in rounds.items()}
    for name, per_second in rates.items():
        print(f"{name:40} {per_second:7.1f} programs/s on one core")
    ratio = rates["sandbox"] / rates[BASELINE]
    print(f"{ratio:.1f} times as many as with a bubblewrap for each (at least {TARGET:.0f})")
    sys.exit(ratio < TARGET)


def rate(run: Runner, seconds: float) -> float:
    """Programs a second."""
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for answer, tests in PROGRAMS:
            run(answer, tests)
        done += len(PROGRAMS)
    return done / (time.perf_counter() - start)


def started(answer: str, tests: str) -> None:
    """What a sandbox for each program costs: bubblewrap around the interpreter as it is."""
    lib = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib"]
    lib += ["--symlink", "usr/lib64", "/lib64", "--setenv", "LD_LIBRARY_PATH", "/python/lib"]
    python = ["--ro-bind", sys.base_prefix, "/python", bubblewrap.PYTHON]
    run_once([*lib, *python, "-c", f"{answer}\n{tests}"])


def started_bare(answer: str, tests: str) -> None:
    """The same with as little to start as this project's sandbox has."""
    runtime = ["--setenv", "LD_LIBRARY_PATH", "/python/lib", *bubblewrap.runtime()]
    run_once([*runtime, bubblewrap.PYTHON, "-I", "-S", "-c", f"{answer}\n{tests}"])


def run_once(arguments: list[str]) -> None:
    isolated = ["bwrap", "--unshare-all", "--new-session", "--die-with-parent", "--clearenv"]
    subprocess.run([*isolated, "--tmpfs", "/tmp", *arguments], check=True)


def forked(answer: str, tests: str) -> None:
    """What running each in a process of its own costs, with no protection at all."""
    process = os.fork()
    if process == 0:
        exec(f"{answer}\n{tests}", {})
        os._exit(0)
    _, status = os.waitpid(process, 0)
    assert status == 0


if __name__ == "__main__":
    main()
