"""Questions and attempts with verdicts, to SFT rows and preference pairs.

A multiple-choice question's options and a model's answers are the same thing
here: attempts. A correct one makes an SFT row; a correct and a wrong one of the
same question make a preference pair.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam import coders
from apache_beam.pvalue import PCollection

from beam_thunder.catalog import Entry
from beam_thunder.schemas import PREFERENCE, SFT
from beam_thunder.transforms.fields import Indices, positions
from beam_thunder.transforms.shuffle import ShardKey

VERDICTS = ("correct", "wrong", "ungradable", "error")
"""What may become of an attempt."""

ATTEMPTS = pa.schema(
    [
        ("question", pa.int64()),  # its row in the batch of questions, ascending
        ("name", pa.string()),  # unique within its question
        ("model", pa.string()),  # null: the dataset itself
        ("response", pa.string()),
        ("verdict", pa.string()),
    ]
)
"""Attempts at the questions of one batch."""

IDENTICAL = "identical_pair"
"""Why a pair is dropped whose chosen and rejected texts are equal: it teaches nothing."""

NOT_PICKED = "pair_not_picked"
"""Why a pair is dropped of which its question has others that were picked."""

DUPLICATE = "duplicate_answer"
"""Why an SFT row is dropped whose question has the same answer already."""


@dataclass(frozen=True)
class Picking:
    """Which attempts become rows.

    Attributes:
      sft: verdicts that make SFT rows.
      pairs: how many pairs a question may make; None for all there are. Which ones
        follows from their hash.
      unique: whether equal answers to a question make one SFT row only.
    """

    sft: tuple[str, ...] = ("correct",)
    pairs: int | None = None
    unique: bool = False


@dataclass(frozen=True)
class Paired:
    """What a batch of questions and attempts came to.

    Attributes:
      sft: rows of the table, its text columns dictionary-encoded.
      preference: rows of the table, its text columns dictionary-encoded.
      counts: questions, attempts, how many have each verdict, answers that may make SFT
        rows, candidates for pairs, and what was dropped of both by its reason.
      views: further tables, by name.
      ledger: further counts of its ledger, see `Ledger`.
    """

    sft: pa.RecordBatch
    preference: pa.RecordBatch
    counts: dict[str, int]
    views: dict[str, pa.RecordBatch] = field(default_factory=dict)
    ledger: dict[str, Any] = field(default_factory=dict)

    def table(self, name: str) -> pa.RecordBatch:
        """The rows of one of its tables."""
        own = {"sft": self.sft, "preference": self.preference}
        return (own | self.views)[name]


class PairedCoder(coders.Coder):
    """The tables as Arrow IPC streams, which keep dictionaries, and the counts as JSON."""

    def encode(self, paired: Paired) -> bytes:
        head = [list(paired.views), paired.counts, paired.ledger]
        encoded = json.dumps(head).encode()
        sink = pa.BufferOutputStream()
        sink.write(len(encoded).to_bytes(8, "big") + encoded)
        for rows in (paired.sft, paired.preference, *paired.views.values()):
            with pa.ipc.new_stream(sink, rows.schema) as stream:
                stream.write_batch(rows)
        return sink.getvalue().to_pybytes()

    def decode(self, encoded: bytes) -> Paired:
        source = pa.BufferReader(encoded)
        head = json.loads(source.read(int.from_bytes(source.read(8), "big")))
        views, counts, ledger = head
        tables = []
        for _ in range(2 + len(views)):
            with pa.ipc.open_stream(source) as stream:
                tables.append(stream.read_next_batch())
                list(stream)  # to the end of this stream, where the next one starts
        more = dict(zip(views, tables[2:], strict=True))
        return Paired(tables[0], tables[1], counts, more, ledger)

    def estimate_size(self, paired: Paired) -> int:
        tables = (paired.sft, paired.preference, *paired.views.values())
        return sum(rows.nbytes for rows in tables)

    def to_type_hint(self) -> type:
        return Paired


def option_attempts(questions: pa.RecordBatch) -> pa.RecordBatch:
    """Each question's options as attempts; the answer key is their verdict."""
    options = questions.column("options")
    question, place = positions(options)
    key = questions.column("answer_key").to_numpy(zero_copy_only=False)
    verdict = pc.if_else(pa.array(place == key[question]), "correct", "wrong")
    return pa.RecordBatch.from_arrays(
        [
            pa.array(question),
            pa.array(place).cast(pa.string()),
            pa.nulls(len(question), pa.string()),
            options.flatten(),
            verdict,
        ],
        schema=ATTEMPTS,
    )


