"""Made-up rows like MMLU's, as a Parquet file in the Hub's layout.

    python benchmarks/rows.py ROWS FOLDER

The words are made up and as frequent as words are (Zipf's law, the frequent ones
short), so the text compresses about as well as English does.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PATH = "cais/mmlu/all/auxiliary_train-00000-of-00001.parquet"
"""Below the raw folder, where the catalog has MMLU."""

SEED = 20240
ROW_GROUP_ROWS = 10_000
CHOICES = 4
SCHEMA = pa.schema(
    [
        ("question", pa.string()),
        ("subject", pa.string()),
        ("choices", pa.list_(pa.string())),
        ("answer", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Vocabulary:
    """Made-up words, the most frequent first.

    Attributes:
      words: all different.
      shares: of a text, of each word and those before it; the last is 1.
    """

    words: pa.Array
    shares: np.ndarray[Any, np.dtype[np.float64]]


def vocabulary(size: int = 30_000) -> Vocabulary:
    """The same words every time; a frequent word has fewer syllables than a rare one."""
    rng = np.random.default_rng(SEED)
    onsets = ["", "b", "br", "c", "d", "f", "g", "h", "l", "m", "n", "p", "s", "st", "t", "th"]
    ends = [
        "a",
        "e",
        "i",
        "o",
        "u",
        "an",
        "en",
        "er",
        "in",
        "is",
        "on",
        "or",
        "al",
        "ed",
        "ing",
    ]
    words: dict[str, None] = {}
    while len(words) < size:
        syllables = 1 + int(rng.random() * np.log10(8 + len(words)))
        words["".join(rng.choice(onsets) + rng.choice(ends) for _ in range(syllables))] = None
    shares = np.cumsum(1 / (np.arange(size) + 1.0))
    return Vocabulary(pa.array(words), shares / shares[-1])


def texts(
    rng: np.random.Generator, known: Vocabulary, rows: int, low: int, high: int
) -> pa.Array:
    """So many texts, each of `low` to `high` words."""
    lengths = rng.integers(low, high, rows, endpoint=True)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    drawn = np.searchsorted(known.shares, rng.random(offsets[-1]))
    words = pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), known.words.take(pa.array(drawn))
    )
    return pc.utf8_capitalize(pc.binary_join(words, " "))


def row_group(number: int, rows: int, known: Vocabulary) -> pa.Table:
    """The rows of one row group, which follow from its number alone."""
    rng = np.random.default_rng([SEED, number])
    question = pc.binary_join_element_wise(texts(rng, known, rows, 30, 60), "", "?")
    choices = pa.ListArray.from_arrays(
        pa.array(np.arange(rows + 1) * CHOICES, pa.int32()),
        texts(rng, known, rows * CHOICES, 2, 10),
    )
    answer = pa.array(rng.integers(0, CHOICES, rows))
    return pa.Table.from_arrays(
        [question, pa.array([""] * rows), choices, answer], schema=SCHEMA
    )


def write_rows(rows: int, folder: Path) -> Path:
    """Writes the file below `folder`, a row group at a time; an earlier one is used again."""
    path = folder / PATH
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, known = path.with_suffix(".partial"), vocabulary()
    with pq.ParquetWriter(partial, SCHEMA) as writer:
        for number, first in enumerate(range(0, rows, ROW_GROUP_ROWS)):
            writer.write_table(row_group(number, min(ROW_GROUP_ROWS, rows - first), known))
    return partial.rename(path)


if __name__ == "__main__":
    write_rows(int(sys.argv[1]), Path(sys.argv[2]))
