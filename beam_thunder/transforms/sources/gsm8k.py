"""GSM8K: grade school mathematics, worked step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.transforms.fields import Field, Flaw, zip_lists
from beam_thunder.transforms.parse import ParseRows
from beam_thunder.transforms.questions import questions
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(fields=(Field("question", "text"), Field("answer", "text")))

# A number may have a sign, thousands commas and decimals; all of them stay as written.
_FINAL = r"(?s)^(?P<steps>.*?)(?:^|\n)#### *(?P<number>-?[0-9][0-9,]*(?:\.[0-9]+)?)\s*$"


def parse_gsm8k(rows: pa.RecordBatch, few_shot: str = "") -> pa.RecordBatch:
    """GSM8K rows to questions `Q: {question}` with one option, the worked answer.

    The answer loses its `<<48/2=24>>` calculator marks, and its last line `#### 72`
    becomes `The answer is 72.`. `few_shot` is put before every question as it is.
    """
    question, answer = rows.columns[2:4]
    unmarked = pc.replace_substring_regex(answer, r"<<[^<>\n]*>>", "")
    steps, number = pc.extract_regex(unmarked, _FINAL).flatten()
    last_line = pc.binary_join_element_wise("The answer is ", number, ".", "")
    worked = pc.binary_join_element_wise(steps, last_line, "\n")
    completion = pc.if_else(pc.equal(steps, ""), last_line, worked)
    no_final = pc.and_(pc.is_valid(answer), pc.is_null(number))
    return questions(
        rows,
        "GSM8K",
        [question, answer],
        question,
        pc.binary_join_element_wise(few_shot, "Q: ", question, ""),
        zip_lists([completion]),
        pa.array([0] * rows.num_rows, pa.int32()),
        flaws=[(no_final, Flaw("no_final_answer", "expected a last line `#### NUMBER`"))],
    )


@dataclass(eq=False)
class ParseGsm8k(ParseRows):
    """GSM8K rows to questions.

    Attributes:
      few_shot: text before each question, for models that are prompted with examples.
    """

    rows: ClassVar[RawRows] = ROWS
    few_shot: str = ""

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_gsm8k(rows, self.few_shot)
