"""LeetCodeDataset: programming problems with starter code and a function that checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.transforms.fields import Field, Flaw
from beam_thunder.transforms.open_questions import fill_template, open_questions, unix_lines
from beam_thunder.transforms.parse import ParseOpenRows
from beam_thunder.transforms.questions import blank
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(
    fields=(
        Field("problem_description", "text"),
        Field("starter_code", "text"),
        Field("prompt", "text"),
        Field("completion", "text"),
        Field("test", "text"),
        Field("entry_point", "text"),
    ),
)


def parse_leetcode(rows: pa.RecordBatch, template: str) -> pa.RecordBatch:
    """LeetCodeDataset rows to open questions; the template may name `{starter_code}`.

    The dataset's `prompt` is no prompt, but the imports and helper classes that a
    solution and its tests need. `test` defines `check`, and `entry_point` is the
    expression to check.
    """
    problem, starter, helpers, completion, test, entry = rows.columns[2:8]
    call = pc.binary_join_element_wise("check(", entry, ")\n", "")
    untested = pc.or_(blank(test), blank(entry))
    return open_questions(
        rows,
        "LeetCodeDataset",
        [problem, starter, helpers, completion, test, entry],
        problem,
        fill_template(
            template,
            {"question": problem, "starter_code": pc.utf8_rtrim_whitespace(starter)},
        ),
        reference=unix_lines(completion),
        before=unix_lines(helpers),
        after=unix_lines(pc.binary_join_element_wise(test, call, "\n\n")),
        flaws=[(untested, Flaw("no_tests", "expected code in test and entry_point"))],
    )


@dataclass(eq=False)
class ParseLeetCode(ParseOpenRows):
    """LeetCodeDataset rows to open questions."""

    rows: ClassVar[RawRows] = ROWS
    name: str = "leetcode"

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_leetcode(rows, self.template)
