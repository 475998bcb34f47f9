"""What a folder of attempts holds."""

from __future__ import annotations

from typing import Any

from beam_thunder.generation.attempts import best
from beam_thunder.generation.store import parts, read_part


def stored(folder: str) -> dict[str, dict[str, Any]]:
    """Its rows by key; of several with the same key the best."""
    kept: dict[str, dict[str, Any]] = {}
    for path in parts(folder):
        for row in read_part(path).to_pylist():
            key = row["key"]
            kept[key] = dict(best(kept[key], row)) if key in kept else row
    return kept
