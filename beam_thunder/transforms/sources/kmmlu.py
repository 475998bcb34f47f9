"""KMMLU: Korean multiple-choice questions of 45 subjects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.transforms.fields import Field
from beam_thunder.transforms.parse import ParseRows
from beam_thunder.transforms.questions import key_index, prefix_options, questions
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(
    fields=(
        Field("question", "text"),
        Field("choices", "texts", (("A", "B", "C", "D"),)),
        Field("answer", "key"),
    ),
)


def parse_kmmlu(rows: pa.RecordBatch) -> pa.RecordBatch:
    """KMMLU rows to questions that end in `정답:`.

    As published, options stand as `A. {choice}` in the prompt and `A: {choice}` as answers.
    """
    question, choices, answer = rows.columns[2:5]
    listed = pc.binary_join(prefix_options(choices, "ABCD", ". "), "\n")
    return questions(
        rows,
        "KMMLU",
        [question, choices, answer],
        question,
        pc.binary_join_element_wise(question, listed, "정답:", "\n"),
        prefix_options(choices, "ABCD", ": "),
        key_index(answer, "1234"),
    )


@dataclass(eq=False)
class ParseKmmlu(ParseRows):
    """KMMLU rows to questions."""

    rows: ClassVar[RawRows] = ROWS

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_kmmlu(rows)
