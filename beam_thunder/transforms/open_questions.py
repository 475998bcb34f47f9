"""What the parsers of open questions share: questions that models answer, and prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.schemas.tables import OPEN_QUESTIONS
from beam_thunder.templates import PLACEHOLDER
from beam_thunder.transforms.fields import Flaw
from beam_thunder.transforms.questions import blank, identity, settle

OPEN_PARSED = pa.schema([*OPEN_QUESTIONS, ("reason", pa.string()), ("detail", pa.string())])
"""What such a parser returns: a question per raw row, or the reason why it is none."""

BROKEN = Flaw("broken_text", "the prompt has U+FFFD, what a broken decoding leaves behind")
"""The schemas allow it in no prompt. Large sources have a few, and are built without them."""


def open_questions(
    rows: pa.RecordBatch,
    source: str,
    content: Sequence[pa.Array],
    question: pa.Array,
    prompt: pa.Array,
    *,
    system: pa.Array | None = None,
    answer: pa.Array | None = None,
    reference: pa.Array | None = None,
    before: pa.Array | None = None,
    after: pa.Array | None = None,
    flaws: Sequence[tuple[pa.Array, Flaw]] = (),
) -> pa.RecordBatch:
    """Open questions from a parser's columns, one for each raw row, in the same order.

    Args:
      rows: the raw batch they were parsed from.
      source: the public dataset's name, part of each id.
      content: text or list-of-text columns that make up a row's identity; free of
        what a recipe may change, so that ids stay when a template does.
      question: what the row itself asks, which must not be blank.
      prompt: what a template makes of it.
      system: and the further columns of `OPEN_QUESTIONS`; null where left out.
      answer: see `system`.
      reference: see `system`.
      before: see `system`.
      after: see `system`.
      flaws: masks of rows that cannot be used, each with its reason, first one first.

    Returns:
      A batch of the schema `OPEN_PARSED`; rows with a reason have nulls elsewhere allowed.
    """
    broken = pc.match_substring(prompt, "\N{REPLACEMENT CHARACTER}")
    reason, detail = settle(rows, question, flaws, [(pc.fill_null(broken, False), BROKEN)])
    nulls = pa.nulls(rows.num_rows, pa.string())
    optional = (system, answer, reference, before, after)
    system, *others = [nulls if column is None else column for column in optional]
    ids = identity(source, content)
    return pa.RecordBatch.from_arrays(
        [ids, question, system, prompt, *others, reason, detail], schema=OPEN_PARSED
    )


def fill_template(template: str, columns: Mapping[str, pa.Array]) -> pa.Array:
    """The prompts that a template makes of columns named as its placeholders.

    What stands in braces in the columns is their own text, and stays. A prompt
    is null where a column that the template names is.
    """
    # Odd places of the split are the names that the pattern captures.
    parts = [
        columns[part] if place % 2 else part
        for place, part in enumerate(PLACEHOLDER.split(template))
    ]
    return pc.binary_join_element_wise(*parts, "")


def unix_lines(text: pa.Array) -> pa.Array:
    """The text with each line end of Windows, or a carriage return alone, made a newline."""
    return pc.replace_substring_regex(text, "\r\n?", "\n")


def null_if_blank(text: pa.Array) -> pa.Array:
    """The text, null where it is empty or white space alone."""
    return pc.if_else(blank(text), None, text)
