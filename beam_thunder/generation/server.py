"""vLLM servers: started for a run and stopped with it, or running already and looked at.

vLLM's pins and TensorFlow Data Validation's exclude each other, so a server runs in an
interpreter of its own, and is spoken to over HTTP.
"""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from beam_thunder.errors import UserError

KEY_VARIABLE = "VLLM_API_KEY"
"""Where a server's key is taken from; vLLM reads the same. Never on a command line, where
every user of the machine would see it."""

_HOST = "127.0.0.1"
_SUPERVISE = Path(__file__).with_name("supervise.py")
_CURE = "run `make vllm`, or name an interpreter that has it with --vllm-python PATH"
_POLL_SECONDS = 0.25
_LOG_LINES = 30

_OWNED = {
    "model": "the recipe's `hub` names it",
    "served-model-name": "it is served under the recipe's `hub`",
    "host": f"it listens on {_HOST} only",
    "port": "a free one is chosen",
    "api-key": f"set {KEY_VARIABLE} instead",
    "enable-log-requests": "prompts are not logged",
}
"""Arguments that are not the recipe's to give, and why."""


@dataclass
class VllmServer:
    """A vLLM server of this process, which ends with it.

    Attributes:
      python: an interpreter that has vLLM, see `find_interpreter`.
      model: a repository on the Hugging Face Hub, or a local folder.
      arguments: the server's own, as vLLM names them, see `flags`.
      name: what requests call the model; empty for the same as `model`.
      port: to listen on; 0 for a free one.
      ready_seconds: how long it may take until it answers. Raise it where large weights
        are downloaded first.
      grace_seconds: how long it, and then what it started, may take to end by itself
        before it is killed.
    """

    python: str
    model: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    port: int = 0
    ready_seconds: float = 3600.0
    grace_seconds: float = 10.0

    def __post_init__(self) -> None:
        self.name = self.name or self.model
        self._flags = flags(self.arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None

    @property
    def url(self) -> str:
        """The server's address, once it was started; a restart keeps it."""
        return f"http://{_HOST}:{self.port}"

    def start(self) -> None:
        """Starts the server, and waits until it answers.

        Raises:
          UserError: the interpreter has no vLLM, the port is in use, or the server ended or
            was not ready in time; in this case with the end of its log.
        """
        self.launch()
        self.wait_until_ready(self.ready_seconds)

    def launch(self) -> None:
        """Starts the server, and does not wait."""
        check_interpreter(self.python)
        self.port = _free_port(self.port)
        if self._log is None:
            self._log = Path(tempfile.mkdtemp(prefix="beam-thunder-vllm-"), "server.log")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._supervisor(), *self._command()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(),
                # Ctrl-C at a terminal is for this process, which then stops the server.
                start_new_session=True,
            )

    def wait_until_ready(self, timeout: float) -> None:
        """Waits until the server answers and serves the model; else stops it and raises.

        Args:
          timeout: in seconds.

        Raises:
          UserError: it ended, or was not ready in time; with the end of its log.
        """
        last = time.monotonic() + timeout
        while not self._healthy():
            if not self.alive():
                raise self._failure(f"ended with status {self._end()} before it was ready")
            if time.monotonic() > last:
                self._end()
                raise self._failure(f"was not ready within {timeout:.0f} s")
            time.sleep(_POLL_SECONDS)
        try:
            check_served(self.url, self.name)
        except UserError:
            self.stop()
            raise

    def alive(self) -> bool:
        """Whether it was started and has not ended since."""
        if self._process is None or self._process.poll() is not None:
            return False
        # The supervisor closes it at once, and then clears away what the server left.
        output = select.poll()
        output.register(self._process.stdout or -1, select.POLLIN)
        return not output.poll(0)

    def restart(self) -> None:
        """Starts it again at the same address, whether or not it still runs.

        Raises:
          UserError: as `start` does.
        """
        self._end()
        self.start()

    def stop(self) -> None:
        """Ends it and all that it has started; nothing of it runs on return. Its log goes."""
        self._end()
        if self._log is not None:
            shutil.rmtree(self._log.parent, ignore_errors=True)
            self._log = None

    def log_end(self, lines: int = _LOG_LINES) -> str:
        """The last lines of what it printed."""
        if self._log is None:
            return ""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.rstrip().splitlines()[-lines:])

    def __enter__(self) -> VllmServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.stop()

    def _supervisor(self) -> list[str]:
        owner, grace = str(os.getpid()), str(self.grace_seconds)
        return [sys.executable, "-I", str(_SUPERVISE), owner, grace]

    def _command(self) -> list[str]:
        return [
            *(self.python, "-m", "vllm.entrypoints.openai.api_server"),
            *("--model", self.model, "--served-model-name", self.name),
            *("--host", _HOST, "--port", str(self.port), *self._flags),
        ]

    def _healthy(self) -> bool:
        try:
            return self.alive() and _get(self.url, "/health", 5.0).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def _end(self) -> int | None:
        """Ends it, if it was started; gives the status that it ended with."""
        if self._process is None:
            return None
        # The supervisor waits for its input to close.
        self._process.communicate()
        return self._process.returncode

    def _failure(self, happened: str) -> UserError:
        """What happened, with the end of the log; the log itself stays."""
        return UserError(
            f"the vLLM server of {self.model!r} {happened}; its log is {self._log}. What it "
            "lacks is mostly put right with the model's `server` arguments in the recipe; "
            f"the log ends with:\n{self.log_end()}"
        )


