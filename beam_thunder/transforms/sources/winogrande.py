"""WinoGrande: a sentence with a blank that one of two options fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.transforms.fields import Field, Flaw, zip_lists
from beam_thunder.transforms.parse import ParseRows
from beam_thunder.transforms.questions import key_index, questions
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(
    fields=(
        Field("sentence", "text"),
        Field("option1", "text"),
        Field("option2", "text"),
        Field("answer", "key"),
    ),
)


def parse_winogrande(rows: pa.RecordBatch) -> pa.RecordBatch:
    """WinoGrande rows to questions: the sentence up to its blank, and its rest as options."""
    sentence, option1, option2, answer = rows.columns[2:6]
    halves = pc.extract_regex(sentence, r"(?s)^(?P<before>[^_]*)_(?P<after>.*)$")
    before, after = halves.flatten()
    rest = pc.utf8_trim_whitespace(after)
    prompt = pc.binary_join_element_wise(pc.utf8_trim_whitespace(before), "", " ")
    options = zip_lists(
        [pc.binary_join_element_wise(option, rest, " ") for option in (option1, option2)]
    )
    no_blank = pc.and_(pc.is_valid(sentence), pc.invert(pc.match_substring(sentence, "_")))
    return questions(
        rows,
        "WinoGrande",
        [sentence, option1, option2, answer],
        sentence,
        prompt,
        options,
        key_index(answer, "12"),
        flaws=[(pc.fill_null(no_blank, False), Flaw("no_blank", "the sentence has no _"))],
    )


@dataclass(eq=False)
class ParseWinoGrande(ParseRows):
    """WinoGrande rows to questions."""

    rows: ClassVar[RawRows] = ROWS

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_winogrande(rows)
