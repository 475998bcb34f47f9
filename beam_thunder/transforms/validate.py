"""TFDV's verdict on a table's statistics: anomalies, and drift from an earlier build.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow_data_validation as tfdv
from apache_beam.pvalue import PCollection
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from beam_thunder.errors import UserError
from beam_thunder.transforms.statistics import Partial, merge_statistics
from beam_thunder.transforms.write import WrittenFile, write_bytes

_CONSTRAINTS = ("presence", "int_domain", "float_domain", "string_domain", "value_count")
_DRIFT = (
    anomalies_pb2.AnomalyInfo.COMPARATOR_L_INFTY_HIGH,
    anomalies_pb2.AnomalyInfo.COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH,
    anomalies_pb2.AnomalyInfo.COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH,
)


@dataclass(frozen=True)
class Anomaly:
    """A measure of a table that its schema does not allow.

    Attributes:
      dataset: its name.
      table: its name.
      measure: the feature of the schema; `rows` where the table as a whole is meant.
      found: what the statistics say.
      expected: what the schema says.
    """

    dataset: str
    table: str
    measure: str
    found: str
    expected: str


def parse_schema(text: str, name: str) -> schema_pb2.Schema:
    """A TFDV schema from its text.

    Raises:
      UserError: it is none; the message gives the line.
    """
    try:
        return text_format.Parse(text, schema_pb2.Schema())
    except text_format.ParseError as error:
        raise UserError(f"{name}:{error}: no valid TFDV schema") from error


def environment(kind: str, language: str) -> str:
    """The environment of the schemas that a dataset is in."""
    return f"{kind}-{language}"


def find_anomalies(
    dataset: str,
    table: str,
    statistics: DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
    where: str,
) -> list[Anomaly]:
    """What the schema does not allow in the environment `where`, by measure.

    A table without rows is an anomaly; TFDV alone would let it pass.
    """
    if not statistics.datasets or not statistics.datasets[0].num_examples:
        return [Anomaly(dataset, table, "rows", "none", "at least one")]
    # A schema of the user's own may do without environments.
    known = where if where in schema.default_environment else None
    verdict = tfdv.validate_statistics(statistics, schema, environment=known)
    return list(_explained(dataset, table, statistics, verdict, schema, where))


def find_drift(
    dataset: str,
    table: str,
    statistics: DatasetFeatureStatisticsList,
    baseline: DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
) -> list[Anomaly]:
    """Measures that moved further from the baseline than the schema allows.

    TFDV compares the values of a measure where it is not 0. In how many rows that is
    may move just as well, so that share is held to the same threshold.
    """
    now, before = _shares(statistics), _shares(baseline)
    both = schema_pb2.Schema.FromString(schema.SerializeToString())
    moved: dict[str, list[tuple[str, float]]] = {}
    for feature in both.feature:
        limit = max(
            feature.drift_comparator.jensen_shannon_divergence.threshold,
            feature.drift_comparator.infinity_norm.threshold,
        )
        here, there = now.get(feature.name, 0.0), before.get(feature.name, 0.0)
        if limit and abs(here - there) > limit:
            text = f"in {here:.1%} of the rows, before in {there:.1%}"
            moved.setdefault(feature.name, []).append((text, limit))
        if not (here and there):  # TFDV has nothing to compare
            feature.ClearField("drift_comparator")
    compared = tfdv.validate_statistics(statistics, both, previous_statistics=baseline)
    for info in compared.drift_skew_info:
        for each in info.drift_measurements:
            if each.value > each.threshold:
                kind = anomalies_pb2.DriftSkewInfo.Measurement.Type.Name(each.type)
                text = f"{kind.lower().replace('_', ' ')} {each.value:.3g}"
                moved.setdefault(".".join(info.path.step), []).append((text, each.threshold))
    return [
        Anomaly(
            dataset,
            table,
            measure,
            "; ".join(t for t, _ in found),
            f"at most {found[0][1]:.3g}",
        )
        for measure, found in sorted(moved.items())
    ]


def _shares(statistics: DatasetFeatureStatisticsList) -> dict[str, float]:
    """The share of rows in which each measure is not 0."""
    [dataset] = statistics.datasets
    common = {
        ".".join(each.path.step): (
            each.string_stats if each.HasField("string_stats") else each.num_stats
        ).common_stats
        for each in dataset.features
    }
    rows = max(dataset.num_examples, 1)
    return {name: stats.num_non_missing / rows for name, stats in common.items()}


def _explained(
    dataset: str,
    table: str,
    statistics: DatasetFeatureStatisticsList,
    verdict: anomalies_pb2.Anomalies,
    schema: schema_pb2.Schema,
    where: str,
) -> Iterator[Anomaly]:
    features = {feature.name: feature for feature in schema.feature}
    for name in sorted(verdict.anomaly_info):
        info = verdict.anomaly_info[name]
        reasons = [each for each in info.reason if each.type not in _DRIFT]
        if not reasons:
            continue
        measure = ".".join(info.path.step) or name
        feature = features.get(measure)
        # TFDV calls what an environment forbids a new column, which helps nobody.
        forbidden = feature is None or where in feature.not_in_environment
        said = [] if forbidden else [each.description for each in reasons]
        found = " ".join([*said, _seen(statistics, measure)])
        yield Anomaly(dataset, table, measure, found, allowed(feature, where))
    for reason in verdict.dataset_anomaly_info.reason:
        yield Anomaly(dataset, table, "rows", reason.description, "see dataset_constraints")


def _seen(statistics: DatasetFeatureStatisticsList, measure: str) -> str:
    """In how many rows a measure is not 0, and its range there."""
    rows = statistics.datasets[0].num_examples
    for feature in statistics.datasets[0].features:
        if ".".join(feature.path.step) == measure:
            if feature.HasField("string_stats"):
                common = feature.string_stats.common_stats
                return f"({common.num_non_missing} of {rows} rows have it)"
            numbers = feature.num_stats
            count = numbers.common_stats.num_non_missing
            return f"({numbers.min:g} to {numbers.max:g} in {count} of {rows} rows)"
    return f"(0 in all {rows} rows)"


def allowed(feature: schema_pb2.Feature | None, where: str) -> str:
    """What a schema says of a feature, in one line."""
    if feature is None:
        return "a measure that the schema names"
    if where in feature.not_in_environment:
        return f"0 in every row of a {where} dataset"
    parts = [
        f"{name} {{ {text_format.MessageToString(getattr(feature, name), as_one_line=True)} }}"
        for name in _CONSTRAINTS
        if feature.HasField(name)
    ]
    return " ".join(parts) or "anything"


def offends(column: pa.Array, feature: schema_pb2.Feature | None, where: str) -> pa.Array:
    """Which rows have a measure that the schema does not allow.

    Args:
      column: a measure of a profile, not left out where it is 0.
      feature: of the schema; None if it has no such feature.
      where: the environment.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type):
        return _text_offends(column, feature, where)
    values = column.to_numpy(zero_copy_only=False)
    present = values != 0
    if feature is None or where in feature.not_in_environment:
        return pa.array(present)
    bad = np.zeros(len(values), dtype=bool)
    for domain in ("int_domain", "float_domain"):
        if feature.HasField(domain):
            bounds = getattr(feature, domain)
            bad |= present & _outside(values, bounds)
    if feature.presence.min_fraction > 0:
        bad |= ~present
    return pa.array(bad)


