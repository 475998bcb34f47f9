"""Paths that mean the same to a worker as to who started it."""

from __future__ import annotations

from pathlib import Path

from beam_thunder.publish import is_local


def absolute(path: str) -> str:
    """A local path from the root, as workers run in folders of their own; URLs as they are."""
    return str(Path(path).absolute()) if is_local(path) else path
