"""A table's profile: a few numbers for each row, derived from its texts.

What is to be said about texts is said about these measures, in the TFDV schemas
beside `schemas/tables.py`. A measure is 0 where there is nothing to report.

For each text column `C` of a table:

| measure | unit |
| --- | --- |
| `C_characters` | Unicode code points |
| `C_lines` | lines, one more than the line breaks |
| `C_digits` | share of the characters that are decimal digits, 0 to 1 |
| `C_hangul`, `C_latin`, `C_han`, `C_kana`, `C_other` | share of the letters, 0 to 1 |
| `C_mostly_hangul` | 1 if more than half of the letters are Hangul |
| `C_replacement` | U+FFFD characters, what a broken decoding leaves behind |
| `C_blank` | 1 if there is nothing but white space |
| `C_edged` | 1 if the text starts or ends with white space |

and, where a table has the columns, `prompt_in_language` (1 if the prompt is mostly
Hangul as the language `ko` says, or is not as any other does), `completion_in_prompt` (1
if so), `identical` (1 if chosen and rejected are equal) and `length_ratio` (characters of
chosen per character of rejected).
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TEXTS: Mapping[str, tuple[str, ...]] = {
    "questions": ("prompt",),
    "attempts": ("response",),
    "sft": ("prompt", "completion"),
    "preference": ("prompt", "chosen", "rejected"),
    "kto": ("prompt", "completion"),
    "published": ("question", "response"),
}
"""The text columns of each table."""

CATEGORIES = (
    "source",
    "language",
    "domain",
    "kind",
    "license",
    "model",
    "chosen_model",
    "rejected_model",
    "verdict",
    "question_source",
    "source_dataset",
)
"""Columns that are measured as they are, where a table has them."""

SCRIPTS = ("hangul", "latin", "han", "kana", "other")

Numbers = np.ndarray[Any, np.dtype[Any]]

_AT_A_TIME = 8192
"""Texts."""

_ONES = np.array([byte.bit_count() for byte in range(256)], np.uint8)
"""How many bits of each byte are 1."""

# What a character counts as. Letters come first, in the order of SCRIPTS.
_DIGIT, _BREAK, _SPACE, _REPLACEMENT, _NONE = 5, 6, 7, 8, 9


Measured = dict[int, tuple[pa.Array, dict[str, Numbers]]]
"""Dictionaries of texts and their measures, by the address of the texts."""


def profile(
    rows: pa.RecordBatch, table: str, measured: Measured | None = None
) -> pa.RecordBatch:
    """The measures of each row of a table, in the order of the rows.

    A text column may be dictionary-encoded; then each of its texts is measured once.

    Args:
      rows: of the table.
      table: `questions`, `attempts`, `sft` or `preference`.
      measured: what other tables with the same dictionaries have measured already;
        added to.
    """
    measured = {} if measured is None else measured
    measures: dict[str, Any] = {}
    for name in TEXTS[table]:
        for measure, values in measure_column(rows.column(name), measured).items():
            measures[f"{name}_{measure}"] = values
    if "prompt_mostly_hangul" in measures and "language" in rows.schema.names:
        korean = equal(rows.column("language"), pa.scalar("ko"))
        measures["prompt_in_language"] = (measures["prompt_mostly_hangul"] == korean).astype(
            np.int8
        )
    if table == "sft":
        measures["completion_in_prompt"] = contained(
            rows.column("completion"), rows.column("prompt")
        )
    if table == "preference":
        chosen, rejected = measures["chosen_characters"], measures["rejected_characters"]
        measures["length_ratio"] = (chosen / np.maximum(rejected, 1)).astype(np.float32)
        measures["identical"] = equal(rows.column("chosen"), rows.column("rejected"))
    for name in CATEGORIES:
        if name in rows.schema.names:
            measures[name] = rows.column(name)
    return pa.RecordBatch.from_arrays(
        [pa.array(v) if isinstance(v, np.ndarray) else v for v in measures.values()],
        names=list(measures),
    )


def measure_column(column: pa.Array, measured: Measured) -> dict[str, Numbers]:
    """The measures of a column's texts, one array each, in the order of the rows."""
    if not pa.types.is_dictionary(column.type):
        return measure(column)
    texts = column.dictionary
    address = texts.buffers()[1].address
    if address not in measured:
        measured[address] = texts, measure(texts)  # the texts, so that the address stays theirs
    indices = column.indices.to_numpy(zero_copy_only=False)
    return {
        name: values[indices] if values.any() else np.zeros(len(indices), values.dtype)
        for name, values in measured[address][1].items()
    }


