"""Questions to attempts: what is missing is asked, and kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics.metric import Metrics
from apache_beam.ml.inference.base import RunInference
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from beam_thunder.generation.attempts import (
    Answered,
    Asked,
    Request,
    prompt_digest,
    request_key,
)
from beam_thunder.generation.handler import VllmModelHandler
from beam_thunder.generation.recorded import RecordedFile, read_recorded
from beam_thunder.generation.store import Keys, done, folder_of, write_part
from beam_thunder.transforms.progress import Progress


@dataclass(eq=False)
class Generate(beam.PTransform[PCollection[tuple[str, pa.RecordBatch]], PCollection[Answered]]):
    """Asks a model what is missing of its answers to questions, by dataset.

    Attributes:
      handler: of the model.
      samples: answers per question of each dataset.
      redo_truncated: whether answers that were cut off are asked again.
      progress: where a local run says how far it is.
    """

    handler: VllmModelHandler
    samples: dict[str, int]
    redo_truncated: bool = False
    progress: Progress = field(default_factory=Progress)

    def expand(
        self, questions: PCollection[tuple[str, pa.RecordBatch]]
    ) -> PCollection[Answered]:
        return (
            questions
            | "Count what is wanted"
            >> beam.Map(self._wanted).with_output_types(tuple[str, pa.RecordBatch])
            # Questions come by the file; without this a worker would ask all of a file.
            | "Spread questions over workers" >> beam.Reshuffle()
            | "Ask" >> on_accelerator(_Ask(self), self.handler.accelerator)
        )

    def _wanted(self, element: tuple[str, pa.RecordBatch]) -> tuple[str, pa.RecordBatch]:
        dataset, questions = element
        self.progress.add("wanted", questions.num_rows * self.samples[dataset])
        return element


def on_accelerator(transform: Any, hint: str) -> Any:
    """The transform, for workers with this hardware if the runner hires them by it."""
    return transform.with_resource_hints(accelerator=hint) if hint else transform


@dataclass(eq=False)
class _Ask(beam.PTransform[PCollection[tuple[str, pa.RecordBatch]], PCollection[Answered]]):
    """All that needs the model's engine: on one worker, which shares it."""

    settings: Generate

    def expand(
        self, questions: PCollection[tuple[str, pa.RecordBatch]]
    ) -> PCollection[Answered]:
        return (
            questions
            | "What is missing"
            >> beam.ParDo(_AskMissing(self.settings)).with_output_types(Request)
            | "Answer" >> RunInference(self.settings.handler)
            | "Drain" >> beam.ParDo(_Drain(self.settings)).with_output_types(Answered)
        )


@dataclass(eq=False)
class _AskMissing(beam.DoFn):
    settings: Generate

    def setup(self) -> None:
        self._done: dict[str, Keys] = {}

    def process(self, element: tuple[str, pa.RecordBatch]) -> Iterator[Request]:
        dataset, questions = element
        handler, samples = self.settings.handler, self.settings.samples[dataset]
        if dataset not in self._done:
            folder = folder_of(handler.out, dataset, handler.name)
            self._done[dataset] = done(folder, self.settings.redo_truncated)
        wanted = list(requests(questions, dataset, handler.asked, samples))
        missing = [r for r in wanted if r.key not in self._done[dataset]]
        self._done[dataset].update(r.key for r in missing)  # a raw file may repeat a row
        self.settings.progress.add("stored", len(wanted) - len(missing))
        yield from missing


def requests(
    questions: pa.RecordBatch, dataset: str, asked: Asked, samples: int
) -> Iterator[Request]:
    """Every request that questions of the schema `OPEN_QUESTIONS` call for."""
    ids, systems, prompts = (
        questions.column(n).to_pylist() for n in ("id", "system", "prompt")
    )
    for question_id, system, prompt in zip(ids, systems, prompts, strict=True):
        digest = prompt_digest(system, prompt)
        for sample in range(samples):
            key = request_key(question_id, digest, asked, sample)
            yield Request(dataset, key, question_id, sample, system, prompt, digest)


@dataclass(eq=False)
class _Drain(beam.DoFn):
    """Counts answers, and brings those that came after the last batch was handed over.

    Answers are durable without it: a runner that does not finish a bundle before it stops
    loses nothing but their count.
    """

    settings: Generate

    def setup(self) -> None:
        self._engine = self.settings.handler.load_model()
        self._engine.open()
        self._namespace = self.settings.handler.get_metrics_namespace()
        self._tokens = Metrics.counter(self._namespace, "tokens")
        self._outcomes: dict[str, Any] = {}

    def process(self, answered: Answered) -> Iterator[Answered]:
        self._count(answered)
        yield answered

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for answered in self._engine.drain():
            self._count(answered)
            yield WindowedValue(answered, GlobalWindow().max_timestamp(), (GlobalWindow(),))

    def teardown(self) -> None:
        self._engine.close()

    def _count(self, answered: Answered) -> None:
        """As Beam's metrics, and for the display."""
        what = answered.error or "answered"
        tokens = answered.completion_tokens or 0
        if what not in self._outcomes:
            self._outcomes[what] = Metrics.counter(self._namespace, what)
        self._outcomes[what].inc()
        self._tokens.inc(tokens)
        self.settings.progress.add("errors" if answered.error else "answered", 1)
        self.settings.progress.add("tokens", tokens)


@dataclass(eq=False)
class TakeRecorded(
    beam.PTransform[PCollection[tuple[str, pa.RecordBatch]], PCollection[Answered]]
):
    """Keeps the recorded answers to questions as a model's, by dataset.

    Attributes:
      file: of the recorded answers.
      name: of the model in the recipe; the folder its answers are kept in.
      out: the folder of attempts.
    """

    file: RecordedFile
    name: str
    out: str

    def expand(
        self, questions: PCollection[tuple[str, pa.RecordBatch]]
    ) -> PCollection[Answered]:
        return questions | "Take recorded answers" >> beam.ParDo(
            _TakeRecorded(self)
        ).with_output_types(Answered)


@dataclass(eq=False)
class _TakeRecorded(beam.DoFn):
    settings: TakeRecorded

    def setup(self) -> None:
        self._recorded = read_recorded(self.settings.file)

    def process(self, element: tuple[str, pa.RecordBatch]) -> Iterator[Answered]:
        dataset, questions = element
        asked = self.settings.file.asked
        answers = self._recorded.answers(questions, dataset, asked)
        if answers:
            folder = folder_of(self.settings.out, dataset, self.settings.name)
            write_part([each.row(asked) for each in answers], folder)
        yield from answers


@dataclass(eq=False)
class FirstQuestions(
    beam.PTransform[
        PCollection[tuple[str, pa.RecordBatch]], PCollection[tuple[str, pa.RecordBatch]]
    ]
):
    """The questions with the smallest ids of each dataset: a sample as good as any.

    Attributes:
      number: of questions to keep of each dataset.
    """

    number: int

    def expand(
        self, questions: PCollection[tuple[str, pa.RecordBatch]]
    ) -> PCollection[tuple[str, pa.RecordBatch]]:
        return questions | "Keep the smallest ids" >> beam.CombinePerKey(
            self._first
        ).with_output_types(tuple[str, pa.RecordBatch])

    def _first(self, batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
        table = pa.Table.from_batches(list(batches))
        first = table.sort_by("id").slice(0, self.number).combine_chunks()
        [batch] = first.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
        return batch
