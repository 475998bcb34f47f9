"""Grades mathematics: the final answer of a response against a reference answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from beam_thunder.grading.answers import Answer, find_answers
from beam_thunder.grading.expressions import (
    Comparer,
    Comparison,
    as_latex,
    is_expression,
    too_large,
)
from beam_thunder.grading.grade import Grade, Verdict
from beam_thunder.grading.numbers import Quantity, find_quantities, parse_quantity, plain_text
from beam_thunder.grading.words import compare_words

NAME = "mathematics"
VERSION: int = 1
"""Raise it with every change that may change a verdict."""

ROUNDED_DECIMALS = 2
"""Word problems round to hundredths and drop zeros: a reference 4.2 stands for 4.20."""

LARGEST_EXPONENT = 400
"""Of ten, in a value that an expression has; larger ones are not compared as fractions."""

MOST_MEMBERS = 50
SHOWN_CHARACTERS = 80

Member = Quantity | str
Kind = Literal["number", "set", "tuple", "expression", "word"]


@dataclass(frozen=True)
class Reference:
    """A reference answer, understood.

    Attributes:
      text: without markup.
      kind: how answers are compared with it.
      members: of a set or tuple its parts; of a number the number itself.
    """

    text: str
    kind: Kind
    members: tuple[Member, ...] = ()


# What a missing answer was written as by the tools that made a dataset.
_MISSING = {"", "nan", "none", "null", "n/a"}
_BRACES = re.compile(r"\{(.*)\}", re.DOTALL)
_PARENTHESES = re.compile(r"\(([^()]*,[^()]*)\)")
_JOINT = re.compile(
    r"\s*(?:,\s*(?:and|or)\b|[,;、]\s|\band\b|\bor\b|그리고|또는|및|[와과]\s)\s*"
)
_ASSIGNED = re.compile(r"\s*[A-Za-z]\s*=(?=[^=]+$)")

_REASON = re.compile(r"[,;]\s|\s?\(|\s(?:because|since|as|for|so|which)\b|입니다|이고|이며")
_HANGUL = re.compile(r"[가-힣]")

_comparer = Comparer()


def grade_mathematics(response: str, answer: str) -> Grade:
    """Grades a response.

    Args:
      response: a model's whole answer, reasoning included.
      answer: the reference's final answer alone, such as `72`, `1/2`, `{1, 2}` or `지민`.

    Returns:
      The verdict, and as rule where the final answer was found (see `answers`);
      `no_answer` where it was not, `no_reference` where there is nothing to compare with.
    """
    reference = read_reference(answer)
    if reference is None:
        return Grade(
            "ungradable",
            "no_reference",
            f"reference {answer[:SHOWN_CHARACTERS]!r} says nothing",
        )
    judge = _JUDGES[reference.kind]
    for found in find_answers(response):
        verdict = judge(found, reference)
        if verdict is not None:
            return Grade(verdict[0], found.rule, _reason(found, reference, *verdict))
    # Words need a mark to be found by: without one, the answer may still be there.
    missing: Verdict = "wrong" if reference.kind in ("number", "set", "tuple") else "ungradable"
    return Grade(missing, "no_answer", f"no final answer found; expected {_shown(answer)}")


def grade_mathematics_batch(responses: Sequence[str], answers: Sequence[str]) -> list[Grade]:
    """The grade of each response against the answer in the same place."""
    return [grade_mathematics(*pair) for pair in zip(responses, answers, strict=True)]


@lru_cache(maxsize=65536)
def read_reference(answer: str) -> Reference | None:
    """What a reference answer is; None if it says nothing."""
    if answer.isdecimal() and len(answer) < 20:
        return Reference(answer, "number", (Quantity(int(answer)),))
    text = plain_text(answer).strip()
    if text.lower() in _MISSING:
        return None
    pair = _PARENTHESES.fullmatch(text)
    if pair:
        return Reference(text, "tuple", _members(pair[1]))
    braces = _BRACES.fullmatch(text)
    if braces:
        return Reference(text, "set", _members(braces[1]))
    number = parse_quantity(answer)
    if number:
        return Reference(text, "number", (number,))
    if is_expression(text):
        return Reference(text, "expression")
    members = _members(text)
    several = len(members) > 1 and len({isinstance(each, str) for each in members}) == 1
    return Reference(text, "set", members) if several else Reference(text, "word")


def _members(text: str) -> tuple[Member, ...]:
    parts = [part for part in _JOINT.split(text) if part.strip()]
    if len(parts) == 1:
        parts = text.split(",")
    return tuple(parse_quantity(part) or part.strip() for part in parts[:MOST_MEMBERS])


def equal_quantities(found: Quantity, expected: Quantity) -> bool:
    """Whether a number is the expected one.

    Integers and fractions have to be equal. A decimal reference may have been rounded:
    what rounds to it is right (6.928 for 6.93, and not 6.9). `50%` equals a reference 50,
    0.5 or 1/2, and a reference `50%` equals 50 and 0.5.
    """
    if found.value == expected.value or _close(found.value, expected):
        return True
    if found.percent == expected.percent:
        return False
    if expected.percent:
        return found.value * 100 == expected.value
    # 50% of a whole 50 is no 0.5: only a reference that is a part can be meant so.
    is_part = Fraction(expected.value).denominator > 1
    return is_part and _close(Fraction(found.value) / 100, expected)


def _close(value: int | Fraction, expected: Quantity) -> bool:
    if not expected.decimals:
        return value == expected.value
    unit = 10 ** max(expected.decimals, ROUNDED_DECIMALS)
    return abs(value - expected.value) * unit * 2 <= 1


# Judges: a verdict with a remark, or None where the text found is no answer of that kind.

Judgement = tuple[Verdict, str]


def _verdict(holds: bool) -> Judgement:
    return ("correct" if holds else "wrong"), ""


def _judge_number(found: Answer, reference: Reference) -> Judgement | None:
    expected = reference.members[0]
    assert isinstance(expected, Quantity)
    if found.rule != "last_number":
        whole = parse_quantity(found.text) or _before_reason(found) or _behind_equals(found)
        if whole:
            return _verdict(equal_quantities(whole, expected))
        text = plain_text(found.text).strip(" .,")
        if is_expression(text):
            return _judge_value(text, reference, expected)
        if found.whole:
            return None
    numbers = find_quantities(found.text)
    if not numbers:
        return ("wrong", "it has no number") if found.rule == "boxed" else None
    # "72 clips in 2 months", but "in 2 months she sold 72" and "3장씩 9명이므로 27장".
    leads = numbers[0].start == 0 and not _HANGUL.search(found.text)
    first = leads and found.rule != "last_number"
    return _verdict(equal_quantities(numbers[0 if first else -1], expected))


def _before_reason(found: Answer) -> Quantity | None:
    """The number of `6, since 6 * 2 = 12`, unless all of the text had to be an answer."""
    reason = None if found.whole else _REASON.search(found.text)
    return parse_quantity(found.text[: reason.start()]) if reason else None


def _behind_equals(found: Answer) -> Quantity | None:
    """The number of `9 * 3 = 27`, unless all of the text had to be an answer."""
    _, equals, behind = found.text.rpartition("=")
    return parse_quantity(behind) if equals and not found.whole else None


def _judge_value(text: str, reference: Reference, expected: Quantity) -> Judgement:
    """A number against an expression that may have it as its value."""
    compared = _compare(reference.text, text)
    if isinstance(compared, tuple):
        return compared
    if compared.outcome == "unequal" and compared.value:
        value = Decimal(compared.value)
        if value.is_finite() and abs(value.adjusted()) < LARGEST_EXPONENT:
            return _verdict(_close(Fraction(value), expected))
    return _verdict(compared.outcome == "equal")


def _judge_expression(found: Answer, reference: Reference) -> Judgement | None:
    if found.rule == "last_number":
        return None
    text = plain_text(found.text).strip(" .,")
    if compare_words(text, reference.text):
        return _verdict(True)
    if found.whole and not (is_expression(text) or parse_quantity(text)):
        return None
    compared = _compare(_ASSIGNED.sub("", reference.text), _ASSIGNED.sub("", text))
    return compared if isinstance(compared, tuple) else _verdict(compared.outcome == "equal")


def _compare(expected: str, given: str) -> Comparison | Judgement:
    """Math-Verify's finding, or the judgement that it cannot be had."""
    why = too_large(given) or too_large(expected)
    if why:
        return "ungradable", why
    try:
        compared = _comparer.compare(as_latex(expected), as_latex(given))
    except RuntimeError as error:
        return "error", str(error)
    if compared.outcome in ("equal", "unequal"):
        return compared
    return "ungradable", {
        "unread": "not understood as an expression",
        "timeout": "comparing took too long",
    }[compared.outcome]


