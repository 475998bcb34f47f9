"""A sandbox that runs one program after the other, from the side of the host."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import tempfile
import threading
import time
import weakref
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from beam_thunder.errors import UserError
from beam_thunder.grading.sandbox import bubblewrap

READY = b"ready\n"
START_SECONDS = 60.0
"""For the sandbox to start on a busy machine; usually it takes a tenth of a second."""

SPARE_SECONDS = 20.0
"""Beyond a program's wall-clock limit, which the sandbox itself enforces."""

NOBODY = 65534
"""The host's user that programs run as where root starts the sandbox. The kernel does not
limit the number of root's processes."""

NO_TEXT = ("", "def same(x): return x", "assert same([1]) == [1]")


@dataclass(frozen=True)
class Limits:
    """What one program may use.

    Attributes:
      cpu_seconds: CPU time in all. Some of LeetCode's own reference answers take over 20.
      wall_seconds: time in all; well above `cpu_seconds`, as machines are busy.
      memory_bytes: address space, with about 40 MB of the interpreter's own.
      disk_bytes: in its scratch folder, and of any one file.
      disk_files: files and folders in its scratch folder.
      open_files: file descriptors.
      threads: of the program. It cannot start other processes at all.
      reply_bytes: what one call of a function under test may return.
    """

    cpu_seconds: int = 60
    wall_seconds: int = 180
    memory_bytes: int = 512 << 20
    disk_bytes: int = 16 << 20
    disk_files: int = 1000
    open_files: int = 64
    threads: int = 32
    reply_bytes: int = 16 << 20

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) is not int or value < 1:
                raise UserError(f"sandbox limit {name}: {value!r}; expected an integer above 0")
        if self.memory_bytes < 128 << 20:
            raise UserError(
                f"sandbox limit memory_bytes: {self.memory_bytes}; the interpreter alone needs "
                f"a good part of 128 MiB, so give at least {128 << 20}"
            )


@dataclass(frozen=True)
class Outcome:
    """What became of a program.

    Attributes:
      rule: `tests_passed`; or why they did not: `assertion`, `exception`, `syntax`,
        `timeout`, `memory`, `output`, `exited`, `killed`; or `bad_tests`, which no answer
        could pass; or `sandbox`, which failed itself.
      detail: for people; may quote the program.
    """

    rule: str
    detail: str = ""


class Sandbox:
    """Runs one program at a time; threads that share one take turns.

    It is started by the first program and again after it failed. Closing it, or the end
    of this process, ends everything in it.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        """Starts it.

        Raises:
          UserError: there is no bubblewrap, or it is forbidden; says what to do.
        """
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._guest: _Guest | None = None
        self._guest = self._start()

    def run(self, before: str, answer: str, after: str) -> Outcome:
        """Runs an answer and its tests.

        Args:
          before: what the answer may use, and the tests as well, such as imports.
          answer: the text nobody trusts.
          after: the tests, which the answer cannot see.

        Returns:
          The outcome. Where the sandbox fails, a second one tries; then the rule is
          `sandbox`.
        """
        with self._lock:
            for _ in range(2):
                outcome = self._once(before, answer, after)
                if outcome.rule != "sandbox":
                    break
                self._stop()
            return outcome

    def close(self) -> None:
        """Ends it; running a program starts it again."""
        with self._lock:
            self._stop()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _once(self, before: str, answer: str, after: str) -> Outcome:
        if self._guest is None:
            self._guest = self._start()
        try:
            return self._guest.run(before, answer, after, self.limits.wall_seconds)
        except _Late:
            # Such as `sum` over an endless range, which no signal interrupts.
            self._stop()
            return Outcome("timeout", "the tests themselves did not end")
        except _Failed as failure:
            return Outcome("sandbox", str(failure))

    def _start(self) -> _Guest:
        guest = _Guest(self.limits)
        try:
            guest.wait_until_ready()
            outcome = guest.run(*NO_TEXT, self.limits.wall_seconds)
        except _Failed as failure:
            guest.stop()
            raise bubblewrap.unavailable(str(failure)) from None
        if outcome.rule != "tests_passed":
            guest.stop()
            raise bubblewrap.unavailable(f"it cannot run a program: {outcome.detail}")
        return guest

    def _stop(self) -> None:
        if self._guest is not None:
            self._guest.stop()
            self._guest = None


class _Failed(Exception):
    """The sandbox, not a program in it."""


class _Late(_Failed):
    """The sandbox says nothing, long after the program's time is up."""


