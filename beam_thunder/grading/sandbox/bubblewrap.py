"""The command line that starts the sandbox, and what to do where it cannot be had."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from beam_thunder.errors import UserError

GUEST = Path(__file__).parent / "guest"

START = "import sys; sys.path.insert(0, '/grader'); from guest.server import main; main()"

PACKAGES = ("sortedcontainers",)
"""What LeetCode offers beside the standard library; only what is installed here is there."""

INSIDE_UID = 1000
"""Of programs, in the sandbox."""

ADVICE = """\
Code is graded only in a sandbox of bubblewrap, which needs user namespaces:
  - Debian, Ubuntu: apt-get install bubblewrap; Fedora: dnf install bubblewrap
  - if the kernel forbids them (one of these, whichever exists):
      sysctl -w kernel.unprivileged_userns_clone=1
      sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
      sysctl -w user.max_user_namespaces=10000
  - in Docker or Podman: --security-opt seccomp=unconfined --security-opt apparmor=unconfined
    --security-opt systempaths=unconfined, or --privileged
  - in Kubernetes: securityContext with seccompProfile Unconfined, or privileged
docs/sandbox.md says more. A recipe without mbpp and leetcode needs none of this."""


def unavailable(why: str) -> UserError:
    """The error that says why there is no sandbox, and how to get one."""
    return UserError(f"no sandbox to grade code in: {why}\n{ADVICE}")


def command(limits: str, as_root: bool) -> list[str]:
    """What starts the sandbox, up to options that name file descriptors.

    Args:
      limits: as the guest takes them.
      as_root: whether root starts it, who then maps users by itself.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise unavailable("the program `bwrap` is not on the PATH")
    return [
        program,
        *["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"],
        *["--unshare-cgroup-try", "--as-pid-1", "--new-session", "--clearenv"],
        *("--hostname", "sandbox"),
        # Symbols are looked up once, and not again in every process that is forked.
        *("--setenv", "LD_BIND_NOW", "1"),
        *("--setenv", "PYTHONHASHSEED", "0", "--setenv", "LD_LIBRARY_PATH", "/python/lib"),
        # For the server alone, which gives them up for the processes that it forks.
        *["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP"],
        *(_caps_of_root() if as_root else ("--uid", str(INSIDE_UID), "--gid", str(INSIDE_UID))),
        *runtime(),
        *("--dir", "/tmp", "--remount-ro", "/"),
        *(PYTHON, "-I", "-S", "-B", "-X", "utf8", "-c", START, limits),
    ]


def _caps_of_root() -> list[str]:
    return ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_KILL"]


PYTHON = f"/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
"""The interpreter that runs this, in the sandbox."""


def runtime() -> Iterator[str]:
    """The interpreter and its libraries, read-only; nothing else of the host."""
    python = ("/python", "/python/bin", f"/python/{sys.platlibdir}")
    # By name: folders that bubblewrap makes on the way are closed to all but root.
    for folder in ("/usr", "/dev", *python, "/grader", "/packages"):
        yield from ("--perms", "0755", "--dir", folder)
    for device in ("null", "zero", "urandom", "random"):
        yield from ("--dev-bind", f"/dev/{device}", f"/dev/{device}")
    for name in ("lib", "lib32", "lib64", "libx32"):
        yield from _as_on_host(Path("/") / name)
        yield from _as_on_host(Path("/usr") / name)
    base = Path(sys.base_prefix).resolve()
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    if base != Path("/usr"):  # its own libraries, such as libpython
        yield from ("--ro-bind", str(base / "lib"), "/python/lib")
    yield from ("--ro-bind", str(standard), f"/python/{sys.platlibdir}/{standard.name}")
    for packages in standard.glob("*-packages"):
        inside = f"/python/{sys.platlibdir}/{standard.name}/{packages.name}"
        yield from ("--tmpfs", inside, "--remount-ro", inside)
    yield from ("--ro-bind", os.path.realpath(sys.executable), PYTHON)
    yield from ("--ro-bind", str(GUEST), "/grader/guest")
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:
            yield from ("--ro-bind", str(Path(found.origin).parent), f"/packages/{name}")


def _as_on_host(folder: Path) -> Iterator[str]:
    if folder.is_symlink():
        yield from ("--symlink", str(folder.readlink()), str(folder))
    elif folder.is_dir():
        yield from ("--ro-bind", str(folder), str(folder))
