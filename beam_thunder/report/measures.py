"""What the statistics of a table say, in numbers to show.

The statistics are TFDV's, read by their protocol buffer alone, without TensorFlow.
They leave out a measure's zeros: what is not there is 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    DatasetFeatureStatisticsList,
    FeatureNameStatistics,
    Histogram,
    NumericStatistics,
)

from beam_thunder.errors import UserError

COLUMNS = ("prompt", "question", "completion", "chosen", "rejected", "response")
"""Text columns of all tables, in the order in which they are shown."""

SCRIPTS = ("hangul", "latin", "han", "kana", "other")
SHARES = ("digits", *SCRIPTS)
"""Measures that are a share, from 0 to 1."""

Edges = np.ndarray[tuple[int], np.dtype[np.float64]]

_HALF = 0.5  # a whole number is seen as reaching half a unit to either side


@dataclass(frozen=True)
class Measure:
    """One measure of a table's rows.

    Attributes:
      name: as in the schema, `prompt_characters`.
      rows: of the table.
      filled: rows where it is not 0.
      mean: over all rows, like the next three.
      low: the least.
      median: in the middle; between two known values it is a guess.
      high: the greatest.
      knots: values, ascending, each with the share of the filled rows at or below it.
    """

    name: str
    rows: int
    filled: int
    mean: float
    low: float
    median: float
    high: float
    knots: tuple[tuple[float, float], ...] = ()

    @property
    def column(self) -> str:
        """The text column it is of; empty if of none or of two."""
        first = self.name.partition("_")[0]
        return first if first in COLUMNS and self.name != "completion_in_prompt" else ""

    @property
    def what(self) -> str:
        """What it measures of its column."""
        return self.name.removeprefix(f"{self.column}_")

    def write(self, value: float) -> str:
        """One of its values, in its unit."""
        if self.what in SHARES:
            return f"{value:.1%}"
        digits = 0 if value == int(value) else 2 if abs(value) < 10 else 1
        return f"{value:,.{digits}f}"


@dataclass(frozen=True)
class Statistics:
    """The statistics of a table.

    Attributes:
      rows: of the table.
      measures: those that are not 0 in every row, by name.
      labels: the most frequent values of each column of labels, with their rows.
    """

    rows: int
    measures: Mapping[str, Measure]
    labels: Mapping[str, Sequence[tuple[str, int]]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The text columns that have any text."""
        return tuple(c for c in COLUMNS if f"{c}_characters" in self.measures)

    def share(self, name: str) -> float:
        """The mean of a measure, 0 if no row has it."""
        return self.measures[name].mean if name in self.measures else 0.0


def read_statistics(path: Path) -> Statistics | None:
    """The statistics in a file, or None if there is no such file.

    Raises:
      UserError: the file does not hold statistics.
    """
    if not path.is_file():
        return None
    try:
        datasets = DatasetFeatureStatisticsList.FromString(path.read_bytes()).datasets
    except DecodeError as error:
        raise UserError(f"{path} holds no statistics of TFDV: {error}; build again") from error
    if not datasets:
        return Statistics(0, {}, {})
    rows = int(datasets[0].num_examples)
    measures, labels = {}, {}
    for feature in datasets[0].features:
        name = feature.name or ".".join(feature.path.step)
        if feature.HasField("string_stats"):
            labels[name] = _top_values(feature)
        elif feature.HasField("num_stats") and feature.num_stats.common_stats.num_non_missing:
            measures[name] = _measure(name, rows, feature.num_stats)
    return Statistics(rows, measures, labels)


def _top_values(feature: FeatureNameStatistics) -> list[tuple[str, int]]:
    return [(top.value, round(top.frequency)) for top in feature.string_stats.top_values]


def _measure(name: str, rows: int, stats: NumericStatistics) -> Measure:
    filled = int(stats.common_stats.num_non_missing)
    knots = _knots(stats.histograms, filled)
    return Measure(
        name=name,
        rows=rows,
        filled=filled,
        mean=stats.mean * filled / max(rows, filled),
        low=min(stats.min, 0.0) if filled < rows else stats.min,
        median=stats.median if filled >= rows else _median(knots, 1 - filled / rows),
        high=max(stats.max, 0.0) if filled < rows else stats.max,
        knots=knots,
    )


def _median(knots: Sequence[tuple[float, float]], zeros: float) -> float:
    """The median of values of which a share is 0 and left out of the knots."""
    if zeros >= 0.5 or not knots:
        return 0.0
    values, shares = zip(*knots, strict=True)
    return float(np.interp((0.5 - zeros) / (1 - zeros), shares, values))


def _knots(histograms: Sequence[Histogram], filled: int) -> tuple[tuple[float, float], ...]:
    """Both of TFDV's histograms as one: quantiles, and the equal widths where those are wide.

    The last quantile reaches up to the greatest value, and hides what lies between.
    """
    by_type = {Histogram.HistogramType.Name(each.type): each for each in histograms}
    knots = _cumulated(by_type.get("QUANTILES"), filled)
    wide = _cumulated(by_type.get("STANDARD"), filled)
    if len(knots) > 2:
        below, last = knots[-2], knots[-1]
        between = [k for k in wide if below[0] < k[0] < last[0] and below[1] < k[1] < 1]
        knots = [*knots[:-1], *between, last]
    return tuple(knots or wide)


def _cumulated(histogram: Histogram | None, filled: int) -> list[tuple[float, float]]:
    """A value stands twice where a bucket holds it alone: before and with that bucket."""
    if histogram is None or not histogram.buckets or not filled:
        return []
    knots = [(histogram.buckets[0].low_value, 0.0)]
    total = 0.0
    for bucket in histogram.buckets:
        total += bucket.sample_count
        knots.append((bucket.high_value, min(total / filled, 1.0)))
    return knots


def spread(measure: Measure, edges: Edges) -> list[float]:
    """The share of the filled rows between each two edges, of a measure of whole numbers.

    Args:
      measure: with `knots`.
      edges: ascending.

    Returns:
      As many shares as there are spaces between the edges. From one knot to the next
      they are spread evenly, which is a guess.
    """
    known: dict[float, float] = {}
    before: tuple[float, float] | None = None
    for value, share in measure.knots:
        if before is None or before[0] == value:
            known.setdefault(value - _HALF, before[1] if before else 0.0)
        if before is not None:
            known[value + _HALF] = share
        before = value, share
    values = sorted(known)
    below = np.interp(edges, values, [known[value] for value in values])
    return [float(part) for part in np.diff(below)]
