"""A small server on the loopback that answers like the Hugging Face Hub, and fails on demand.

It has what listing and downloading datasets takes: the description of a repository with
its files' sizes and ids, and the files, whole or from a byte on. As on the Hub, small files
come from the server itself, and a request for a large one is sent on to a storage: the same
server under its other name, `localhost`, which to a client is another host.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40
LARGE = 1000  # bytes from which on a file is stored as a large one
API = re.compile(r"/api/datasets/([^/]+/[^/]+)(?:/revision/(.+))?")
FILE = re.compile(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass(frozen=True)
class Answer:
    """An answer without a file, with the code by which the Hub names the reason."""

    status: int
    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class Break:
    """Sends so many bytes of a file, then breaks off: closes, resets, or says no more."""

    after: int
    how: str = "close"


@dataclass(frozen=True)
class Seen:
    """A request that came in; `host` is the name that the client used."""

    method: str
    host: str
    path: str
    headers: dict[str, str]


@dataclass
class HubServer:
    """The server; a context manager, which listens while it is entered.

    Attributes:
      repos: each repository's files.
      files: files at any other path, as a publisher serves them.
      trouble: for a path of the server, what goes wrong with its next requests, in order.
      wrong: for a path in a repository, what is sent instead of the listed bytes.
      ranges: whether a request for the rest of a file gets the rest, or all of it.
      seen: the requests so far.
      sent: how many bytes of files were sent.
    """

    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    trouble: dict[str, deque[Answer | Break]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    wrong: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    seen: list[Seen] = field(default_factory=list)
    sent: int = 0

    def __enter__(self) -> HubServer:
        outer = self

        class Handler(_Handler):
            hub = outer

        self.stopped = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        # The poll interval is how long stopping takes.
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.stopped.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def file_url(self, repo: str, name: str) -> str:
        """The path at which a repository's file is asked for."""
        return f"/datasets/{repo}/resolve/{COMMIT}/{name}"

    def downloads(self) -> list[Seen]:
        """The requests for files, those that were sent on to the storage among them."""
        return [each for each in self.seen if not each.path.startswith("/api/")]


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what matters is in `seen`."""

    def do_GET(self) -> None:
        host, path = self.headers["Host"].split(":")[0], unquote(urlsplit(self.path).path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.seen.append(Seen(self.command, host, path, headers))
        queue = self.hub.trouble[path]
        if self._is_stored_elsewhere(path, host) and not (
            queue and isinstance(queue[0], Answer)
        ):
            storage = f"http://localhost:{self.hub.port}{self.path}"
            return self._send(302, b"", {"Location": storage})
        trouble = queue.popleft() if queue else None
        if isinstance(trouble, Answer):
            return self._answer(trouble)
        if path in self.hub.files:
            return self._send_file(self.hub.files[path], trouble)
        if match := API.fullmatch(path):
            return self._describe(*match.groups())
        if match := FILE.fullmatch(path):
            return self._resolve(*match.groups(), trouble)
        return self._answer(Answer(404, "EntryNotFound"))

    def _is_stored_elsewhere(self, path: str, host: str) -> bool:
        match = FILE.fullmatch(path)
        content = self.hub.repos.get(match[1], {}).get(match[3], b"") if match else b""
        return len(content) >= LARGE and host != "localhost"

    def _describe(self, repo: str, revision: str | None) -> None:
        if repo not in self.hub.repos:
            return self._answer(Answer(404, "RepoNotFound", "Repository not found"))
        if revision not in (None, "main", COMMIT):
            return self._answer(Answer(404, "RevisionNotFound", f"Invalid rev id: {revision}"))
        siblings = [_describe_file(*item) for item in self.hub.repos[repo].items()]
        body = {"id": repo, "sha": COMMIT, "siblings": siblings}
        return self._send(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _resolve(self, repo: str, commit: str, name: str, trouble: Break | None) -> None:
        content = self.hub.repos.get(repo, {}).get(name)
        if content is None or commit != COMMIT:
            return self._answer(Answer(404, "EntryNotFound", "Entry not found"))
        return self._send_file(self.hub.wrong.get(name, content), trouble)

    def _send_file(self, content: bytes, trouble: Break | None) -> None:
        start = int(re.sub(r"bytes=(\d+)-", r"\1", self.headers.get("Range", "bytes=0-")))
        start = start if self.hub.ranges else 0
        if start and start >= len(content):
            return self._answer(Answer(416))
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self._send(206 if start else 200, content[start:], headers, trouble)

    def _answer(self, answer: Answer) -> None:
        body = json.dumps({"error": answer.message}).encode()
        headers = {"X-Error-Code": answer.code, "X-Error-Message": answer.message}
        self._send(answer.status, body, {"Content-Type": "application/json", **headers})

    def _send(
        self, status: int, body: bytes, headers: dict[str, str], trouble: Break | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        part = body if trouble is None else body[: trouble.after]
        if status in (200, 206) and not self.path.startswith("/api/"):
            self.hub.sent += len(part)
        self.wfile.write(part)
        if trouble is not None:
            self._break_off(trouble.how)

    def _break_off(self, how: str) -> None:
        self.close_connection = True
        if how == "wait":
            self.hub.stopped.wait()
        if how == "reset":
            # Closing a socket that may not linger sends a reset instead of an end.
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.connection.close()


def _describe_file(name: str, content: bytes) -> dict[str, object]:
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    described: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": blob}
    if len(content) >= LARGE:
        # Of a large file git holds a pointer, whose id says nothing about the content.
        described["blobId"] = "0" * 40
        sha256 = hashlib.sha256(content).hexdigest()
        described["lfs"] = {"size": len(content), "sha256": sha256, "pointerSize": 130}
    return described
