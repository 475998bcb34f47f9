"""What a source needs of its raw rows, wherever a layout keeps it.

The Hub and the publishers keep the same rows in different shapes: flat or
nested, options as one list or as columns, answer keys as text or as integers.
A source lists its `Field`s with every place a layout may have them; what comes
out are Arrow columns with those names, and a named reason for each row that
lacks one of them. A value that is not of the field's kind is never converted
by guessing: the row is rejected.

A *place* is a column (`question`), a path through structs (`question.stem`),
a path through a list of structs (`question.choices[].text`), or a tuple of
places that together make a list (`("A", "B", "C", "D")`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Place = str | tuple[str, ...]
FieldKind = Literal["text", "texts", "key"]

EXPECTED = {
    "text": "text",
    "texts": "a list of texts",
    "key": "text or an integer",
}
_ABSENT = object()
_SURROGATE = re.compile("[\ud800-\udfff]")  # no text has them; undecodable bytes become them

Indices = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Field:
    """A value that a source needs.

    Attributes:
      name: what the source's parser calls it.
      kind: `text`; `texts`, a list of texts; `key`, text that may come as an integer.
      places: where layouts keep it, tried in this order; the name itself if empty.
      optional: whether a row may do without it; its value then is null.
    """

    name: str
    kind: FieldKind
    places: tuple[Place, ...] = ()
    optional: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", self.places or (self.name,))

    @property
    def type(self) -> pa.DataType:
        """The Arrow type of its column."""
        return pa.list_(pa.string()) if self.kind == "texts" else pa.string()

    @property
    def columns(self) -> set[str]:
        """The top-level columns that any of its places starts from."""
        parts = [
            p for place in self.places for p in ([place] if isinstance(place, str) else place)
        ]
        return {part.split(".")[0].removesuffix("[]") for part in parts}


@dataclass(frozen=True)
class Flaw:
    """Why a row cannot be used: a reason that is counted, and a detail for people."""

    reason: str
    detail: str


# Rows that come as Python objects: lines of JSON, rows of CSV.


def from_record(record: object, fields: Sequence[Field]) -> dict[str, Any] | Flaw:
    """The fields' values in one JSON object or CSV row, or the first flaw met."""
    if isinstance(record, Flaw):
        return record
    if not isinstance(record, dict):
        return Flaw("wrong_type", f"expected an object, found {type(record).__name__}")
    values: dict[str, Any] = {}
    for field in fields:
        found = [value for p in field.places if (value := _lookup(record, p)) is not _ABSENT]
        if not found and not field.optional:
            return _missing(field)
        if field.optional and (not found or found[0] is None):
            values[field.name] = None
            continue
        value = _typed(found[0], field)
        if isinstance(value, Flaw):
            return value
        values[field.name] = value
    return values


def _missing(field: Field) -> Flaw:
    places = " or ".join(p if isinstance(p, str) else "+".join(p) for p in field.places)
    return Flaw("missing_column", f"{field.name}: expected {places}")


def _lookup(value: Any, place: Place) -> Any:
    if isinstance(place, tuple):
        values = [_lookup(value, part) for part in place]
        return _ABSENT if any(each is _ABSENT for each in values) else values
    name, _, rest = place.partition(".")
    column, is_list = name.removesuffix("[]"), name.endswith("[]")
    if not isinstance(value, Mapping) or column not in value:
        return _ABSENT
    inner = value[column]
    if is_list:
        if not isinstance(inner, list):
            return _ABSENT
        items = [_lookup(item, rest) for item in inner]
        return _ABSENT if any(item is _ABSENT for item in items) else items
    return _lookup(inner, rest) if rest else inner


def _typed(value: Any, field: Field) -> Any:
    values = value if field.kind == "texts" and isinstance(value, list) else [value]
    if any(each is None for each in values):
        return Flaw("null_value", field.name)
    if field.kind == "key" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if field.kind == "texts" and not isinstance(value, list):
        values = [_ABSENT]
    for each in values:
        if not isinstance(each, str):
            wrong = type(value if each is _ABSENT else each).__name__
            return Flaw(
                "wrong_type", f"{field.name}: expected {EXPECTED[field.kind]}, found {wrong}"
            )
        if not each.isascii() and _SURROGATE.search(each):
            return Flaw("invalid_utf8", field.name)
    return value


# Rows that come as Arrow columns: Parquet.


def from_columns(
    batch: pa.RecordBatch, fields: Sequence[Field]
) -> tuple[list[pa.Array], pa.Array, pa.Array]:
    """The fields' columns in a raw batch, with the reason and detail of each flawed row.

    Returns:
      One array per field, then `reason` and `detail`, null where the row is sound.
      All have the batch's length; a flawed row's values may be null.
    """
    columns = []
    flaws: list[tuple[pa.Array, Flaw]] = []
    for field in fields:
        column, found = _column(batch, field)
        columns.append(column)
        flaws += found
    reason, detail = first_flaw(batch.num_rows, flaws)
    return columns, reason, detail


def first_flaw(rows: int, flaws: Sequence[tuple[pa.Array, Flaw]]) -> tuple[pa.Array, pa.Array]:
    """Reason and detail per row: of the first flaw whose mask holds there, else null."""
    reason = detail = pa.nulls(rows, pa.string())
    for mask, flaw in flaws:
        mask = pc.fill_null(mask, False)
        if pc.any(mask).as_py():
            fresh = pc.and_(mask, pc.is_null(reason))
            reason = pc.if_else(fresh, flaw.reason, reason)
            detail = pc.if_else(fresh, flaw.detail, detail)
    return reason, detail


