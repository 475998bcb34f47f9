"""The first process of the sandbox: reads programs, runs their tests, says what came of it.

On standard input, for each program: its length in 4 bytes, then JSON of its texts `before`,
`answer` and `after`. On standard output likewise: the result, with `rule` and `detail`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import socket
import sys

from . import checker, confine, forker

# What answers import most. Each more makes every fork slower, used or not.
PRELOADED = (
    "bisect collections copy datetime functools heapq itertools json math operator random re "
    "string typing"
)

READY = b"ready\n"


def main() -> None:
    """Serves programs until standard input closes, or the sandbox itself fails."""
    limits = json.loads(sys.argv[1])
    os.environ.clear()
    os.environ.update(HOME=confine.SCRATCH, LANG="C.UTF-8", PATH="/nowhere")
    sys.path[:] = [*(p for p in sys.path if p != "/grader"), "/packages"]
    for name in PRELOADED.split():
        importlib.import_module(name)
    control = _start_forker(limits)
    confine.set_limits(limits, resource.RLIM_INFINITY)
    confine.drop_privileges(limits)
    os.write(1, READY)
    while (program := _read_program()) is not None:
        result = checker.check(program, limits, control)
        reply = json.dumps(result).encode()
        os.write(1, len(reply).to_bytes(4, "big") + reply)
        if result["rule"] == checker.SANDBOX:
            return


def _start_forker(limits: confine.Limits) -> socket.socket:
    mine, theirs = socket.socketpair()
    gc.collect()
    gc.freeze()  # so that collecting garbage does not touch, and so copy, what is shared
    if os.fork() == 0:
        try:
            mine.close()
            confine.lead_nowhere()
            confine.bound_capabilities()
            forker.serve(theirs, limits)
        finally:
            os._exit(0)
    theirs.close()
    return mine


def _read_program() -> dict[str, str] | None:
    try:
        return json.loads(_read(int.from_bytes(_read(4), "big")))
    except EOFError:
        return None


def _read(count: int) -> bytes:
    parts = []
    while count:
        part = os.read(0, min(count, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
