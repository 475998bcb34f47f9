"""Files of a stream: written whole or not at all, on a disk or in an object store."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from beam_thunder.publish import is_local
from beam_thunder.remote import read

__all__ = ["create", "exists", "locked", "move", "read", "remove", "upload", "write"]


def exists(path: str) -> bool:
    """Whether there is such a file or folder."""
    return Path(path).exists() if is_local(path) else FileSystems.exists(path)


def write(path: str, content: bytes) -> None:
    """Writes a file, durably; another reader sees all of it or nothing."""
    if is_local(path):
        _aside(Path(path), content).replace(path)
        return
    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write(content)


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
    from google.cloud import storage  # type: ignore[import-untyped,attr-defined]

    blob = storage.Blob.from_string(path, client=storage.Client())
    if blob.exists():
        return False
    try:
        blob.upload_from_string(content, if_generation_match=0)
    except PreconditionFailed:
        return False
    return True


def _aside(path: Path, content: bytes) -> Path:
    """A file with the content beside the path, in no pattern's way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with aside.open("wb") as file:
        file.write(content)
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
    paths = _below(source)
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
    paths = _below(folder)
    if paths:
        FileSystems.delete(paths)


def _below(folder: str) -> list[str]:
    match = FileSystems.match([f"{folder}/**"])[0]
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
