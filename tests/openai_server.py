"""A small server that speaks the OpenAI protocol, and can be made to behave badly.

Its answers follow from what is asked alone, so that runs can be compared. What it does to
a request follows from a plan: `stall`, `drop`, `429`, `500`, `400`, `context`, `empty`,
`truncated`, `lie` (no JSON) or `choiceless`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Plan = Callable[[dict[str, Any], int], str]
"""What to do to a request, and whether it is its first, second, ... time, from 1."""


@dataclass
class Server:
    """A running server.

    Attributes:
      url: where it listens.
      asked: how often each request came, by prompt and seed.
      answered_at: when each was answered last, by `time.monotonic`.
      pending: requests that are being answered; `most_open` is the most there were.
      keys: what came as authorization.
    """

    url: str
    model: str = "tiny"
    plan: Plan = lambda request, time: "answer"
    say: Callable[[dict[str, Any]], str] = lambda request: answer(request)
    latency: float = 0.0
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    answered_at: dict[tuple[str, int], float] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    pending: Counter[tuple[str, int]] = field(default_factory=Counter)
    most_open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def serving(**settings: Any) -> Iterator[Server]:
    """A server on a free port of the loopback interface."""
    state = Server("", **settings)

    class Handler(_Handler):
        server_state = state

    httpd = _Httpd(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield state
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def answer(request: dict[str, Any]) -> str:
    """The text that a request is answered with."""
    asked = json.dumps([request["messages"], request["seed"], request["temperature"]])
    return f"The answer is {int(hashlib.sha256(asked.encode()).hexdigest()[:6], 16)}."


class _Httpd(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients are killed on purpose


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: Server

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/health":
            self._send(200, b"")
        else:
            models = {"object": "list", "data": [{"id": self.server_state.model}]}
            self._send(200, json.dumps(models).encode())

    def do_POST(self) -> None:
        state = self.server_state
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = (request["messages"][-1]["content"], request["seed"])
        with state.lock:
            state.keys.add(self.headers.get("Authorization", ""))
            state.asked[asked] += 1
            state.pending[asked] += 1
            state.most_open = max(state.most_open, state.pending.total())
            times = state.asked[asked]
        try:
            time.sleep(state.latency)
            self._act(state.plan(request, times), request)
            with state.lock:
                state.answered[asked] += 1
                state.answered_at[asked] = time.monotonic()
        finally:
            with state.lock:
                state.pending[asked] -= 1

    def _act(self, what: str, request: dict[str, Any]) -> None:
        errors = {"context": (400, "This model's maximum context length is 10 tokens.")}
        if what == "stall":
            time.sleep(30)
        if what == "drop":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif what == "lie":
            self._send(200, b"{no json")
        elif what.isdecimal() or what in errors:
            status, message = errors.get(what) or (int(what), f"planned {what}")
            self._send(status, json.dumps({"error": {"message": message}}).encode())
        else:
            self._send(200, json.dumps(self._reply(what, request)).encode())

    def _reply(self, what: str, request: dict[str, Any]) -> dict[str, Any]:
        message = {
            "role": "assistant",
            "content": "  " if what == "empty" else self.server_state.say(request),
        }
        finish = "length" if what == "truncated" else "stop"
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        return {
            "id": "0",
            "object": "chat.completion",
            "created": 0,
            "model": self.server_state.model,
            "choices": [] if what == "choiceless" else choices,
            "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
        }

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
