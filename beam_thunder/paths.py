"""Paths that mean the same to a worker as to who started it."""

from __future__ import annotations

from pathlib import Path

ASIDE = ".aside-"
"""How names of files begin that are not yet whole, or were left so by a kill."""


def is_local(path: str) -> bool:
    """Whether a file or folder is on a local disk, rather than behind a URL."""
    return "://" not in path


def absolute(path: str) -> str:
    """A local path from the root, as workers run in folders of their own; URLs as they are."""
    return str(Path(path).absolute()) if is_local(path) else path
