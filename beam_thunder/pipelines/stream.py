"""A stream: raw files that keep arriving, to windows of validated shards.

```
files --watch--> arrivals --read, parse--> questions
   processed:  options are attempts
   synthetic:  questions --answer (RunInference, vLLM)--> --filter, grade--> attempts
arrivals of a window --gather, by dataset--> --pair, profile, TFDV, gate--> published window
```

Every step before the last may run twice and do no harm; what counts is the log that the last
one writes, see `streaming.log`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
from apache_beam import pvalue
from apache_beam.io import fileio
from apache_beam.io.fileio import EmptyMatchTreatment
from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference.base import RunInference
from apache_beam.pvalue import PCollection
from apache_beam.transforms.trigger import AccumulationMode, AfterCount, AfterWatermark
from apache_beam.transforms.window import FixedWindows, IntervalWindow, TimestampedValue
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp

from beam_thunder.generation.recorded import Recorded, RecordedFile, read_recorded
from beam_thunder.grading.graders import Grader, grader_of
from beam_thunder.pipelines.questions import DatasetPlan
from beam_thunder.streaming.answer import AnswerHandler, Answering, graded, take_recorded
from beam_thunder.streaming.arrival import Arrival, Piece, datasets_of, kept, read_arrival
from beam_thunder.streaming.commit import commit_window
from beam_thunder.streaming.log import STATE, Entry, WindowLog
from beam_thunder.streaming.window import WindowRules
from beam_thunder.transforms import register_coders
from beam_thunder.transforms.generate import on_accelerator

ASKED_ROWS = 64
"""Questions that a worker has answered together. A runner that takes checkpoints waits for
them, so they should not take longer than its time limit."""

_PUBSUB = "projects/"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamPlan:
    """What a stream reads and writes, settled before anything runs.

    Attributes:
      watch: pattern of the raw files; or a Pub/Sub subscription of a bucket's notifications,
        `projects/PROJECT/subscriptions/NAME`.
      out: the output folder.
      datasets: by name; their slices are not looked at.
      rules: of each dataset.
      models: that answer, one after the other.
      recorded: answers of others, by dataset.
      window: its length in seconds.
      poll: seconds between looks for files.
      seconds: after which no more files are taken, and what has arrived is finished; None
        for a stream without an end.
      late: seconds that a runner keeps a window's pieces after it is published, see
        `into_windows`.
    """

    watch: str
    out: str
    datasets: Mapping[str, DatasetPlan]
    rules: Mapping[str, WindowRules]
    models: Mapping[str, AnswerHandler] = field(default_factory=dict)
    recorded: Mapping[str, tuple[RecordedFile, ...]] = field(default_factory=dict)
    window: float = 60.0
    poll: float = 5.0
    seconds: float | None = None
    late: float = 0.0

    @property
    def state(self) -> str:
        """Folder for what is not published."""
        return f"{self.out}/{STATE}"

    def wrote(self, path: str) -> bool:
        """Whether a file is none of the raw files, but lies where this stream writes."""
        own = {self.out, *(each.model.out for each in self.models.values())}
        return any(path.startswith(f"{folder}/") for folder in own)


def stream(root: beam.Pipeline, plan: StreamPlan) -> PCollection[Entry]:
    """Builds a window of every dataset whenever one is over.

    Returns:
      What became of each window.
    """
    return root | "Watch" >> WatchFiles(plan) | "Windows" >> PublishWindows(plan)


@dataclass(eq=False)
class WatchFiles(beam.PTransform[beam.Pipeline, PCollection[tuple[str, Arrival]]]):
    """Raw files as they arrive, each once for every dataset that it belongs to.

    A file is of the window in which it is found, whatever its own time: so none is late.
    """

    plan: StreamPlan

    def expand(self, root: beam.Pipeline) -> PCollection[tuple[str, Arrival]]:
        return (
            self._found(root)
            | "Name the datasets of files"
            >> beam.ParDo(_Route(self.plan)).with_output_types(tuple[str, Arrival])
            | "Windows" >> into_windows(self.plan.window, self.plan.late)
        )

    def _found(self, root: beam.Pipeline) -> PCollection[FileMetadata]:
        plan = self.plan
        if plan.watch.startswith(_PUBSUB):
            return (
                root
                | "Read notifications"
                >> beam.io.ReadFromPubSub(subscription=plan.watch, with_attributes=True)
                | "Find files" >> beam.FlatMap(_notified).with_output_types(FileMetadata)
            )
        until = MAX_TIMESTAMP
        if plan.seconds is not None:
            until = Timestamp.of(time.time() + plan.seconds)
        return root | "Look for files" >> fileio.MatchContinuously(
            plan.watch,
            interval=plan.poll,
            has_deduplication=True,
            match_updated_files=True,
            stop_timestamp=until,
            empty_match_treatment=EmptyMatchTreatment.ALLOW,
        )


def into_windows(seconds: float, late: float = 0) -> beam.PTransform[Any, Any]:
    """Puts raw files into windows of so many seconds.

    What comes up to `late` seconds after its window's end has the window gathered again, with
    all that it had: so a runner whose watermark does not wait for what is on its way loses
    nothing.
    """
    return beam.WindowInto(
        FixedWindows(seconds),
        trigger=AfterWatermark(late=AfterCount(1)),
        accumulation_mode=AccumulationMode.ACCUMULATING,
        allowed_lateness=late,
    )


def _notified(message: Any) -> Iterator[Any]:
    """The file that a bucket's notification is about, as of now: so it is never late."""
    about = message.attributes
    if about.get("eventType") == "OBJECT_FINALIZE":
        path = f"gs://{about['bucketId']}/{about['objectId']}"
        for found in FileSystems.match([path])[0].metadata_list:
            yield TimestampedValue(found, time.time())


