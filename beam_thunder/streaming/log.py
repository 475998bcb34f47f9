"""A stream's log: which raw files became which window, and whose questions were seen.

`OUT/.stream/log/DATASET/00000000.json`, `00000001.json`, ...: an entry per window, numbered
and never changed. The entry is written when the window's files lie ready in its staging
folder; from then on the window is decided, and whoever finds its files not yet in their
place moves them. So a window is published whole or not at all, and exactly once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b

from beam_thunder import files
from beam_thunder.generation.store import Keys
from beam_thunder.manifest import MANIFEST
from beam_thunder.streaming.arrival import Arrival

WINDOWS = "windows"
QUARANTINE = "quarantine"
STATE = ".stream"
"""Folder below the output folder for what is not published."""


@dataclass(frozen=True)
class Entry:
    """A window that is decided.

    Attributes:
      window: its name, as in `window=NAME`.
      place: `WINDOWS`, or `QUARANTINE` where it is set aside.
      staged: folder with its files, below the output folder.
      tables: names of those it has rows of.
      files: raw files that it took; also those that could not be used.
      rows: written of each table.
      set_aside: raw files that could not be used, with the reason.
      ids: name of the file with the ids of its questions, beside the entry's.
    """

    window: str
    place: str
    staged: str
    tables: tuple[str, ...]
    files: tuple[Arrival, ...]
    rows: dict[str, int]
    set_aside: dict[str, str]
    ids: str = ""

    @classmethod
    def of(cls, text: bytes) -> Entry:
        """An entry as it was written."""
        fields = json.loads(text)
        arrivals = tuple(Arrival(**each) for each in fields.pop("files"))
        return cls(**{**fields, "tables": tuple(fields["tables"]), "files": arrivals})


class WindowLog:
    """The log of one dataset of a stream, and what follows from it.

    Args:
      out: the output folder.
      dataset: its name.

    Attributes:
      entries: read so far, in order.
      taken: raw files that are in a window.
      seen: ids of the questions whose rows are published.
    """

    def __init__(self, out: str, dataset: str) -> None:
        self._out, self._dataset = out, dataset
        self.entries: list[Entry] = []
        self.taken: set[Arrival] = set()
        self.seen = Keys()

    def read(self) -> None:
        """Reads entries that are new."""
        while files.exists(path := self._path(self._next)):
            entry = Entry.of(files.read(path))
            if entry.ids:
                self.seen.update(_ids(files.read(self._path(entry.ids))))
            self._take(entry)

    def refresh(self) -> None:
        """Reads entries that are new, and finishes windows that somebody has left half done.

        Only for who has the dataset's lock: others might be at it.
        """
        known = len(self.entries)
        self.read()
        for entry in self.entries[known:]:
            self._finish(entry)

    def free_name(self, wanted: str) -> str:
        """A window's name, with a number behind it where it is taken.

        It is after a restart, by a window that got a part of its files before.
        """
        names = {entry.window for entry in self.entries}
        numbered = (f"{wanted}.{number}" for number in range(2, len(names) + 3))
        return next(name for name in (wanted, *numbered) if name not in names)

    def commit(self, entry: Entry, ids: Sequence[str]) -> bool:
        """Decides on a window whose files are staged, and publishes it.

        Returns:
          Whether it was; not if another window came first: refresh, and build it anew.
        """
        if entry.place == WINDOWS:
            content = b"".join(map(bytes.fromhex, ids))
            # Named after its content, so that no other writer of this entry's number can
            # put another in its place.
            entry = replace(entry, ids=f"{blake2b(content, digest_size=16).hexdigest()}.ids")
            files.write(self._path(entry.ids), content)
        text = json.dumps(asdict(entry), ensure_ascii=False, indent=1).encode()
        if not files.create(self._path(self._next), text):
            return False
        self.seen.update(ids if entry.ids else ())
        self._take(entry)
        self._finish(entry)
        return True

    def _take(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.taken.update(entry.files)

    def _finish(self, entry: Entry) -> None:
        name = f"window={entry.window}"
        target = f"{self._out}/{entry.place}/{self._dataset}/{name}"
        if files.exists(f"{target}/{MANIFEST}"):
            return
        staged = f"{self._out}/{entry.staged}"
        if entry.place == WINDOWS:
            for table in entry.tables:
                place = f"{self._dataset}/{table}/{name}"
                files.move(f"{staged}/{place}", f"{self._out}/{place}")
            files.remove(f"{staged}/{self._dataset}")  # empty folders are left of it
        files.move(staged, target)

    @property
    def _next(self) -> str:
        return f"{len(self.entries):08d}.json"

    def _path(self, name: str) -> str:
        return f"{self._out}/{STATE}/log/{self._dataset}/{name}"


def _ids(content: bytes) -> Iterable[str]:
    return (content[start : start + 16].hex() for start in range(0, len(content), 16))
