"""Folders that a run reads and writes, checked before it starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from apache_beam.options.pipeline_options import PipelineOptions

from beam_thunder.errors import UserError
from beam_thunder.paths import is_local

_EMULATOR = "STORAGE_EMULATOR_HOST"
_SECONDS = 20


def check_folders(options: PipelineOptions, folders: Mapping[str, str | None]) -> None:
    """Checks that workers will reach the folders.

    Args:
      options: Beam's.
      folders: or files, by the option that names them; None where one is not given.

    Raises:
      UserError: a bucket is not there or may not be listed, or a folder is on this machine
        and the workers are not.
    """
    cloud = options.get_all_options()["runner"] == "DataflowRunner"
    for option, folder in folders.items():
        if not folder:
            continue
        if cloud and is_local(folder):
            raise UserError(
                f"{option} {folder} is on this machine, where Dataflow's workers do not reach "
                "it; give one in a bucket, gs://BUCKET/..."
            )
        if folder.startswith("gs://"):
            _check_bucket(option, folder, options)


def _check_bucket(option: str, folder: str, options: PipelineOptions) -> None:
    from apache_beam.io.gcp.gcsio import create_storage_client
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.retry import DEFAULT_RETRY
    from requests.exceptions import RequestException

    bucket = urlsplit(folder).netloc
    login = (
        "log in with `gcloud auth application-default login`, or have "
        "GOOGLE_APPLICATION_CREDENTIALS name the key of an account that may use it"
    )
    _check_credentials(option, folder, login)
    try:
        listed = create_storage_client(options).list_blobs(
            bucket, max_results=1, timeout=_SECONDS, retry=DEFAULT_RETRY.with_timeout(_SECONDS)
        )
        next(iter(listed), None)
    except exceptions.NotFound as error:
        raise UserError(
            f"{option} {folder}: there is no bucket {bucket!r}; make it with `gcloud storage "
            f"buckets create gs://{bucket}`, or mend the name"
        ) from error
    except (exceptions.Forbidden, exceptions.Unauthorized, GoogleAuthError) as error:
        raise UserError(
            f"{option} {folder}: the bucket may not be listed ({error}); {login}"
        ) from error
    except (exceptions.GoogleAPIError, RequestException) as error:
        raise UserError(f"{option} {folder} cannot be reached: {error}") from error


def _check_credentials(option: str, folder: str, login: str) -> None:
    """Beam itself looks for half a minute, and goes on without any."""
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    if _EMULATOR in os.environ:
        return
    try:
        google.auth.default()
    except DefaultCredentialsError as error:
        raise UserError(
            f"{option} {folder}: there are no credentials for Google Cloud here; {login}"
        ) from error
