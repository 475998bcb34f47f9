"""Raw files to raw record batches: Parquet, CSV, TSV and lines of JSON, gzip or not.

A raw batch has one column per field of its source, and beside them `file`,
`position`, `reason` and `detail`: a row that cannot be read stays in its place
with a reason, so that rows in and rows out can be compared.
"""

from __future__ import annotations

import bz2
import contextlib
import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import IO, Any

import apache_beam as beam
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import PCollection

from beam_thunder.errors import RawFileError
from beam_thunder.paths import absolute
from beam_thunder.transforms.fields import (
    Field,
    Flaw,
    from_columns,
    from_record,
    records_to_columns,
)
from beam_thunder.transforms.progress import Progress

BATCH_ROWS = 8192
SLICE_BYTES = 64 << 20
"""Row groups of a Parquet file are read together up to this size."""

FORMATS = ("parquet", "csv", "tsv", "jsonl", "json")
_DECOMPRESS: dict[str, Callable[[Any], Any]] = {
    "gz": lambda handle: gzip.GzipFile(fileobj=handle),
    "bz2": bz2.BZ2File,
}
_SHARD = re.compile(r"^(?P<stem>.*)-\d{5}-of-(?P<count>\d{5})(?P<suffix>\..*)$")


@dataclass(frozen=True)
class OutsideSplit:
    """Rows of other splits, in a file that holds several.

    The Hub keeps splits in files of their own, and nobody misses the files that
    are not read. So rows that are known to be another split's are passed over
    where they are read, and are neither rows of the dataset nor rejects.

    Attributes:
      field: name of a field of kind `key` that tells the split.
      keys: its values in rows of other splits; any other row is read.
    """

    field: str
    keys: frozenset[str]

    def drop(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A raw batch without those rows; the others keep their positions."""
        keys = pa.array(sorted(self.keys), pa.string())
        return batch.filter(pc.invert(pc.is_in(batch.column(self.field), value_set=keys)))


@dataclass(frozen=True)
class RawRows:
    """What a source reads of its files.

    Attributes:
      fields: the values that its parser needs.
      positional: names of the cells of a CSV file that has no header.
      outside_split: which rows are passed over, where files may hold several splits.
    """

    fields: tuple[Field, ...]
    positional: tuple[str, ...] = ()
    outside_split: OutsideSplit | None = None

    @property
    def schema(self) -> pa.Schema:
        """Of the raw batches."""
        origin = [("file", pa.string()), ("position", pa.int64())]
        flaw = [("reason", pa.string()), ("detail", pa.string())]
        return pa.schema([*origin, *((f.name, f.type) for f in self.fields), *flaw])

    def is_header(self, cells: Sequence[str]) -> bool:
        """Whether the cells name every field's column, as a header does."""
        row = dict.fromkeys(cells)
        found = [from_record(row, [each]) for each in self.fields]
        return not any(isinstance(f, Flaw) and f.reason == "missing_column" for f in found)


@dataclass(frozen=True)
class RawSlice:
    """A part of a raw file that is read in one go.

    Attributes:
      path: of the file, as Beam's filesystems take it.
      name: of the file below the raw folder, as reports show it.
      bytes: its share of the file's size.
      row_groups: of a Parquet file; empty for a text file, which is read whole.
      first: position of its first row.
      rows: how many it has, where the file says so.
    """

    path: str
    name: str
    bytes: int
    row_groups: tuple[int, ...] = ()
    first: int = 1
    rows: int | None = None


def raw_format(path: str) -> str:
    """The format that a file's name promises.

    Raises:
      RawFileError: no known one.
    """
    stem = re.sub(rf"\.({'|'.join(_DECOMPRESS)})$", "", path)
    suffix = stem.rpartition(".")[2].lower().replace("ndjson", "jsonl")
    if suffix not in FORMATS:
        raise RawFileError(
            f"{path}: expected a file named .{', .'.join(FORMATS)} (or .gz of it)"
        )
    return suffix


# Finding files, before anything runs.


def find_files(raw: str, patterns: Sequence[str]) -> list[tuple[str, str, int]]:
    """The files under a raw folder that match any pattern: path, name below it, bytes.

    Raises:
      RawFileError: a numbered set of files (`-00000-of-00003`) that is not complete.
    """
    root = absolute(raw).rstrip("/") + "/"
    globs = [root + pattern for pattern in patterns]
    found = {
        each.path: each.size_in_bytes
        for match in FileSystems.match(globs)
        for each in match.metadata_list
    }
    files = sorted((path, path.removeprefix(root), size) for path, size in found.items())
    _check_numbered([name for _, name, _ in files], raw)
    return files


def _check_numbered(names: Sequence[str], raw: str) -> None:
    sets: dict[tuple[str, str, int], int] = {}
    for match in filter(None, map(_SHARD.match, names)):
        key = (match["stem"], match["suffix"], int(match["count"]))
        sets[key] = sets.get(key, 0) + 1
    for (stem, suffix, count), present in sets.items():
        if present != count:
            raise RawFileError(
                f"{raw}: {stem}-*{suffix} has {present} of its {count} files; fetch the others"
            )


def raw_slices(files: Sequence[tuple[str, str, int]]) -> list[RawSlice]:
    """How the files are read: Parquet by row groups, text files whole.

    Raises:
      RawFileError: a file that is not what its name says.
    """
    return [
        piece
        for path, name, size in files
        for piece in (
            _parquet_slices(path, name, size)
            if raw_format(path) == "parquet"
            else [RawSlice(path, name, size)]
        )
    ]


def _parquet_slices(path: str, name: str, size: int) -> list[RawSlice]:
    with _open_parquet(path) as parquet:
        metadata = parquet.metadata
    slices: list[RawSlice] = []
    groups: list[int] = []
    first, rows, held = 1, 0, 0
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        groups.append(index)
        rows, held = rows + group.num_rows, held + group.total_byte_size
        if held >= SLICE_BYTES or index == metadata.num_row_groups - 1:
            share = size * rows // max(metadata.num_rows, 1)
            slices.append(RawSlice(path, name, share, tuple(groups), first, rows))
            first, groups, rows, held = first + rows, [], 0, 0
    return slices


def _ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches; the next one is decoded while one is being parsed."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def _open_parquet(path: str) -> pq.ParquetFile:
    local = FileSystems.get_scheme(path) is None
    try:
        handle = (
            pa.OSFile(path)
            if local
            else FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
        )
        return pq.ParquetFile(handle)
    except (pa.ArrowInvalid, OSError) as error:
        raise RawFileError(
            f"{path} is no readable Parquet file: {error}; fetch it again"
        ) from error


# Reading.


def read_slice(piece: RawSlice, rows: RawRows, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The raw batches of a slice, in the order of the file.

    Raises:
      RawFileError: the file ends early, or its bytes are damaged.
    """
    read = _read_parquet if raw_format(piece.path) == "parquet" else _read_text
    with _reading(piece):
        for batch in read(piece, rows, batch_rows):
            kept = rows.outside_split.drop(batch) if rows.outside_split else batch
            if kept.num_rows:
                yield kept


@contextlib.contextmanager
def _reading(piece: RawSlice) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, zlib.error) as error:
        raise RawFileError(f"{piece.path} cannot be read: {error}; fetch it again") from error


def count_rows(piece: RawSlice, rows: RawRows) -> int:
    """How many raw rows a slice has, read or told by its file."""
    if rows.outside_split is not None:
        return sum(batch.num_rows for batch in read_slice(piece, rows, BATCH_ROWS))
    if piece.rows is not None:
        return piece.rows
    with _reading(piece), _open_text(piece.path) as handle:
        return sum(1 for _ in _lines(piece, rows, handle))


def _raw_batch(
    piece: RawSlice, rows: RawRows, positions: Sequence[int], columns: Sequence[pa.Array]
) -> pa.RecordBatch:
    origin = [pa.array([piece.name]).take(pa.array([0] * len(positions), pa.int32()))]
    return pa.RecordBatch.from_arrays(
        [*origin, pa.array(positions, pa.int64()), *columns], schema=rows.schema
    )


def _read_parquet(piece: RawSlice, rows: RawRows, batch_rows: int) -> Iterator[pa.RecordBatch]:
    wanted = set().union(*(each.columns for each in rows.fields))
    position = piece.first
    with _open_parquet(piece.path) as parquet:
        names = [name for name in parquet.schema_arrow.names if name in wanted]
        batches = _ahead(
            parquet.iter_batches(batch_rows, row_groups=list(piece.row_groups), columns=names)
        )
        if not names:  # nothing to read, and still every row is accounted for
            count = sum(parquet.metadata.row_group(i).num_rows for i in piece.row_groups)
            batches = iter([pa.RecordBatch.from_arrays([pa.nulls(count)], names=[""])])
        for batch in batches:
            columns, reason, detail = from_columns(batch, rows.fields)
            positions = range(position, position + batch.num_rows)
            yield _raw_batch(piece, rows, positions, [*columns, reason, detail])
            position += batch.num_rows


@contextlib.contextmanager
def _open_text(path: str) -> Iterator[IO[bytes]]:
    """The decompressed bytes of a file; an end that comes too early is an EOFError."""
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as handle:
        opener = _DECOMPRESS.get(path.rpartition(".")[2])
        if opener is None:
            yield handle
            return
        with opener(handle) as inner:
            yield inner


def _read_text(piece: RawSlice, rows: RawRows, batch_rows: int) -> Iterator[pa.RecordBatch]:
    with _open_text(piece.path) as handle:
        lines = _lines(piece, rows, handle)
        while batch := list(islice(lines, batch_rows)):
            records = [from_record(content, rows.fields) for _, content in batch]
            columns = list(records_to_columns(records, rows.fields))
            yield _raw_batch(piece, rows, [position for position, _ in batch], columns)


def _lines(piece: RawSlice, rows: RawRows, handle: Any) -> Iterator[tuple[int, Any]]:
    """Each row's position and content: a mapping, or the flaw that keeps it from being one."""
    kind = raw_format(piece.path)
    if kind == "jsonl":
        return _json_lines(handle)
    if kind == "json":
        return _json_items(handle)
    return _csv_records(handle, rows, "\t" if kind == "tsv" else ",")


def _csv_records(handle: Any, rows: RawRows, delimiter: str) -> Iterator[tuple[int, Any]]:
    # Bytes that are no UTF-8 survive as surrogates, to be rejected row by row.
    text = io.TextIOWrapper(handle, "utf-8-sig", errors="surrogateescape", newline="")
    lines = _csv_rows(csv.reader(text, delimiter=delimiter, strict=True))
    first = next(lines, None)
    if first is None:
        return
    names = first[1] if isinstance(first[1], list) else []
    if rows.positional and not rows.is_header(names):
        names = list(rows.positional)
        lines = chain([first], lines)
    for span, cells in lines:
        if isinstance(cells, list) and len(cells) == len(names):
            yield span[0], dict(zip(names, cells, strict=True))
            continue
        wrong = f"expected {len(names)} cells, found {len(cells)}"
        # A quote that is not closed swallows lines that are rows of their own: as one
        # reject they would pass for a single bad row.
        for line in span:
            yield line, Flaw("unreadable_line", cells if isinstance(cells, str) else wrong)


def _csv_rows(reader: Any) -> Iterator[tuple[range, list[str] | str]]:
    """The lines of each row, with its cells or what is wrong; blank lines are no rows."""
    while True:
        start = reader.line_num + 1
        cells: list[str] | str
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = str(error)
        if cells:
            yield range(start, max(start, reader.line_num) + 1), cells


def _json_lines(handle: Any) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(handle, 1):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if text.strip():
            yield number, _decoded(text)


def _decoded(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        shown = line[:200].decode("utf-8", "backslashreplace").strip()
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return Flaw("invalid_utf8", shown)
        return Flaw("unreadable_line", f"{error}: {shown}")


def _json_items(handle: Any) -> Iterator[tuple[int, Any]]:
    """The entries of a file that is one JSON list, or one object of objects."""
    text = handle.read().removeprefix(b"\xef\xbb\xbf")
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise pa.ArrowInvalid(f"no JSON: {error}") from error
    items = list(whole.values()) if isinstance(whole, dict) else whole
    if not isinstance(items, list):
        raise pa.ArrowInvalid(f"expected a list or an object, found {type(whole).__name__}")
    yield from enumerate(items, 1)


@dataclass(eq=False)
class ReadRaw(beam.PTransform[PCollection[RawSlice], PCollection[pa.RecordBatch]]):
    """Slices of raw files to raw batches of at most `batch_rows` rows."""

    rows: RawRows
    batch_rows: int = BATCH_ROWS
    progress: Progress = field(default_factory=Progress)

    def expand(self, slices: PCollection[RawSlice]) -> PCollection[pa.RecordBatch]:
        # Without a shuffle every slice would be read where the list of them was made.
        return (
            slices
            | "Spread slices over workers" >> beam.Reshuffle()
            | "Read slices" >> beam.FlatMap(self._read).with_output_types(pa.RecordBatch)
        )

    def _read(self, piece: RawSlice) -> Iterator[pa.RecordBatch]:
        for batch in read_slice(piece, self.rows, self.batch_rows):
            self.progress.add("rows", batch.num_rows)
            yield batch
        self.progress.add("bytes", piece.bytes)
