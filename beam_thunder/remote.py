"""Publishing to what Beam's filesystems reach but no rename of folders: object stores."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from apache_beam.io.filesystems import FileSystems

from beam_thunder import files
from beam_thunder.card import card
from beam_thunder.errors import UserError
from beam_thunder.manifest import CARD, MANIFEST, REPORT, dump

_STAGING = ".staging"


def staging(out: str) -> str:
    """A new staging folder of `out`; what earlier builds left there is removed.

    Each its own: a cluster may still be working for a build that was killed.
    """
    folder = FileSystems.join(out, _STAGING)
    files.remove(folder)
    return FileSystems.join(folder, os.urandom(4).hex())


def check_out(out: str) -> None:
    """Raises a UserError if `out` holds something else than an earlier build."""
    found = [path for path in files.below(out) if f"/{_STAGING}/" not in path]
    if found and FileSystems.join(out, MANIFEST) not in found:
        raise UserError(
            f"--out {out} holds {found[0]} and no {MANIFEST}, so it is no build of "
            "beam-thunder, or one that was cut off; give another --out, or empty it"
        )


def complete(folder: str, manifest: Mapping[str, Any]) -> None:
    """Puts card and manifest into the staging folder."""
    files.write(_join(folder, CARD), card(manifest).encode())
    files.write(_join(folder, MANIFEST), dump(manifest))


def report(folder: str, manifest: Mapping[str, Any]) -> None:
    """Puts the report into the staging folder, made of a copy of what it shows."""
    from beam_thunder.report import write_report

    with tempfile.TemporaryDirectory() as local:
        copy = Path(local)
        (copy / MANIFEST).write_bytes(dump(manifest))
        for path in _shown(manifest):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).write_bytes(files.read(_join(folder, path)))
        files.write(_join(folder, REPORT), write_report(copy).read_bytes())


def _shown(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What a report reads: all but the tables, and the beginnings of these."""
    from beam_thunder.report.samples import READ_ROWS

    rows: dict[str, int] = {}
    for file in manifest["files"]:
        table = str(Path(file["path"]).parent)
        if not file["path"].endswith(".parquet"):
            yield file["path"]
        elif rows.setdefault(table, 0) < READ_ROWS:
            rows[table] += file["rows"]
            yield file["path"]


def publish(folder: str, out: str, manifest: Mapping[str, Any]) -> None:
    """Moves the staged files below `out`; the manifest, written last, makes them count."""
    last = FileSystems.join(out, MANIFEST)
    old: set[str] = set()
    if FileSystems.exists(last):
        old = {_join(out, file["path"]) for file in json.loads(files.read(last))["files"]}
        FileSystems.delete([last])  # from here on, until the end, nothing is published
    if old:
        FileSystems.delete(sorted(old))
    moved = [*(file["path"] for file in manifest["files"]), REPORT, CARD]
    FileSystems.rename([_join(folder, p) for p in moved], [_join(out, p) for p in moved])
    files.write(last, dump(manifest))
    files.remove(folder)


def _join(folder: str, path: str) -> str:
    return FileSystems.join(folder, *path.split("/"))
