"""Comparing mathematical expressions with Math-Verify, in a process of its own.

An answer such as `9**9**9**9` keeps a computer busy for ever, inside C code that no
exception interrupts, and Math-Verify's own time limits need a process's main thread,
which Beam's workers do not have. So a small server process imports Math-Verify once and
forks a worker; a worker that is not done in time is killed by its own alarm, and the
server forks another at no more than a few milliseconds.

This file is also the server's program: it must import nothing else of the package.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

SECONDS = 1.0
"""For one comparison, wall-clock."""

MEMORY_BYTES = 2 * 2**30
"""Address space of a worker; its imports map some hundred megabytes of it."""

LONGEST_EXPRESSION = 300
DEEPEST_NESTING = 20
LONGEST_EXPONENT = 4  # digits
_COMMANDS = (
    "sqrt|frac|dfrac|tfrac|pi|cdot|times|div|left|right|sin|cos|tan|log|ln|exp|infty|le|ge|leq|geq"
    "|cup|cap|in|mathbb|pm|theta|alpha|beta"
)
_ALLOWED = re.compile(
    rf"(?:\\(?:{_COMMANDS})(?![A-Za-z])|\\[{{}}]|sqrt|pi(?![A-Za-z])"
    r"|(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])|(?<=\d)[a-z]{1,2}(?![A-Za-z])"
    r"|[\d\s.,+\-*/^=<>(){}\[\]|!√π_∞≤≥])+"
)
_OPERATION = re.compile(r"[-+*/^=<>√π≤≥∞]|\\[a-z]|sqrt|pi(?![A-Za-z])|\d[a-z]|[a-z]\(")
_TOWER = re.compile(r"\^\s*\{?\(?[^\s^+\-*/=]*\)?\}?\s*\^|!\s*!")
_EXPONENT = re.compile(rf"\^\s*[{{(]*\s*-?\d{{{LONGEST_EXPONENT + 1},}}|\d{{4,}}\s*!")


@dataclass(frozen=True)
class Comparison:
    """What came of comparing two expressions.

    Attributes:
      outcome: `equal`, `unequal`; `unread`, an expression that cannot be understood;
        `timeout`, not done within `SECONDS` or in `MEMORY_BYTES`.
      value: of the given expression as a decimal number of 30 digits, if it has one.
    """

    outcome: str
    value: str | None = None


def is_expression(text: str) -> bool:
    """Whether a text is a formula rather than words: operators, functions, variables."""
    if len(text) > LONGEST_EXPRESSION:
        return not re.search(r"[A-Za-z가-힣]{2}", text) and bool(_OPERATION.search(text))
    return bool(_OPERATION.search(text)) and _ALLOWED.fullmatch(text) is not None


def too_large(text: str) -> str:
    """Why an expression is not even tried, or nothing."""
    if len(text) > LONGEST_EXPRESSION:
        return f"{len(text)} characters, at most {LONGEST_EXPRESSION} are compared"
    powers = text.replace("**", "^")
    if _TOWER.search(powers) or _EXPONENT.search(powers):
        return f"powers of powers, or exponents of over {LONGEST_EXPONENT} digits"
    depth = deepest = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    return f"nested {deepest} deep" if deepest > DEEPEST_NESTING else ""


def as_latex(text: str) -> str:
    """A formula as typed, such as `sqrt(2)*x**2`, in LaTeX."""
    text = text.replace("**", "^").replace("√", r"\sqrt").replace("π", r"\pi ")
    text = re.sub(r"(?<![A-Za-z\\])(sqrt|pi|sin|cos|tan|log|ln|exp)(?![A-Za-z])", r"\\\1", text)
    text = re.sub(r"\\sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = re.sub(r"\\sqrt\s*(\d+|[a-z])", r"\\sqrt{\1}", text)
    text = re.sub(r"\^\s*\(([^()]*)\)|\^\s*(-?\d+)", r"^{\1\2}", text)
    text = re.sub(r"(?<!\\)\*", r"\\cdot ", text)
    return re.sub(r"(?<![\w}])(\d+)\s*/\s*(\d+)(?![\w{])", r"\\frac{\1}{\2}", text)


class Comparer:
    """Compares expressions in a server process, which it starts when first needed.

    May be used by several threads; a process forked from this one starts its own server.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: subprocess.Popen[str] | None = None
        self._owner = 0

    def compare(self, expected: str, given: str) -> Comparison:
        """Whether two expressions, as LaTeX, mean the same."""
        with self._lock:
            server = self._running()
            line = ""
            try:
                line = _ask(server, json.dumps([expected, given]))
            finally:
                # After an interrupt a late result must not be taken for the next request's.
                if not line:
                    self._server = None
                    _close_pipes(server)
        if not line:
            raise RuntimeError(
                f"the expression server stopped with code {server.wait()} on {given!r}: "
                "expected a result; see whether `python -c 'import math_verify'` works"
            )
        outcome, value = json.loads(line)
        return Comparison(outcome, value)

    def close(self) -> None:
        """Stops the server; the next comparison starts another."""
        server, self._server = self._server, None
        if server and self._owner == os.getpid():
            _close_pipes(server)
            server.wait()

    def _running(self) -> subprocess.Popen[str]:
        if (
            self._server is None
            or self._owner != os.getpid()
            or self._server.poll() is not None
        ):
            # -P: this file's folder has a numbers.py, which must not hide Python's own.
            self._server = subprocess.Popen(
                [sys.executable, "-P", str(Path(__file__).resolve())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="ascii",
            )
            self._owner = os.getpid()
            atexit.register(self.close)
        return self._server


def _ask(server: subprocess.Popen[str], request: str) -> str:
    """The server's line for a request; empty if it has stopped."""
    assert server.stdin and server.stdout
    try:
        print(request, file=server.stdin, flush=True)
        return server.stdout.readline()
    except BrokenPipeError:
        return ""


def _close_pipes(server: subprocess.Popen[str]) -> None:
    """Lets the server end; what it has not read is lost."""
    for pipe in (server.stdin, server.stdout):
        with contextlib.suppress(BrokenPipeError):
            if pipe:
                pipe.close()


def _serve(requests: IO[bytes], results: int) -> None:
    """Forks workers, one after the other, until one ends because no more requests come."""
    _prepare()
    while True:
        worker = os.fork()
        if worker == 0:
            _work(requests.fileno(), results)
            os._exit(0)
        _, status = os.waitpid(worker, 0)
        if status == 0:
            return
        os.write(results, json.dumps(["timeout", None]).encode() + b"\n")


def _prepare() -> None:
    """Imports all that a comparison needs, and parses once, which builds the grammar."""
    import logging
    import resource

    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends when its requests do
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _compare(r"x+\frac{1}{2}", r"\sqrt{2}")


def _work(requests: int, results: int) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, whatever it does
    # One request at a time is under way, so nothing is read ahead that a successor misses.
    while line := _line(requests):
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        result = _compare(*json.loads(line))
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.write(results, json.dumps(result).encode() + b"\n")


def _line(requests: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(requests, 65536)
        if not piece:
            return b""
        line += piece
    return line


def _compare(expected: str, given: str) -> tuple[str, str | None]:
    gold, found = _parse(expected), _parse(given)
    if not gold or not found:
        return "unread", None
    from math_verify import verify  # type: ignore[import-untyped]

    try:
        # Math-Verify's time limits use `signal.alarm`, as the worker itself does.
        equal = verify(gold, found, timeout_seconds=None)
    except RecursionError:
        return "timeout", None
    return ("equal" if equal else "unequal"), _value(found[0])


def _parse(text: str) -> list[Any]:
    from math_verify import LatexExtractionConfig, parse

    return parse(
        f"${text}$",
        [LatexExtractionConfig()],
        fallback_mode="no_fallback",
        parsing_timeout=None,
    )


def _value(expression: Any) -> str | None:
    try:
        number = expression.doit().evalf(30)
        return str(number) if number.is_Float or number.is_Integer else None
    except (AttributeError, TypeError, ValueError, ArithmeticError):
        return None


if __name__ == "__main__":
    sys.setrecursionlimit(3000)
    _out = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not be taken for a result
    _serve(sys.stdin.buffer, _out)
