"""Questions that models answer at once, and what the graders say of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.ml.inference.base import ModelHandler

from beam_thunder.generation.attempts import STORED, TRANSIENT, Request
from beam_thunder.generation.engine import Engine
from beam_thunder.generation.handler import VllmModelHandler
from beam_thunder.generation.recorded import Recorded
from beam_thunder.generation.store import Keys, folder_of, parts, read_part
from beam_thunder.grading.grade import Grade
from beam_thunder.grading.graders import Grader
from beam_thunder.streaming.arrival import Piece, kept
from beam_thunder.transforms.assess import Assessed, Rules, assess, match
from beam_thunder.transforms.generate import requests

_FOUND = [("completion", pa.string()), ("verdict", pa.string()), ("rule", pa.string())]
GRADED = pa.schema([*STORED, *_FOUND, ("reason", pa.string())])
"""Attempts, each with what the filters and the grader found of it."""


@dataclass(frozen=True)
class Answering:
    """Questions on their way through the models.

    Attributes:
      piece: of the raw file that they are from.
      questions: of the schema `OPEN_QUESTIONS`.
      attempts: of the schema `STORED`, a batch of each model so far.
    """

    piece: Piece
    questions: pa.RecordBatch
    attempts: tuple[pa.RecordBatch, ...] = ()

    def answered(self, rows: Sequence[Mapping[str, Any]]) -> Answering:
        """The same with another model's attempts."""
        batch = pa.RecordBatch.from_pylist(list(rows), schema=STORED)
        return replace(self, attempts=(*self.attempts, batch))


class StoredAttempts:
    """What a folder of attempts has, by key, also what others store meanwhile.

    Args:
      folder: of a model's attempts at a dataset's questions.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._parts: set[str] = set()
        self._keys = Keys()

    def rows(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Those of the attempts that are there and need not be asked again."""
        present = parts(self._folder)
        for path in present:
            if path not in self._parts:
                self._keys.update(_lasting(path, ["key", "error"]).column("key").to_pylist())
                self._parts.add(path)
        wanted = [key for key in keys if key in self._keys]
        if not wanted:  # as nearly always; only what a stream asked before it ended is there
            return {}
        found = pa.concat_tables([_lasting(path) for path in present])
        hits = found.filter(pc.is_in(found.column("key"), value_set=pa.array(wanted)))
        return {row["key"]: row for row in hits.to_pylist()}


def _lasting(path: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A part's attempts but for those with errors of the moment."""
    rows = read_part(path, columns)
    again = pc.is_in(rows.column("error"), value_set=pa.array(TRANSIENT))
    return rows.filter(pc.invert(again))


@dataclass(eq=False)
class AnswerHandler(ModelHandler[Answering, Answering, Engine]):
    """A model that answers batches of questions, for RunInference.

    What it returns is complete: a window's questions and their answers stay together. The
    engine's window of open requests is shared by all batches of a process.

    Attributes:
      model: that is asked.
      samples: answers per question of each dataset that it answers; others pass.
    """

    model: VllmModelHandler
    samples: Mapping[str, int]

    def __post_init__(self) -> None:
        super().__init__()
        self._stored: dict[str, StoredAttempts] = {}

    def load_model(self) -> Engine:
        """The engine of this process, open until it ends."""
        engine = self.model.load_model()
        engine.open()
        return engine

    def run_inference(
        self,
        batch: Sequence[Answering],
        model: Engine,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterable[Answering]:
        """Each element with the answers to its questions."""
        return [self._answered(each, model) for each in batch]

    def _answered(self, element: Answering, engine: Engine) -> Answering:
        dataset = element.piece.dataset
        if dataset not in self.samples:
            return element
        asked = self.model.asked
        wanted: dict[str, Request] = {  # a raw file may repeat a row
            each.key: each
            for each in requests(element.questions, dataset, asked, self.samples[dataset])
        }
        if dataset not in self._stored:
            folder = folder_of(self.model.out, dataset, self.model.name)
            self._stored[dataset] = StoredAttempts(folder)
        stored = self._stored[dataset].rows(wanted)
        new = engine.answer(each for key, each in wanted.items() if key not in stored)
        return element.answered([*stored.values(), *(each.row(asked) for each in new)])

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """One at a time: each is a batch of questions."""
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_metrics_namespace(self) -> str:
        """Of Beam's metrics of this model."""
        return self.model.get_metrics_namespace()


def take_recorded(element: Answering, recorded: Recorded, asked: Any) -> Answering:
    """The element with the recorded answers to its questions."""
    answers = recorded.answers(element.questions, element.piece.dataset, asked)
    return element.answered([each.row(asked) for each in answers])


def graded(element: Answering, rules: Rules, grader: Grader, state: str) -> Piece:
    """The piece with its questions and graded attempts kept in files.

    Args:
      element: that all models have answered.
      rules: of its dataset.
      grader: of its dataset.
      state: folder for rows on their way.
    """
    piece, questions = element.piece, element.questions
    rows = [
        {**row, "id": row["question_id"]}
        for batch in element.attempts
        for row in batch.to_pylist()
    ]
    matched, unused = match(questions, rows)
    found = [_row(each) for each in assess(questions, matched, rules, grader)]
    attempts = pa.RecordBatch.from_pylist(found, schema=GRADED)
    return replace(
        piece,
        questions=kept(questions, piece.dataset, piece.arrival, state),
        attempts=kept(attempts, piece.dataset, piece.arrival, state) if found else "",
        unused=dict(unused),
    )


def _row(each: Assessed) -> dict[str, Any]:
    grade = each.grade
    return {
        **each.row,
        "completion": each.completion,
        "verdict": grade.verdict,
        "rule": grade.rule,
        "reason": grade.reason,
    }


def assessed(questions: pa.RecordBatch, attempts: Iterable[pa.RecordBatch]) -> list[Assessed]:
    """What was found of the attempts at these questions, by question and key.

    Args:
      questions: each once, in the order of their ids.
      attempts: of the schema `GRADED`; those at other questions are passed over, and those
        that come twice count once.
    """
    place = {each: n for n, each in enumerate(questions.column("id").to_pylist())}
    found: dict[str, Assessed] = {}
    for batch in attempts:
        for row in _at(place, batch):
            grade = Grade(row["verdict"], row["rule"], row["reason"])
            question = place[row["question_id"]]
            found[row["key"]] = Assessed(question, row, row["completion"], grade)
    return sorted(found.values(), key=lambda each: (each.question, each.row["key"]))


def _at(place: Mapping[str, int], batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    yield from (row for row in batch.to_pylist() if row["question_id"] in place)