def flags(arguments: Mapping[str, Any]) -> list[str]:
    """A server's arguments as its command line has them.

    Args:
      arguments: a value per name; `max_model_len` is the same as `max-model-len`. True
        stands for a flag without a value, False for leaving it out.

    Raises:
      UserError: a name that is not the recipe's to give, or comes twice, or a value that
        is neither text nor a number nor true or false.
    """
    values: dict[str, Any] = {}
    for given, value in arguments.items():
        name = given.lstrip("-").replace("_", "-")
        if name in _OWNED:
            raise UserError(
                f"server argument {given!r} cannot be given: {_OWNED[name]}; leave it out"
            )
        if name in values:
            raise UserError(f"server argument {given!r} is given twice; leave one out")
        if not isinstance(value, str | int | float):
            raise UserError(
                f"server argument {given!r}: expected text, a number, true or false, "
                f"not {value!r}; write lists and mappings as JSON in quotes"
            )
        values[name] = value
    return [
        f"--{name}" if value is True else f"--{name}={value}"
        for name, value in values.items()
        if value is not False
    ]


def find_interpreter(given: str | None = None) -> str:
    """The interpreter to start vLLM with, as an absolute path.

    Args:
      given: the user's choice. Without one, it is that of `make vllm`, in the current
        folder or in this checkout, else the running one.

    Raises:
      UserError: there is none, or the one that was given has no vLLM.
    """
    if given is not None:
        # Links are not followed: by its link an interpreter knows its environment.
        path = shutil.which(given) or Path(given).expanduser().absolute()
        check_interpreter(str(path))
        return str(Path(path).absolute())
    checkout = Path(__file__).parents[2]
    made = [folder / ".vllm" / "bin" / "python" for folder in (Path.cwd(), checkout)]
    for path in made:
        if path.exists():
            check_interpreter(str(path))
            return str(path)
    if importlib.util.find_spec("vllm"):
        return sys.executable
    raise UserError(f"no vLLM: neither {made[0]} is there nor has {sys.executable} it; {_CURE}")


def check_interpreter(path: str) -> None:
    """Sees whether an interpreter has vLLM, within a second and without importing it.

    Raises:
      UserError: it is not there, cannot be run, or has no vLLM.
    """
    if not Path(path).is_file():
        raise UserError(f"interpreter {path!r} is not there; {_CURE}")
    if not os.access(path, os.X_OK):
        raise UserError(f"interpreter {path!r} is not executable; {_CURE}")
    code = (
        "from importlib.util import find_spec\n"
        "print(*(name for name in ('vllm', 'torch') if not find_spec(name)))"
    )
    try:
        ran = subprocess.run(
            [path, "-c", code],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"interpreter {path!r} does not run ({error}); {_CURE}") from error
    if ran.returncode:
        said = (ran.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"{path!r} is no Python that runs ({said}); {_CURE}")
    if missing := ran.stdout.split():
        raise UserError(f"interpreter {path!r} has no {' and no '.join(missing)}; {_CURE}")


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
        return _get(url, path, timeout)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise UserError(
            f"{url} does not answer ({reason}); start the server and wait until it is ready, "
            "or give another --vllm-url"
        ) from error


def _get(url: str, path: str, timeout: float) -> _Answer:
    """What a server answers, whatever its status; raises where there is no answer."""
    key = os.environ.get(KEY_VARIABLE)
    headers = {"Authorization": f"Bearer {key}"} if key and path != "/health" else {}
    request = urllib.request.Request(url.rstrip("/") + path, headers=headers)
    # No proxy leads to this machine, and a redirect could lead the key elsewhere.
    local = urlsplit(url).hostname in (_HOST, "localhost", "::1")
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


def _free_port(wanted: int) -> int:
    """The port that is wanted, or any where that is 0.

    vLLM shares a port with whoever else shares it, so it would not notice.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind((_HOST, wanted))
        except OSError as error:
            raise UserError(
                f"port {wanted} of {_HOST} cannot be had ({error.strerror}); stop what listens "
                "there, or take it with --vllm-url where it is the server that is meant"
            ) from error
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    """This process's, without what would mix this interpreter's packages into another's."""
    environment = dict(os.environ, PYTHONSAFEPATH="1")  # nor those of the current folder
    for name in ("PYTHONPATH", "PYTHONHOME"):
        environment.pop(name, None)
    return environment
