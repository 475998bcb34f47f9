"""The interpreter that a vLLM server is started with: found, and seen to have vLLM."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from beam_thunder.errors import UserError

CONTAINER_PYTHON = "/opt/vllm/bin/python"
"""Where runners/Dockerfile puts the interpreter that has vLLM."""

_CURE = "run `make vllm`, or name an interpreter that has it with --vllm-python PATH"


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
            env=environment(),
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


def environment() -> dict[str, str]:
    """This process's, without what would mix this interpreter's packages into another's."""
    environment = dict(os.environ, PYTHONSAFEPATH="1")  # nor those of the current folder
    for name in ("PYTHONPATH", "PYTHONHOME"):
        environment.pop(name, None)
    return environment
