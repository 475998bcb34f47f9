"""Google Cloud Storage on the loopback interface."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.clusters import ROOT, free_port

BUCKET = "thunder"
STRICT = ROOT / ".gcs" / "fake-gcs-server"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory) -> Iterator[str]:
    """The address of an emulator with one bucket."""
    pytest.importorskip("gcp_storage_emulator", reason="pip install gcp-storage-emulator")
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "-M"]
    command += ["--host", "127.0.0.1", "--default-bucket", BUCKET]
    with _serving(tmp_path_factory.mktemp("gcs"), command, "--port") as address:
        yield address


@pytest.fixture(scope="session")
def strict_emulator(tmp_path_factory) -> Iterator[str]:
    """The address of one that holds writers to their conditions, and has no batches."""
    if not STRICT.is_file():
        pytest.skip("no fake-gcs-server in .gcs: make test-runners builds it")
    command = [str(STRICT), "-scheme", "http", "-host", "127.0.0.1", "-backend", "memory"]
    with _serving(tmp_path_factory.mktemp("gcs"), command, "-port") as address:
        made = json.dumps({"name": BUCKET}).encode()
        urllib.request.urlopen(f"{address}/storage/v1/b", made, timeout=5).close()
        yield address


@contextlib.contextmanager
def _serving(home: Path, command: Sequence[str], port_option: str) -> Iterator[str]:
    """Runs an emulator, as a process of its own."""
    port = str(free_port())
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, port_option, port],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    _wait(address, process, home / "log")
    yield address
    process.terminate()
    process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"{address}/storage/v1/b?project=test", timeout=5).close()
            return
        except (urllib.error.URLError, OSError) as error:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, error
            time.sleep(0.1)


@pytest.fixture
def bucket(emulator, monkeypatch, request) -> str:
    """A folder of this test's own in the bucket; all clients of this process use it."""
    return _folder(emulator, monkeypatch, request)


@pytest.fixture
def strict_bucket(strict_emulator, monkeypatch, request) -> str:
    """The same in the bucket whose writers are held to their conditions."""
    return _folder(strict_emulator, monkeypatch, request)


def _folder(address: str, monkeypatch: Any, request: Any) -> str:
    """Credentials are not looked for: where there are none, Beam tries for half a minute."""
    from apache_beam.internal.gcp import auth

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "test")
    monkeypatch.setattr(auth._Credentials, "_credentials_init", True)
    monkeypatch.setattr(auth._Credentials, "_credentials", None)
    return f"gs://{BUCKET}/{request.node.originalname}-{os.urandom(4).hex()}"
