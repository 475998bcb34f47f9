"""What a running server says of itself: whether it is well, and which models it serves."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from beam_thunder.errors import UserError

KEY_VARIABLE = "VLLM_API_KEY"
"""Where a server's key is taken from; vLLM reads the same. Never on a command line, where
every user of the machine would see it."""

_LOCAL = ("127.0.0.1", "localhost", "::1")


def check_served(url: str, model: str, timeout: float = 10.0) -> None:
    """Sees whether a running server is well and serves a model.

    Args:
      url: without the `/v1` of the OpenAI protocol.
      model: the name that requests will have.
      timeout: in seconds, for each of two requests.

    Raises:
      UserError: it does not, with what was found.
    """
    _check_url(url)
    health = _ask(url, "/health", timeout)
    if health.status != 200:
        raise UserError(
            f"{url}/health answered {health.status}, expected 200; see the server's own log, "
            "start it again, or give another --vllm-url"
        )
    listed = _ask(url, "/v1/models", timeout)
    if listed.status in (401, 403):
        raise UserError(
            f"{url} refuses the key ({listed.status}); set {KEY_VARIABLE} to the server's"
        )
    try:
        served = [str(each["id"]) for each in json.loads(listed.body)["data"]]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{url}/v1/models answered {listed.status} without a list of models, so it is no "
            "vLLM server; give the address of one as --vllm-url"
        ) from error
    if model not in served:
        raise UserError(
            f"{url} serves {', '.join(map(repr, served)) or 'no model'}, not {model!r}; start "
            f"it with --served-model-name {model}, or give another --vllm-url"
        )


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.username is not None:  # and is not shown
        raise UserError(
            f"--vllm-url has a name or password before {parts.hostname!r}; leave it out, and "
            f"set {KEY_VARIABLE} where the server wants a key"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"--vllm-url {url!r}: expected an address such as http://HOST:8000")
    if parts.path.rstrip("/").endswith("/v1"):
        raise UserError(
            f"--vllm-url {url!r}: expected the address without /v1, so "
            f"{url.rstrip('/').removesuffix('/v1')}"
        )


def _ask(url: str, path: str, timeout: float) -> _Answer:
    try:
        return get(url, path, timeout)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise UserError(
            f"{url} does not answer ({reason}); start the server and wait until it is ready, "
            "or give another --vllm-url"
        ) from error


def get(url: str, path: str, timeout: float) -> _Answer:
    """What a server answers, whatever its status; raises where there is no answer."""
    key = os.environ.get(KEY_VARIABLE)
    headers = {"Authorization": f"Bearer {key}"} if key and path != "/health" else {}
    request = urllib.request.Request(url.rstrip("/") + path, headers=headers)
    # No proxy leads to this machine, and a redirect could lead the key elsewhere.
    local = urlsplit(url).hostname in _LOCAL
    handlers = [urllib.request.ProxyHandler({})] if local else []
    try:
        with urllib.request.build_opener(_NoRedirect, *handlers).open(
            request, timeout=timeout
        ) as answer:
            return _Answer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return _Answer(error.code, b"")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None
