"""Runs a server, and ends it with the process that wanted it, however that one ends.

    python -I supervise.py OWNER GRACE COMMAND...

A process that is killed cannot stop the server it has started. But the system closes its
pipes, and one of them is the standard input of this supervisor. OWNER is that process's
id, GRACE how many seconds the server has to end by itself when it is told to, and then
what it has started. The standard output closes when the server has ended; what it prints
goes to the standard error.

Needs nothing but the standard library, and nothing of this package.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time

_KILLED_SECONDS = 5.0  # until a process that was killed is gone


def supervise(owner: int, grace: float, command: list[str]) -> int:
    """Runs the command until it or its owner ends; gives its status, as a shell would."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # A group of its own, to which whatever it starts belongs too.
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
    )
    threading.Thread(target=_end_with, args=(owner, grace, server), daemon=True).start()
    try:
        status = server.wait()
    finally:
        os.close(1)  # sys.stdout.close() would leave it open
        _end_group(server, grace)
    return status if status >= 0 else 128 - status


def _end_with(owner: int, grace: float, server: subprocess.Popen[bytes]) -> None:
    """Waits for the owner's end, then ends the server, first kindly."""
    # A copy of the pipe lives on in a process that the owner has forked: hence its id, too.
    while os.getppid() == owner and not select.select([sys.stdin], [], [], 1.0)[0]:
        pass
    server.terminate()
    try:
        server.wait(grace)
    except subprocess.TimeoutExpired:
        server.kill()


def _end_group(server: subprocess.Popen[bytes], grace: float) -> None:
    """Ends what is left of the server's group, and waits for it to be gone."""
    # Python's resource tracker is in it: it ignores the first signal, and gives back the
    # shared memory of processes that were killed, if it has the time.
    with contextlib.suppress(ProcessLookupError):
        for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, _KILLED_SECONDS)):
            os.killpg(server.pid, number)
            last = time.monotonic() + seconds
            while time.monotonic() < last:
                time.sleep(0.02)
                server.poll()  # until then, a process that has ended still counts
                os.killpg(server.pid, 0)


if __name__ == "__main__":
    sys.exit(supervise(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
