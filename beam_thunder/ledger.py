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
      shuffled: questions that arrived in shards.
      attempts: of those questions, options or answers.
      correct: attempts with that verdict.
      wrong: attempts with that verdict.
      candidates: pairs of a correct and a wrong attempt.
      dropped: pairs that were not kept, by reason.
      written: rows in the files of each table, as the files say.
    """

    read: int = 0
    questions: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    shuffled: int = 0
    attempts: int = 0
    correct: int = 0
    wrong: int = 0
    candidates: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    written: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Ledger) -> Ledger:
        sums: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, int):
                sums[name] = mine + theirs
            else:
                # Not as counters: a table of no rows must not vanish from the sum.
                keys = sorted({*mine, *theirs})
                sums[name] = {key: mine.get(key, 0) + theirs.get(key, 0) for key in keys}
        return Ledger(**sums)

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
            ("questions", self.questions, "questions in shards", self.shuffled),
            ("attempts", self.attempts, "correct + wrong", self.correct + self.wrong),
            ("correct", self.correct, "SFT rows", self.written.get("sft", self.correct)),
            (
                "candidate pairs",
                self.candidates,
                "preference pairs + dropped",
                self.written.get("preference", self.candidates - dropped) + dropped,
            ),
        ]
        for left, found, right, expected in sums:
            if found != expected:
                raise BuildRefused(
                    f"{dataset}: the ledger does not add up: {found} {left}, but {expected} "
                    f"{right}. This is a defect in beam-thunder: please report it"
                )

    @property
    def reject_rate(self) -> float:
        """Share of the raw rows that were rejected, from 0 to 1."""
        return sum(self.rejected.values()) / self.read if self.read else 0.0
