"""Validation around the pipeline: schemas, baselines, offending rows, published folders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from beam_thunder.errors import UserError
from beam_thunder.files import read
from beam_thunder.ledger import Ledger
from beam_thunder.manifest import CARD, MANIFEST, REPORT, read_manifest
from beam_thunder.transforms.profile import TEXTS, profile
from beam_thunder.transforms.statistics import Partial, merge_statistics, partial_statistics
from beam_thunder.transforms.validate import (
    Anomaly,
    environment,
    find_anomalies,
    offends,
    parse_schema,
    propose_schema,
    statistics_path,
)

SHOWN_ROWS = 5
SHOWN_CHARACTERS = 120


def load_schemas(folder: Path | None = None) -> dict[str, str]:
    """The TFDV schema of each table, as text.

    Args:
      folder: with files `TABLE.pbtxt` that take the place of the package's own.

    Raises:
      UserError: the folder has none, or a schema cannot be parsed.
    """
    own = files("beam_thunder.schemas")
    schemas = {}
    found = [table for table in TEXTS if folder and (folder / f"{table}.pbtxt").is_file()]
    if folder and not found:
        names = ", ".join(f"{table}.pbtxt" for table in TEXTS)
        raise UserError(f"--schema {folder} has none of {names}")
    for table in TEXTS:
        source = folder / f"{table}.pbtxt" if folder and table in found else None
        text = (source or own / f"{table}.pbtxt").read_text(encoding="utf-8")
        parse_schema(text, str(source or f"{table}.pbtxt"))
        schemas[table] = text
    return schemas


def load_baseline(out: Path) -> dict[tuple[str, str], bytes]:
    """The statistics of an earlier build, by dataset and table.

    Raises:
      UserError: the folder is no published build, or was built without validation.
    """
    manifest = read_manifest(out)
    found = {
        (dataset, table): (out / statistics_path(dataset, table)).read_bytes()
        for dataset, table in tables(manifest)
        if (out / statistics_path(dataset, table)).is_file()
    }
    if not found:
        raise UserError(
            f"--baseline {out} has no statistics, as it was built with --no-validate; "
            "build it again without that"
        )
    return found


def tables(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Dataset and name of every table of a build."""
    return [
        (name, table)
        for name, dataset in manifest["datasets"].items()
        for table in dataset["ledger"]["written"]
    ]


def table_files(manifest: Mapping[str, Any], dataset: str, table: str) -> list[str]:
    """Paths of a table's shards, in order."""
    start = f"{dataset}/{table}/"
    return [file["path"] for file in manifest["files"] if file["path"].startswith(start)]


def describe(
    anomaly: Mapping[str, Any],
    manifest: Mapping[str, Any],
    folder: str,
    schemas: Mapping[str, str],
) -> dict[str, Any]:
    """An anomaly with up to five of the rows that it is about."""
    return {**anomaly, "rows": list(_offending_rows(anomaly, manifest, folder, schemas))}


def _offending_rows(
    anomaly: Mapping[str, Any],
    manifest: Mapping[str, Any],
    folder: str,
    schemas: Mapping[str, str],
) -> Iterator[dict[str, str]]:
    dataset, table, measure = anomaly["dataset"], anomaly["table"], anomaly["measure"]
    about = manifest["datasets"][dataset]
    where = environment(about["kind"], about["language"])
    schema = parse_schema(schemas[table], table)
    feature = next((each for each in schema.feature if each.name == measure), None)
    text = next((name for name in TEXTS[table] if measure.startswith(name)), TEXTS[table][-1])
    shown = 0
    for path in table_files(manifest, dataset, table):
        rows = _read(FileSystems.join(folder, *path.split("/")))
        measures = profile(rows, table)
        if measure not in measures.schema.names:
            return
        column = measures.column(measures.schema.get_field_index(measure))
        hits = rows.filter(offends(column, feature, where))
        for row in hits.slice(0, SHOWN_ROWS - shown).to_pylist():
            shown += 1
            yield {"id": row["id"], "text": _shorten(row[text])}
        if shown == SHOWN_ROWS:
            return


def _shorten(text: str) -> str:
    short = text[:SHOWN_CHARACTERS]
    return json.dumps(short + "…" if short != text else short, ensure_ascii=False)


