"""Where attempts are kept: small immutable Parquet files, on a disk or in an object store.

`OUT/DATASET/MODEL/part-DIGEST.parquet`. A file is there whole or not at all, and its name
follows from its keys, so writing it twice is harmless. Nothing is ever changed in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from beam_thunder.errors import RawFileError
from beam_thunder.files import write
from beam_thunder.generation.attempts import STORED, TRANSIENT


def folder_of(root: str, dataset: str, model: str) -> str:
    """Where the attempts of a model at a dataset's questions are kept."""
    return FileSystems.join(root, dataset, model)


def write_part(rows: Sequence[dict[str, Any]], folder: str) -> str:
    """Writes attempts as a part of a folder, durably; returns its path."""
    return _write(pa.Table.from_pylist(list(rows), schema=STORED), folder)


def _write(rows: pa.Table, folder: str) -> str:
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, STORED, compression="zstd") as writer:
        writer.write_table(rows)
    # The content, and not the keys alone: what is asked again is another file.
    name = f"part-{blake2b(sink.getvalue(), digest_size=16).hexdigest()}.parquet"
    path = FileSystems.join(folder, name)
    write(path, sink.getvalue())
    return path


def merge_parts(paths: Sequence[str]) -> str:
    """Makes one part of several of the same folder; returns its path.

    Stopped in between it leaves both, which is harmless: a key counts once.
    """
    tables = [read_part(path) for path in paths]
    folder = FileSystems.split(paths[0])[0]
    merged = _write(pa.concat_tables(tables), folder)
    FileSystems.delete([path for path in paths if path != merged])
    return merged


def parts(folder: str) -> list[str]:
    """The paths of a folder's parts, in the order of their names; none if it is not there."""
    match = FileSystems.match([FileSystems.join(folder, "part-*.parquet")])[0]
    return sorted(each.path for each in match.metadata_list)


def read_part(path: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A part's attempts, or some of their columns.

    Raises:
      RawFileError: it is not a file that was written here.
    """
    try:
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            return pq.read_table(pa.BufferReader(file.read()), columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise RawFileError(
            f"{path}: no readable attempts: {error}; delete it, and generate again"
        ) from error


class Keys:
    """A set of keys, as bytes: half the memory of their texts."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._bytes: set[bytes] = set()
        self.update(keys)

    def update(self, keys: Iterable[str]) -> None:
        """Adds keys."""
        self._bytes.update(map(bytes.fromhex, keys))

    def __contains__(self, key: str) -> bool:
        return bytes.fromhex(key) in self._bytes

    def __len__(self) -> int:
        return len(self._bytes)


def done(folder: str, redo_truncated: bool = False) -> Keys:
    """The keys of what need not be asked again.

    Args:
      folder: of a model's attempts at a dataset's questions.
      redo_truncated: whether answers that were cut off at the token limit are asked again.
    """
    found = Keys()
    for path in parts(folder):
        rows = read_part(path, ["key", "error", "finish_reason"])
        again = pc.is_in(rows.column("error"), value_set=pa.array(TRANSIENT))
        if redo_truncated:
            cut = pc.fill_null(pc.equal(rows.column("finish_reason"), "length"), False)
            again = pc.or_(again, cut)
        found.update(rows.column("key").filter(pc.invert(again)).to_pylist())
    return found
