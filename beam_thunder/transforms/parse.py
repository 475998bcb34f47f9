"""What the sources' transforms share: raw batches to questions, rejects and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import apache_beam as beam
import pyarrow as pa
from apache_beam import pvalue
from apache_beam.metrics.metric import Metrics
from apache_beam.pvalue import PCollection

from beam_thunder.catalog import find
from beam_thunder.ledger import Ledger
from beam_thunder.templates import TEMPLATES, check_template
from beam_thunder.transforms.questions import split_rejects
from beam_thunder.transforms.read import RawRows


class ParseRows(beam.PTransform[PCollection[pa.RecordBatch], pvalue.DoOutputsTuple]):
    """Raw batches of a source, to questions, rejects and the ledger's counts.

    Outputs, by name:
      questions: batches of the schema `QUESTIONS`, or `OPEN_QUESTIONS` of a source of
        synthetic rows.
      rejects: batches of the schema `REJECTS`, the rows that gave no question.
      ledger: a `Ledger` per batch.

    Attributes:
      rows: what the source reads of its files.
    """

    rows: ClassVar[RawRows]

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """A question or a reason for each raw row; see `questions.questions`."""
        raise NotImplementedError(f"{type(self).__name__} must say how to parse its rows")

    def expand(self, rows: PCollection[pa.RecordBatch]) -> pvalue.DoOutputsTuple:
        return rows | "Parse rows" >> beam.ParDo(_Parse(self)).with_outputs(
            "rejects", "ledger", main="questions"
        )


@dataclass(eq=False)
class ParseOpenRows(ParseRows):
    """Raw batches of a source whose questions models answer; outputs as `ParseRows`.

    Attributes:
      name: the dataset's in the catalog.
      template: of the prompt, with `{question}` once and the other placeholders that
        `templates.PLACEHOLDERS` names; the source's own of `templates.TEMPLATES` if empty.
    """

    name: str
    template: str = ""

    def __post_init__(self) -> None:
        self.template = self.template or TEMPLATES[self.name]
        check_template(self.name, self.template)

    @property
    def source(self) -> str:
        """The public dataset's name, which is part of every id."""
        return find(self.name).source


class _Parse(beam.DoFn):
    def __init__(self, source: ParseRows) -> None:
        self.source = source

    def process(self, rows: pa.RecordBatch) -> Iterator[Any]:
        questions, rejects = split_rejects(rows, self.source.parse(rows))
        reasons = Counter(rejects.column("reason").to_pylist())
        for reason, count in reasons.items():
            Metrics.counter(type(self.source), reason).inc(count)
        yield pvalue.TaggedOutput(
            "ledger", Ledger(questions=questions.num_rows, rejected=dict(reasons))
        )
        if rejects.num_rows:
            yield pvalue.TaggedOutput("rejects", rejects)
        if questions.num_rows:
            yield questions
