"""The processed datasets: raw files to shards in a staging folder.

```
raw files --read--> raw batches --parse--> questions --shuffle--> shards
shards --pair--> SFT rows, preference pairs --write--> files, and the ledger
```
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import orjson
import pyarrow as pa
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import AsDict, AsList, PCollection

from beam_thunder.errors import RawFileError
from beam_thunder.ledger import Ledger
from beam_thunder.manifest import RESULT
from beam_thunder.recipe import DatasetRecipe, Recipe
from beam_thunder.transforms import (
    BATCH_ROWS,
    PairOptions,
    Progress,
    RawSlice,
    ReadRaw,
    ShuffleIntoShards,
    WriteRejects,
    WriteShards,
    count_rows,
    find_files,
    parser,
    raw_slices,
    register_coders,
)
from beam_thunder.transforms.pair import IDENTICAL
from beam_thunder.transforms.write import WrittenFile, WrittenShard

if TYPE_CHECKING:
    from beam_thunder.transforms.validate import ValidatedTable


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


@dataclass(frozen=True)
class Validation:
    """What the tables of a build are held to.

    Attributes:
      schemas: the TFDV schema of each table, as text.
      baseline: serialized statistics of an earlier build, by dataset and table.
    """

    schemas: Mapping[str, str]
    baseline: Mapping[tuple[str, str], bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What a build reads and writes, settled before anything runs.

    Attributes:
      datasets: by name.
      rows_per_shard: see `Recipe`.
      staging: folder for the files until they are published.
      validation: what tables are held to; None to leave that out.
      progress: where a local run says how far it is.
      batch_rows: rows read at a time; more are faster, up to a few thousand.
    """

    datasets: Mapping[str, DatasetPlan]
    rows_per_shard: int
    staging: str
    validation: Validation | None = None
    progress: Progress = field(default_factory=Progress)
    batch_rows: int = BATCH_ROWS

    @property
    def bytes(self) -> int:
        """Of all raw files."""
        return sum(piece.bytes for each in self.datasets.values() for piece in each.slices)


def plan(
    recipe: Recipe, folder: Path, raw: str, staging: str, validation: Validation | None = None
) -> Plan:
    """Finds the raw files of every dataset of a recipe.

    Args:
      recipe: what to build.
      folder: that the recipe's own files are relative to.
      raw: the raw folder, as Beam's filesystems take it.
      staging: see `Plan`.
      validation: see `Plan`.

    Raises:
      RawFileError: files are missing or not what their names say; all missing
        datasets are named at once, each with how to get it.
    """
    found, missing = {}, []
    for name, dataset in recipe.datasets.items():
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
            f"{raw} lacks the raw files of {len(missing)} of {len(recipe.datasets)} datasets:\n"
            + "\n".join(missing)
            + "\nGive --raw the right folder, or build some of the datasets with --only"
        )
    return Plan(found, recipe.rows_per_shard, staging, validation)


def _missing(name: str, dataset: DatasetRecipe) -> str:
    looked = " or ".join(dataset.patterns)
    if dataset.files:
        return f"  {name}: no {looked} (`files` in the recipe)"
    hub = f"{dataset.entry.hub} on the Hugging Face Hub: " if dataset.entry.hub else ""
    return f"  {name}: no {looked}; {hub}beam-thunder fetch {dataset.source} --to DIR"


