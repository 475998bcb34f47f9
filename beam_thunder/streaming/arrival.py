"""Raw files as they arrive, and what is read of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import PurePosixPath

import pyarrow as pa

from beam_thunder import files
from beam_thunder.errors import RawFileError
from beam_thunder.ledger import Ledger
from beam_thunder.transforms import BATCH_ROWS, ParseRows, RecordBatchCoder, raw_slices
from beam_thunder.transforms.questions import split_rejects
from beam_thunder.transforms.read import read_slice


@dataclass(frozen=True, order=True)
class Arrival:
    """A raw file as it was found; when it changes, it is another.

    Attributes:
      path: as Beam's filesystems take it.
      bytes: its size.
      modified: when it was last changed, in seconds since 1970.
    """

    path: str
    bytes: int
    modified: float

    @property
    def digest(self) -> str:
        """A name for it that is as good as its own, and fits into a path."""
        text = f"{self.path}\n{self.bytes}\n{self.modified!r}"
        return blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Piece:
    """What a part of a raw file came to.

    Attributes:
      dataset: that it belongs to.
      arrival: the raw file.
      ledger: counts of what was read and parsed.
      questions: path of a file of them; empty if there are none.
      attempts: path of a file of graded attempts at them; empty if there are none.
      rejects: path of a file of raw rows that gave none; empty if there are none.
      unused: attempts that are of no use, by reason.
      error: why the file cannot be used; empty if it can.
      pieces: how many the raw file has, which the last of them says; 0 in the others.
    """

    dataset: str
    arrival: Arrival
    ledger: Ledger = field(default_factory=Ledger)
    questions: str = ""
    attempts: str = ""
    rejects: str = ""
    unused: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    pieces: int = 0


def whole(pieces: Iterable[Piece]) -> list[Piece]:
    """Those whose raw files are there with all their pieces."""
    found = list(pieces)
    missing = Counter({each.arrival: each.pieces for each in found if each.pieces})
    missing.subtract(each.arrival for each in found)
    return [each for each in found if missing[each.arrival] == 0]


def datasets_of(path: str, patterns: Mapping[str, Iterable[str]]) -> list[str]:
    """The names of the datasets that a raw file belongs to.

    It does if a folder above it has the dataset's name, or if its path ends as one of the
    dataset's own files does. If there is one dataset only, everything belongs to it.

    Args:
      path: of the file.
      patterns: of raw files, by dataset.
    """
    if len(patterns) == 1:
        return list(patterns)
    place = PurePosixPath(path)
    return [
        name
        for name, own in patterns.items()
        if name in place.parts[:-1] or any(place.match(each) for each in own)
    ]


def read_arrival(
    name: str, source: ParseRows, arrival: Arrival, state: str
) -> Iterator[tuple[Piece, pa.RecordBatch | None]]:
    """The pieces of a raw file, each with its questions, if it has any.

    A file that cannot be read gives a piece that says why.

    Args:
      name: of the dataset.
      source: the transform that makes its questions.
      arrival: the file.
      state: folder for rows on their way, see `kept`.
    """
    named = [(arrival.path, PurePosixPath(arrival.path).name, arrival.bytes)]
    try:
        for piece in raw_slices(named):
            for rows in read_slice(piece, source.rows, BATCH_ROWS):
                questions, rejects = split_rejects(rows, source.parse(rows))
                counts = rejects.column("reason").value_counts().to_pylist()
                reasons = {each["values"]: each["counts"] for each in counts}
                ledger = Ledger(rows.num_rows, questions.num_rows, reasons)
                kept_rejects = kept(rejects, name, arrival, state) if len(rejects) else ""
                read = Piece(name, arrival, ledger, rejects=kept_rejects)
                yield read, (questions if len(questions) else None)
    except RawFileError as error:
        yield Piece(name, arrival, error=str(error)), None


def kept(rows: pa.RecordBatch, dataset: str, arrival: Arrival, state: str) -> str:
    """Keeps rows in a file until their window is published; returns its path.

    It is named after its content: kept again by a retry, it is the same.
    """
    content = RecordBatchCoder().encode(rows)
    digest = blake2b(content, digest_size=16).hexdigest()
    path = f"{folder_of(dataset, arrival, state)}/{digest}"
    files.write(path, content)
    return path


def folder_of(dataset: str, arrival: Arrival, state: str) -> str:
    """Where the rows of a raw file are kept on their way."""
    return f"{state}/rows/{dataset}/{arrival.digest}"


def load(path: str) -> pa.RecordBatch:
    """The rows that were kept there."""
    return RecordBatchCoder().decode(files.read(path))
