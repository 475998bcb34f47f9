"""MBPP: short Python programming tasks, each with three asserts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.transforms.fields import Field, Flaw
from beam_thunder.transforms.open_questions import (
    fill_template,
    open_questions,
    unix_lines,
)
from beam_thunder.transforms.parse import ParseOpenRows
from beam_thunder.transforms.questions import blank
from beam_thunder.transforms.read import OutsideSplit, RawRows

TRAIN = range(601, 975)
"""Task ids of the train split; 1 to 10 are prompts, 11 to 510 test, 511 to 600 validation."""

# The release has all splits in one file.
ROWS = RawRows(
    fields=(
        Field("task_id", "key"),
        Field("text", "text"),
        Field("code", "text"),
        Field("test_list", "texts"),
        Field("test_setup_code", "text", optional=True),
    ),
    outside_split=OutsideSplit("task_id", frozenset(map(str, range(1, TRAIN.start)))),
)


def parse_mbpp(rows: pa.RecordBatch, template: str) -> pa.RecordBatch:
    """MBPP rows to open questions; `{tests}` in the template is what tests an answer.

    The setup goes behind the answer, before the asserts: it builds its objects from
    classes that the answer defines. The challenge tests are not used.
    """
    task_id, text, code, test_list, setup = rows.columns[2:7]
    setup = pc.coalesce(setup, "")
    asserts = pc.binary_join(test_list, "\n")
    first = pc.if_else(blank(setup), "", pc.binary_join_element_wise(setup, "\n", ""))
    after = unix_lines(pc.binary_join_element_wise(first, asserts, "\n", ""))
    unknown = pc.invert(pc.is_in(task_id, value_set=pa.array([str(each) for each in TRAIN])))
    return open_questions(
        rows,
        "MBPP",
        [text, code, setup, test_list],
        text,
        fill_template(template, {"question": text, "tests": after}),
        reference=unix_lines(code),
        after=after,
        flaws=[
            (unknown, Flaw("unknown_task", "expected a task_id from 1 to 974")),
            (blank(asserts), Flaw("no_tests", "expected asserts in test_list")),
        ],
    )


@dataclass(eq=False)
class ParseMbpp(ParseOpenRows):
    """MBPP rows of the train split to open questions."""

    rows: ClassVar[RawRows] = ROWS
    name: str = "mbpp"

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_mbpp(rows, self.template)