def _column(
    batch: pa.RecordBatch, field: Field
) -> tuple[pa.Array, list[tuple[pa.Array, Flaw]]]:
    rows = batch.num_rows
    everywhere = pa.array(np.ones(rows, dtype=bool))
    raw = next((c for place in field.places if (c := resolve(batch, place)) is not None), None)
    if raw is None:
        absent = [] if field.optional else [(everywhere, _missing(field))]
        return pa.nulls(rows, field.type), absent
    column = _as_kind(raw, field.kind)
    if column is None:
        flaw = Flaw(
            "wrong_type", f"{field.name}: expected {EXPECTED[field.kind]}, found {raw.type}"
        )
        return pa.nulls(rows, field.type), [(everywhere, flaw)]
    # Told before broken texts become null: an optional value may be null, but not broken.
    null = pc.and_(pc.is_null(column), not field.optional)
    column, broken = _valid_utf8(column)
    if field.kind == "texts":
        null = pc.or_(null, _any_per_list(column, pc.is_null))
    return column, [
        (broken, Flaw("invalid_utf8", field.name)),
        (null, Flaw("null_value", field.name)),
    ]


def resolve(batch: pa.RecordBatch, place: Place) -> pa.Array | None:
    """The column at a place, or None where the batch's schema has no such place."""
    if isinstance(place, tuple):
        parts = [resolve(batch, part) for part in place]
        if any(part is None for part in parts):
            return None
        return zip_lists([part for part in parts if part is not None])
    names = place.split(".")
    first = names[0].removesuffix("[]")
    if first not in batch.schema.names:
        return None
    return _descend(batch.column(batch.schema.get_field_index(first)), names)


def _descend(column: pa.Array, names: Sequence[str]) -> pa.Array | None:
    if names[0].endswith("[]"):
        if not _is_list(column.type):
            return None
        inner = _child(column.flatten(), names[1:])
        return None if inner is None else relist(column, inner)
    return _child(column, names[1:])


def _child(column: pa.Array, names: Sequence[str]) -> pa.Array | None:
    if not names:
        return column
    if not pa.types.is_struct(column.type):
        return None
    index = column.type.get_field_index(names[0].removesuffix("[]"))
    # `flatten` carries a struct's own nulls into its children; `field` would not.
    return None if index < 0 else _descend(column.flatten()[index], names)


def _is_list(of: pa.DataType) -> bool:
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(kind(of) for kind in kinds)


def relist(lists: pa.Array, values: pa.Array) -> pa.Array:
    """Lists of the same lengths and nulls as `lists`, over other flat values."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    # A null list is told by a null offset, except the last offset, which must be there.
    missing = np.append(pc.is_null(lists).to_numpy(zero_copy_only=False), False)
    return pa.ListArray.from_arrays(pa.array(offsets, mask=missing), values)


def zip_lists(columns: Sequence[pa.Array]) -> pa.Array | None:
    """One list per row of that row's value in each column."""
    texts = [_as_kind(column, "text") for column in columns]
    if any(text is None for text in texts):
        return None
    rows, width = len(columns[0]), len(columns)
    order = np.arange(rows * width).reshape(width, rows).T.ravel()
    flat = pa.concat_arrays(texts).take(pa.array(order))
    return pa.ListArray.from_arrays(pa.array(np.arange(rows + 1) * width, pa.int32()), flat)


def _as_kind(column: pa.Array, kind: FieldKind) -> pa.Array | None:
    """The column as the kind's Arrow type, or None if that would take guessing."""
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.list_(pa.string()) if kind == "texts" else pa.string())
    if kind == "texts":
        if not _is_list(column.type):
            return None
        values = _as_kind(column.flatten(), "text")
        return None if values is None else relist(column, values)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type):
        return column
    binary = pa.types.is_binary(column.type) or pa.types.is_large_string(column.type)
    if binary or (kind == "key" and pa.types.is_integer(column.type)):
        # Bytes become text unchecked here; `_valid_utf8` looks at them next.
        return pc.cast(column, pa.string(), safe=False) if binary else column.cast(pa.string())
    return None


def _valid_utf8(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The column with a null for each row that is no UTF-8, and the mask of those rows."""
    try:
        column.validate(full=True)  # Arrow reads Parquet's text unchecked
        return column, pa.array(np.zeros(len(column), dtype=bool))
    except pa.ArrowInvalid:
        broken = pa.array([not _is_valid(column.slice(i, 1)) for i in range(len(column))])
        sound = pc.invert(broken)
        # Null rows are put in by position: a kernel must not touch the broken bytes.
        places = pc.if_else(sound, pa.array(np.arange(len(column))), None)
        return column.take(places), broken


def _is_valid(cell: pa.Array) -> bool:
    try:
        pa.concat_arrays([cell]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _any_per_list(lists: pa.Array, predicate: Any) -> pa.Array:
    """Whether any value of a row's list satisfies the predicate; false for null lists."""
    rows, _ = positions(lists)
    hits = np.zeros(len(lists), dtype=bool)
    hits[rows[predicate(lists.flatten()).to_numpy(zero_copy_only=False)]] = True
    return pa.array(hits)


def positions(lists: pa.Array) -> tuple[Indices, Indices]:
    """For each value of the flattened lists: its row, and its place in the row's list."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(lists)), lengths)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def records_to_columns(
    records: Sequence[dict[str, Any] | Flaw], fields: Sequence[Field]
) -> Iterator[pa.Array]:
    """The fields' columns of rows from `from_record`, then reason and detail."""
    for field in fields:
        yield pa.array(
            [None if isinstance(r, Flaw) else r[field.name] for r in records], field.type
        )
    yield pa.array([r.reason if isinstance(r, Flaw) else None for r in records], pa.string())
    yield pa.array([r.detail if isinstance(r, Flaw) else None for r in records], pa.string())
