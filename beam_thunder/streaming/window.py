"""One window of one dataset, from the pieces of its raw files to a folder ready to publish.

It is a build of its own, only smaller: the same pairing, measures, schemas, ledger, manifest
and report. Whoever builds it from the same files gets the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from beam_thunder.generation.store import Keys
from beam_thunder.ledger import Ledger
from beam_thunder.manifest import MANIFEST, dump, manifest
from beam_thunder.recipe import Recipe
from beam_thunder.schemas import OPEN_QUESTIONS, QUESTIONS
from beam_thunder.streaming.answer import assessed
from beam_thunder.streaming.arrival import Arrival, Piece, load
from beam_thunder.transforms.assess import Rules, to_rows
from beam_thunder.transforms.pair import Paired, option_attempts, pair
from beam_thunder.transforms.shuffle import shard_count, sort_shard
from beam_thunder.transforms.write import (
    WrittenFile,
    WrittenShard,
    measure_tables,
    shard_ledger,
    write_jsonl,
    write_parquet,
)


@dataclass(frozen=True)
class WindowRules:
    """What the windows of a dataset are built by.

    Attributes:
      recipe: with this dataset alone.
      assessing: what attempts are held to; None of a processed dataset.
      schemas: the TFDV schema of each table, as text; None to leave validation out.
      on_anomaly: `stop` sets a window aside, `warn` publishes it and says so.
    """

    recipe: Recipe
    assessing: Rules | None = None
    schemas: Mapping[str, str] | None = None
    on_anomaly: Literal["stop", "warn"] = "stop"

    @property
    def dataset(self) -> str:
        """Its name."""
        return next(iter(self.recipe.datasets))


@dataclass(frozen=True)
class Built:
    """A window that lies ready in its folder.

    Attributes:
      ids: of its questions.
      rows: written of each table that has some.
      anomalies: what its schemas do not allow.
      set_aside: raw files that could not be used, with the reason.
      refused: whether it may not be published.
    """

    ids: Sequence[str]
    rows: Mapping[str, int]
    anomalies: Sequence[Mapping[str, Any]]
    set_aside: Mapping[str, str]
    refused: bool


@dataclass
class _RawFile:
    """What the pieces of a raw file come to, taken together."""

    arrival: Arrival
    ledger: Ledger = field(default_factory=Ledger)
    pieces: list[Piece] = field(default_factory=list)
    error: str = ""

    def check(self, max_reject_rate: float) -> None:
        """Sets the file aside if too many of its rows gave no question."""
        rate = self.ledger.reject_rate
        if not self.error and rate > max_reject_rate:
            rejected = ", ".join(f"{why} {n}" for why, n in self.ledger.rejected.items())
            self.error = (
                f"{rate:.1%} of its {self.ledger.read} rows were rejected ({rejected}); the "
                f"recipe's max_reject_rate is {max_reject_rate:.1%}"
            )


def build_window(
    name: str, pieces: Iterable[Piece], seen: Keys, folder: Path, rules: WindowRules
) -> Built:
    """Builds a window.

    A raw file that cannot be read, or of which too much was rejected, is set aside alone.

    Args:
      name: of the window.
      pieces: of all its raw files.
      seen: ids of the questions that earlier windows have.
      folder: to write to; what belongs to tables lies below DATASET, the rest beside it.
      rules: of the dataset.
    """
    raw = _gather(pieces, rules.recipe.max_reject_rate)
    good = [piece for each in raw if not each.error for piece in each.pieces]
    open_ended = rules.assessing is not None
    loaded = [load(piece.questions) for piece in good if piece.questions]
    questions = sort_shard(loaded, OPEN_QUESTIONS if open_ended else QUESTIONS)
    new = questions.filter(_new(questions, seen))
    written = list(_write(name, new, good, folder, rules))
    ledger = Ledger.sum(
        [
            *(each.ledger for each in raw if not each.error),
            Ledger(repeated=len(questions) - len(new)),
            *(shard_ledger(shard)[1] for shard, _ in written),
        ]
    )
    ledger.check(f"{rules.dataset}, window {name}")
    files = [file for shard, _ in written for file in shard.files]
    files += _write_rejects(raw, folder, rules.dataset)
    tables = [tables for _, tables in written]
    anomalies = _validate(tables, files, folder, rules)
    built = _manifest(name, raw, ledger, files, anomalies, folder, rules)
    return Built(
        new.column("id").to_pylist(),
        ledger.written,
        built.get("validation", {}).get("anomalies", []),
        {each.arrival.path: each.error for each in raw if each.error},
        bool(anomalies) and rules.on_anomaly == "stop",
    )


def _gather(pieces: Iterable[Piece], max_reject_rate: float) -> list[_RawFile]:
    """The raw files of a window, in the order of their names."""
    found: dict[Arrival, _RawFile] = {}
    for piece in pieces:
        each = found.setdefault(piece.arrival, _RawFile(piece.arrival))
        each.ledger += piece.ledger
        each.pieces.append(piece)
        each.error = each.error or piece.error
    for each in found.values():
        each.check(max_reject_rate)
    return [found[arrival] for arrival in sorted(found)]


def _new(questions: pa.RecordBatch, seen: Keys) -> pa.Array:
    """A mask of the questions, sorted by id, that are neither seen nor repeated."""
    ids = questions.column("id").to_pylist()
    fresh = [each not in seen and (not n or each != ids[n - 1]) for n, each in enumerate(ids)]
    return pa.array(fresh, pa.bool_())


def _write(
    name: str,
    questions: pa.RecordBatch,
    pieces: Sequence[Piece],
    folder: Path,
    rules: WindowRules,
) -> Iterator[tuple[WrittenShard, dict[str, pa.RecordBatch]]]:
    """Writes the window's shards; gives each with its tables that have rows."""
    dataset = rules.recipe.datasets[rules.dataset]
    attempts = [load(piece.attempts) for piece in pieces if piece.attempts]
    unused = sum((Counter(piece.unused) for piece in pieces), Counter[str]())
    shards = shard_count(len(questions) * dataset.entry.fan_out, rules.recipe.rows_per_shard)
    bounds = np.linspace(0, len(questions), shards + 1).astype(int)
    for number in range(shards):
        start, end = int(bounds[number]), int(bounds[number + 1])
        part = questions.slice(start, end - start)
        paired = _pair(part, attempts, unused if number == 0 else Counter(), rules)
        made: dict[str, pa.RecordBatch] = {t: paired.table(t) for t in dataset.written_tables}
        tables = {table: rows for table, rows in made.items() if len(rows)}
        place = f"window={name}/train-{number:05d}-of-{shards:05d}.parquet"
        files = tuple(
            write_parquet(rows, f"{rules.dataset}/{table}/{place}", str(folder))
            for table, rows in tables.items()
        )
        yield WrittenShard(rules.dataset, files, paired.counts, paired.ledger), tables