def build(root: beam.Pipeline, plan: Plan) -> PCollection[str]:
    """Builds every dataset of the plan into its staging folder.

    Returns:
      The path of the result file, `RESULT` in the staging folder, which lists all
      files written and each dataset's ledger: what publishing goes by.
    """
    register_coders()
    questions, rejects, ledgers = [], [], []
    for name, dataset in plan.datasets.items():
        source = parser(dataset.recipe.source, dataset.few_shot)
        raw = (
            root
            | f"List {name}" >> beam.Create(dataset.slices)
            | f"Read {name}" >> ReadRaw(source.rows, plan.batch_rows, plan.progress)
        )
        parsed = raw | f"Parse {name}" >> source
        questions.append(parsed.questions | f"Name {name}" >> _with_key(name, pa.RecordBatch))
        rejects.append(
            parsed.rejects | f"Name rejects of {name}" >> _with_key(name, pa.RecordBatch)
        )
        read = raw | f"Count rows of {name}" >> beam.Map(lambda b: Ledger(read=b.num_rows))
        ledgers += [
            read | f"Name rows of {name}" >> _with_key(name, Ledger),
            parsed.ledger | f"Name counts of {name}" >> _with_key(name, Ledger),
        ]

    # Questions are shuffled, and not what they fan out to: that is four times as much.
    written = (
        questions
        | "All questions" >> beam.Flatten()
        | ShuffleIntoShards(
            _expected_rows(root, plan), plan.rows_per_shard, plan.staging, plan.progress
        )
        | PairOptions({name: each.recipe.entry for name, each in plan.datasets.items()})
        | WriteShards(
            plan.staging,
            {name: each.recipe.written_tables for name, each in plan.datasets.items()},
            plan.validation is not None,
            plan.progress,
        )
    )
    rejected = rejects | "All rejects" >> beam.Flatten() | WriteRejects(plan.staging)
    totals = (
        [*ledgers, written.shards | "Count shards" >> beam.Map(_shard_ledger)]
        | "All counts" >> beam.Flatten()
        | "Add ledgers up"
        >> beam.CombinePerKey(Ledger.sum).with_output_types(tuple[str, Ledger])
    )
    return (
        root
        | "Once" >> beam.Create([FileSystems.join(plan.staging, RESULT)])
        | "Write the result"
        >> beam.Map(
            _write_result,
            AsList(written.shards),
            AsList(rejected),
            AsDict(totals),
            AsList(_validated(root, plan, written.statistics)),
        )
    )


def _validated(
    root: beam.Pipeline, plan: Plan, partials: PCollection[Any]
) -> PCollection[ValidatedTable]:
    """What TFDV finds in each table; nothing where the plan leaves validation out."""
    if plan.validation is None:
        return root | "No validation" >> beam.Create([])
    # Imports TensorFlow, which takes seconds: for those who validate.
    from beam_thunder.transforms.validate import ValidateTables, environment

    entries = {name: each.recipe.entry for name, each in plan.datasets.items()}
    return partials | ValidateTables(
        plan.validation.schemas,
        {name: environment(each.kind, each.language) for name, each in entries.items()},
        plan.staging,
        plan.validation.baseline,
    )


def _expected_rows(root: beam.Pipeline, plan: Plan) -> PCollection[tuple[str, int]]:
    """The rows of each dataset's larger table, as its raw files promise them."""

    def expected(name: str, piece: RawSlice) -> tuple[str, int]:
        dataset = plan.datasets[name].recipe
        rows = count_rows(piece, parser(dataset.source).rows)
        return name, rows * dataset.entry.fan_out

    slices = [(name, piece) for name, each in plan.datasets.items() for piece in each.slices]
    return (
        root
        | "List all files" >> beam.Create(slices)
        | "Spread files over workers" >> beam.Reshuffle()
        | "Count rows" >> beam.MapTuple(expected).with_output_types(tuple[str, int])
        | "Add rows up" >> beam.CombinePerKey(sum)
    )


def _with_key(name: str, kind: type) -> beam.PTransform[Any, Any]:
    return beam.Map(lambda value: (name, value)).with_output_types(tuple[str, kind])  # type: ignore[valid-type]


def _shard_ledger(shard: WrittenShard) -> tuple[str, Ledger]:
    counts = shard.counts
    return shard.dataset, Ledger(
        shuffled=counts["questions"],
        attempts=counts["attempts"],
        correct=counts["correct"],
        wrong=counts["wrong"],
        candidates=counts["candidates"],
        dropped={IDENTICAL: counts[IDENTICAL]} if counts[IDENTICAL] else {},
        written={file.path.split("/")[1]: file.rows for file in shard.files},
    )


def _write_result(
    path: str,
    shards: Iterable[WrittenShard],
    rejects: Iterable[WrittenFile],
    ledgers: Mapping[str, Ledger],
    validated: Sequence[ValidatedTable],
) -> str:
    files = [file for shard in shards for file in shard.files] + list(rejects)
    files += [table.file for table in validated]
    tables = sorted(validated, key=lambda table: table.file.path)
    result = {
        "anomalies": [asdict(each) for table in tables for each in table.anomalies],
        "drift": [asdict(each) for table in tables for each in table.drift],
        "files": [asdict(file) for file in sorted(files, key=lambda file: file.path)],
        "ledger": {name: asdict(ledgers[name]) for name in sorted(ledgers)},
    }
    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as handle:
        handle.write(orjson.dumps(result))
    return path
