"""Runs tests against an answer, and is the only one that says whether they pass.

The answer runs in another process, which never has the tests in its memory. What the
tests name and nobody else defines is fetched from there: functions and objects as
`Remote`, everything else as a plain value.
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import signal
import socket
import struct
import sys
import time
import types
from typing import Any, NoReturn

from . import answer, confine, forker
from .peer import Peer, described
from .wire import Proxy, Unplain, Wire, defined_classes

SYNTAX = {"SyntaxError", "IndentationError", "TabError"}
PASSED, BAD_TESTS, SANDBOX = "tests_passed", "bad_tests", "sandbox"

SPARE_SECONDS = 1.0
"""Between giving up an answer's process and interrupting the tests."""

Result = dict[str, str]


class Ended(BaseException):
    """The answer's process is no more, or is given up. No test may catch this."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.result = {"rule": rule, "detail": detail}


class Channel:
    """Frames to and from the answer's process, until a moment of the monotonic clock."""

    def __init__(self, ends: socket.socket, deadline: float, largest: int) -> None:
        self._socket = ends
        self._deadline = deadline
        self._largest = largest

    def send(self, frame: bytes) -> None:
        try:
            self._until()
            self._socket.sendall(len(frame).to_bytes(4, "big") + frame)
        except TimeoutError:
            _late()
        except OSError as problem:
            raise Ended("exited", "the answer's process ended by itself") from problem

    def receive(self) -> bytes:
        count = int.from_bytes(self._exactly(4), "big")
        if count > self._largest:
            raise Ended("output", f"a result of {count:,} bytes; allowed are {self._largest:,}")
        return self._exactly(count)

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            try:
                self._until()
                part = self._socket.recv(min(count, 1 << 20))
            except TimeoutError:
                _late()
            except OSError:
                part = b""
            if not part:
                raise Ended("exited", "the answer's process ended by itself")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _until(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            _late()
        self._socket.settimeout(left)


def _late() -> NoReturn:
    raise Ended("timeout", "wall-clock time is up")


class Remote(Proxy):
    """A function or object of the answer.

    It can be called and taken apart. It cannot be compared: the answer would be asked
    whether it is right.
    """

    _peer: Peer

    def __init__(self, number: int) -> None:
        object.__setattr__(self, "_number", number)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._peer.ask("call", self, *arguments, **keywords)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._peer.ask("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.ask("setattr", self, name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._peer.ask("getitem", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._peer.ask("setitem", self, key, value)

    def __contains__(self, item: Any) -> bool:
        return self._peer.ask("contains", self, item) is True

    def __iter__(self) -> Any:
        return self._peer.ask("iter", self)

    def __next__(self) -> Any:
        return self._peer.ask("next", self)

    def __len__(self) -> int:
        return self._peer.ask("len", self)

    def __bool__(self) -> bool:
        return self._peer.ask("bool", self) is True

    def __str__(self) -> str:
        return self._peer.ask("str", self)

    def __repr__(self) -> str:
        return self._peer.ask("repr", self)

    def _refuse(self, other: object) -> NoReturn:
        raise TypeError("the answer gives an object of its own class, which is not compared")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = None  # type: ignore[assignment]


def check(program: dict[str, str], limits: confine.Limits, control: socket.socket) -> Result:
    """What becomes of a program, whose process is gone when this returns.

    Args:
      program: its texts `before`, `answer` and `after`.
      limits: of the sandbox.
      control: leads to the forker.
    """
    deadline = time.monotonic() + limits["wall_seconds"]
    mine, theirs = socket.socketpair()
    try:
        socket.send_fds(control, [b"f"], [theirs.fileno()])
        theirs.close()
        result = _in_time(Channel(mine, deadline, limits["reply_bytes"]), program, limits)
        mine.close()
        control.send(forker.END)
        status, used = forker.STATUS.unpack(control.recv(forker.STATUS.size))
    except (OSError, struct.error) as problem:
        return {"rule": SANDBOX, "detail": f"the forker is gone: {problem}"}
    return _cause(status, used, limits) if result["rule"] == "exited" else result


def _in_time(channel: Channel, program: dict[str, str], limits: confine.Limits) -> Result:
    """Interrupts the tests themselves as well, where they do not end."""
    signal.signal(signal.SIGALRM, lambda number, frame: _late())
    try:
        signal.setitimer(signal.ITIMER_REAL, limits["wall_seconds"] + SPARE_SECONDS)
        return _run(channel, program)
    except Ended as end:
        return end.result
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _run(channel: Channel, program: dict[str, str]) -> Result:
    before, tests = program["before"], program["after"]
    channel.send(json.dumps([before, program["answer"]]).encode())
    module = types.ModuleType("tests")
    sys.modules["tests"] = module
    names = vars(module)
    wire = Wire(names, Remote, lambda thing: callable(thing))
    operations = {"call": lambda function, *args, **kwargs: function(*args, **kwargs)}
    peer = Remote._peer = Peer(channel, wire, operations)
    try:
        exec(compile(before, "<before>", "exec", dont_inherit=True), names)
        wire.classes = defined_classes(names, module.__name__)
        tree = ast.parse(tests)
        code = compile(tree, "<tests>", "exec", dont_inherit=True)
    except Exception as problem:
        return {"rule": BAD_TESTS, "detail": ": ".join(described(problem))}
    if not any(isinstance(part, ast.Assert) for part in ast.walk(tree)):
        return {"rule": BAD_TESTS, "detail": "the tests assert nothing"}
    if (problem_with_answer := _started(channel.receive(), wire)) is not None:
        return problem_with_answer
    wanted, modules = names_under_test(tree, names)
    names.update({name: sys.modules[name] for name in modules})
    try:
        names.update(peer.ask("find", sorted(wanted)))
        exec(code, names)
    except Exception as problem:
        return _failed(*described(problem))
    return {"rule": PASSED, "detail": ""}


def _started(frame: bytes, wire: Wire) -> Result | None:
    if frame == answer.READY:
        return None
    if frame.startswith(answer.CANNOT):
        return {"rule": SANDBOX, "detail": frame[len(answer.CANNOT) :].decode(errors="replace")}
    try:
        name, text = wire.decode(frame[1:])
    except (Unplain, TypeError, ValueError) as problem:
        return _failed(*described(problem))
    return _failed(str(name), str(text))


def _failed(name: str, text: str) -> Result:
    detail = f"{name}: {text}" if text else name
    if name in SYNTAX:
        return {"rule": "syntax", "detail": detail}
    if name == "MemoryError":
        return {"rule": "memory", "detail": detail}
    return {"rule": "assertion" if name == "AssertionError" else "exception", "detail": detail}


def _cause(status: int, used: float, limits: confine.Limits) -> Result:
    """Why the answer's process closed its channel.

    Args:
      status: as `waitpid` gives it.
      used: seconds of CPU time.
      limits: of the sandbox.
    """
    if os.WIFEXITED(status):
        return {"rule": "exited", "detail": f"with exit code {os.WEXITSTATUS(status)}"}
    if used >= limits["cpu_seconds"] - 0.5:
        return {"rule": "timeout", "detail": f"{limits['cpu_seconds']} s of CPU time are up"}
    return {"rule": "killed", "detail": f"by signal {os.WTERMSIG(status)}"}


def names_under_test(tests: ast.Module, names: dict[str, Any]) -> tuple[set[str], set[str]]:
    """The names that the answer has to define, and standard modules that tests just use.

    Only the tests decide which: an answer that defines `set` or `math` as well must not
    be asked what they are.

    Args:
      tests: their syntax tree.
      names: what the text before the answer defines.
    """
    loaded, bound, bases = set[str](), set[str](), set[str]()
    for part in ast.walk(tests):
        if isinstance(part, ast.Name):
            (loaded if isinstance(part.ctx, ast.Load) else bound).add(part.id)
        elif isinstance(part, ast.arg):
            bound.add(part.arg)
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(part.name)
        elif isinstance(part, ast.alias):
            bound.add((part.asname or part.name).split(".")[0])
        elif isinstance(part, ast.ExceptHandler) and part.name:
            bound.add(part.name)
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            bases.add(part.value.id)
    unknown = {n for n in loaded - bound - names.keys() if not hasattr(builtins, n)}
    modules = {n for n in unknown & bases if n in sys.modules and n in sys.stdlib_module_names}
    # `assert sum(10, 15) == 25`: nothing is unknown, so the function has a built-in's name.
    return unknown - modules or _first_called(tests), modules


def _first_called(tests: ast.Module) -> set[str]:
    for part in ast.walk(tests):
        if isinstance(part, ast.Assert):
            left = part.test.left if isinstance(part.test, ast.Compare) else part.test
            if isinstance(left, ast.Call) and isinstance(left.func, ast.Name):
                return {left.func.id}
    return set()