class _Guest:
    """A running bubblewrap and the pipes to it.

    Not with `--die-with-parent`: Linux takes the thread that started a process for its
    parent, and threads of a pipeline end before it does. The guest ends with its input.
    """

    def __init__(self, limits: Limits) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - `_end` closes it
        self._process = _popen(limits, self._errors)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin.fileno()
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._input, False)
        self.stop = weakref.finalize(self, _end, self._process, self._errors)

    def wait_until_ready(self) -> None:
        self._exactly(len(READY), time.monotonic() + START_SECONDS)

    def run(self, before: str, answer: str, after: str, wall_seconds: int) -> Outcome:
        deadline = time.monotonic() + wall_seconds + SPARE_SECONDS
        program = {"before": before, "answer": answer, "after": after}
        message = json.dumps(program).encode()
        self._send(len(message).to_bytes(4, "big") + message, deadline)
        size = int.from_bytes(self._exactly(4, deadline), "big")
        return Outcome(**json.loads(self._exactly(size, deadline)))

    def _send(self, message: bytes, deadline: float) -> None:
        left = memoryview(message)
        while left:
            self._wait(self._input, select.POLLOUT, deadline)
            try:
                left = left[os.write(self._input, left) :]
            except BrokenPipeError:
                raise _Failed(self._last_words()) from None

    def _exactly(self, count: int, deadline: float) -> bytes:
        parts = []
        while count:
            self._wait(self._output, select.POLLIN, deadline)
            part = os.read(self._output, count)
            if not part:
                raise _Failed(self._last_words())
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise _Late("it does not answer")

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip()
        return words[-2000:] or f"it ended with exit code {self._process.returncode}"


def _popen(limits: Limits, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    as_root = os.geteuid() == 0
    told = json.dumps(asdict(limits) | {"uid": bubblewrap.INSIDE_UID if as_root else None})
    arguments = bubblewrap.command(told, as_root)
    if not as_root:
        return _start(arguments, errors, ())
    told_read, told_write = os.pipe()
    go_read, go_write = os.pipe()
    try:
        options = ["--info-fd", str(told_write), "--userns-block-fd", str(go_read)]
        process = _start(
            [arguments[0], *options, *arguments[1:]], errors, (told_write, go_read)
        )
        os.close(told_write)
        told_write = -1
        _map_users(told_read)
        os.write(go_write, b"1")
        return process
    finally:
        for descriptor in (told_read, told_write, go_read, go_write):
            if descriptor >= 0:
                os.close(descriptor)


def _start(
    arguments: list[str], errors: IO[bytes], descriptors: tuple[int, ...]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        pass_fds=descriptors,
        bufsize=0,
    )


def _map_users(told: int) -> None:
    """Gives the sandbox two users: root as its root, and nobody for the programs."""
    with os.fdopen(os.dup(told), "rb") as info:
        text = info.read()
    if not text:
        return  # bwrap has ended, and its last words say why
    process = json.loads(text)["child-pid"]
    for kind in ("uid", "gid"):
        mapping = f"0 0 1\n{bubblewrap.INSIDE_UID} {NOBODY} 1"
        try:
            Path(f"/proc/{process}/{kind}_map").write_text(mapping)
        except OSError as problem:
            raise bubblewrap.unavailable(
                f"root may not map users here ({problem}); start it as an ordinary user"
            ) from problem


def _end(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    """Ends the sandbox: with its first process the kernel ends all others."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    errors.close()
