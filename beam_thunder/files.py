"""Files that are written whole or not at all, on a disk or in an object store."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from beam_thunder.paths import ASIDE, is_local

Content: TypeAlias = Any
"""Bytes, or what Arrow holds them in."""


def exists(path: str) -> bool:
    """Whether there is such a file or folder."""
    return Path(path).exists() if is_local(path) else FileSystems.exists(path)


def read(path: str) -> bytes:
    """The bytes of a file."""
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        return file.read()


def write(path: str, content: Content, durable: bool = True) -> None:
    """Writes a file, whose folder need not be there; others see all of it or nothing.

    So a worker that was given up, and still writes what another has written again, does no
    harm: both write the same.

    Args:
      path: of the file.
      content: of it.
      durable: whether to wait until a local disk has it; a build waits at its end, once.
    """
    if is_local(path):
        _aside(Path(path), content, durable).replace(path)
        return
    # An object appears when it is closed, and not before.
    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write(bytes(content))


def create(path: str, content: bytes) -> bool:
    """Writes a file, durably, if there is none of that name; returns whether it did."""
    if is_local(path):
        aside = _aside(Path(path), content)
        try:
            os.link(aside, path)
        except FileExistsError:
            return False
        finally:
            aside.unlink()
        return True
    return _create_object(path, content)


def _create_object(path: str, content: bytes) -> bool:
    if not path.startswith("gs://"):  # other stores offer Beam no such thing
        if FileSystems.exists(path):
            return False
        write(path, content)
        return True
    from google.api_core.exceptions import PreconditionFailed
    from google.cloud.storage import Client

    bucket, _, name = path.removeprefix("gs://").partition("/")
    blob = Client().bucket(bucket).blob(name)
    if blob.exists():
        return False
    try:
        blob.upload_from_string(content, if_generation_match=0)
    except PreconditionFailed:
        return False
    return True


def _aside(path: Path, content: Content, durable: bool = True) -> Path:
    """A file with the content beside the path, in no pattern's way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{ASIDE}{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with aside.open("wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    return aside


def move(source: str, target: str) -> None:
    """Gives a folder its final place; done before, wholly or in part, it goes on there."""
    if is_local(source):
        if Path(source).exists():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(source).rename(target)
        return
    paths = below(source)
    # The manifest last: where there are no renames of folders, it is what makes them count.
    for group in (
        [path for path in paths if not path.endswith("/manifest.json")],
        [path for path in paths if path.endswith("/manifest.json")],
    ):
        if group:
            FileSystems.rename(group, [target + path.removeprefix(source) for path in group])


def upload(folder: Path, target: str) -> None:
    """Brings a local folder to where all workers reach it; one that is there stays."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            if is_local(target):
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            else:
                write(f"{target}/{name}", path.read_bytes())


def remove(folder: str) -> None:
    """Removes a folder and what is in it, if it is there."""
    if is_local(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return
    paths = below(folder)
    if paths:
        FileSystems.delete(paths)


def below(folder: str) -> list[str]:
    """The files of an object store's folder, in the order of their names."""
    match = FileSystems.match([folder.rstrip("/") + "/**"])[0]
    return sorted(each.path for each in match.metadata_list)


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Waits for the lock of that name, and holds it; on object stores there is none."""
    if not is_local(path):
        yield
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system lets go of it however the process ends
        yield
