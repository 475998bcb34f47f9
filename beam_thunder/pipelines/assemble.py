"""Questions and models' attempts to rows: joined, filtered, graded and paired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection

from beam_thunder.errors import UserError
from beam_thunder.generation.attempts import STORED
from beam_thunder.generation.recorded import Recorded, RecordedFile, read_recorded
from beam_thunder.generation.store import folder_of, parts, read_part
from beam_thunder.paths import absolute
from beam_thunder.pipelines.questions import CountRows, DatasetPlan, Job, ReadQuestions, Rows
from beam_thunder.recipe import Recipe
from beam_thunder.transforms import ShuffleIntoShards
from beam_thunder.transforms.assess import (
    ANSWERED,
    AssessAttempts,
    Rules,
    of_attempts,
    of_questions,
)
from beam_thunder.transforms.pair import Picking


@dataclass(frozen=True)
class AttemptsPlan:
    """The attempts at a dataset's questions.

    Attributes:
      rules: what they are held to.
      parts: paths of the stored ones.
      recorded: files of others.
      per_question: how many there are of a question, about.
    """

    rules: Rules
    parts: tuple[str, ...]
    recorded: tuple[RecordedFile, ...]
    per_question: int


def plan_attempts(
    recipe: Recipe, folder: Path, attempts: str | None
) -> dict[str, AttemptsPlan]:
    """Finds the attempts at the questions of every synthetic dataset of a recipe.

    Args:
      recipe: what to build.
      folder: that the recipe's own files are relative to.
      attempts: the folder of attempts that `generate` filled; None if there is none.

    Raises:
      UserError: a dataset has none; all of them are named at once.
    """
    found, missing = {}, []
    for name in recipe.of_kind("synthetic"):
        models = {model: recipe.models[model] for model in recipe.models_of(name)}
        files = tuple(
            RecordedFile.of(model, each, folder)
            for model, each in models.items()
            if each.engine == "recorded"
        )
        asked = [model for model, each in models.items() if each.engine == "vllm"]
        stored = tuple(path for model in asked for path in _parts(attempts, name, model))
        if not stored and not files:
            missing.append(f"  {name}: of {', '.join(asked)}")
        per_question = recipe.samples_of(name) * max(len(asked), 1)
        found[name] = AttemptsPlan(rules_of(recipe, name), stored, files, per_question)
    if missing:
        where = f"--attempts {attempts} has" if attempts else "without --attempts there are"
        raise UserError(
            f"{where} no answers to the questions of {len(missing)} datasets:\n"
            + "\n".join(missing)
            + "\nRun beam-thunder generate first, or build the others with --only"
        )
    return found


def _parts(attempts: str | None, dataset: str, model: str) -> list[str]:
    return parts(folder_of(absolute(attempts), dataset, model)) if attempts else []


def rules_of(recipe: Recipe, name: str) -> Rules:
    """What the attempts at a dataset's questions are held to."""
    dataset = recipe.datasets[name]
    ungradable = dataset.ungradable_sft
    if ungradable is None:
        ungradable = dataset.entry.domain == "instruction following"
    picking = Picking(
        sft=("correct", "ungradable") if ungradable else ("correct",),
        pairs=1 if dataset.pairs == "one_per_question" else dataset.max_pairs,
        unique=True,
    )
    return Rules(dataset, recipe.filters_of(name), picking)


@dataclass(eq=False)
class Assembled(beam.PTransform[beam.Pipeline, Rows]):
    """The rows of synthetic datasets.

    Attributes:
      datasets: by name.
      attempts: at the questions of each.
      job: what is the same for all of them.
    """

    datasets: Mapping[str, DatasetPlan]
    attempts: Mapping[str, AttemptsPlan]
    job: Job

    def expand(self, root: beam.Pipeline) -> Rows:
        job = self.job
        parsed = root | ReadQuestions(self.datasets, job.batch_rows, job.progress)
        per_question = {name: each.per_question for name, each in self.attempts.items()}
        rows = root | CountRows(self.datasets, per_question)
        shards = (
            [
                parsed.questions | "As questions" >> _batches(beam.MapTuple(_as_questions)),
                parsed.questions | "Recorded" >> _batches(beam.ParDo(_Recorded(self.attempts))),
                root | "Stored" >> self._stored(),
            ]
            | "Questions and attempts" >> beam.Flatten()
            | ShuffleIntoShards(rows, job.rows_per_shard, job.staging, job.progress, ANSWERED)
            | AssessAttempts({name: each.rules for name, each in self.attempts.items()})
        )
        return Rows(shards, parsed.rejects, parsed.ledgers)

    def _stored(
        self,
    ) -> beam.PTransform[beam.Pipeline, PCollection[tuple[str, pa.RecordBatch]]]:
        files = [(name, path) for name, each in self.attempts.items() for path in each.parts]
        return (
            beam.Create(files)
            | "Spread attempts over workers" >> beam.Reshuffle()
            | "Read attempts" >> _batches(beam.FlatMapTuple(_read))
        )


def _batches(transform: beam.PTransform[Any, Any]) -> beam.PTransform[Any, Any]:
    return transform.with_output_types(tuple[str, pa.RecordBatch])


def _as_questions(name: str, questions: pa.RecordBatch) -> tuple[str, pa.RecordBatch]:
    return name, of_questions(questions)


def _read(name: str, path: str) -> Iterator[tuple[str, pa.RecordBatch]]:
    for batch in read_part(path).to_batches():
        yield name, of_attempts(batch)


@dataclass(eq=False)
class _Recorded(beam.DoFn):
    """The recorded answers to a batch of questions, where its dataset has some."""

    attempts: Mapping[str, AttemptsPlan]

    def setup(self) -> None:
        self._read: dict[RecordedFile, Recorded] = {}

    def process(
        self, element: tuple[str, pa.RecordBatch]
    ) -> Iterator[tuple[str, pa.RecordBatch]]:
        name, questions = element
        for file in self.attempts[name].recorded:
            if file not in self._read:
                self._read[file] = read_recorded(file)
            answers = self._read[file].answers(questions, name, file.asked)
            if answers:
                rows = [each.row(file.asked) for each in answers]
                yield name, of_attempts(pa.RecordBatch.from_pylist(rows, schema=STORED))
