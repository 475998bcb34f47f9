"""OpenBookQA: sentences to complete, with four options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from beam_thunder.transforms.fields import Field
from beam_thunder.transforms.parse import ParseRows
from beam_thunder.transforms.questions import index_in_list, match_labels, questions
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(
    fields=(
        Field("question", "text", ("question_stem", "question.stem")),
        Field("labels", "texts", ("choices.label", "question.choices[].label")),
        Field("texts", "texts", ("choices.text", "question.choices[].text")),
        Field("answer", "key", ("answerKey",)),
    ),
)


def parse_openbookqa(rows: pa.RecordBatch) -> pa.RecordBatch:
    """OpenBookQA rows to questions: the bare stem, and the bare texts as options."""
    question, labels, texts, answer = rows.columns[2:6]
    content = [question, labels, texts, answer]
    texts, labels, uneven = match_labels(texts, labels)
    answer_key = index_in_list(answer, labels)
    return questions(
        rows, "OpenBookQA", content, question, question, texts, answer_key, flaws=[uneven]
    )


@dataclass(eq=False)
class ParseOpenBookQA(ParseRows):
    """OpenBookQA rows to questions."""

    rows: ClassVar[RawRows] = ROWS

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_openbookqa(rows)
