"""What tests of vLLM servers share: a fake one, and ways to look at its processes."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beam_thunder.errors import UserError
from beam_thunder.generation.server import VllmServer

HERE = Path(__file__).parent
KEY = "key-onlyForTheseTests"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    # Nothing is there, so nothing that is sent to it arrives.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    (tmp_path / "logs").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "logs"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # of the processes that tests start


@pytest.fixture
def python(tmp_path: Path) -> str:
    """An interpreter that has a vLLM: the one that tests/fake_vllm.py plays."""
    packages = tmp_path / "packages"
    package = packages / "vllm" / "entrypoints" / "openai"
    package.mkdir(parents=True)
    for folder in (package, package.parent, package.parent.parent):
        (folder / "__init__.py").touch()
    shutil.copy(HERE / "fake_vllm.py", package / "api_server.py")
    (packages / "torch.py").touch()
    return script(tmp_path / "python", f'PYTHONPATH={packages} exec {sys.executable} "$@"')


def script(path: Path, line: str) -> str:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def start(python: str) -> Iterator[Callable[..., VllmServer]]:
    with contextlib.ExitStack() as stack:

        def started(model: str, **fields: object) -> VllmServer:
            server = VllmServer(python, model, **fields)
            stack.callback(server.stop)
            server.start()
            return server

        yield started


def ask(server: VllmServer, path: str) -> object:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(server.url + path, timeout=10) as answer:
        return json.load(answer)


def runs(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be noticed does not."""
    try:
        stat_line = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat_line.rpartition(")")[2].split()[0] not in "ZX"


def soon(what: Callable[[], bool], seconds: float = 15.0) -> bool:
    last = time.monotonic() + seconds
    while not what():
        if time.monotonic() > last:
            return False
        time.sleep(0.02)
    return True


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        call()
    return str(caught.value)
