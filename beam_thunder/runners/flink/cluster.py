"""A standalone Flink cluster on this machine, from Flink's published jars and no containers.

`python -m beam_thunder.runners.flink.cluster start`, as `make flink` calls it. It is real: a
job manager, and task managers as processes of their own. It listens on loopback only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from beam_thunder.errors import UserError

FLINK_VERSION = "1.19"
"""Of the cluster and of the job server; the minor versions must be the same."""

_START_SECONDS = 90
_STOP_SECONDS = 10
_JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_SIZES = "org.apache.flink.runtime.util.bash.BashJavaUtils"
# What Java 17 closes and Flink's serialization reaches into; as in Flink's own configuration.
_OPEN = (
    *("java.lang", "java.lang.reflect", "java.net", "java.io", "java.nio", "java.text"),
    *("java.time", "java.util", "java.util.concurrent", "java.util.concurrent.atomic"),
    *("java.util.concurrent.locks", "sun.net.util"),
)
_ENDED = ("FINISHED", "CANCELED", "FAILED")
_LOGGING = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %-40.40c{1} - %m%n
"""


@dataclass(frozen=True)
class FlinkCluster:
    """Where a cluster keeps its files, and how large it is.

    Attributes:
      home: folder for configuration, logs, process ids and checkpoints.
      jars: folder of Flink's distribution that has `lib/` and `bin/`.
      task_managers: how many there are.
      slots: of each; a job needs as many as its parallelism.
      port: of the REST interface.
      rpc_port: that the task managers find the job manager at.
      job_server: Beam's, of the jobs that will run. Task managers load its classes once, and
        not with each job; otherwise a worker ends with each step, see docs/flink.md.
    """

    home: Path
    jars: Path
    task_managers: int = 2
    slots: int = 2
    port: int = 8081
    rpc_port: int = 6123
    job_server: Path | None = None

    @property
    def address(self) -> str:
        """For `--flink_master`."""
        return f"localhost:{self.port}"

    def start(self) -> None:
        """Starts all processes; returns when every task manager is there.

        Raises:
          UserError: Java or Flink is missing, the port is taken, or a process ended.
        """
        self._check()
        self._configure()
        self._launch("jobmanager", _JOB_MANAGER)
        for number in range(self.task_managers):
            self.start_task_manager(number)
        self._wait()

    def start_task_manager(self, number: int) -> None:
        """Starts one, for instance in the place of one that died."""
        heap, sizes = self._sizes()
        self._launch(f"taskmanager-{number}", _TASK_MANAGER, heap, sizes)

    def pid(self, name: str) -> int | None:
        """Of `jobmanager`, `taskmanager-0`, ...; None if it does not run."""
        with contextlib.suppress(OSError, ValueError):
            pid = int(self._pid_file(name).read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            if str(self.home.absolute()) in command:  # and not another's, by the same number
                return pid
        return None

    def stop(self) -> list[str]:
        """Ends all processes, by force where they do not; returns the names of those that ran.

        Workers end with the task manager that started them.
        """
        running = {
            path.stem: pid
            for path in sorted(self.home.glob("run/*.pid"))
            if (pid := self.pid(path.stem)) is not None
        }
        for name, pid in running.items():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            self._await_end(name, pid)
        for path in self.home.glob("run/*.pid"):
            path.unlink()
        return list(running)

    def _await_end(self, name: str, pid: int) -> None:
        end = time.monotonic() + _STOP_SECONDS
        while self.pid(name) == pid:
            with contextlib.suppress(ChildProcessError):  # a child of this process is reaped
                os.waitpid(pid, os.WNOHANG)
            if time.monotonic() > end:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)

    def _check(self) -> None:
        if not list(self.jars.glob("lib/flink-dist-*.jar")):
            raise UserError(f"{self.jars} has no lib/flink-dist-*.jar; install it: make flink")
        if shutil.which("java") is None:
            raise UserError(
                "no java on the path; on Debian: apt-get install default-jre-headless"
            )
        for port in (self.port, self.rpc_port):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    raise UserError(
                        f"port {port} is taken, perhaps by a cluster that runs already; "
                        "end it with `make flink-stop`"
                    )

    def _configure(self) -> None:
        for name in ("conf", "log", "run", "checkpoints", "tmp"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        home = self.home.absolute()
        settings = {
            "jobmanager.rpc.address": "localhost",
            "jobmanager.rpc.port": self.rpc_port,
            "jobmanager.bind-host": "127.0.0.1",
            "jobmanager.memory.process.size": "1200m",
            "rest.address": "localhost",
            "rest.bind-address": "127.0.0.1",
            "rest.port": self.port,
            "taskmanager.host": "localhost",
            "taskmanager.bind-host": "127.0.0.1",
            # Rows pass through Java on their way to workers: on its heap, and beside it.
            "taskmanager.memory.process.size": "4600m",
            "taskmanager.memory.task.off-heap.size": "1g",
            "taskmanager.memory.managed.fraction": 0.2,
            # A build of all datasets has hundreds of steps, and each pair of them buffers.
            "taskmanager.memory.network.min": "600m",
            "taskmanager.memory.network.max": "600m",
            "taskmanager.network.sort-shuffle.min-buffers": 32,
            "taskmanager.numberOfTaskSlots": self.slots,
            # What a user must put right fails again; what a lost machine took does not. It
            # takes several steps of a build at once, which this strategy counts as one.
            "restart-strategy.type": "exponential-delay",
            "restart-strategy.exponential-delay.initial-backoff": "2 s",
            "restart-strategy.exponential-delay.max-backoff": "10 s",
            "restart-strategy.exponential-delay.attempts-before-reset-backoff": 5,
            "heartbeat.timeout": 20_000,
            "heartbeat.interval": 3_000,
            "execution.checkpointing.dir": f"file://{home}/checkpoints",
            "state.checkpoints.dir": f"file://{home}/checkpoints",
            "state.savepoints.dir": f"file://{home}/savepoints",
            "io.tmp.dirs": f"{home}/tmp",
            "classloader.resolve-order": "parent-first" if self.job_server else "child-first",
        }
        text = "".join(f"{name}: {value}\n" for name, value in settings.items())
        (self.home / "conf" / "config.yaml").write_text(text)
        (self.home / "conf" / "log4j.properties").write_text(_LOGGING)

    def _java(self, *arguments: str) -> list[str]:
        jars = sorted(self.jars.absolute().glob("lib/*.jar"))
        if self.job_server:  # last: it has classes of Flink's, too
            jars.append(self.job_server.absolute())
        classes = ":".join(map(str, jars))
        opened = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPEN]
        logging = (
            f"-Dlog4j.configurationFile={(self.home / 'conf/log4j.properties').absolute()}"
        )
        return ["java", *opened, logging, "-cp", classes, *arguments]

    def _sizes(self) -> tuple[list[str], list[str]]:
        """The memory of a task manager: for Java, and for Flink, as Flink works it out."""
        tool = str(self.jars.absolute() / "bin" / "bash-java-utils.jar")
        command = self._java(_SIZES, "GET_TM_RESOURCE_PARAMS", *self._config())
        command[command.index("-cp") + 1] += f":{tool}"
        said = subprocess.run(command, capture_output=True, text=True)
        found = [
            line.partition(":")[2].split()
            for line in said.stdout.splitlines()
            if line.startswith("BASH_JAVA_UTILS_EXEC_RESULT:")
        ]
        if len(found) != 2:
            raise UserError(f"Flink cannot work out its memory: {said.stdout[-500:]}")
        return found[0], found[1]

    def _config(self) -> list[str]:
        return ["--configDir", str((self.home / "conf").absolute())]

    def _launch(
        self,
        name: str,
        main: str,
        heap: Sequence[str] = ("-Xmx700m",),
        rest: Sequence[str] = (),
    ) -> None:
        command = self._java(main, *self._config(), *rest)
        command[1:1] = heap
        with (self.home / "log" / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file(name).write_text(str(process.pid))
        while self.pid(name) is None and process.poll() is None:
            time.sleep(0.01)  # until its command is to be seen

    def _pid_file(self, name: str) -> Path:
        return self.home / "run" / f"{name}.pid"

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        names = ["jobmanager", *(f"taskmanager-{n}" for n in range(self.task_managers))]
        while self.overview().get("taskmanagers") != self.task_managers:
            dead = [name for name in names if self.pid(name) is None]
            if dead or time.monotonic() > end:
                self.stop()
                raise UserError(
                    f"Flink did not start: {', '.join(dead) or 'no answer'}; see "
                    f"{self.home / 'log'}"
                )
            time.sleep(0.3)

    def overview(self) -> dict[str, object]:
        """What the cluster says of itself; nothing if it does not answer."""
        return rest(self.address, "overview") or {}


def rest(address: str, path: str, method: str = "GET") -> dict[str, object] | None:
    """An answer of Flink's REST interface; None if there is none.

    Args:
      address: HOST:PORT, with or without `http://`.
      path: below it.
      method: of the request.
    """
    url = address if "://" in address else f"http://{address}"
    asked = urllib.request.Request(f"{url.rstrip('/')}/{path}", method=method)
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            found = json.loads(answer.read() or b"{}")
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def jobs(address: str, *states: str) -> list[str]:
    """The ids of a cluster's jobs, of those in these states if some are given."""
    found = (rest(address, "jobs/overview") or {}).get("jobs", [])
    assert isinstance(found, list)
    return [each["jid"] for each in found if not states or each["state"] in states]


def cancel(address: str, name: str) -> None:
    """Has a cluster end the jobs of this name."""
    found = (rest(address, "jobs/overview") or {}).get("jobs", [])
    assert isinstance(found, list)
    for job in found:
        if job["name"] == name and job["state"] not in _ENDED:
            rest(address, f"jobs/{job['jid']}?mode=cancel", "PATCH")


def options(cluster: FlinkCluster, job_server: Path) -> Iterator[str]:
    """What to give beam-thunder so that it uses the cluster."""
    yield f"--runner FlinkRunner --flink_master {cluster.address}"
    yield f"--flink_version {FLINK_VERSION} --flink_job_server_jar {job_server.absolute()}"
    yield f"--parallelism {cluster.task_managers * cluster.slots}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts or stops the cluster; returns 2 with a message if it cannot."""
    parser = argparse.ArgumentParser(prog="python -m beam_thunder.runners.flink.cluster")
    parser.add_argument("action", choices=("start", "stop"))
    parser.add_argument("--home", type=Path, default=Path(".flink"), metavar="DIR")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--task-managers", type=int, default=2, metavar="N")
    parser.add_argument("--slots", type=int, default=2, metavar="N", help="of each")
    args = parser.parse_args(arguments)
    job_server = args.home / "job-server.jar"
    cluster = FlinkCluster(
        args.home / "cluster",
        args.home / "dist" / "pyflink",
        args.task_managers,
        args.slots,
        args.port,
        job_server=job_server,
    )
    if args.action == "stop":
        print(f"Ended: {', '.join(cluster.stop()) or 'nothing was running'}")
        return 0
    try:
        cluster.start()
    except UserError as error:
        print(f"beam-thunder: {error}", file=sys.stderr)
        return 2
    print(f"Flink runs: http://{cluster.address}, logs in {cluster.home / 'log'}. Use it with")
    for line in options(cluster, job_server):
        print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
