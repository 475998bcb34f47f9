"""Asking the other side to do something, and doing what it asks.

A frame is its length in 4 bytes and a kind in one, then values as `wire` encodes them:

    ?  name of an operation, a newline, (arguments, keyword arguments)
    =  the result
    ~  the length of the result in 4 bytes, the result, the arguments as they are now
    !  (name of the exception's class, its text)
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .wire import Wire

SHOWN_CHARACTERS = 500
"""Of an exception's text."""


class Channel(Protocol):
    """Carries whole frames."""

    def send(self, frame: bytes) -> None:
        """Sends a frame, waiting until it is taken."""

    def receive(self) -> bytes:
        """Waits for a frame."""


class Raised(Exception):
    """An exception of the other side, of a class that is not built in."""


class Peer:
    """One side of a channel."""

    def __init__(
        self, channel: Channel, wire: Wire, operations: Mapping[str, Callable[..., Any]]
    ) -> None:
        self.channel = channel
        self.wire = wire
        self._operations = operations

    def ask(self, operation: str, *arguments: Any, **keywords: Any) -> Any:
        """Has the other side do it, and meanwhile does what that asks in turn."""
        request = self.wire.encode((arguments, keywords))
        self.channel.send(b"?" + operation.encode() + b"\n" + request)
        while (frame := self.channel.receive())[:1] == b"?":
            self.serve(frame)
        kind, body = frame[:1], frame[1:]
        if kind == b"!":
            name, text = self.wire.decode(body)
            raise exception(str(name), str(text))
        if kind != b"~":
            return self.wire.decode(body)
        end = 4 + int.from_bytes(body[:4], "big")
        result = self.wire.decode(body[4:end])
        now, now_keywords = self.wire.decode(body[end:])
        for old, new in zip(arguments, now, strict=True):
            _restore(old, new)
        for name, old in keywords.items():
            _restore(old, now_keywords[name])
        return result

    def serve(self, frame: bytes) -> None:
        """Does what one frame asks, and answers."""
        name, _, request = frame[1:].partition(b"\n")
        try:
            arguments, keywords = self.wire.decode(request)
            result = self._operations[name.decode()](*arguments, **keywords)
            reply = self.wire.encode(result)
            now = self.wire.encode((arguments, keywords))
            if now == request:
                reply = b"=" + reply
            else:
                reply = b"~" + len(reply).to_bytes(4, "big") + reply + now
        except BaseException as problem:  # SystemExit too is something that it raised
            reply = b"!" + self.wire.encode(described(problem))
        self.channel.send(reply)


def described(problem: BaseException) -> tuple[str, str]:
    """The class and text of an exception, whatever its own methods do."""
    try:
        text = str(problem)[:SHOWN_CHARACTERS]
    except BaseException as further:
        text = f"(its text raises {type(further).__name__})"
    return type(problem).__name__, text


def exception(name: str, text: str) -> Exception:
    """The built-in exception of this name, or `Raised`."""
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(text)
        except TypeError:  # such as UnicodeDecodeError, which needs more
            pass
    return Raised(f"{name}: {text}")


def _restore(old: Any, new: Any) -> None:
    """Gives the caller's own argument the content that the other side left in its copy."""
    if type(old) is not type(new):
        return
    if isinstance(old, list | bytearray):
        old[:] = new
    elif isinstance(old, dict | set):
        old.clear()
        old.update(new)
    elif hasattr(old, "__dict__") and not callable(old):
        vars(old).update(vars(new))
