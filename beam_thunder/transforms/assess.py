"""Attempts to verdicts: each is joined to its question, filtered and graded.

Questions and attempts travel through the shuffle in one table, `ANSWERED`, by the id of the
question; so a shard has both, and nothing is looked up anywhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import PCollection

from beam_thunder.catalog import Entry
from beam_thunder.filters import Limits, filter_response, without_thinking
from beam_thunder.generation.attempts import STORED, best, prompt_digest
from beam_thunder.grading.grade import Grade
from beam_thunder.grading.graders import Grader, grader_name, grader_of
from beam_thunder.recipe import DatasetRecipe
from beam_thunder.schemas import ATTEMPTS as ATTEMPTS_TABLE
from beam_thunder.schemas import KTO, OPEN_QUESTIONS, PUBLISHED
from beam_thunder.transforms.pair import ATTEMPTS, Paired, Picking, pair
from beam_thunder.transforms.shuffle import ShardKey

_OWN = [field for field in STORED if field.name != "question_id"]
ANSWERED = pa.schema([*OPEN_QUESTIONS, *_OWN])
"""Questions, whose `key` is null, and attempts at them, which have nothing else of them."""

FILTERED = "filtered"
"""Among the verdicts of `pair.ATTEMPTS`: a filter dropped it, so it becomes no row."""


def of_questions(questions: pa.RecordBatch) -> pa.RecordBatch:
    """Questions of the schema `OPEN_QUESTIONS`, as rows of `ANSWERED`."""
    nulls = [pa.nulls(len(questions), field.type) for field in _OWN]
    return pa.RecordBatch.from_arrays([*questions.columns, *nulls], schema=ANSWERED)


def of_attempts(stored: pa.RecordBatch) -> pa.RecordBatch:
    """Attempts of the schema `STORED`, as rows of `ANSWERED`."""
    rows = len(stored)
    nulls = [pa.nulls(rows, field.type) for field in list(OPEN_QUESTIONS)[1:]]
    own = [stored.column(field.name) for field in _OWN]
    return pa.RecordBatch.from_arrays(
        [stored.column("question_id"), *nulls, *own], schema=ANSWERED
    )


@dataclass(frozen=True)
class Rules:
    """What a dataset's attempts are held to, and what becomes of them.

    Attributes:
      dataset: as the recipe has it.
      limits: of the filters.
      picking: which attempts become rows.
    """

    dataset: DatasetRecipe
    limits: Limits
    picking: Picking

    @property
    def entry(self) -> Entry:
        """Its source's, of the catalog."""
        return self.dataset.entry

    @property
    def tables(self) -> tuple[str, ...]:
        """To make."""
        return self.dataset.written_tables


@dataclass(frozen=True)
class Assessed:
    """An attempt and what was found of it.

    Attributes:
      question: its row in the batch of questions.
      row: of `ANSWERED`.
      completion: its response without its thinking: what is graded and becomes a row.
      grade: its verdict; of what a filter dropped, `ungradable` by the rule `filter`.
    """

    question: int
    row: Mapping[str, Any]
    completion: str
    grade: Grade

    @property
    def status(self) -> str:
        """Its verdict, or `FILTERED`."""
        return FILTERED if self.grade.rule == "filter" else self.grade.verdict


def split(answered: pa.RecordBatch) -> tuple[pa.RecordBatch, list[dict[str, Any]]]:
    """The questions of a shard, each once and in the order of their ids, and its attempts."""
    is_question = pc.is_null(answered.column("key"))
    questions = answered.filter(is_question)
    ids = questions.column("id").to_pylist()
    first = [n for n, each in enumerate(ids) if n == 0 or each != ids[n - 1]]
    attempts = answered.filter(pc.invert(is_question)).to_pylist()
    return questions.take(pa.array(first, pa.int64())), attempts


def match(
    questions: pa.RecordBatch, attempts: Iterable[dict[str, Any]]
) -> tuple[list[tuple[int, dict[str, Any]]], Counter[str]]:
    """Attempts with the rows of their questions, by question and key; and why others are not.

    An attempt is of no use if its question is not among them (`unknown_question`), if it
    was asked with another prompt (`other_prompt`), or if a better one has the same key
    (`asked_again`).
    """
    place = {each: n for n, each in enumerate(questions.column("id").to_pylist())}
    turns = [questions.column(name).to_pylist() for name in ("system", "prompt")]
    digests = [prompt_digest(*each) for each in zip(*turns, strict=True)]
    unused: Counter[str] = Counter()
    kept: dict[str, dict[str, Any]] = {}
    for row in attempts:
        question = place.get(row["id"])
        if question is None:
            unused["unknown_question"] += 1
        elif row["prompt_digest"] != digests[question]:
            unused["other_prompt"] += 1
        elif row["key"] in kept:
            unused["asked_again"] += 1
            kept[row["key"]] = dict(best(kept[row["key"]], row))
        else:
            kept[row["key"]] = row
    matched = [(place[row["id"]], row) for row in kept.values()]
    return sorted(matched, key=lambda each: (each[0], each[1]["key"])), unused


def assess(
    questions: pa.RecordBatch,
    matched: Sequence[tuple[int, dict[str, Any]]],
    rules: Rules,
    grader: Grader,
) -> Iterator[Assessed]:
    """Filters and grades attempts."""
    asked = questions.to_pylist()
    for question, row in matched:
        completion = without_thinking(row["response"] or "")
        if row["error"] is not None:
            grade = Grade("error", row["error"], row["detail"] or "")
        else:
            reason = filter_response(
                completion,
                prompt=asked[question]["prompt"],
                question_language=rules.entry.language,
                finish_reason=row["finish_reason"],
                completion_tokens=row["completion_tokens"],
                limits=rules.limits,
            )
            if reason is not None:
                grade = Grade("ungradable", "filter", reason)
            else:
                grade = grader.grade(asked[question], completion)
        yield Assessed(question, row, completion, grade)


