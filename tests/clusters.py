"""A Flink cluster and Prism for tests, and runs of the command that use them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from beam_thunder.runners.flink.cluster import FLINK_VERSION, FlinkCluster, jobs, rest

ROOT = Path(__file__).parent.parent
FLINK = ROOT / ".flink"
PRISM = ROOT / ".prism" / "prism"
JOB_SERVER = FLINK / "job-server.jar"
_WAIT_SECONDS = 240


@pytest.fixture(scope="session")
def prism() -> list[str]:
    """The flags that run a pipeline on Prism."""
    if not PRISM.is_file():
        pytest.skip("no Prism in .prism: make prism")
    return ["--runner=PrismRunner", f"--prism_location={PRISM}"]


@pytest.fixture(scope="session")
def flink(tmp_path_factory) -> Iterator[FlinkCluster]:
    """A cluster with two task managers of two slots each."""
    if not JOB_SERVER.is_file() or shutil.which("java") is None:
        pytest.skip("no Flink in .flink, or no Java: make flink, which says what it needs")
    home = tmp_path_factory.mktemp("flink")
    ports = {"port": free_port(), "rpc_port": free_port()}
    cluster = FlinkCluster(home, FLINK / "dist/pyflink", **ports, job_server=JOB_SERVER)
    cluster.start()
    yield cluster
    cluster.stop()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def on_flink(cluster: FlinkCluster, parallelism: int) -> list[str]:
    """The flags that run a pipeline on the cluster."""
    return [
        *("--runner=FlinkRunner", f"--flink_master={cluster.address}"),
        *(f"--flink_version={FLINK_VERSION}", f"--flink_job_server_jar={JOB_SERVER}"),
        f"--parallelism={parallelism}",
    ]


@dataclass
class Command:
    """A run of beam-thunder as a process of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it has printed, to both."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def end(self, status: int = 0) -> str:
        """Waits for its end, which must be of this status; returns what it printed."""
        self.process.wait(_WAIT_SECONDS)
        assert self.process.returncode == status, self.said[-3000:]
        return self.said

    def wait(self, what: Callable[[], Any]) -> Any:
        """Waits until something is true while it runs; returns it."""

        def happened() -> Any:
            assert self.process.poll() is None, self.said[-3000:]
            return what()

        return wait(happened)

    def kill(self) -> None:
        """Ends it, and the job server that it started, as a lost machine would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def command(log: Path, *arguments: Any) -> Iterator[Command]:
    """Starts beam-thunder; it does not outlive the test."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "beam_thunder", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = Command(process, log)
    try:
        yield started
    finally:
        started.kill()


def beam_thunder(log: Path, *arguments: Any, status: int = 0) -> str:
    """Runs beam-thunder to its end; returns what it printed."""
    with command(log, *arguments) as started:
        return started.end(status)


def wait(what: Callable[[], Any]) -> Any:
    """Waits until something is true; returns it."""
    end = time.monotonic() + _WAIT_SECONDS
    while not (found := what()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
    return found


def workers(cluster: FlinkCluster, name: str) -> list[int]:
    """The process ids of the Beam workers that a task manager started."""
    manager = cluster.pid(name)
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pid, _, rest_of_it = status.read_text().partition(" (")
            if int(rest_of_it.rpartition(")")[2].split()[1]) == manager:
                found.append(int(pid))
    return found


def kill_task_manager(cluster: FlinkCluster, number: int) -> list[int]:
    """Kills a task manager as a lost machine would end it, and starts another in its place.

    Returns:
      The process ids of the Beam workers that it leaves, which must end by themselves.
    """
    name = f"taskmanager-{number}"
    left, pid = workers(cluster, name), cluster.pid(name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    cluster.start_task_manager(number)
    return left


def failures(cluster: FlinkCluster, job: str) -> int:
    """How often a job has failed, and been restarted or given up."""
    found: Any = rest(cluster.address, f"jobs/{job}/exceptions")
    return len(found["exceptionHistory"]["entries"])


def cancel_jobs(cluster: FlinkCluster) -> None:
    """Ends the jobs of submitters that were killed, and waits until their slots are free."""
    for job in jobs(cluster.address):
        rest(cluster.address, f"jobs/{job}?mode=cancel", "PATCH")
    wait(lambda: cluster.overview()["slots-available"] == cluster.task_managers * cluster.slots)