def _read(path: str) -> pa.RecordBatch:
    table = pq.read_table(pa.BufferReader(read(path))).combine_chunks()
    batches = table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


# A published folder.


@dataclass(frozen=True)
class Verdict:
    """What validating a published folder came to.

    Attributes:
      problems: files that are not as the manifest says, and sums that do not add up.
      anomalies: what the schemas do not allow, as `describe` gives it.
      rows: that were measured.
    """

    problems: tuple[str, ...]
    anomalies: tuple[dict[str, Any], ...]
    rows: int


def validate_folder(out: Path, schemas: Mapping[str, str]) -> Verdict:
    """Validates a published folder from its files: checksums, ledger and schemas.

    Raises:
      UserError: it is no published build.
    """
    manifest = read_manifest(out)
    problems = [*_check_files(out, manifest), *_check_ledgers(manifest)]
    if problems:  # what is not what was published is not worth measuring
        return Verdict(tuple(problems), (), 0)
    found: list[dict[str, Any]] = []
    rows = 0
    for dataset, table in tables(manifest):
        about = manifest["datasets"][dataset]
        statistics = merge_statistics(_measure(out, manifest, dataset, table))
        rows += statistics.datasets[0].num_examples
        anomalies: list[Anomaly] = find_anomalies(
            *(dataset, table, statistics, parse_schema(schemas[table], table)),
            environment(about["kind"], about["language"]),
        )
        found += [describe(asdict(each), manifest, str(out), schemas) for each in anomalies]
    return Verdict((), tuple(found), rows)


def _measure(
    out: Path, manifest: Mapping[str, Any], dataset: str, table: str
) -> Iterator[Partial]:
    for number, path in enumerate(table_files(manifest, dataset, table)):
        yield partial_statistics(profile(_read(str(out / path)), table), number)


def _check_files(out: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    listed = {file["path"]: file for file in manifest["files"]}
    for path, file in listed.items():
        if not (out / path).is_file():
            yield f"{path} is missing"
            continue
        with (out / path).open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        if digest != file["sha256"]:
            yield f"{path} was changed: its SHA-256 is {digest}, published was {file['sha256']}"
        elif (
            path.endswith(".parquet") and pq.read_metadata(out / path).num_rows != file["rows"]
        ):
            yield f"{path} has not the {file['rows']} rows that the manifest says"
    known = {*listed, MANIFEST, CARD, REPORT}
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.relative_to(out).as_posix() not in known:
            yield f"{path.relative_to(out)} is not in the manifest"


def _check_ledgers(manifest: Mapping[str, Any]) -> Iterator[str]:
    for name, dataset in manifest["datasets"].items():
        try:
            Ledger(**dataset["ledger"]).check(name)
        except UserError as error:
            yield str(error)
        for table, rows in dataset["ledger"]["written"].items():
            start = f"{name}/{table}/"
            held = sum(f["rows"] for f in manifest["files"] if f["path"].startswith(start))
            if held != rows:
                yield f"{name}/{table}: the ledger has {rows} rows, its files {held}"


# Schemas for new sources.


def infer_schemas(dataset: Path, to: Path) -> list[Path]:
    """Proposes a schema for each table of a published dataset, for a person to edit.

    The proposal is the package's own, with the ranges of numbers and the values of
    categories as they are in this dataset.

    Args:
      dataset: its folder in a published folder.
      to: folder for `TABLE.pbtxt`; existing files are not overwritten.

    Raises:
      UserError: the folder is no dataset of a published folder, or a file is there.
    """
    out, name = dataset.parent, dataset.name
    manifest = read_manifest(out)
    if name not in manifest["datasets"]:
        known = ", ".join(manifest["datasets"])
        raise UserError(f"{out} has no dataset {name!r}; it has {known}")
    wanted = [to / f"{table}.pbtxt" for each, table in tables(manifest) if each == name]
    for path in wanted:
        if path.exists():
            raise UserError(f"{path} is there already; give another --to, or remove it")
    to.mkdir(parents=True, exist_ok=True)
    for path in wanted:
        statistics = merge_statistics(_measure(out, manifest, name, path.stem))
        path.write_text(propose_schema(statistics, f"{name}/{path.stem}"), encoding="utf-8")
    return wanted
