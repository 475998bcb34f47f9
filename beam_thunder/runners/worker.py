"""A Beam worker in this environment, as a runner's `PROCESS` environment starts it.

`--environment_type=PROCESS --environment_config={"command": "…/beam-thunder-worker"}`: the
runner starts the command with its own arguments and ends it when the job ends. Unlike a pool
of workers there is no port that starts code for whoever asks, and a worker's output reaches
the runner's log. It does what the `boot` program of Beam's containers does, but for fetching
packages: the environment has them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

_CONNECT_SECONDS = 60


def environment(worker: str, endpoint: str) -> dict[str, str]:
    """The variables that Beam's worker takes its settings from.

    Args:
      worker: its id.
      endpoint: HOST:PORT where the runner tells what a worker needs.

    Raises:
      grpc.RpcError: the runner does not answer within a minute.
    """
    import grpc
    from apache_beam.portability.api import beam_provision_api_pb2 as messages
    from apache_beam.portability.api import beam_provision_api_pb2_grpc as services
    from google.protobuf import json_format, text_format

    with grpc.insecure_channel(endpoint) as channel:
        # The runner tells several workers apart by this.
        asked = services.ProvisionServiceStub(channel).GetProvisionInfo(
            messages.GetProvisionInfoRequest(),
            timeout=_CONNECT_SECONDS,
            metadata=[("worker_id", worker)],
            wait_for_ready=True,
        )
    info = asked.info
    return {
        "WORKER_ID": worker,
        "PIPELINE_OPTIONS": json_format.MessageToJson(info.pipeline_options),
        "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(info.logging_endpoint),
        "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(info.control_endpoint),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Becomes a Beam worker; never returns."""
    parser = argparse.ArgumentParser(
        prog="beam-thunder-worker", description="Started by a runner, not by hand."
    )
    parser.add_argument("--id", required=True)
    parser.add_argument("--provision_endpoint", required=True, metavar="HOST:PORT")
    args, _ = parser.parse_known_args(arguments)  # runners add endpoints of their own
    settings = environment(args.id, args.provision_endpoint)
    # A process of its own: gRPC does not survive in one that has used it and forks.
    os.execve(
        sys.executable,
        [sys.executable, "-m", "apache_beam.runners.worker.sdk_worker_main"],
        {**os.environ, **settings},
    )


if __name__ == "__main__":
    main()
