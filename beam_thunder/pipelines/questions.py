"""The first steps of every pipeline: raw files to questions, by dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection

from beam_thunder.errors import RawFileError
from beam_thunder.ledger import Ledger
from beam_thunder.recipe import DatasetRecipe
from beam_thunder.transforms import (
    BATCH_ROWS,
    Paired,
    ParseRows,
    Progress,
    RawSlice,
    ReadRaw,
    count_rows,
    find_files,
    open_parser,
    parser,
    raw_slices,
    register_coders,
)
from beam_thunder.transforms.shuffle import ShardKey


@dataclass(frozen=True)
class DatasetPlan:
    """One dataset to build.

    Attributes:
      recipe: what the recipe says of it.
      slices: of its raw files.
      few_shot: text before each question, for GSM8K.
    """

    recipe: DatasetRecipe
    slices: tuple[RawSlice, ...]
    few_shot: str = ""

    @property
    def source(self) -> ParseRows:
        """The transform that makes its questions."""
        if self.recipe.entry.kind == "synthetic":
            return open_parser(self.recipe.source, self.recipe.template)
        return parser(self.recipe.source, self.few_shot)


def find_datasets(
    datasets: Mapping[str, DatasetRecipe], folder: Path, raw: str
) -> dict[str, DatasetPlan]:
    """Finds the raw files of datasets.

    Args:
      datasets: of a recipe, by name.
      folder: that the recipe's own files are relative to.
      raw: the raw folder, as Beam's filesystems take it.

    Raises:
      RawFileError: files are missing or not what their names say; all missing
        datasets are named at once, each with how to get it.
    """
    found, missing = {}, []
    for name, dataset in datasets.items():
        patterns = dataset.patterns
        groups = [patterns] if dataset.files else [(pattern,) for pattern in patterns]
        files = next((hit for group in groups if (hit := find_files(raw, group))), [])
        if not files:
            missing.append(_missing(name, dataset))
            continue
        few_shot = dataset.few_shot and (folder / dataset.few_shot).read_text(encoding="utf-8")
        found[name] = DatasetPlan(dataset, tuple(raw_slices(files)), few_shot)
    if missing:
        raise RawFileError(
            f"{raw} lacks the raw files of {len(missing)} of {len(datasets)} datasets:\n"
            + "\n".join(missing)
            + "\nGive --raw the right folder, or take some of the datasets with --only"
        )
    return found


def _missing(name: str, dataset: DatasetRecipe) -> str:
    looked = " or ".join(dataset.patterns)
    if dataset.files:
        return f"  {name}: no {looked} (`files` in the recipe)"
    hub = f"{dataset.entry.hub} on the Hugging Face Hub: " if dataset.entry.hub else ""
    return f"  {name}: no {looked}; {hub}beam-thunder fetch {dataset.source} --to DIR"


class Questions(NamedTuple):  # which Beam takes as a transform's named outputs
    """What the raw files of datasets came to; everything is keyed by dataset.

    Attributes:
      questions: batches of them.
      rejects: batches of the raw rows that gave none.
      ledgers: the counts of what was read and parsed.
    """

    questions: PCollection[tuple[str, pa.RecordBatch]]
    rejects: PCollection[tuple[str, pa.RecordBatch]]
    ledgers: PCollection[tuple[str, Ledger]]


@dataclass(eq=False)
class ReadQuestions(beam.PTransform[beam.Pipeline, Questions]):
    """Reads and parses the raw files of datasets.

    Attributes:
      datasets: by name.
      batch_rows: rows read at a time; more are faster, up to a few thousand.
      progress: where a local run says how far it is.
    """

    datasets: Mapping[str, DatasetPlan]
    batch_rows: int = BATCH_ROWS
    progress: Progress = field(default_factory=Progress)

    def expand(self, root: beam.Pipeline) -> Questions:
        register_coders()
        questions, rejects, ledgers = [], [], []
        for name, dataset in self.datasets.items():
            source = dataset.source
            raw = (
                root
                | f"List {name}" >> beam.Create(dataset.slices)
                | f"Read {name}" >> ReadRaw(source.rows, self.batch_rows, self.progress)
            )
            parsed = raw | f"Parse {name}" >> source
            read = raw | f"Count rows of {name}" >> beam.Map(lambda b: Ledger(read=b.num_rows))
            questions.append(
                parsed.questions | f"Name {name}" >> _with_key(name, pa.RecordBatch)
            )
            rejects.append(
                parsed.rejects | f"Name rejects of {name}" >> _with_key(name, pa.RecordBatch)
            )
            ledgers += [
                read | f"Name rows of {name}" >> _with_key(name, Ledger),
                parsed.ledger | f"Name counts of {name}" >> _with_key(name, Ledger),
            ]
        return Questions(
            questions | "All questions" >> beam.Flatten(),
            rejects | "All rejects" >> beam.Flatten(),
            ledgers | "All counts of rows" >> beam.Flatten(),
        )


@dataclass(eq=False)
class CountRows(beam.PTransform[beam.Pipeline, PCollection[tuple[str, int]]]):
    """The rows of each dataset's larger table, as its raw files promise them.

    Attributes:
      datasets: by name.
      fan_out: rows that a question of each makes.
    """

    datasets: Mapping[str, DatasetPlan]
    fan_out: Mapping[str, int]

    def expand(self, root: beam.Pipeline) -> PCollection[tuple[str, int]]:
        slices = [(name, piece) for name, d in self.datasets.items() for piece in d.slices]
        return (
            root
            | "List all files" >> beam.Create(slices)
            | "Spread files over workers" >> beam.Reshuffle()
            | "Count rows" >> beam.MapTuple(self._expected).with_output_types(tuple[str, int])
            | "Add rows up" >> beam.CombinePerKey(sum)
        )

    def _expected(self, name: str, piece: RawSlice) -> tuple[str, int]:
        return name, count_rows(piece, self.datasets[name].source.rows) * self.fan_out[name]


class Rows(NamedTuple):  # which Beam takes as a transform's named outputs
    """What datasets came to, before anything is written.

    Attributes:
      shards: the rows of each.
      rejects: batches of the raw rows that gave no question, by dataset.
      ledgers: the counts of what was read and parsed, by dataset.
    """

    shards: PCollection[tuple[ShardKey, Paired]]
    rejects: PCollection[tuple[str, pa.RecordBatch]]
    ledgers: PCollection[tuple[str, Ledger]]


@dataclass(frozen=True)
class Job:
    """What is the same for all datasets of a build.

    Attributes:
      rows_per_shard: see `Recipe`.
      staging: folder for the files until they are published.
      progress: where a local run says how far it is.
      batch_rows: rows read at a time; more are faster, up to a few thousand.
    """

    rows_per_shard: int
    staging: str
    progress: Progress = field(default_factory=Progress)
    batch_rows: int = BATCH_ROWS


def _with_key(name: str, kind: type) -> beam.PTransform[Any, Any]:
    return beam.Map(lambda value: (name, value)).with_output_types(tuple[str, kind])  # type: ignore[valid-type]
