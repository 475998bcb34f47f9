"""Questions and attempts with verdicts, to SFT rows and preference pairs.

A multiple-choice question's options and a model's answers are the same thing
here: attempts. A correct one makes an SFT row; a correct and a wrong one of the
same question make a preference pair.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Paired:
    """What a batch of questions and attempts came to.

    `attempts = correct + wrong`, and `candidates = preference rows + counts[IDENTICAL]`.

    Attributes:
      sft: rows of the table, its text columns dictionary-encoded.
      preference: rows of the table, its text columns dictionary-encoded.
      counts: questions, attempts, correct, wrong, candidates and identical pairs.
    """

    sft: pa.RecordBatch
    preference: pa.RecordBatch
    counts: dict[str, int]


class PairedCoder(coders.Coder):
    """Both tables as Arrow IPC streams, which keep dictionaries, and the counts as JSON."""

    def encode(self, paired: Paired) -> bytes:
        counts = json.dumps(paired.counts).encode()
        sink = pa.BufferOutputStream()
        sink.write(len(counts).to_bytes(8, "big") + counts)
        for rows in (paired.sft, paired.preference):
            with pa.ipc.new_stream(sink, rows.schema) as stream:
                stream.write_batch(rows)
        return sink.getvalue().to_pybytes()

    def decode(self, encoded: bytes) -> Paired:
        source = pa.BufferReader(encoded)
        counts = json.loads(source.read(int.from_bytes(source.read(8), "big")))
        tables = []
        for _ in range(2):
            with pa.ipc.open_stream(source) as stream:
                tables.append(stream.read_next_batch())
                list(stream)  # to the end of this stream, where the next one starts
        return Paired(tables[0], tables[1], counts)

    def estimate_size(self, paired: Paired) -> int:
        return paired.sft.nbytes + paired.preference.nbytes

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


def pair(questions: pa.RecordBatch, attempts: pa.RecordBatch, dataset: Entry) -> Paired:
    """SFT rows of the correct attempts, and a pair of each correct with each wrong one.

    Args:
      questions: sorted by id. Further copies of the same row keep their question's
        id, and get a number into the ids of what is made of them.
      attempts: of the schema `ATTEMPTS`, sorted by question.
      dataset: what is the same for all its rows.
    """
    question = attempts.column("question").to_numpy()
    correct = _where(attempts, "correct")
    wrong = _where(attempts, "wrong")
    chosen, rejected = cross(question, correct, wrong)
    responses = attempts.column("response")
    differs = pc.not_equal(responses.take(pa.array(chosen)), responses.take(pa.array(rejected)))
    kept = np.flatnonzero(differs.to_numpy(zero_copy_only=False))
    stems = _stems(questions.column("id"))
    return Paired(
        _sft(questions, attempts, stems, correct, dataset),
        _preference(questions, attempts, stems, chosen[kept], rejected[kept], dataset),
        {
            "questions": questions.num_rows,
            "attempts": attempts.num_rows,
            "correct": len(correct),
            "wrong": len(wrong),
            "candidates": len(chosen),
            IDENTICAL: len(chosen) - len(kept),
        },
    )


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


def _where(attempts: pa.RecordBatch, verdict: str) -> Indices:
    hits = pc.equal(attempts.column("verdict"), verdict)
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