def measure(texts: pa.Array) -> dict[str, Numbers]:
    """The measures of texts without nulls, one array each."""
    # Some at a time: then what is made on the way stays in the processor's cache.
    starts = range(0, max(len(texts), 1), _AT_A_TIME)
    measured = [_measure(texts.slice(start, _AT_A_TIME)) for start in starts]
    return {name: np.concatenate([each[name] for each in measured]) for name in measured[0]}


def _measure(texts: pa.Array) -> dict[str, Numbers]:
    characters = Characters.of(texts)
    length, breaks = characters.lengths, characters.count(_BREAK)
    shares = _shares(characters)
    edged = characters.edged()
    # White space alone is edged too, so most of the time there is nothing to count.
    white = characters.count(_SPACE) + breaks if edged.any() else breaks
    return {
        "characters": length,
        "lines": np.where(length > 0, breaks + 1, 0).astype(np.int32),
        "digits": (characters.count(_DIGIT) / np.maximum(length, 1)).astype(np.float32),
        **shares,
        "mostly_hangul": (shares["hangul"] > 0.5).astype(np.int8),
        "replacement": characters.count(_REPLACEMENT),
        "blank": (length == white).astype(np.int8),
        "edged": edged.astype(np.int8),
    }


def _shares(characters: Characters) -> dict[str, Numbers]:
    """The share of each script in the letters of each text."""
    scripts = [kind for kind in range(len(SCRIPTS)) if characters.has(kind)]
    none = np.zeros(len(characters.ends) - 1, np.float32)
    shares = dict.fromkeys(SCRIPTS, none)
    if len(scripts) == 1:  # as in most English data: then a text has all of it or nothing
        [only] = scripts
        shares[SCRIPTS[only]] = (characters.count(only) > 0).astype(np.float32)
        return shares
    letters = {SCRIPTS[kind]: characters.count(kind) for kind in scripts}
    total = np.maximum(sum(letters.values(), start=np.int32(0)), 1)
    return shares | {name: (n / total).astype(np.float32) for name, n in letters.items()}


@dataclass(frozen=True)
class Characters:
    """The characters of many texts in one array, each as the kind it counts as.

    Attributes:
      kinds: of every character of every text.
      ends: where each text ends in `kinds`, behind a leading 0.
    """

    kinds: Numbers
    ends: Numbers

    @classmethod
    def of(cls, texts: pa.Array) -> Characters:
        """Looks up the kind of every character."""
        _, offsets, data = texts.buffers()
        ends = np.frombuffer(offsets, np.int32)[texts.offset :][: len(texts) + 1]
        raw = (data or pa.py_buffer(b""))[int(ends[0]) : int(ends[-1])].to_pybytes()
        if raw.isascii():
            kinds = raw.translate(_kinds(256).tobytes())
            return cls(np.frombuffer(kinds, np.uint8), ends.astype(np.int64) - ends[0])
        # One decoding for all texts; UTF-32 has one number for each character.
        points = np.frombuffer(raw.decode().encode("utf-32-le"), np.uint32)
        lengths = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
        ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        return cls(_kinds(sys.maxunicode + 1)[points], ends)

    @property
    def lengths(self) -> Numbers:
        """Characters of each text."""
        return np.diff(self.ends).astype(np.int32)

    def has(self, kind: int) -> bool:
        """Whether any text has a character of a kind."""
        return bool((self.kinds == kind).any())

    def count(self, kind: int) -> Numbers:
        """How many characters of a kind each text has."""
        hits = self.kinds == kind
        if np.count_nonzero(hits) * 128 <= len(hits):  # for few it is faster to look them up
            places = np.flatnonzero(hits)
            return np.diff(np.searchsorted(places, self.ends)).astype(np.int32)
        # Otherwise by eights: how many there are up to a byte of bits, and within it.
        bits = np.packbits(hits, bitorder="little")
        before = np.zeros(len(bits) + 1, np.int32)
        np.cumsum(_ONES[bits], out=before[1:])
        byte, bit = self.ends >> 3, (self.ends & 7).astype(np.uint8)
        within = bits[np.minimum(byte, len(bits) - 1)] & ((np.uint8(1) << bit) - np.uint8(1))
        return np.diff(before[byte] + _ONES[within]).astype(np.int32)

    def edged(self) -> Numbers:
        """Whether each text starts or ends with white space."""
        edged = self.ends[1:] > self.ends[:-1]
        first, last = self.kinds[self.ends[:-1][edged]], self.kinds[self.ends[1:][edged] - 1]
        edged[edged] = np.isin(first, (_SPACE, _BREAK)) | np.isin(last, (_SPACE, _BREAK))
        return edged


