"""What every source's parser shares: identity, soundness, and the split of rejects."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_thunder.schemas import QUESTIONS, REJECTS
from beam_thunder.transforms.fields import Flaw, first_flaw, positions, relist

PARSED = pa.schema([*QUESTIONS, ("reason", pa.string()), ("detail", pa.string())])
"""What a parser returns: a question per raw row, or the reason why it is none."""

SHOWN_CHARACTERS = 300
"""Of each value of a rejected row."""


def questions(
    rows: pa.RecordBatch,
    source: str,
    content: Sequence[pa.Array],
    asked: pa.Array,
    prompt: pa.Array,
    options: pa.Array,
    answer_key: pa.Array,
    flaws: Sequence[tuple[pa.Array, Flaw]] = (),
) -> pa.RecordBatch:
    """Questions from a parser's columns, one for each raw row, in the same order.

    Args:
      rows: the raw batch they were parsed from.
      source: the public dataset's name, part of each id.
      content: text or list-of-text columns that make up a row's identity; free of
        what a recipe may change, so that ids stay when a format does.
      asked: what the row itself asks, which must not be blank.
      prompt: what is made of it.
      options: lists of completions.
      answer_key: index of the correct option, null where there is none of that key.
      flaws: masks of rows that cannot be used, each with its reason, first one first.

    Returns:
      A batch of the schema `PARSED`; rows with a reason have nulls elsewhere allowed.
    """
    outside = pc.or_kleene(
        pc.is_null(answer_key), pc.greater_equal(answer_key, pc.list_value_length(options))
    )
    no_answer = Flaw("answer_outside_options", "the answer key names none of the options")
    reason, detail = settle(rows, asked, flaws, [(pc.fill_null(outside, True), no_answer)])
    return pa.RecordBatch.from_arrays(
        [identity(source, content), prompt, options, answer_key, reason, detail], schema=PARSED
    )


def settle(
    rows: pa.RecordBatch,
    asked: pa.Array,
    flaws: Sequence[tuple[pa.Array, Flaw]],
    further: Sequence[tuple[pa.Array, Flaw]] = (),
) -> tuple[pa.Array, pa.Array]:
    """Why each raw row gives no question: its first flaw, or null.

    Args:
      rows: the raw batch, with what was found when it was read.
      asked: what the row itself asks, which must not be blank.
      flaws: masks of rows that cannot be used, each with its reason, first one first.
      further: the same, of what counts only where something is asked.
    """
    empty = Flaw("empty_question", "the question has no text")
    reason, detail = first_flaw(rows.num_rows, [*flaws, (blank(asked), empty), *further])
    # A row that could not be read has nothing else to be blamed for.
    return (
        pc.coalesce(rows.column("reason"), reason),
        pc.coalesce(rows.column("detail"), detail),
    )


def identity(source: str, content: Sequence[pa.Array]) -> pa.Array:
    """The id of each row: 128 bits of BLAKE2b over source and content, as 32 hex digits.

    What is hashed gives the length of every text before the texts themselves, so
    that no two different rows are joined into the same bytes.
    """
    lengths, texts = zip(*[_lengths_and_text(column) for column in content], strict=True)
    keys = pc.binary_join_element_wise(
        source, *lengths, *texts, "\n", null_handling="replace", null_replacement="\0"
    ).cast(pa.large_binary())
    data = memoryview(keys.buffers()[2] or b"")
    ends = np.frombuffer(keys.buffers()[1], np.int64)[keys.offset : keys.offset + len(keys) + 1]
    bounds = ends.tolist()
    digests = [
        blake2b(data[start:end], digest_size=16).digest()
        for start, end in itertools.pairwise(bounds)
    ]
    ends = np.arange(len(digests) + 1, dtype=np.int32) * 32
    text = b"".join(digests).hex().encode()
    return pa.StringArray.from_buffers(len(digests), pa.py_buffer(ends), pa.py_buffer(text))


def _lengths_and_text(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    if not pa.types.is_list(column.type):
        return pc.binary_length(column).cast(pa.string()), column
    lengths = pc.binary_length(column.flatten()).cast(pa.string())
    return pc.binary_join(relist(column, lengths), ","), pc.binary_join(column, "")


def blank(text: pa.Array) -> pa.Array:
    """Whether each text is empty or white space alone."""
    return pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(text)), 0)


def key_index(key: pa.Array, *alphabets: Sequence[str]) -> pa.Array:
    """The place of each key in the first alphabet that has it (`0123`, `ABCD`), or null."""
    places = [pc.index_in(key, value_set=pa.array(list(alphabet))) for alphabet in alphabets]
    return pc.coalesce(*places).cast(pa.int32())


def index_in_list(values: pa.Array, lists: pa.Array) -> pa.Array:
    """For each row, the first place in its list of that row's value, or null."""
    rows, places = positions(lists)
    equal = pc.equal(lists.flatten(), values.take(pa.array(rows)))
    hits = np.flatnonzero(pc.fill_null(equal, False).to_numpy(zero_copy_only=False))[::-1]
    found = np.full(len(lists), -1, dtype=np.int32)
    found[rows[hits]] = places[hits]  # reversed, so that the first hit is written last
    return pa.array(found, mask=found < 0)


