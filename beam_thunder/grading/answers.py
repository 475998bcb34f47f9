r"""Where a response states its final answer.

Rules, the most trusted first; within a rule the last occurrence comes first:

1. `boxed`: `\boxed{...}`.
2. `hashes`: `#### 72`, as GSM8K's answers end.
3. `stated`: `The answer is 72`, `**Answer:** 72`, `정답은 72`, `답: 72`.
4. `a_line`: a line `A: 72`.
5. `latex`: the last `$...$`, `\(...\)` or `\[...\]`, where no number follows it.
6. `last_number`: the last line with a number; its last number is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MOST_OCCURRENCES = 20
"""Of one rule's marks, from the end; a response with more of them repeats itself."""

LONGEST_ANSWER = 2000
"""Characters of an answer that are looked at."""


class Answer(NamedTuple):
    """What a response gives as its final answer, as written.

    Attributes:
      text: may have a unit, an ending or a reason around the value.
      rule: what found it, one of the module's rules.
      whole: whether all of the text has to be the answer for this to be one: what
        follows `A:` or stands after `####` may as well be reasoning or a heading.
    """

    text: str
    rule: str
    whole: bool = False


# Markdown and quotes may stand anywhere around a label.
_MARK = r"[\s*_`\"'”]*"
_ENGLISH = re.compile(
    # "The answer to the question is therefore: ", "**Final answer:** ", "### Answer\n"
    rf"(?i:answer)s?\b(?:{_MARK}(?P<label>[:：=]|\n)|"
    r"[^\n.:：=?]{0,80}?(?i:\b(?:is|are|was|be|equals)\b)"
    rf"(?:\s+(?:therefore|thus|simply|that|then|just|indeed|equal to)\b,?){{0,2}}{_MARK}:?)"
)
_KOREAN = re.compile(
    rf"(?<![대응])답{_MARK}(?:(?P<label>[:：=\]】>]|\n|변{_MARK}[:：])|(?:은|는|이)(?![가-힣])"
    rf"{_MARK}[:：]?|(?=\d))"
)
_A_LINE = re.compile(r"^[\s*_>]*A[\s*_]*[:：](.*)$", re.MULTILINE)
# As in Pandoc, no space just inside the dollars and no digit behind: "$5 and $10" is money.
_LATEX = re.compile(
    r"\$\$(?P<display>[^$]+)\$\$|(?<![\\$])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\d$])"
    r"|\\\((?P<round>.+?)\\\)|\\\[(?P<square>.+?)\\\]",
    re.DOTALL,
)
_BRACE = re.compile(r"\\.|[{}]")  # an escaped one is skipped with its backslash
_SENTENCE_END = re.compile(r"(?<!Rs)(?<!approx)(?<!No)[.!?。](?=[\s*\"')]|$)|\n")
_HEADING = re.compile(r"단계|\b(?:step|part|case|method)\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")


def find_answers(response: str) -> Iterator[Answer]:
    """What may be the response's final answer, the most trusted first; may be nothing."""
    if "\\boxed" in response or "\\fbox" in response:
        yield from _boxed(response)
    if "####" in response:
        yield from _hashes(response)
    yield from _stated(response)
    if "A" in response:
        yield from _a_line(response)
    if "$" in response or "\\(" in response or "\\[" in response:
        yield from _latex(response)
    yield from _last_number(response)


def _backwards(text: str, *marks: str) -> Iterator[int]:
    """Where any of the marks stands, the last place first."""
    end = len(text)
    for _ in range(MOST_OCCURRENCES):
        end = max([text.rfind(mark, 0, end) for mark in marks])
        if end < 0:
            return
        yield end


def _boxed(response: str) -> Iterator[Answer]:
    for place in _backwards(response, "\\boxed", "\\fbox"):
        brace = response.find("{", place, place + 10)
        text = (
            _in_braces(response, brace)
            if brace >= 0
            else first_line(response[place:]).partition(" ")[2]
        )
        if text.strip():
            yield Answer(text, "boxed")


def _in_braces(text: str, brace: int) -> str:
    """What stands between a brace and its partner; to the line's end if it has none."""
    depth = 0
    for match in _BRACE.finditer(text, brace, brace + LONGEST_ANSWER):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if not depth and match[0] == "}":
            return text[brace + 1 : match.start()]
    return first_line(text[brace + 1 :])


def _hashes(response: str) -> Iterator[Answer]:
    for place in _backwards(response, "####"):
        text = first_line(response[place + 4 :])
        fresh = not response[:place].endswith("#") and not _HEADING.search(text)
        if fresh and text.strip():
            yield Answer(text, "hashes", whole=True)


def _stated(response: str) -> Iterator[Answer]:
    for place in _backwards(response, "nswer", "NSWER", "답"):
        label = (
            _KOREAN.match(response, place)
            if response[place] == "답"
            else _ENGLISH.match(response, max(place - 1, 0))
        )
        if label:
            text, is_last = _sentence(response, label.end())
            if text:
                yield Answer(text, "stated", whole=bool(label["label"]) and not is_last)


def _sentence(response: str, start: int) -> tuple[str, bool]:
    """The sentence that begins there or on a later line, and whether it is the last one."""
    rest = response[start : start + LONGEST_ANSWER]
    for _ in range(2):  # again where the first is no more than "as follows:"
        rest = rest.lstrip("\n\r\t *_>:`\"'”")
        end = _SENTENCE_END.search(rest)
        text = (rest[: end.start()] if end else rest).strip()
        rest = rest[end.end() :] if end else ""
        if not text.endswith((":", "：")):
            break
    return text, not rest.strip(" \n\r\t*_`\"')$.")


def _a_line(response: str) -> Iterator[Answer]:
    for place in _backwards(response, "A"):
        start = response.rfind("\n", 0, place) + 1
        line = _A_LINE.match(response, start) if place - start < 10 else None
        if line and line[1].strip():
            yield Answer(line[1][:LONGEST_ANSWER], "a_line", whole=True)


def _latex(response: str) -> Iterator[Answer]:
    tail = response[-LONGEST_ANSWER:]
    last_mark = max(tail.rfind(mark) for mark in ("$", "\\)", "\\]"))
    if last_mark < 0 or _DIGIT.search(tail, last_mark):
        return
    segments = list(_LATEX.finditer(tail))
    if segments and segments[-1].end() > last_mark:
        yield Answer(next(filter(None, segments[-1].groups())), "latex", whole=True)


def _last_number(response: str) -> Iterator[Answer]:
    end = len(response.rstrip())
    lines = 0
    while end > 0 and lines < MOST_OCCURRENCES:
        start = response.rfind("\n", 0, end) + 1
        line = response[start:end][-LONGEST_ANSWER:]
        if _DIGIT.search(line):
            yield Answer(line, "last_number")
            return
        lines, end = lines + 1, start - 1
    if response.strip():
        yield Answer(response.strip()[-LONGEST_ANSWER:], "last_number")


def first_line(text: str) -> str:
    """The text up to its first line break, as much of it as may be an answer."""
    return text[:LONGEST_ANSWER].partition("\n")[0]