@cache
def _kinds(points: int) -> Numbers:
    """The kind of each of the first code points; ASCII needs no wait for all of them."""
    kinds = np.full(points, _NONE, np.uint8)
    for point in range(points):
        character = chr(point)
        category = unicodedata.category(character)
        if category == "Nd":
            kinds[point] = _DIGIT
        elif category[0] == "L":
            kinds[point] = _script(point)
        elif character.isspace():
            kinds[point] = _SPACE
    kinds[ord("\n")] = _BREAK
    kinds[0xFFFD:0xFFFE] = _REPLACEMENT
    return kinds


def _script(point: int) -> int:
    """The script of a letter, by the name that Unicode gives it."""
    name = unicodedata.name(chr(point), "")
    starts = {
        "hangul": ("HANGUL", "HALFWIDTH HANGUL"),
        "latin": ("LATIN", "FULLWIDTH LATIN", "MODIFIER LETTER SMALL", "FEMININE", "MASCULINE"),
        "han": ("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "IDEOGRAPHIC"),
        "kana": ("HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA"),
    }
    for kind, script in enumerate(SCRIPTS[:-1]):
        if name.startswith(starts[script]):
            return kind
    return SCRIPTS.index("other")


def equal(left: pa.Array, right: pa.Array | pa.Scalar) -> Numbers:
    """1 where two columns, or a column and a value, are equal, else 0."""
    same = pc.equal(decoded(left), decoded(right))
    return same.to_numpy(zero_copy_only=False).astype(np.int8)


def contained(inner: pa.Array, outer: pa.Array) -> Numbers:
    """1 where a text is a part of the other column's text, else 0."""
    small, large = _bytes(inner), _bytes(outer)
    spans = zip(*_spans(inner), *_spans(outer), strict=True)
    # In UTF-8, bytes contain bytes exactly where text contains text.
    found = [large.find(small[a:b], start, end) for a, b, start, end in spans]
    return (np.array(found, np.int64) >= 0).astype(np.int8)


def _bytes(column: pa.Array) -> bytes:
    texts = column.dictionary if pa.types.is_dictionary(column.type) else column
    return (texts.buffers()[2] or pa.py_buffer(b"")).to_pybytes()


def _spans(column: pa.Array) -> tuple[list[int], list[int]]:
    """Where each row's text starts and ends in `_bytes`."""
    encoded = pa.types.is_dictionary(column.type)
    texts = column.dictionary if encoded else column
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset :][: len(texts) + 1]
    rows = column.indices.to_numpy() if encoded else np.arange(len(column))
    return ends[rows].tolist(), ends[rows + 1].tolist()


def decoded(column: pa.Array) -> pa.Array:
    """A column without its dictionary, if it has one."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
