"""Checks that two contenders of the benchmark wrote the same texts.

    python benchmarks/same_texts.py BUILT OTHER

BUILT is a published build; OTHER holds `sft.parquet` and `preference.parquet`. All
rows are counted, and of about every hundredth prompt the texts are compared.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from zlib import crc32

import pyarrow.parquet as pq

SAMPLED = 100
TEXTS = {"sft": ["prompt", "completion"], "preference": ["prompt", "chosen", "rejected"]}

Sample = Counter[tuple[str, ...]]


def sample(files: Sequence[Path], columns: list[str]) -> tuple[int, Sample]:
    """How many rows the files have, and the texts of those whose prompt is sampled."""
    rows = sum(pq.read_metadata(file).num_rows for file in files)
    return rows, Counter(text for file in files for text in _sampled(file, columns))


def _sampled(file: Path, columns: list[str]) -> Iterator[tuple[str, ...]]:
    for batch in pq.ParquetFile(file).iter_batches(columns=columns):
        for texts in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
            if crc32(texts[0].encode()) % SAMPLED == 0:
                yield texts


def check(table: str, built: Path, other: Path) -> None:
    """Compares one table of both.

    Raises:
      SystemExit: they differ, or nothing was compared.
    """
    ours = sample(sorted(built.glob(f"*/{table}/*.parquet")), TEXTS[table])
    theirs = sample([other / f"{table}.parquet"], TEXTS[table])
    if ours[0] != theirs[0]:
        raise SystemExit(f"{table}: {built} has {ours[0]:,} rows, {other} {theirs[0]:,}")
    if ours[1] != theirs[1] or not ours[1]:
        alone = [
            next(iter(a - b), None) for a, b in ((ours[1], theirs[1]), (theirs[1], ours[1]))
        ]
        raise SystemExit(
            f"{table}: in {built} alone {alone[0]!r}, in {other} alone {alone[1]!r}"
        )
    print(f"{table}: {ours[0]:,} rows each, {ours[1].total():,} compared and equal")


if __name__ == "__main__":
    for name in TEXTS:
        check(name, Path(sys.argv[1]), Path(sys.argv[2]))