def _outside(values: Any, bounds: Any) -> Any:
    low = bounds.min if bounds.HasField("min") else -np.inf
    high = bounds.max if bounds.HasField("max") else np.inf
    return (values < low) | (values > high)


def _text_offends(column: pa.Array, feature: schema_pb2.Feature | None, where: str) -> pa.Array:
    if feature is None or where in feature.not_in_environment:
        return pc.is_valid(column)
    bad = pc.is_null(column)
    if feature.HasField("string_domain"):
        domain = pa.array(list(feature.string_domain.value), pa.string())
        bad = pc.or_(bad, pc.invert(pc.is_in(column, value_set=domain)))
    return bad


@dataclass(frozen=True)
class ValidatedTable:
    """What was found of one table.

    Attributes:
      file: its statistics, in the staging folder.
      anomalies: what its schema does not allow.
      drift: what moved from the baseline further than its schema allows.
    """

    file: WrittenFile
    anomalies: tuple[Anomaly, ...]
    drift: tuple[Anomaly, ...]


@dataclass(eq=False)
class ValidateTables(
    beam.PTransform[PCollection[tuple[tuple[str, str], Partial]], PCollection[ValidatedTable]]
):
    """Statistics of shards, by dataset and table, to what TFDV finds in each table.

    In windows, each window's tables are validated for themselves.

    Attributes:
      schemas: the TFDV schema of each table, as text.
      environments: of each dataset.
      staging: folder to write the statistics to.
      baseline: serialized statistics of an earlier build, by dataset and table.
    """

    schemas: Mapping[str, str]
    environments: Mapping[str, str]
    staging: str
    baseline: Mapping[tuple[str, str], bytes] = field(default_factory=dict)

    def expand(
        self, partials: PCollection[tuple[tuple[str, str], Partial]]
    ) -> PCollection[ValidatedTable]:
        # Gathered and not combined: the order of merging must not be the runner's choice.
        return (
            partials
            | "Gather statistics" >> beam.GroupByKey()
            | "Validate tables"
            >> beam.MapTuple(self._validate).with_output_types(ValidatedTable)
        )

    def _validate(self, key: tuple[str, str], partials: Iterable[Partial]) -> ValidatedTable:
        dataset, table = key
        return validate_table(
            dataset,
            table,
            partials,
            self.schemas[table],
            self.environments[dataset],
            self.staging,
            self.baseline.get(key),
        )


