"""A vLLM server that is started for a run, and stopped with it.

vLLM's pins and TensorFlow Data Validation's exclude each other, so a server runs in an
interpreter of its own, and is spoken to over HTTP.
"""

from __future__ import annotations

import http.client
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from beam_thunder.errors import UserError
from beam_thunder.generation.interpreter import check_interpreter, environment
from beam_thunder.generation.served import KEY_VARIABLE, check_served, get

_HOST = "127.0.0.1"
_SUPERVISE = Path(__file__).with_name("supervise.py")
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
                env=environment(),
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
            return self.alive() and get(self.url, "/health", 5.0).status == 200
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