@dataclass(eq=False)
class _Route(beam.DoFn):
    plan: StreamPlan

    def setup(self) -> None:
        self._logs = {name: WindowLog(self.plan.out, name) for name in self.plan.datasets}

    def process(self, found: FileMetadata) -> Iterator[tuple[str, Arrival]]:
        if self.plan.wrote(found.path):  # a bucket's notifications tell of everything in it
            return
        arrival = Arrival(found.path, found.size_in_bytes, found.last_updated_in_seconds)
        patterns = {name: each.recipe.patterns for name, each in self.plan.datasets.items()}
        names = datasets_of(found.path, patterns)
        if not names:
            known = ", ".join(patterns)
            _log.warning(
                "%s belongs to no dataset: no folder above it is named %s, and it is not "
                "named as their files are; it is passed over",
                *(found.path, known),
            )
        for name in names:
            if arrival not in self._logs[name].taken:
                self._logs[name].read()
            if arrival not in self._logs[name].taken:
                yield name, arrival


@dataclass(eq=False)
class PublishWindows(beam.PTransform[PCollection[tuple[str, Arrival]], PCollection[Entry]]):
    """Raw files in windows, by dataset, to what became of each window.

    Attributes:
      plan: of the stream.
    """

    plan: StreamPlan

    def expand(self, found: PCollection[tuple[str, Arrival]]) -> PCollection[Entry]:
        register_coders()
        plan = self.plan
        read = (
            found
            # A file is a worker's, and its questions then are everybody's.
            | "Spread files over workers" >> beam.Reshuffle()
            | "Read files" >> beam.ParDo(_Read(plan)).with_outputs("open", main="pieces")
        )
        pieces = [read.pieces]
        if plan.models or plan.recorded:
            pieces.append(read.open | "Answer" >> AnswerQuestions(plan))
        return (
            pieces
            | "All pieces" >> beam.Flatten()
            | "Name datasets" >> beam.Map(_named).with_output_types(tuple[str, Piece])
            | "Gather windows" >> beam.GroupByKey()
            | "Publish windows" >> beam.ParDo(_Commit(plan)).with_output_types(Entry)
        )


