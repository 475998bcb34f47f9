"""MMLU: multiple-choice questions of 57 subjects, here their auxiliary training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.transforms.fields import Field, Flaw
from beam_thunder.transforms.parse import ParseRows
from beam_thunder.transforms.questions import key_index, prefix_options, questions
from beam_thunder.transforms.read import RawRows

# The Hub has it flat and, in another configuration, inside a struct `train`;
# the release is CSV without a header and with a letter as the answer.
ROWS = RawRows(
    fields=(
        Field("question", "text", ("question", "train.question")),
        Field("choices", "texts", ("choices", "train.choices", ("A", "B", "C", "D"))),
        Field("answer", "key", ("answer", "train.answer")),
    ),
    positional=("question", "A", "B", "C", "D", "answer"),
)


def parse_mmlu(rows: pa.RecordBatch) -> pa.RecordBatch:
    """MMLU rows to questions that end in `Answer:`, with options `A. {choice}`."""
    question, choices = rows.column("question"), rows.column("choices")
    options = prefix_options(choices, "ABCDEFGHIJ", ". ")
    answer_key = key_index(rows.column("answer"), "0123456789", "ABCDEFGHIJ")
    prompt = pc.binary_join_element_wise(
        pc.utf8_trim_whitespace(question), pc.binary_join(options, "\n"), "Answer:", "\n"
    )
    # The layouts write the key differently, so its place is what identifies the row.
    content = [question, choices, answer_key.cast(pa.string())]
    many = pc.greater(pc.list_value_length(choices), 10)
    flaw = Flaw("too_many_options", "expected at most 10 choices")
    return questions(
        rows,
        "MMLU",
        content,
        question,
        prompt,
        options,
        answer_key,
        flaws=[(pc.fill_null(many, False), flaw)],
    )


@dataclass(eq=False)
class ParseMmlu(ParseRows):
    """MMLU rows to questions."""

    rows: ClassVar[RawRows] = ROWS

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_mmlu(rows)