def pair(
    questions: pa.RecordBatch,
    attempts: pa.RecordBatch,
    dataset: Entry,
    picking: Picking = Picking(),
) -> Paired:
    """SFT rows of the correct attempts, and a pair of each correct with each wrong one.

    Args:
      questions: with `id` and `prompt`, sorted by id. Further copies of the same row keep
        their question's id, and get a number into the ids of what is made of them.
      attempts: of the schema `ATTEMPTS`, sorted by question.
      dataset: what is the same for all its rows.
      picking: which attempts become rows.
    """
    question = attempts.column("question").to_numpy()
    accepted = _where(attempts, *picking.sft)
    rows = _first_of_equal(attempts, accepted) if picking.unique else accepted
    chosen, rejected = cross(question, _where(attempts, "correct"), _where(attempts, "wrong"))
    responses = attempts.column("response")
    differs = pc.not_equal(responses.take(pa.array(chosen)), responses.take(pa.array(rejected)))
    differing = np.flatnonzero(differs.to_numpy(zero_copy_only=False))
    kept = differing
    if picking.pairs is not None:
        kept = differing[_pick(attempts, chosen[differing], rejected[differing], picking.pairs)]
    stems = _stems(questions.column("id"))
    return Paired(
        _sft(questions, attempts, stems, rows, dataset),
        _preference(questions, attempts, stems, chosen[kept], rejected[kept], dataset),
        {
            "questions": questions.num_rows,
            "attempts": attempts.num_rows,
            **{verdict: len(_where(attempts, verdict)) for verdict in VERDICTS},
            "accepted": len(accepted),
            "candidates": len(chosen),
            DUPLICATE: len(accepted) - len(rows),
            IDENTICAL: len(chosen) - len(differing),
            NOT_PICKED: len(differing) - len(kept),
        },
    )


def _first_of_equal(attempts: pa.RecordBatch, rows: Indices) -> Indices:
    """Those of the attempts whose question has no earlier one with the same response."""
    taken = attempts.take(pa.array(rows))
    question = taken.column("question").to_pylist()
    seen: set[tuple[int, str]] = set()
    kept = []
    for row, key in zip(
        rows, zip(question, taken.column("response").to_pylist(), strict=True), strict=True
    ):
        if tuple(key) not in seen:
            seen.add(tuple(key))
            kept.append(row)
    return np.array(kept, np.int64)


def _pick(attempts: pa.RecordBatch, chosen: Indices, rejected: Indices, pairs: int) -> Indices:
    """Places of so many pairs of each question: those whose names have the least hashes."""
    question = attempts.column("question").to_numpy()[chosen]
    name = attempts.column("name")
    sides = [name.take(pa.array(side)).to_pylist() for side in (chosen, rejected)]
    hashes = np.array(
        [
            int.from_bytes(blake2b("/".join(both).encode(), digest_size=8).digest(), "big")
            for both in zip(*sides, strict=True)
        ],
        np.uint64,
    )
    order = np.lexsort((hashes, question))
    ordered = question[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered, side="left")
    return np.sort(order[rank < pairs])


def cross(question: Indices, correct: Indices, wrong: Indices) -> tuple[Indices, Indices]:
    """Indices of the two sides of every pair of a correct and a wrong attempt.

    Args:
      question: of each attempt, ascending.
      correct: indices of the correct attempts, ascending.
      wrong: indices of the wrong attempts, ascending.
    """
    first = np.searchsorted(question[wrong], question[correct], side="left")
    past = np.searchsorted(question[wrong], question[correct], side="right")
    partners = past - first
    chosen = np.repeat(correct, partners)
    within = np.arange(len(chosen)) - np.repeat(np.cumsum(partners) - partners, partners)
    return chosen, wrong[np.repeat(first, partners) + within]


