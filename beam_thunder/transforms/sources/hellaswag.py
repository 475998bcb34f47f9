"""HellaSwag: a description of what someone does, with four ways it may go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.transforms.fields import Field, relist
from beam_thunder.transforms.parse import ParseRows
from beam_thunder.transforms.questions import key_index, questions
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(
    fields=(
        Field("activity_label", "text"),
        Field("ctx_a", "text"),
        Field("ctx_b", "text"),
        Field("endings", "texts"),
        Field("label", "key"),
    ),
)


def parse_hellaswag(rows: pa.RecordBatch) -> pa.RecordBatch:
    """HellaSwag rows to questions, freed of the marks that WikiHow texts bring."""
    activity, ctx_a, ctx_b, endings, label = rows.columns[2:7]
    prompt = clean(
        pc.binary_join_element_wise(
            pc.binary_join_element_wise(activity, ctx_a, ": "), capitalize(ctx_b), " "
        )
    )
    options = relist(endings, clean(endings.flatten()))
    content = [activity, ctx_a, ctx_b, endings, label]
    answer_key = key_index(label, "0123456789")
    asked = pc.binary_join_element_wise(ctx_a, ctx_b, "")
    return questions(rows, "HellaSwag", content, asked, prompt, options, answer_key)


def clean(text: pa.Array) -> pa.Array:
    """Stripped; ` [title]` made `. `; other `[...]` removed; two spaces made one, once."""
    text = pc.utf8_trim_whitespace(text)
    text = pc.replace_substring(text, " [title]", ". ")
    text = pc.replace_substring_regex(text, r"\[.*?\]", "")  # . ends at a line's end
    return pc.replace_substring(text, "  ", " ")


def capitalize(text: pa.Array) -> pa.Array:
    """Python's `str.capitalize`: first letter upper case, the rest lower case."""
    if pc.all(pc.string_is_ascii(text)).as_py() is not False:
        return pc.ascii_capitalize(text)
    # Arrow's tables differ from Python's in letters like the German ß.
    return pa.array([t if t is None else t.capitalize() for t in text.to_pylist()], pa.string())


@dataclass(eq=False)
class ParseHellaSwag(ParseRows):
    """HellaSwag rows to questions."""

    rows: ClassVar[RawRows] = ROWS

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_hellaswag(rows)
