"""What the rows of several sources are written with."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]
TEXTS = pa.list_(pa.string())
CHOICES = pa.struct([("text", TEXTS), ("label", TEXTS)])


def columns(texts: Sequence[str], labels: str) -> Row:
    """The options as on the Hub: a list of texts and a list of labels."""
    return {"text": list(texts), "label": list(labels)}


def nested(id_: str, stem: str, texts: Sequence[str], labels: str, key: str) -> Row:
    """A question as OpenBookQA and ARC are released: a list of options within it."""
    choices = [
        {"text": text, "label": label} for text, label in zip(texts, labels, strict=True)
    ]
    return {"id": id_, "question": {"stem": stem, "choices": choices}, "answerKey": key}


def write_parquet(path: Path, schema: pa.Schema, rows: Sequence[Row]) -> None:
    """Writes the columns of the schema; what else a row has is left out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def write_jsonl(
    path: Path,
    rows: Iterable[Row],
    *,
    ensure_ascii: bool = False,
    separators: tuple[str, str] = (", ", ": "),
) -> None:
    """Writes one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            line = json.dumps(row, ensure_ascii=ensure_ascii, separators=separators)
            file.write(line + "\n")


def write_csv(
    path: Path, cells: Iterable[Sequence[object]], *, delimiter: str = ",", line_end: str = "\n"
) -> None:
    """Writes one row a record, quoting only the cells that need it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=line_end).writerows(cells)
