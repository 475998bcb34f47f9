"""AI2 ARC, Easy and Challenge: science questions with three to five options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.transforms.fields import Field
from beam_thunder.transforms.parse import ParseRows
from beam_thunder.transforms.questions import (
    index_in_list,
    match_labels,
    prefix_options,
    questions,
)
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(
    fields=(
        Field("question", "text", ("question.stem", "question")),
        Field("labels", "texts", ("choices.label", "question.choices[].label")),
        Field("texts", "texts", ("choices.text", "question.choices[].text")),
        Field("answer", "key", ("answerKey",)),
    ),
)


def parse_arc(rows: pa.RecordBatch, source: str) -> pa.RecordBatch:
    """ARC rows to questions that end in `Answer: `, with options `{label}: {text}`.

    The labels are the data's own: letters, or in some rows digits.
    """
    question, labels, texts, answer = rows.columns[2:6]
    content = [question, labels, texts, answer]
    texts, labels, uneven = match_labels(texts, labels)
    options = prefix_options(texts, labels, ": ")
    prompt = pc.binary_join_element_wise(
        pc.binary_join_element_wise("Question:", question, " "),
        pc.binary_join(options, "\n"),
        "Answer: ",
        "\n",
    )
    answer_key = index_in_list(answer, labels)
    return questions(
        rows, source, content, question, prompt, options, answer_key, flaws=[uneven]
    )


@dataclass(eq=False)
class ParseArc(ParseRows):
    """AI2 ARC rows to questions; `source` is `ARC-Easy` or `ARC-Challenge`."""

    rows: ClassVar[RawRows] = ROWS
    source: str

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_arc(rows, self.source)