def _where(attempts: pa.RecordBatch, *verdicts: str) -> Indices:
    column = attempts.column("verdict")
    if len(verdicts) == 1:
        hits = pc.equal(column, verdicts[0])
    else:
        hits = pc.is_in(column, value_set=pa.array(verdicts))
    return np.flatnonzero(hits.to_numpy(zero_copy_only=False))


def _stems(ids: pa.Array) -> pa.Array:
    """The ids, `+1`, `+2`, ... behind those of further copies of the same question."""
    if len(ids) == 0:
        return ids
    again = pc.equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
    again = np.concatenate([[False], again])
    if not again.any():
        return ids
    place = np.arange(len(ids))
    copy = pa.array(place - np.maximum.accumulate(np.where(again, 0, place)))
    numbered = pc.binary_join_element_wise(ids, copy.cast(pa.string()), "+")
    return pc.if_else(pa.array(again), numbered, ids)


def _sft(
    questions: pa.RecordBatch,
    attempts: pa.RecordBatch,
    stems: pa.Array,
    correct: Indices,
    dataset: Entry,
) -> pa.RecordBatch:
    row = pa.array(correct)
    question = attempts.column("question").take(row)
    stem = stems.take(question)
    return pa.RecordBatch.from_arrays(
        [
            pc.binary_join_element_wise(stem, attempts.column("name").take(row), "-"),
            questions.column("id").take(question),
            *_dataset_columns(dataset, len(correct)),
            attempts.column("model").take(row),
            _encoded(questions.column("prompt"), question),
            _encoded(attempts.column("response"), row),
        ],
        names=SFT.names,
    )


def _preference(
    questions: pa.RecordBatch,
    attempts: pa.RecordBatch,
    stems: pa.Array,
    chosen: Indices,
    rejected: Indices,
    dataset: Entry,
) -> pa.RecordBatch:
    won, lost = pa.array(chosen), pa.array(rejected)
    question = attempts.column("question").take(won)
    name, model = attempts.column("name"), attempts.column("model")
    response = attempts.column("response")
    return pa.RecordBatch.from_arrays(
        [
            pc.binary_join_element_wise(
                stems.take(question), name.take(won), name.take(lost), "-"
            ),
            questions.column("id").take(question),
            *_dataset_columns(dataset, len(chosen)),
            _encoded(questions.column("prompt"), question),
            _encoded(response, won),
            _encoded(response, lost),
            model.take(won),
            model.take(lost),
        ],
        names=PREFERENCE.names,
    )


def _encoded(texts: pa.Array, rows: pa.Array) -> pa.Array:
    """The texts of these rows, as places in the texts: nothing is copied that repeats."""
    return pa.DictionaryArray.from_arrays(rows.cast(pa.int32()), texts)


def _dataset_columns(dataset: Entry, rows: int) -> list[pa.Array]:
    same = [dataset.source, dataset.language, dataset.domain, dataset.kind, dataset.licence]
    zeros = pa.array(np.zeros(rows, np.int32))
    return [_encoded(pa.array([value]), zeros) for value in same]


@dataclass(eq=False)
class PairOptions(
    beam.PTransform[
        PCollection[tuple[ShardKey, pa.RecordBatch]], PCollection[tuple[ShardKey, Paired]]
    ]
):
    """Shards of multiple-choice questions, to their SFT rows and preference pairs.

    Attributes:
      datasets: the catalog's entry of each dataset, by the name in the shard's key.
    """

    datasets: Mapping[str, Entry]

    def expand(
        self, shards: PCollection[tuple[ShardKey, pa.RecordBatch]]
    ) -> PCollection[tuple[ShardKey, Paired]]:
        return shards | "Pair options" >> beam.MapTuple(self._pair).with_output_types(
            tuple[ShardKey, Paired]
        )

    def _pair(self, key: ShardKey, questions: pa.RecordBatch) -> tuple[ShardKey, Paired]:
        return key, pair(questions, option_attempts(questions), self.datasets[key[0]])
