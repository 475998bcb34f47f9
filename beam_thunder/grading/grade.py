"""What a rule says of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Verdict = Literal["correct", "wrong", "ungradable", "error"]
"""`ungradable`: no rule decides. `error`: the grader or the machine failed, not the answer."""


@dataclass(frozen=True)
class Grade:
    """A verdict, and how it came about.

    Attributes:
      verdict: what became of the answer.
      rule: the rule that decided, such as `boxed` or `last_number`.
      reason: what was found and what was expected, for people; may be empty.
    """

    verdict: Verdict
    rule: str
    reason: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in get_args(Verdict):
            known = ", ".join(get_args(Verdict))
            raise ValueError(f"verdict {self.verdict!r}: expected one of {known}")