def _pair(
    questions: pa.RecordBatch,
    attempts: Sequence[pa.RecordBatch],
    unused: Counter[str],
    rules: WindowRules,
) -> Paired:
    if rules.assessing is None:
        entry = rules.recipe.datasets[rules.dataset].entry
        return pair(questions, option_attempts(questions), entry)
    found = assessed(questions, attempts)
    return to_rows(questions, found, unused, rules.assessing)


def _write_rejects(raw: Sequence[_RawFile], folder: Path, dataset: str) -> list[WrittenFile]:
    rejects = [load(piece.rejects) for each in raw for piece in each.pieces if piece.rejects]
    if not rejects:
        return []
    order = [("file", "ascending"), ("position", "ascending")]
    rows = pa.Table.from_batches(rejects).sort_by(order).to_pylist()
    return [write_jsonl(rows, f"rejects/{dataset}.jsonl", str(folder))]


def _validate(
    shards: Sequence[Mapping[str, pa.RecordBatch]],
    files: list[WrittenFile],
    folder: Path,
    rules: WindowRules,
) -> list[dict[str, Any]]:
    """What the schemas do not allow; adds the files of the statistics.

    A table without rows is none here: of a window's few questions there may be no pair.
    """
    if rules.schemas is None:
        return []
    from beam_thunder.transforms.validate import environment, validate_table

    entry = rules.recipe.datasets[rules.dataset].entry
    where = environment(entry.kind, entry.language)
    partials: dict[str, list[Any]] = {}
    for number, tables in enumerate(shards):
        for table, partial in measure_tables(tables, number).items():
            partials.setdefault(table, []).append(partial)
    anomalies = []
    for table in sorted(partials):
        schema = rules.schemas[table]
        found = validate_table(
            rules.dataset, table, partials[table], schema, where, str(folder)
        )
        files.append(found.file)
        anomalies += [asdict(each) for each in found.anomalies]
    return anomalies


def _manifest(
    name: str,
    raw: Sequence[_RawFile],
    ledger: Ledger,
    files: Sequence[WrittenFile],
    anomalies: Sequence[Mapping[str, Any]],
    folder: Path,
    rules: WindowRules,
) -> dict[str, Any]:
    """Writes the window's manifest and report; returns the manifest."""
    from beam_thunder.report import write_report

    dataset = rules.dataset
    result = {
        "files": sorted((asdict(file) for file in files), key=lambda file: file["path"]),
        "ledger": {dataset: asdict(ledger)},
    }
    names = {dataset: [each.arrival.path for each in raw]}
    built = manifest(rules.recipe, names, result)
    if rules.schemas is not None:
        from beam_thunder.validation import describe

        shown = [describe(each, built, str(folder), rules.schemas) for each in anomalies]
        about: dict[str, Any] = {"on_anomaly": rules.on_anomaly, "baseline": None, "drift": []}
        built = manifest(rules.recipe, names, result, {**about, "anomalies": shown})
    built["window"] = {
        "name": name,
        "files": [{**asdict(each.arrival), "set_aside": each.error or None} for each in raw],
    }
    (folder / MANIFEST).write_bytes(dump(built))
    write_report(folder)
    return built
