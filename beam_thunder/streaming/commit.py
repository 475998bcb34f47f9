"""Windows to the output folder, one after the other and each exactly once."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from beam_thunder import files
from beam_thunder.paths import is_local
from beam_thunder.streaming.arrival import Piece, folder_of, whole
from beam_thunder.streaming.log import QUARANTINE, STATE, WINDOWS, Entry, WindowLog
from beam_thunder.streaming.window import WindowRules, build_window

WINDOW_ROWS = 250_000
"""Questions of a window, which one worker holds: about 1 GB with its rows."""


def commit_window(
    name: str, pieces: Iterable[Piece], log: WindowLog, out: str, rules: WindowRules
) -> list[Entry]:
    """Builds a window and publishes it, or sets it aside.

    Another writer may have been first, as after a failure whose victim goes on for a while:
    then what it took is left out, and the window is built anew without it.

    Args:
      name: that the window should have; with `.2` and so on behind it for what is more than
        one window should hold, as at the start of a stream with many files.
      pieces: of all its raw files. A file some of whose pieces are missing is left alone.
      log: of the dataset.
      out: the output folder.
      rules: of the dataset.

    Returns:
      What was decided; nothing if all its files were taken before.
    """
    state = f"{out}/{STATE}"
    entries: list[Entry] = []
    found = sorted(whole(pieces), key=lambda each: (each.arrival, each.questions, each.rejects))
    with files.locked(f"{state}/locks/{rules.dataset}"):
        log.refresh()
        while new := [each for each in found if each.arrival not in log.taken]:
            entry = _attempt(log.free_name(name), _first(new), log, out, rules)
            entries += [entry] if entry else []
            log.refresh()
    for arrival in {each.arrival for each in found}:
        files.remove(folder_of(rules.dataset, arrival, state))
    return entries


def recover(log: WindowLog, out: str, dataset: str) -> None:
    """Finishes what an earlier stream decided on and did not get done."""
    with files.locked(f"{out}/{STATE}/locks/{dataset}"):
        log.refresh()


def _first(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of as many raw files as one window should hold; of one file at least."""
    rows = 0
    kept: list[Piece] = []
    for _, group in groupby(pieces, key=lambda each: each.arrival):
        of_file = list(group)
        rows += sum(each.ledger.questions for each in of_file)
        if kept and rows > WINDOW_ROWS:
            break
        kept += of_file
    return kept


def _attempt(
    name: str, pieces: list[Piece], log: WindowLog, out: str, rules: WindowRules
) -> Entry | None:
    """The window's entry; None if another writer was first."""
    staging = f"{STATE}/staged/{rules.dataset}"
    with _own_folder(out, staging) as own:
        folder = own / "window"
        folder.mkdir()
        built = build_window(name, pieces, log.seen, folder, rules)
        staged = f"{staging}/{own.name}/window"
        files.upload(folder, f"{out}/{staged}")
        place = QUARANTINE if built.refused else WINDOWS
        taken = tuple(sorted({each.arrival for each in pieces}))
        tables, rows = tuple(sorted(built.rows)), dict(built.rows)
        entry = Entry(name, place, staged, tables, taken, rows, dict(built.set_aside))
        return entry if log.commit(entry, built.ids) else None


@contextlib.contextmanager
def _own_folder(out: str, staging: str) -> Iterator[Path]:
    """A new folder to build a window in, from which a rename can publish it if one can."""
    if not is_local(out):
        with tempfile.TemporaryDirectory() as own:
            yield Path(own)
        return
    parent = Path(out, staging)
    # Nobody else has the lock, so what lies there is left over by who did not get far.
    shutil.rmtree(parent, ignore_errors=True)
    parent.mkdir(parents=True)
    own = tempfile.mkdtemp(dir=parent)
    yield Path(own)
    # Not after an error: the window may be decided, and then its files are needed.
    shutil.rmtree(own)