def to_rows(
    questions: pa.RecordBatch,
    assessed: Sequence[Assessed],
    unused: Counter[str],
    rules: Rules,
) -> Paired:
    """What a shard's attempts come to: all tables, and the counts of the ledger."""
    paired = pair(questions, _for_pairing(assessed), rules.entry, rules.picking)
    table = _table(questions, assessed, rules)
    views = {"attempts": table}
    if "kto" in rules.tables:
        views["kto"] = kto(table, assessed)
    if "published" in rules.tables:
        views["published"] = published(questions, assessed, rules.entry)
    filtered = Counter(each.grade.reason for each in assessed if each.status == FILTERED)
    ledger = {
        "stored": len(assessed) + sum(unused.values()),
        "unused": dict(unused),
        "filtered": dict(filtered),
        "models": funnels(assessed),
    }
    views = {name: rows for name, rows in views.items() if name in rules.tables}
    return Paired(paired.sft, paired.preference, paired.counts, views, ledger)


def funnels(assessed: Iterable[Assessed]) -> dict[str, dict[str, int]]:
    """How many of each model's attempts went where."""
    models: dict[str, Counter[str]] = {}
    for each in assessed:
        funnel = models.setdefault(each.row["model"], Counter())
        funnel["asked"] += 1
        funnel["answered"] += each.row["error"] is None
        funnel[
            f"filtered: {each.grade.reason}" if each.status == FILTERED else each.status
        ] += 1
    return {name: dict(models[name]) for name in sorted(models)}


def _for_pairing(assessed: Sequence[Assessed]) -> pa.RecordBatch:
    columns = [
        [each.question for each in assessed],
        [each.row["key"] for each in assessed],
        [each.row["model"] for each in assessed],
        [each.completion for each in assessed],
        [each.status for each in assessed],
    ]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, ATTEMPTS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=ATTEMPTS)


def _table(
    questions: pa.RecordBatch, assessed: Sequence[Assessed], rules: Rules
) -> pa.RecordBatch:
    """Rows of the table of attempts."""
    entry = rules.entry
    ids, prompts = (questions.column(name).to_pylist() for name in ("id", "prompt"))
    same = {
        "source": entry.source,
        "language": entry.language,
        "domain": entry.domain,
        "kind": entry.kind,
        "license": entry.licence,
        "grader": grader_name(rules.dataset),
    }
    rows = [
        {
            **each.row,
            **same,
            "id": each.row["key"],
            "question_id": ids[each.question],
            "prompt": prompts[each.question],
            "verdict": each.grade.verdict,
            "reason": each.grade.reason,
            "rule": each.grade.rule,
        }
        for each in assessed
    ]
    return pa.RecordBatch.from_pylist(rows, schema=ATTEMPTS_TABLE)


def kto(table: pa.RecordBatch, assessed: Sequence[Assessed]) -> pa.RecordBatch:
    """Graded attempts one by one, each with whether it is correct."""
    rows = [
        {**row, "completion": each.completion, "label": each.status == "correct"}
        for row, each in zip(table.to_pylist(), assessed, strict=True)
        if each.status in ("correct", "wrong")
    ]
    return pa.RecordBatch.from_pylist(rows, schema=KTO)


def published(
    questions: pa.RecordBatch, assessed: Sequence[Assessed], entry: Entry
) -> pa.RecordBatch:
    """Graded attempts in the shape in which the authors published theirs."""
    asked = questions.column("question").to_pylist()
    rows = [
        {
            "question": asked[each.question],
            "response": each.completion,
            "chosen": each.status == "correct",
            "question_source": entry.source,
            "source_dataset": entry.hub or entry.url,
        }
        for each in assessed
        if each.status in ("correct", "wrong")
    ]
    return pa.RecordBatch.from_pylist(rows, schema=PUBLISHED)


@dataclass(eq=False)
class AssessAttempts(
    beam.PTransform[
        PCollection[tuple[ShardKey, pa.RecordBatch]], PCollection[tuple[ShardKey, Paired]]
    ]
):
    """Shards of questions and attempts, to their SFT rows and preference pairs.

    Attributes:
      rules: of each dataset, by the name in the shard's key.
    """

    rules: Mapping[str, Rules]

    def expand(
        self, shards: PCollection[tuple[ShardKey, pa.RecordBatch]]
    ) -> PCollection[tuple[ShardKey, Paired]]:
        return shards | "Assess attempts" >> beam.ParDo(_Assess(self.rules)).with_output_types(
            tuple[ShardKey, Paired]
        )


@dataclass(eq=False)
class _Assess(beam.DoFn):
    rules: Mapping[str, Rules]

    def setup(self) -> None:
        self._graders: dict[str, Grader] = {}

    def process(
        self, shard: tuple[ShardKey, pa.RecordBatch]
    ) -> Iterator[tuple[ShardKey, Paired]]:
        key, answered = shard
        rules = self.rules[key[0]]
        if key[0] not in self._graders:
            self._graders[key[0]] = grader_of(rules.dataset)
        questions, attempts = split(answered)
        matched, unused = match(questions, attempts)
        assessed = list(assess(questions, matched, rules, self._graders[key[0]]))
        yield key, to_rows(questions, assessed, unused, rules)

    def teardown(self) -> None:
        for grader in self._graders.values():
            grader.close()
