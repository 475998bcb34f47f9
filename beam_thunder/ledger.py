"""The ledger: for each dataset, rows in = rows out + rows dropped, by named reason.

Each number is counted where it arises, by the step that read, parsed, paired
or wrote the rows, so that a step that loses rows is found out by the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from beam_thunder.errors import BuildRefused


@dataclass(frozen=True)
class Ledger:
    """The counts of one dataset; ledgers of its parts add up, in any order.

    Attributes:
      read: raw rows read.
      questions: sound questions parsed from them.
      rejected: raw rows that gave no question, by reason.
      repeated: in a stream, questions that an earlier window has, or this one twice.
      shuffled: questions that arrived in shards.
      stored: attempts of models that were read; none where the options are the attempts.
      unused: those that are of no question, or not of its prompt, by reason.
      attempts: of those questions, options or answers.
      filtered: attempts that a filter dropped, by its name.
      correct: attempts with that verdict.
      wrong: attempts with that verdict.
      ungradable: attempts that no rule decides on.
      error: attempts without a response, or that grading failed on.
      accepted: attempts that may become SFT rows.
      duplicates: those that repeat an answer to the same question.
      candidates: pairs of a correct and a wrong attempt.
      dropped: pairs that were not kept, by reason.
      written: rows in the files of each table, as the files say.
      models: of each model, how many attempts went where.
    """

    read: int = 0
    questions: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    repeated: int = 0
    shuffled: int = 0
    stored: int = 0
    unused: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)
    correct: int = 0
    wrong: int = 0
    ungradable: int = 0
    error: int = 0
    accepted: int = 0
    duplicates: int = 0
    candidates: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    written: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def __add__(self, other: Ledger) -> Ledger:
        names = self.__dataclass_fields__
        return Ledger(
            **{name: _added(getattr(self, name), getattr(other, name)) for name in names}
        )

    @classmethod
    def sum(cls, parts: Iterable[Ledger]) -> Ledger:
        """All the parts added up."""
        return sum(parts, cls())

    def check(self, dataset: str) -> None:
        """Every sum of the flow.

        Raises:
          BuildRefused: one does not add up, so a step lost or repeated rows.
        """
        rejected, dropped = sum(self.rejected.values()), sum(self.dropped.values())
        sums = [
            ("rows read", self.read, "questions + rejected", self.questions + rejected),
            (
                "questions",
                self.questions,
                "questions in shards + repeated",
                self.shuffled + self.repeated,
            ),
            (
                "attempts",
                self.attempts,
                "filtered + correct + wrong + ungradable + errors",
                sum(self.filtered.values()) + self.graded + self.error,
            ),
            (
                "accepted answers",
                self.accepted,
                "correct, or correct + ungradable",
                self.correct + (self.ungradable if self.accepted > self.correct else 0),
            ),
            (
                "accepted answers",
                self.accepted,
                "SFT rows + duplicates",
                self.written.get("sft", self.accepted - self.duplicates) + self.duplicates,
            ),
            (
                "attempts",
                self.attempts,
                "rows of the table of attempts",
                self.written.get("attempts", self.attempts),
            ),
            (
                "candidate pairs",
                self.candidates,
                "preference pairs + dropped",
                self.written.get("preference", self.candidates - dropped) + dropped,
            ),
        ]
        if self.stored:
            used = self.stored - sum(self.unused.values())
            sums.append(("attempts read", used, "attempts of questions", self.attempts))
            asked = sum(each["asked"] for each in self.models.values())
            sums.append(("attempts", self.attempts, "attempts by model", asked))
        for left, found, right, expected in sums:
            if found != expected:
                raise BuildRefused(
                    f"{dataset}: the ledger does not add up: {found} {left}, but {expected} "
                    f"{right}. This is a defect in beam-thunder: please report it"
                )

    @property
    def graded(self) -> int:
        """Attempts that a grader saw."""
        return self.correct + self.wrong + self.ungradable

    @property
    def reject_rate(self) -> float:
        """Share of the raw rows that were rejected, from 0 to 1."""
        return sum(self.rejected.values()) / self.read if self.read else 0.0


def _added(mine: Any, theirs: Any) -> Any:
    """Numbers, or tables of numbers, added up."""
    if isinstance(mine, int):
        return mine + theirs
    # Not as counters: a table of no rows must not vanish from the sum.
    keys = sorted({*mine, *theirs})
    both = [(key, mine.get(key), theirs.get(key)) for key in keys]
    return {key: b if a is None else a if b is None else _added(a, b) for key, a, b in both}
