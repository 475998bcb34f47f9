"""Answers that a file has, in place of a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from beam_thunder.errors import UserError
from beam_thunder.generation.attempts import (
    Answered,
    Asked,
    Request,
    prompt_digest,
    request_key,
)
from beam_thunder.paths import absolute, is_local
from beam_thunder.recipe import ModelRecipe

_EXPECTED = "expected question or question_id, model and response"


@dataclass(frozen=True)
class RecordedFile:
    """Recorded answers that are taken as a model's.

    Attributes:
      asked: what they are kept as.
      path: a .jsonl, .csv or .parquet file, as Beam's filesystems take it.
      names: what the file may call the model.
    """

    asked: Asked
    path: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, name: str, model: ModelRecipe, folder: Path) -> RecordedFile:
        """Of a recipe's model; its file is relative to the recipe's folder.

        Nobody knows how recorded answers were sampled, so they are kept under one key
        however a recipe says that models draw theirs.
        """
        asked = Asked(model.hub or name, model.revision, 0.0, 1.0, 0, 0)
        names = tuple(filter(None, (name, model.hub)))
        return cls(asked, _place(folder, model.answers), names)


def _place(folder: Path, answers: str) -> str:
    return absolute(str(folder / answers)) if is_local(answers) else answers


@dataclass(frozen=True)
class Recorded:
    """A model's recorded answers, in the order of the file.

    Attributes:
      by_id: the answers to a question, by its id.
      by_text: the answers to a question, by its text as the source has it.
    """

    by_id: dict[str, list[str]]
    by_text: dict[str, list[str]]

    def __len__(self) -> int:
        tables = (self.by_id, self.by_text)
        return sum(len(each) for table in tables for each in table.values())

    def answers(self, questions: pa.RecordBatch, dataset: str, asked: Asked) -> list[Answered]:
        """The answers to questions of the schema `OPEN_QUESTIONS`."""
        names = ("id", "question", "system", "prompt")
        columns = [questions.column(name).to_pylist() for name in names]
        found = []
        for question_id, question, system, prompt in zip(*columns, strict=True):
            responses = self.by_id.get(question_id) or self.by_text.get(question.strip(), [])
            digest = prompt_digest(system, prompt)
            for sample, response in enumerate(responses):
                key = request_key(question_id, digest, asked, sample)
                request = Request(dataset, key, question_id, sample, system, prompt, digest)
                error = None if response.strip() else "empty"
                found.append(Answered(request, response, "stop" if not error else None, error))
        return found


def read_recorded(file: RecordedFile) -> Recorded:
    """The answers of a model in a file of recorded answers.

    A file without a column `model` has one model's answers only.

    Raises:
      UserError: the file cannot be read, lacks a column, or has no answer of the model.
    """
    by_id: defaultdict[str, list[str]] = defaultdict(list)
    by_text: defaultdict[str, list[str]] = defaultdict(list)
    models: set[str] = set()
    path, names = file.path, file.names
    for number, row in enumerate(_rows(path), 1):
        response, model = row.get("response"), row.get("model")
        question = row.get("question_id") or row.get("question")
        if not isinstance(response, str) or not isinstance(question, str):
            raise UserError(f"{path}: row {number} has {sorted(row)}; {_EXPECTED}")
        if model is not None and model not in names:
            models.add(str(model))
        elif row.get("question_id"):
            by_id[question].append(response)
        else:
            by_text[question.strip()].append(response)
    recorded = Recorded(dict(by_id), dict(by_text))
    if not len(recorded):
        has = f"has answers of {', '.join(sorted(models))}" if models else "is empty"
        raise UserError(f"{path} {has}, and none of {' or '.join(names)}")
    return recorded


def _rows(path: str) -> Iterator[dict[str, Any]]:
    if not path.endswith((".jsonl", ".csv", ".parquet")):
        raise UserError(f"{path}: expected a .jsonl, .csv or .parquet file of recorded answers")
    try:
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as opened:
            content = opened.read()
        if path.endswith(".parquet"):
            yield from pq.read_table(pa.BufferReader(content)).to_pylist()
        elif path.endswith(".csv"):
            yield from pa_csv.read_csv(pa.BufferReader(content)).to_pylist()
        else:
            yield from (orjson.loads(line) for line in content.splitlines() if line.strip())
    except (OSError, pa.ArrowException, orjson.JSONDecodeError) as error:
        raise UserError(f"{path}: no readable recorded answers: {error}") from error
