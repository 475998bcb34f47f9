"""The process of the answer. Nothing that it says is believed, except as a value to compare."""

from __future__ import annotations

import json
import linecache
import operator
import os
import random
import sys
import types
from collections.abc import Callable
from typing import Any

from . import confine
from .peer import Channel as PeerChannel
from .peer import Peer, described
from .wire import Proxy, Wire, defined_classes

MODULE = "answer"
READY, CANNOT = b"ready", b"cannot"


class Channel:
    """Frames over a file descriptor, for as long as the other end is there."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, frame: bytes) -> None:
        left = memoryview(len(frame).to_bytes(4, "big") + frame)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def receive(self) -> bytes:
        return self._exactly(int.from_bytes(self._exactly(4), "big"))

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._descriptor, min(count, 1 << 20))
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


class Callback(Proxy):
    """A function of the tests, given as an argument."""

    peer: Peer

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.peer.ask("call", self, *arguments, **keywords)


def run(descriptor: int, limits: confine.Limits) -> None:
    """Takes the answer from the checker, runs it, and serves until the checker is gone."""
    channel = Channel(descriptor)
    try:
        confine.own_scratch(limits)
        confine.keep_only(descriptor)
        channel = Channel(confine.CHANNEL)
        confine.set_limits(limits, limits["cpu_seconds"])
        confine.drop_privileges(limits)
    except OSError as problem:
        channel.send(CANNOT + str(problem).encode())
        return
    random.seed(0)  # forking seeds it anew; every answer is to have the same numbers
    serve(channel)


def serve(channel: PeerChannel) -> None:
    """Runs the answer that arrives first, then does what the checker asks."""
    before, answer = json.loads(channel.receive())
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    peer = _peer(channel, module)
    try:
        _execute("before", before, module)
        peer.wire.classes = defined_classes(vars(module), MODULE)
        _execute("answer", answer, module)
    except BaseException as problem:
        channel.send(b"!" + peer.wire.encode(described(problem)))
        return
    channel.send(READY)
    while True:
        peer.serve(channel.receive())


def _execute(name: str, text: str, module: types.ModuleType) -> None:
    # inspect.getsource finds it as it would in a file.
    linecache.cache[f"<{name}>"] = (len(text), None, text.splitlines(True), f"<{name}>")
    exec(compile(text, f"<{name}>", "exec", dont_inherit=True), vars(module))


def _peer(channel: PeerChannel, module: types.ModuleType) -> Peer:
    names = vars(module)
    wire = Wire(names, Callback, lambda thing: True)
    operations: dict[str, Callable[..., Any]] = {
        "find": lambda wanted: {name: names[name] for name in wanted if name in names},
        "call": lambda function, *args, **kwargs: function(*args, **kwargs),
        "getattr": getattr,
        "setattr": setattr,
        "getitem": operator.getitem,
        "setitem": operator.setitem,
        "contains": operator.contains,
        "len": len,
        "iter": iter,
        "next": next,
        "bool": bool,
        "str": str,
        "repr": repr,
    }
    peer = Peer(channel, wire, operations)
    Callback.peer = peer
    return peer
