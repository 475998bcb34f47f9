"""The benchmark's job by this project: the `mmlu` dataset of a recipe, built and published.

    python benchmarks/contenders/thunder.py RECIPE RAW OUT RESULT [--no-validate] [PROFILE]

With PROFILE, the build's main thread runs under cProfile, which writes its statistics there.
"""

from __future__ import annotations

import cProfile
import importlib
import json
import sys
import time
from pathlib import Path

from beam_thunder.build import Gate, build
from beam_thunder.quiet import import_tfdv, quieten

# What a build imports when it is called; here that is before the clock starts.
ALWAYS = ("pipelines", "report", "runners")
VALIDATING = ("transforms.statistics", "transforms.validate", "validation")


def load(validate: bool) -> None:
    """Imports all that a build will."""
    quieten()
    if validate:
        import_tfdv()
    for name in (*ALWAYS, *(VALIDATING if validate else ())):
        importlib.import_module(f"beam_thunder.{name}")


def main(recipe: str, raw: str, out: str, result: str, *flags: str) -> None:
    gate = Gate(validate="--no-validate" not in flags)
    profiles = [Path(flag) for flag in flags if not flag.startswith("--")]
    load(gate.validate)
    # Calls into C are left out: they are many and short, and would cost more than they do.
    profiler = cProfile.Profile(builtins=False)
    if profiles:
        profiler.enable()
    start, cpu = time.perf_counter(), time.process_time()
    build(Path(recipe), raw, out, ["mmlu"], gate=gate)
    took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    profiler.disable()
    for path in profiles:
        profiler.dump_stats(path)
    Path(result).write_text(json.dumps(took), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
