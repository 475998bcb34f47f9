"""KoBEST HellaSwag: a Korean paragraph with four ways it may go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.transforms.fields import Field
from beam_thunder.transforms.parse import ParseRows
from beam_thunder.transforms.questions import key_index, questions
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(
    fields=(
        Field("context", "text"),
        Field(
            "endings",
            "texts",
            (
                ("ending_1", "ending_2", "ending_3", "ending_4"),
                ("choice1", "choice2", "choice3", "choice4"),
            ),
        ),
        Field("label", "key"),
    ),
)


def parse_kobest_hellaswag(rows: pa.RecordBatch) -> pa.RecordBatch:
    """KoBEST HellaSwag rows to questions `문장: {context}`; options are the bare endings."""
    context, endings, label = rows.columns[2:5]
    prompt = pc.binary_join_element_wise("문장:", context, " ")
    content = [context, endings, label]
    answer_key = key_index(label, "0123")
    return questions(rows, "KoBEST HellaSwag", content, context, prompt, endings, answer_key)


@dataclass(eq=False)
class ParseKobestHellaSwag(ParseRows):
    """KoBEST HellaSwag rows to questions."""

    rows: ClassVar[RawRows] = ROWS

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_kobest_hellaswag(rows)