def prefix_options(lists: pa.Array, labels: Sequence[str] | pa.Array, joint: str) -> pa.Array:
    """Each option behind its label: labels by place in the list, or a list column of them."""
    values = lists.flatten()
    if isinstance(labels, pa.Array):
        flat = labels.flatten()
    else:
        _, places = positions(lists)
        # Options beyond the labels come out null: their row has to be rejected.
        flat = pa.array(list(labels)).take(pa.array(places, mask=places >= len(labels)))
    return relist(lists, pc.binary_join_element_wise(flat, values, joint))


def match_labels(
    texts: pa.Array, labels: pa.Array
) -> tuple[pa.Array, pa.Array, tuple[pa.Array, Flaw]]:
    """Texts and labels, both null in rows without one label for each text; and that flaw."""
    lengths = [pc.list_value_length(each) for each in (texts, labels)]
    uneven = pc.fill_null(pc.not_equal(*lengths), True)
    rows = pc.if_else(uneven, None, pa.array(np.arange(len(texts))))
    flaw = Flaw("uneven_options", "expected as many labels as texts of options")
    return texts.take(rows), labels.take(rows), (uneven, flaw)


def split_rejects(
    rows: pa.RecordBatch, parsed: pa.RecordBatch
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The sound questions, and the raw rows that gave none with the reason why.

    Together they have as many rows as came in.
    """
    # Of either kind of questions: a parser adds `reason` and `detail` behind their schema.
    schema = pa.schema(list(parsed.schema)[:-2])
    core = pa.RecordBatch.from_arrays(parsed.columns[:-2], schema=schema)
    bad = pc.is_valid(parsed.column("reason"))
    if not pc.any(bad).as_py():
        return core, pa.RecordBatch.from_pylist([], schema=REJECTS)
    raw = rows.filter(bad)
    values = [name for name in rows.schema.names if name not in REJECTS.names]
    shown = [
        json.dumps({name: _shorten(row[name]) for name in values}, ensure_ascii=False)
        for row in raw.to_pylist()
    ]
    flaws = parsed.filter(bad)
    rejects = pa.RecordBatch.from_arrays(
        [
            raw.column("file"),
            raw.column("position"),
            flaws.column("reason"),
            flaws.column("detail"),
            pa.array(shown, pa.string()),
        ],
        schema=REJECTS,
    )
    return core.filter(pc.invert(bad)), rejects


def _shorten(value: Any) -> Any:
    if isinstance(value, list):
        return [_shorten(each) for each in value[:10]]
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        return value[:SHOWN_CHARACTERS] + "…"
    return value
