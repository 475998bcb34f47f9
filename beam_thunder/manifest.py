"""The manifest: what a published folder holds, how it came about, and its checksums.

It names nothing that differs between two builds of the same thing (no time, no
host, no number of workers), so that it too is the same bytes.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from beam_thunder import __version__
from beam_thunder.errors import UserError
from beam_thunder.ledger import Ledger
from beam_thunder.recipe import Recipe

MANIFEST = "manifest.json"
CARD = "README.md"
REPORT = "report.html"
RESULT = "result.json"
"""What a pipeline leaves in its staging folder: files written, and ledgers."""

SPILLED = "spilled"
"""Folder below the staging folder for rows on their way; no part of what is published."""

FORMAT = 1
_PACKAGES = ("apache-beam", "numpy", "pyarrow", "tensorflow-data-validation")


def manifest(
    recipe: Recipe,
    raw_files: Mapping[str, Sequence[str]],
    result: Mapping[str, Any],
    validation: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The manifest of a build.

    Args:
      recipe: that was built.
      raw_files: names of each dataset's raw files.
      result: the content of the `RESULT` file.
      validation: what was found, and what was to be done about it; None if nothing
        was validated.
    """
    datasets = {}
    for name, dataset in recipe.datasets.items():
        entry = dataset.entry
        datasets[name] = {
            "source": entry.source,
            "kind": entry.kind,
            "language": entry.language,
            "domain": entry.domain,
            "license": entry.licence,
            "raw_files": list(raw_files[name]),
            "published": {"sft": entry.sft, "preference": entry.preference},
            "ledger": result["ledger"].get(name, asdict(Ledger())),
        }
    return {
        "format": FORMAT,
        "beam_thunder": __version__,
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        },
        "recipe": recipe.model_dump(),
        "datasets": datasets,
        **({} if validation is None else {"validation": validation}),
        "files": result["files"],
    }


def dump(content: Mapping[str, Any]) -> bytes:
    """A manifest as it is written: for people to read and compare."""
    return json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n"


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a published folder.

    Raises:
      UserError: there is none, or it is none of beam-thunder's.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{folder} is no published build: {MANIFEST}: {error}") from error
    if not isinstance(manifest, dict) or "beam_thunder" not in manifest:
        raise UserError(f"{folder / MANIFEST} is not a manifest of beam-thunder")
    return manifest


def explain(anomalies: Sequence[Mapping[str, Any]]) -> str:
    """Anomalies as lines for people."""
    lines = []
    for each in anomalies:
        lines.append(
            f"{each['dataset']}/{each['table']}: {each['measure']}: found {each['found']}; "
            f"the schema allows {each['expected']}"
        )
        lines += [f"    {row['id']}: {row['text']}" for row in each.get("rows", [])]
    return "\n".join(lines)
