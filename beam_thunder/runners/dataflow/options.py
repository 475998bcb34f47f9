"""What DataflowRunner needs, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from beam_thunder.errors import UserError


def check(settings: Mapping[str, Any]) -> None:
    """What the service would only find out minutes later.

    Args:
      settings: all of Beam's options.

    Raises:
      UserError: something is missing, or is nothing that workers in a cloud can use.
    """
    for name, example in (("project", "my-project"), ("region", "asia-northeast3")):
        if not settings[name]:
            raise UserError(f"DataflowRunner needs --{name}, as --{name} {example}")
    for name in ("temp_location", "staging_location"):
        place = settings[name]
        if place is not None and not place.startswith("gs://"):
            raise UserError(f"--{name} {place}: expected a folder in a bucket, gs://BUCKET/...")
    if settings["temp_location"] is None and settings["staging_location"] is None:
        raise UserError("DataflowRunner needs --temp_location gs://BUCKET/tmp")
    if settings["template_location"] and not settings["streaming"]:
        raise UserError(
            "--template_location: only a stream can be a template; a build is published, and "
            "answers are counted, by the process that starts the job and waits for its end"
        )
    if not settings["sdk_container_image"] and not settings["setup_file"]:
        raise UserError(
            "Beam's own container lacks this package: give --sdk_container_image, an image "
            "built from runners/Dockerfile (or --setup_file ./setup.py, and have every worker "
            "install 2.5 GB for minutes)"
        )