def validate_table(
    dataset: str,
    table: str,
    partials: Iterable[Partial],
    schema: str,
    where: str,
    staging: str,
    baseline: bytes | None = None,
) -> ValidatedTable:
    """Writes the statistics of a table, and says what is wrong with it.

    Args:
      dataset: its name.
      table: its name.
      partials: statistics of all its shards.
      schema: of TFDV, as text.
      where: the dataset's environment.
      staging: folder to write the statistics to.
      baseline: serialized statistics of an earlier build.
    """
    parsed = parse_schema(schema, table)
    statistics = merge_statistics(partials)
    drift: list[Anomaly] = []
    if baseline is not None:
        earlier = DatasetFeatureStatisticsList.FromString(baseline)
        drift = find_drift(dataset, table, statistics, earlier, parsed)
    file = write_bytes(
        statistics.SerializeToString(deterministic=True),
        statistics.datasets[0].num_examples,
        statistics_path(dataset, table),
        staging,
    )
    found = find_anomalies(dataset, table, statistics, parsed, where)
    return ValidatedTable(file, tuple(found), tuple(drift))


def statistics_path(dataset: str, table: str) -> str:
    """Of a table's statistics, below the output folder."""
    return f"validation/{dataset}/{table}.statistics.pb"


def propose_schema(statistics: DatasetFeatureStatisticsList, name: str) -> str:
    """The text of a schema that allows just what these statistics show."""
    schema = tfdv.infer_schema(statistics, infer_feature_shape=False)
    numbers = {
        ".".join(feature.path.step): feature.num_stats
        for feature in statistics.datasets[0].features
        if feature.HasField("num_stats")
    }
    for feature in schema.feature:
        if feature.name in numbers:
            seen = numbers[feature.name]
            integer = feature.type == schema_pb2.INT
            domain = feature.int_domain if integer else feature.float_domain
            kind = int if integer else float
            domain.min, domain.max = kind(seen.min), kind(seen.max)
    lines = [
        f"# Proposed from the rows of {name}: the ranges are those seen. Edit before use.",
        "# A measure that is missing here was 0 in every row.",
        "",
    ]
    return "\n".join(lines) + text_format.MessageToString(schema)
