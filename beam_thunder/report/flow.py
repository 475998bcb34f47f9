"""A dataset's ledger as steps: how many rows each made, and how many were lost and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Ledger = Mapping[str, Any]

_KNOWN = {
    *("read", "questions", "repeated", "shuffled", "stored", "attempts", "correct", "wrong"),
    *("accepted", "duplicates", "candidates"),
}


@dataclass(frozen=True)
class Step:
    """One step of the flow.

    Attributes:
      name: what its rows are.
      rows: how many it made.
      part: this and the next such step are parts of the step before.
      note: where the rows come from.
      lost: rows that came in and did not go on, by reason.
    """

    name: str
    rows: int
    part: bool = False
    note: str = ""
    lost: Mapping[str, int] = field(default_factory=dict)


def steps(ledger: Ledger) -> tuple[Step, ...]:
    """The steps of a ledger as the manifest has it; what it lacks counts as 0."""
    return tuple(_steps(ledger))


def _steps(ledger: Ledger) -> Iterator[Step]:
    def count(name: str) -> int:
        return int(ledger.get(name) or 0)

    yield Step("raw rows read", count("read"))
    yield Step("questions", count("questions"), lost=ledger.get("rejected") or {})
    new = count("questions") - count("repeated")
    if count("repeated"):
        yield Step("questions not seen before", new, lost={"repeated": count("repeated")})
    if count("shuffled") != new:
        yield Step(
            "questions in shards", count("shuffled"), note="a step lost or repeated rows"
        )
    if ledger.get("stored"):
        yield Step("attempts read", count("stored"))
    yield Step(
        "answers",
        count("attempts"),
        note=_per(count("attempts"), count("shuffled"), "question"),
        lost=ledger.get("unused") or {},
    )
    filtered = ledger.get("filtered") or {}
    if filtered:
        yield Step(
            "kept by the filters", count("attempts") - sum(filtered.values()), lost=filtered
        )
    yield Step("correct", count("correct"), part=True)
    yield Step("wrong", count("wrong"), part=True)
    for name, value in ledger.items():
        if name not in _KNOWN and isinstance(value, int) and value:
            yield Step(name.replace("_", " "), value, part=True)
    written = ledger.get("written") or {}
    if "sft" in written:
        more = count("accepted") > count("correct")
        note = "the correct answers" + (" and the ungradable ones" if more else "")
        repeated = {"duplicate_answer": count("duplicates")} if count("duplicates") else {}
        yield Step("SFT rows", written["sft"], note=note, lost=repeated)
    if "preference" in written or count("candidates"):
        yield Step("candidate pairs", count("candidates"), note="each correct with each wrong")
    if "preference" in written:
        lost = ledger.get("dropped") or {}
        yield Step("preference pairs", written["preference"], lost=lost)


@dataclass(frozen=True)
class Funnel:
    """What became of a model's attempts.

    Attributes:
      model: that made them.
      asked: how many there are.
      parts: how many went where, by name; they add up to `asked`.
    """

    model: str
    asked: int
    parts: Mapping[str, int]

    @property
    def acceptance(self) -> float:
        """The share that is correct, from 0 to 1."""
        return self.parts.get("correct", 0) / self.asked if self.asked else 0.0


def funnels(ledger: Ledger) -> tuple[Funnel, ...]:
    """Of each model that a ledger names."""
    return tuple(
        Funnel(
            model,
            counts["asked"],
            {name: n for name, n in counts.items() if name not in ("asked", "answered")},
        )
        for model, counts in (ledger.get("models") or {}).items()
    )


def lost(ledger: Ledger) -> int:
    """Raw rows, attempts and pairs that are in no table of rows."""
    reasons = [ledger.get(name) or {} for name in ("rejected", "unused", "filtered", "dropped")]
    return sum(sum(each.values()) for each in reasons)


def _per(parts: int, wholes: int, name: str) -> str:
    if not wholes:
        return ""
    return f"{parts / wholes:.3g} per {name}"
