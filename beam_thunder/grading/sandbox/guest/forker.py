"""Forks the process of each answer, from a memory that no test and no answer was ever in."""

from __future__ import annotations

import contextlib
import gc
import json
import linecache
import os
import signal
import socket
import struct
import sys

from . import answer, confine
from .wire import Proxy, Wire

END = b"e"
"""What the checker sends, without a file descriptor, to end the answer's process."""

REHEARSALS = 30
"""Python 3.11 and later specialise what has run a few times."""

STATUS = struct.Struct("id")
"""How the process ended, as `waitpid` gives it, and its seconds of CPU time."""


def serve(control: socket.socket, limits: confine.Limits) -> None:
    """Starts a process for each channel that arrives, ends it when told; one at a time."""
    _rehearse()
    myself = os.pidfd_open(os.getpid())
    process = 0
    while True:
        message, channels, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        if channels:
            process = _fork(channels[0], limits, myself)
            os.close(channels[0])
        else:
            os.kill(process, signal.SIGKILL)
            _, status, used = os.wait4(process, 0)
            control.send(STATUS.pack(status, used.ru_utime + used.ru_stime))


class _Rehearsal:
    """A channel with frames of its own making."""

    def __init__(self, frames: list[bytes]) -> None:
        self._frames = frames

    def send(self, frame: bytes) -> None:
        """Nobody listens."""

    def receive(self) -> bytes:
        if not self._frames:
            raise EOFError
        return self._frames.pop(0)


def _rehearse() -> None:
    """Runs some small answers, so that what Python prepares on first use is there to share.

    A process that is forked pays for each page of memory that it changes.
    """
    wire = Wire({}, Proxy, lambda thing: True)
    texts = json.dumps(["", "def f(x, y=1):\n    return [i for i in x if i != y], {}"]).encode()
    asked = [
        b"?find\n" + wire.encode(((["f"],), {})),
        b'?call\n[{"tuple": [{"tuple": [{"yours": 0}, [1, 2, "a", 2.5]]}, {"dict": []}]}, []]',
    ]
    for _ in range(REHEARSALS):
        with contextlib.suppress(EOFError):
            answer.serve(_Rehearsal([texts, *asked]))
    del sys.modules[answer.MODULE]
    linecache.clearcache()
    gc.collect()
    gc.freeze()


def _fork(channel: int, limits: confine.Limits, myself: int) -> int:
    confine.own_process_numbers()
    process = os.fork()
    if process == 0:
        try:
            answer.run(channel, limits)
        finally:  # whatever happens, this copy must not go on as the forker
            os._exit(0)
    confine.parents_process_numbers(myself)
    return process
