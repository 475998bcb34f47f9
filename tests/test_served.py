from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from beam_thunder.generation.served import check_served
from tests.vllm_fixtures import KEY, own_environment, python, refused, start  # noqa: F401


@pytest.fixture
def answering() -> Iterator[Callable[[dict[str, tuple[int, bytes]]], str]]:
    """A server that gives an answer per path; gives its address."""
    answers: dict[str, tuple[int, bytes]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[self.path]
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()

        def answer(given: dict[str, tuple[int, bytes]]) -> str:
            answers.update({"/health": (200, b""), **given})
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield answer
        server.shutdown()


def models(*names: str) -> tuple[int, bytes]:
    return 200, json.dumps({"data": [{"id": name} for name in names]}).encode()


def test_a_model_that_is_served(answering):
    check_served(answering({"/v1/models": models("a", "b")}) + "/", "b")


def test_a_model_that_is_not_served(answering):
    url = answering({"/v1/models": models("a", "b")})
    said = refused(lambda: check_served(url, "c"))
    assert said.startswith(f"{url} serves 'a', 'b', not 'c'; ")
    assert "--served-model-name c" in said


def test_a_server_that_is_not_well(answering):
    url = answering({"/health": (503, b"")})
    assert f"{url}/health answered 503" in refused(lambda: check_served(url, "a"))


def test_a_server_that_is_not_there():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    said = refused(lambda: check_served(url, "a"))
    assert f"{url} does not answer" in said
    assert "Connection refused" in said
    assert "start the server" in said


def test_a_server_that_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "timed out" in refused(lambda: check_served(url, "a", timeout=0.2))


@pytest.mark.parametrize(
    "answer", [(404, b"{}"), (200, b"<html>"), (200, b'{"data": 1}'), (302, b"")]
)
def test_what_is_no_vllm_server(answering, answer):
    url = answering({"/v1/models": answer, "/elsewhere": models("a")})
    assert "no vLLM server" in refused(lambda: check_served(url, "a"))


def test_a_key_that_is_refused_is_not_shown(start, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    server = start("ready")
    monkeypatch.setenv("VLLM_API_KEY", "another-key")
    said = refused(lambda: check_served(server.url, "ready"))
    assert "refuses the key (401); set VLLM_API_KEY" in said
    assert "another-key" not in said


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("localhost:8000", "http://HOST:8000"),
        ("ftp://gpu/", "http://HOST:8000"),
        ("http://gpu:8000/v1", "so http://gpu:8000"),
        ("http://gpu:8000/v1/", "so http://gpu:8000"),
        (f"http://me:{KEY}@gpu:8000", "VLLM_API_KEY"),
    ],
)
def test_addresses_that_are_none(url, cure):
    said = refused(lambda: check_served(url, "a"))
    assert cure in said
    assert KEY not in said
