"""KoAlpaca: questions from a Korean question-and-answer site, answered anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from beam_thunder.transforms.fields import Field
from beam_thunder.transforms.open_questions import fill_template, open_questions
from beam_thunder.transforms.parse import ParseOpenRows
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(fields=(Field("instruction", "text"), Field("output", "text")))


def parse_koalpaca(rows: pa.RecordBatch, template: str) -> pa.RecordBatch:
    """KoAlpaca rows to open questions; the reference is the source's `output`."""
    instruction, output = rows.columns[2:4]
    return open_questions(
        rows,
        "KoAlpaca",
        [instruction, output],
        instruction,
        fill_template(template, {"question": instruction}),
        reference=output,
    )


@dataclass(eq=False)
class ParseKoAlpaca(ParseOpenRows):
    """KoAlpaca rows to open questions."""

    rows: ClassVar[RawRows] = ROWS
    name: str = "koalpaca"

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_koalpaca(rows, self.template)
