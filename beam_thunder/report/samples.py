"""Rows to look at: a few of each table, and of what was rejected."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from beam_thunder.errors import UserError
from beam_thunder.report.diff import Piece, Pieces, differences
from beam_thunder.report.measures import COLUMNS
from beam_thunder.report.text import shorten

SAMPLES = 8
"""Rows shown of each table."""

READ_ROWS = 8 * SAMPLES
"""Rows read of each table, so that each row shown is of another question."""

_MOST = 1200
"""Characters of a text that are shown, about a screen."""


@dataclass(frozen=True)
class Sample:
    """A row to show.

    Attributes:
      id: of the row.
      language: of its texts, as HTML has it.
      models: who gave which answer, if a model did: column and model.
      texts: its texts in pieces, by column.
      alike: whether what chosen and rejected differ in is marked.
    """

    id: str
    language: str
    models: Sequence[tuple[str, str]]
    texts: Mapping[str, Pieces]
    alike: bool


def read_samples(folder: Path, paths: Sequence[str]) -> list[Sample]:
    """Rows of a table, one for each of its first questions.

    Rows stand in the order of a hash, so the first are no more alike than any. A
    question's pairs stand together, and of each the next is taken, so that not all
    show the first wrong answer.

    Args:
      folder: of the build.
      paths: the table's files below it, in order. Those that are not there are passed over.

    Raises:
      UserError: a file is damaged.
    """
    rows = islice(_rows(folder, paths), READ_ROWS)
    questions = [list(group) for _, group in groupby(rows, key=lambda row: row["question_id"])]
    chosen = [group[place % len(group)] for place, group in enumerate(questions[:SAMPLES])]
    return [_sample(row) for row in chosen]


def read_rejects(folder: Path, dataset: str) -> list[dict[str, Any]]:
    """The first rejected raw rows of a dataset, as they were written.

    Raises:
      UserError: the file is damaged.
    """
    path = folder / "rejects" / f"{dataset}.jsonl"
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in islice(lines, SAMPLES)]
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}; build again") from error
    return [{**row, "row": shorten(str(row.get("row") or ""), _MOST)} for row in rows]


def _rows(folder: Path, paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    for path in paths:
        if not (folder / path).is_file():
            continue
        try:
            for batch in pq.ParquetFile(folder / path).iter_batches(batch_size=READ_ROWS):
                yield from batch.to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"{folder / path} is damaged: {error}; build again") from error


def _sample(row: Mapping[str, Any]) -> Sample:
    texts = {name: shorten(row[name], _MOST) for name in COLUMNS if row.get(name) is not None}
    pieces: dict[str, Pieces] = {name: (Piece(text, False),) for name, text in texts.items()}
    alike = None
    if "chosen" in texts and "rejected" in texts:
        alike = differences(texts["chosen"], texts["rejected"])
        if alike:
            pieces["chosen"], pieces["rejected"] = alike
    models = [
        (name, row[name])
        for name in ("model", "chosen_model", "rejected_model")
        if row.get(name)
    ]
    return Sample(
        id=str(row.get("id")),
        language=str(row.get("language") or ""),
        models=models,
        texts=pieces,
        alike=alike is not None,
    )
