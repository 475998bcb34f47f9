"""mwp-korean-2021: Korean word problems with numbers or words as answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from beam_thunder.transforms.fields import Field, Flaw
from beam_thunder.transforms.open_questions import fill_template, open_questions
from beam_thunder.transforms.parse import ParseOpenRows
from beam_thunder.transforms.questions import blank
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(fields=(Field("question", "text"), Field("answer", "key")))


def parse_mwp_korean(rows: pa.RecordBatch, template: str) -> pa.RecordBatch:
    """mwp-korean-2021 rows to open questions.

    The answer stays as it is: an integer, a decimal, a fraction or a word. It is all
    that the source says, so it is the reference too.
    """
    question, answer = rows.columns[2:4]
    return open_questions(
        rows,
        "mwp-korean-2021",
        [question, answer],
        question,
        fill_template(template, {"question": question}),
        answer=answer,
        reference=answer,
        flaws=[(blank(answer), Flaw("no_final_answer", "the answer has no text"))],
    )


@dataclass(eq=False)
class ParseMwpKorean(ParseOpenRows):
    """mwp-korean-2021 rows to open questions."""

    rows: ClassVar[RawRows] = ROWS
    name: str = "mwp-korean-2021"

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_mwp_korean(rows, self.template)
