"""From a staging folder to the output folder, all at once or not at all.

On a local disk the finished folder takes the place of the old one by one rename.
An object store has no rename of folders: there, files are moved one by one and
the manifest is written last, so a folder without a manifest is not published.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import glob
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from beam_thunder.card import card
from beam_thunder.errors import BuildRefused, UserError
from beam_thunder.manifest import CARD, MANIFEST, REPORT, RESULT, SPILLED, dump, read_manifest
from beam_thunder.paths import ASIDE, is_local

_KEPT = (MANIFEST, REPORT, "rejects", "validation")
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


@contextlib.contextmanager
def staging(out: str) -> Iterator[str]:
    """A new, empty staging folder for `out`, removed at the end.

    One build at a time may have it; what a killed one left behind is removed.

    Raises:
      UserError: `out` holds something else than an earlier build, cannot be
        replaced, or another build is writing it.
    """
    if not is_local(out):
        from beam_thunder import remote

        remote.check_out(out)
        yield remote.staging(out)
        return
    target = Path(out).resolve()
    _check_out(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Each its own: a cluster may still be working for a build that was killed.
    folder = target.with_name(f".{target.name}.staging.{os.getpid()}.{os.urandom(4).hex()}")
    with _locked(target):
        _recover(target)
        for left in target.parent.glob(f".{glob.escape(target.name)}.staging.*"):
            shutil.rmtree(left, ignore_errors=True)
        folder.mkdir()
        try:
            yield str(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def complete(folder: str, manifest: Mapping[str, Any]) -> None:
    """Makes a staging folder look as it will when it is published."""
    if not is_local(folder):
        from beam_thunder import remote

        remote.complete(folder, manifest)
        return
    source = Path(folder)
    (source / RESULT).unlink()
    shutil.rmtree(source / SPILLED, ignore_errors=True)
    for left in source.rglob(f"{ASIDE}*"):  # by a worker that was killed
        left.unlink(missing_ok=True)
    (source / CARD).write_text(card(manifest), encoding="utf-8")
    (source / MANIFEST).write_bytes(dump(manifest))


def report(folder: str, manifest: Mapping[str, Any]) -> None:
    """Writes the report of a complete staging folder into it."""
    from beam_thunder.report import write_report

    if is_local(folder):
        write_report(Path(folder))
    else:
        from beam_thunder import remote

        remote.report(folder, manifest)


def publish(folder: str, out: str, manifest: Mapping[str, Any]) -> None:
    """Makes the staging folder's content what is to be seen at `out`."""
    if not is_local(out):
        from beam_thunder import remote

        remote.publish(folder, out, manifest)
        return
    source, target = Path(folder), Path(out).resolve()
    _sync(source)
    if target.exists() and any(target.iterdir()):
        _exchange(source, target)
    else:
        source.rename(target)  # over an empty folder, or to where nothing is
    shutil.rmtree(_refused(target), ignore_errors=True)


def keep_refused(folder: str, out: str) -> str:
    """Keeps what explains a refused build beside `out`: counts, statistics, report, rejects.

    Returns:
      The folder they are in.
    """
    if not is_local(out):
        return folder  # staging folders of object stores are not removed
    kept = _refused(Path(out).resolve())
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    for name in _KEPT:
        source = Path(folder, name)
        if source.exists():
            source.rename(kept / name)
    return str(kept)


def _check_out(target: Path) -> None:
    if target.is_file():
        raise UserError(f"--out {target} is a file; give a folder")
    if target.is_mount():
        raise UserError(
            f"--out {target} is a mount point, which a finished build cannot replace at once; "
            f"give a folder in it, as {target / 'thunder'}"
        )
    if not target.exists() or not any(target.iterdir()):
        return
    cure = "give another --out, or empty it first"
    try:
        manifest = read_manifest(target)
    except UserError as error:
        raise UserError(
            f"--out {target} holds something that is no build of beam-thunder; {cure}"
        ) from error
    ours = {file["path"] for file in manifest["files"]} | {MANIFEST, CARD, REPORT}
    for path in sorted(target.rglob("*")):
        if not path.is_dir() and path.relative_to(target).as_posix() not in ours:
            raise UserError(
                f"--out {target} holds {path.relative_to(target)} beside an earlier build, "
                f"which a new build would remove; {cure}"
            )


def _refused(target: Path) -> Path:
    return target.with_name(f"{target.name}.refused")


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Holds the lock of `out`; the system lets go of it however the process ends."""
    path = target.with_name(f".{target.name}.lock")
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"another build is writing {target}; wait for it, or give another --out"
            ) from error
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Has the disk hold every file before the rename makes them seen."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _exchange(source: Path, target: Path) -> None:
    """Swaps two folders; afterwards `source` is the old one, to be removed."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        paths = os.fsencode(source), os.fsencode(target)
        if libc.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0:
            return
        code = ctypes.get_errno()
        if code not in (errno.ENOSYS, errno.EINVAL):
            raise BuildRefused(f"{target} cannot be replaced: {os.strerror(code)}")
    # Without an exchange there is a moment in which `out` is not there: a kill in
    # it is put right by the next build, see `_recover`.
    target.rename(_previous(target))
    source.rename(target)
    shutil.rmtree(_previous(target))


def _previous(target: Path) -> Path:
    return target.with_name(f".{target.name}.previous")


def _recover(target: Path) -> None:
    previous = _previous(target)
    if previous.exists() and not target.exists():
        previous.rename(target)
    shutil.rmtree(previous, ignore_errors=True)
