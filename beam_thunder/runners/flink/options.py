"""What FlinkRunner needs, checked before anything starts."""

from __future__ import annotations

import json
import shutil
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apache_beam.runners.portability.flink_runner import FlinkJarJobServer
from apache_beam.utils.subprocess_server import JavaJarServer

from beam_thunder.errors import UserError
from beam_thunder.runners.flink.cluster import rest

_OWN = ("[auto]", "[local]")
_WORKER = "beam-thunder-worker"
# Between two steps of a job nobody may use a worker for a moment. It has imported TensorFlow.
_CACHE = "--environment_cache_millis=10000"


def settle(flags: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
    """The flags with what FlinkRunner needs besides.

    Args:
      flags: as given.
      settings: all of Beam's options, as the flags have them.

    Raises:
      UserError: the cluster does not answer, is another version or too small, or the job
        server or the workers cannot be started.
    """
    master = settings["flink_master"]
    if shutil.which("java") is None:
        raise UserError(
            "FlinkRunner submits with Java, and there is no java on the path; on Debian: "
            "apt-get install default-jre-headless"
        )
    if master in _OWN:  # Beam's own, inside the job server
        return list(flags)
    _check_cluster(master, settings)
    _check_job_server(settings)
    # By which it is found again when it is to be cancelled.
    name = [] if settings["job_name"] else [f"--job_name=beam-thunder-{uuid.uuid4().hex[:12]}"]
    cache = [] if settings["environment_cache_millis"] else [_CACHE]
    return [*flags, *name, *cache, *_environment(master, settings)]


def _check_cluster(master: str, settings: Mapping[str, Any]) -> None:
    overview = rest(master, "overview")
    if overview is None:
        raise UserError(
            f"--flink_master {master}: no Flink answers there; give the HOST:PORT of its REST "
            "interface, or start a cluster with `make flink`"
        )
    runs, asked = str(overview["flink-version"]), settings["flink_version"]
    if not runs.startswith(f"{asked}."):
        raise UserError(
            f"--flink_master {master} runs Flink {runs}, and --flink_version is {asked}: they "
            f"must agree, so give --flink_version {'.'.join(runs.split('.')[:2])} and a job "
            "server for it"
        )
    parallelism, slots = settings["parallelism"], overview["slots-total"]
    if isinstance(slots, int) and max(parallelism, 1) > slots:
        raise UserError(
            f"--parallelism {parallelism}: {master} has {slots} task slots, so the job would "
            "wait for ever; lower it, or add task managers"
        )


def _check_job_server(settings: Mapping[str, Any]) -> None:
    jar = settings["flink_job_server_jar"]
    if jar and "://" not in jar and not Path(jar).is_file():
        raise UserError(
            f"--flink_job_server_jar {jar}: no such file; build one with `make flink`, or "
            "leave the option out to have Beam download its own"
        )
    if not jar:
        version = settings["flink_version"]
        place = FlinkJarJobServer.path_to_beam_jar(
            f":runners:flink:{version}:job-server:shadowJar"
        )
        try:
            JavaJarServer.local_jar(place)  # once; then it is kept
        except OSError as error:
            raise UserError(
                f"Beam's job server cannot be downloaded from {place}: {error}; build one "
                "with `make flink`, and give it as --flink_job_server_jar"
            ) from error


def _environment(master: str, settings: Mapping[str, Any]) -> list[str]:
    """How workers are started, where the user has not said."""
    kind, config = settings["environment_type"], settings["environment_config"]
    near = master.split("://")[-1].split(":")[0] in ("localhost", "127.0.0.1", "[::1]")
    if kind == "DOCKER" and not config and not settings["sdk_container_image"]:
        raise UserError(
            "--environment_type DOCKER: Beam's own container lacks this package; build one "
            "from runners/Dockerfile, and give it as --environment_config IMAGE"
        )
    if kind == "PROCESS" and near:
        _check_command(config or "")
    if kind:
        return []
    command = Path(sys.executable).with_name(_WORKER)
    if not near or not command.is_file():
        raise UserError(
            f"--flink_master {master}: say how its task managers start workers that have this "
            "package: --environment_type DOCKER, EXTERNAL or PROCESS with "
            "--environment_config, see docs/flink.md"
        )
    start = json.dumps({"command": str(command)})
    return ["--environment_type=PROCESS", f"--environment_config={start}"]


def _check_command(config: str) -> None:
    try:
        command = json.loads(config)["command"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"--environment_config {config!r}: expected "
            f'{{"command": "/…/bin/{_WORKER}"}} with --environment_type PROCESS'
        ) from error
    if shutil.which(command) is None:
        raise UserError(
            f"--environment_config: no program {command!r}; expected the {_WORKER} that is "
            f"installed with this package, as {Path(sys.executable).with_name(_WORKER)}"
        )
