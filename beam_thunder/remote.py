"""Publishing to what Beam's filesystems reach but no rename of folders: object stores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from beam_thunder.errors import UserError
from beam_thunder.manifest import MANIFEST, dump


def staging(out: str) -> str:
    """The staging folder of `out`, emptied of what an earlier build left there."""
    folder = FileSystems.join(out, ".staging")
    _delete(_listed(folder))
    return folder


def check_out(out: str) -> None:
    """Raises a UserError if `out` holds something else than an earlier build."""
    files = [path for path in _listed(out) if "/.staging/" not in path]
    if files and FileSystems.join(out, MANIFEST) not in files:
        raise UserError(
            f"--out {out} holds {files[0]} and no {MANIFEST}, so it is no build of "
            "beam-thunder, or one that was cut off; give another --out, or empty it"
        )


def publish(folder: str, out: str, manifest: Mapping[str, Any], card: str) -> None:
    """Moves the staged files below `out`; the manifest, written last, makes them count."""
    last = FileSystems.join(out, MANIFEST)
    old: set[str] = set()
    if FileSystems.exists(last):
        with FileSystems.open(last, compression_type=CompressionTypes.UNCOMPRESSED) as handle:
            files = json.loads(handle.read())["files"]
        old = {FileSystems.join(out, *file["path"].split("/")) for file in files}
        FileSystems.delete([last])  # from here on, until the end, nothing is published
    moves = {
        FileSystems.join(folder, *file["path"].split("/")): FileSystems.join(
            out, *file["path"].split("/")
        )
        for file in manifest["files"]
    }
    _delete(sorted(old))
    FileSystems.rename(list(moves), list(moves.values()))
    _write(FileSystems.join(out, "README.md"), card.encode())
    _write(last, dump(manifest))
    _delete(_listed(folder))


def read(path: str) -> bytes:
    """The bytes of a file."""
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as handle:
        return handle.read()


def _write(path: str, content: bytes) -> None:
    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as handle:
        handle.write(content)


def _listed(folder: str) -> list[str]:
    match = FileSystems.match([folder.rstrip("/") + "/**"])[0]
    return [each.path for each in match.metadata_list]


def _delete(paths: list[str]) -> None:
    if paths:
        FileSystems.delete(paths)