def _judge_members(found: Answer, reference: Reference) -> Judgement | None:
    text = plain_text(found.text).strip(" .")
    braces = _BRACES.search(text) or _PARENTHESES.search(text)
    given = _members(braces[1] if braces else text)
    numeric = all(isinstance(each, Quantity) for each in reference.members)
    if numeric and any(isinstance(each, str) for each in given):
        if found.whole:
            return None
        given = tuple(find_quantities(text)[:MOST_MEMBERS])
    if not given or (found.rule == "last_number" and not numeric):
        return None
    return _verdict(_same_members(given, reference))


def _same_members(given: Sequence[Member], reference: Reference) -> bool:
    expected = reference.members
    if reference.kind == "tuple":
        pairs = zip(given, expected, strict=False)
        return len(given) == len(expected) and all(_same(a, b) for a, b in pairs)
    return all(any(_same(a, b) for b in expected) for a in given) and all(
        any(_same(a, b) for a in given) for b in expected
    )


def _same(given: Member, expected: Member) -> bool:
    if isinstance(given, Quantity) and isinstance(expected, Quantity):
        return equal_quantities(given, expected)
    if isinstance(given, Quantity) or isinstance(expected, Quantity):
        return False
    return compare_words(given, expected) is True


def _judge_word(found: Answer, reference: Reference) -> Judgement | None:
    if found.rule in ("latex", "last_number"):
        return None
    named = compare_words(found.text, reference.text)
    if named is None:
        return "ungradable", "it mentions the expected word among others"
    if found.whole and not named:
        # What follows a label may be reasoning: a name alone, or nothing that decides.
        return None if len(found.text.split()) > 1 else _verdict(False)
    return _verdict(named)


_JUDGES: dict[Kind, Callable[[Answer, Reference], Judgement | None]] = {
    "number": _judge_number,
    "set": _judge_members,
    "tuple": _judge_members,
    "expression": _judge_expression,
    "word": _judge_word,
}


def _reason(found: Answer, reference: Reference, verdict: Verdict, remark: str) -> str:
    if verdict == "correct":
        return ""
    told = f"found {_shown(found.text)}, expected {_shown(reference.text)}"
    return f"{told}: {remark}" if remark else told


def _shown(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")
