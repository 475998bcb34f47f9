"""Google Cloud Storage on the loopback interface."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import free_port

BUCKET = "thunder"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory) -> Iterator[str]:
    """The address of an emulator with one bucket, as a process of its own."""
    pytest.importorskip("gcp_storage_emulator", reason="pip install gcp-storage-emulator")
    home, port = tmp_path_factory.mktemp("gcs"), free_port()
    command = ["-m", "gcp_storage_emulator", "start", "--host", "127.0.0.1", "-M"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "--port", str(port), "--default-bucket", BUCKET],
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
    """A folder of this test's own in the bucket; all clients of this process use it.

    Credentials are not looked for: where there are none, Beam would try for half a minute.
    """
    from apache_beam.internal.gcp import auth

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "test")
    monkeypatch.setattr(auth._Credentials, "_credentials_init", True)
    monkeypatch.setattr(auth._Credentials, "_credentials", None)
    return f"gs://{BUCKET}/{request.node.originalname}-{os.urandom(4).hex()}"
