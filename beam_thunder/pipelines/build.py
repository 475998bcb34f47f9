"""A build: the rows of all datasets to files in a staging folder, measured and counted.

```
processed:  options are attempts --pair--> SFT rows, preference pairs
synthetic:  attempts --filter, grade, pair--> SFT rows, preference pairs
shards --write--> files; --measure, TFDV--> anomalies; --count--> the ledger
```
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import orjson
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import AsDict, AsList, PCollection

from beam_thunder.files import write
from beam_thunder.ledger import Ledger
from beam_thunder.manifest import RESULT
from beam_thunder.pipelines.assemble import Assembled, AttemptsPlan, plan_attempts
from beam_thunder.pipelines.processed import Processed
from beam_thunder.pipelines.questions import DatasetPlan, Job, find_datasets
from beam_thunder.recipe import Recipe
from beam_thunder.transforms import WriteRejects, WriteShards
from beam_thunder.transforms.write import WrittenFile, WrittenShard, shard_ledger

if TYPE_CHECKING:
    from beam_thunder.transforms.validate import ValidatedTable


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
      attempts: at the questions of its synthetic datasets, by name.
      job: what is the same for all of them.
      validation: what tables are held to; None to leave that out.
    """

    datasets: Mapping[str, DatasetPlan]
    attempts: Mapping[str, AttemptsPlan]
    job: Job
    validation: Validation | None = None

    @property
    def bytes(self) -> int:
        """Of all raw files."""
        return sum(piece.bytes for each in self.datasets.values() for piece in each.slices)

    def of_kind(self, kind: str) -> dict[str, DatasetPlan]:
        """Its processed or its synthetic datasets."""
        return {n: d for n, d in self.datasets.items() if d.recipe.entry.kind == kind}


def plan(
    recipe: Recipe,
    folder: Path,
    raw: str,
    job: Job,
    validation: Validation | None = None,
    attempts: str | None = None,
) -> Plan:
    """Finds the raw files and the attempts of every dataset of a recipe.

    Args:
      recipe: what to build.
      folder: that the recipe's own files are relative to.
      raw: the raw folder, as Beam's filesystems take it.
      job: see `Plan`.
      validation: see `Plan`.
      attempts: the folder of attempts, if there is one.

    Raises:
      RawFileError: see `find_datasets`.
      UserError: see `plan_attempts`.
    """
    found = find_datasets(recipe.datasets, folder, raw)
    return Plan(found, plan_attempts(recipe, folder, attempts), job, validation)


def build(root: beam.Pipeline, plan: Plan) -> PCollection[str]:
    """Builds every dataset of the plan into its staging folder.

    Returns:
      The path of the result file, `RESULT` in the staging folder, which lists all
      files written and each dataset's ledger: what publishing goes by.
    """
    rows = []
    if processed := plan.of_kind("processed"):
        rows.append(root | "Processed" >> Processed(processed, plan.job))
    if synthetic := plan.of_kind("synthetic"):
        rows.append(root | "Synthetic" >> Assembled(synthetic, plan.attempts, plan.job))
    staging = plan.job.staging
    written = (
        [each.shards for each in rows]
        | "All shards" >> beam.Flatten()
        | WriteShards(
            staging,
            {name: each.recipe.written_tables for name, each in plan.datasets.items()},
            plan.validation is not None,
            plan.job.progress,
        )
    )
    rejects = [each.rejects for each in rows] | "All rejects" >> beam.Flatten()
    rejected = rejects | WriteRejects(staging)
    shards = written.shards | "Count shards" >> beam.Map(shard_ledger)
    totals = (
        [*(each.ledgers for each in rows), shards]
        | "All counts" >> beam.Flatten()
        | "Add ledgers up"
        >> beam.CombinePerKey(Ledger.sum).with_output_types(tuple[str, Ledger])
    )
    return (
        root
        | "Once" >> beam.Create([FileSystems.join(staging, RESULT)])
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
        plan.job.staging,
        plan.validation.baseline,
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
    write(path, orjson.dumps(result), durable=False)
    return path
