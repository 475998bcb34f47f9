"""SlimOrca: instructions of many kinds, answered by GPT-4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.transforms.fields import Field, Flaw
from beam_thunder.transforms.open_questions import (
    fill_template,
    null_if_blank,
    open_questions,
)
from beam_thunder.transforms.parse import ParseOpenRows
from beam_thunder.transforms.read import RawRows

ROWS = RawRows(
    fields=(
        Field("roles", "texts", ("conversations[].from",)),
        Field("turns", "texts", ("conversations[].value",)),
    ),
)

_TURNS = Flaw(
    "unexpected_turns",
    "expected one human turn and one gpt turn, in this order, after one system turn at most",
)


def parse_slimorca(rows: pa.RecordBatch, template: str) -> pa.RecordBatch:
    """SlimOrca rows to open questions: the human turn, and the gpt turn as reference."""
    roles, turns = rows.columns[2:4]
    whole = has_roles(roles, "system", "human", "gpt")
    sound = pc.or_(has_roles(roles, "human", "gpt"), whole)
    question, reference = (last_turns(turns, place, sound) for place in (2, 1))
    return open_questions(
        rows,
        "SlimOrca",
        [roles, turns],
        question,
        fill_template(template, {"question": question}),
        system=null_if_blank(last_turns(turns, 3, whole)),
        reference=reference,
        flaws=[(pc.invert(sound), _TURNS)],
    )


def has_roles(roles: pa.Array, *expected: str) -> pa.Array:
    """Whether each row's turns have these roles; false for null rows."""
    # Of the length too: a role could itself have a comma.
    same = pc.equal(pc.binary_join(roles, ","), ",".join(expected))
    counted = pc.equal(pc.list_value_length(roles), len(expected))
    return pc.fill_null(pc.and_(same, counted), False)


def last_turns(turns: pa.Array, place: int, where: pa.Array) -> pa.Array:
    """Each row's last turn but `place - 1`; null where the mask does not hold.

    Args:
      turns: a list of texts for each row.
      place: from the end of the list, 1 being its last.
      where: mask of rows with at least that many turns.
    """
    lengths = pc.fill_null(pc.list_value_length(turns), 0).to_numpy(zero_copy_only=False)
    wanted = where.to_numpy(zero_copy_only=False)
    index = np.cumsum(lengths, dtype=np.int64) - place
    return turns.flatten().take(pa.array(index, mask=~wanted))


@dataclass(eq=False)
class ParseSlimOrca(ParseOpenRows):
    """SlimOrca rows to open questions."""

    rows: ClassVar[RawRows] = ROWS
    name: str = "slimorca"

    def parse(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        return parse_slimorca(rows, self.template)