@dataclass(eq=False)
class _Read(beam.DoFn):
    plan: StreamPlan

    def process(self, found: tuple[str, Arrival]) -> Iterator[Any]:
        for each in pieces_of(self.plan, *found):
            yield pvalue.TaggedOutput("open", each) if isinstance(each, Answering) else each


def pieces_of(plan: StreamPlan, name: str, arrival: Arrival) -> Iterator[Piece | Answering]:
    """All pieces of a dataset's raw file; those with questions are yet to be answered."""
    count = 1
    for each in _pieces_of(plan.datasets[name], name, arrival, plan.state):
        count += 1
        yield each
    yield Piece(name, arrival, pieces=count)


def _pieces_of(
    dataset: DatasetPlan, name: str, arrival: Arrival, state: str
) -> Iterator[Piece | Answering]:
    for piece, questions in read_arrival(name, dataset.source, arrival, state):
        if questions is None:
            yield piece
        elif dataset.recipe.entry.kind == "processed":
            yield replace(piece, questions=kept(questions, name, arrival, state))
        else:
            yield piece
            for start in range(0, len(questions), ASKED_ROWS):
                yield Answering(Piece(name, arrival), questions.slice(start, ASKED_ROWS))


@dataclass(eq=False)
class AnswerQuestions(beam.PTransform[PCollection[Answering], PCollection[Piece]]):
    """Questions to pieces with graded attempts, through every model."""

    plan: StreamPlan

    def expand(self, questions: PCollection[Answering]) -> PCollection[Piece]:
        questions |= "Spread questions over workers" >> beam.Reshuffle()
        for name, handler in self.plan.models.items():
            # The engine is never closed, so that its server is there when the next file comes:
            # a runner ends steps that are idle for a minute.
            asking = on_accelerator(RunInference(handler), handler.model.accelerator)
            questions |= f"Ask {name}" >> asking
        return questions | "Grade" >> beam.ParDo(_Grade(self.plan)).with_output_types(Piece)


@dataclass(eq=False)
class _Grade(beam.DoFn):
    plan: StreamPlan

    def setup(self) -> None:
        self._recorded: dict[RecordedFile, Recorded] = {}
        self._graders: dict[str, Grader] = {}

    def process(self, element: Answering) -> Iterator[Piece]:
        name = element.piece.dataset
        for file in self.plan.recorded.get(name, ()):
            if file not in self._recorded:
                self._recorded[file] = read_recorded(file)
            element = take_recorded(element, self._recorded[file], file.asked)
        rules = self.plan.rules[name].assessing
        assert rules is not None  # as of every synthetic dataset
        if name not in self._graders:
            self._graders[name] = grader_of(rules.dataset)
        yield graded(element, rules, self._graders[name], self.plan.state)

    def teardown(self) -> None:
        for grader in self._graders.values():
            grader.close()


def _named(piece: Piece) -> tuple[str, Piece]:
    return piece.dataset, piece


@dataclass(eq=False)
class _Commit(beam.DoFn):
    plan: StreamPlan

    def setup(self) -> None:
        self._logs: dict[str, WindowLog] = {}

    def process(
        self, gathered: tuple[str, Iterable[Piece]], window: Any = beam.DoFn.WindowParam
    ) -> Iterator[Entry]:
        name, pieces = gathered
        if name not in self._logs:
            self._logs[name] = WindowLog(self.plan.out, name)
        log, rules = self._logs[name], self.plan.rules[name]
        yield from commit_window(window_name(window), pieces, log, self.plan.out, rules)


def window_name(window: IntervalWindow) -> str:
    """When a window begins, in UTC, as it may stand in a path: `20261123T032000Z`."""
    start = datetime.fromtimestamp(window.start.micros / 1e6, UTC)
    whole = window.start.micros % 1_000_000 == 0
    return start.strftime("%Y%m%dT%H%M%SZ" if whole else "%Y%m%dT%H%M%S.%fZ")
