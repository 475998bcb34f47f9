"""How many words, sentences, paragraphs, lines and items a text has.

What a sentence or a paragraph is, people do not agree on: does a heading count, or
`Here is a summary:`, or `e.g. 3.5`? So each count is a range, from the strictest
reading to the widest, and a demand fails only where no reading meets it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Range:
    """Counts from `low` to `high`, both included; `high` None is without end."""

    low: int
    high: int | None

    def meets(self, other: Range) -> bool:
        """Whether there is a number that lies in both."""
        below = self.high is None or other.low <= self.high
        return below and (other.high is None or self.low <= other.high)

    def both(self, other: Range) -> Range | None:
        """The numbers that lie in both, if any."""
        if not self.meets(other):
            return None
        ends = [end for end in (self.high, other.high) if end is not None]
        return Range(max(self.low, other.low), min(ends) if ends else None)

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {self.low}"
        if self.low == self.high:
            return str(self.low)
        return f"at most {self.high}" if self.low == 0 else f"{self.low} to {self.high}"


_CODE = re.compile(r"```(?s:.*?)(?:```|\Z)")
_MARK = r"(?:[-*•–+]|\(?\d{1,3}[.)])"
_LIST_MARK = re.compile(rf"(?m)^[ \t]*{_MARK}[ \t]+")
_WORD = re.compile(r"\w+")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s.*|\*\*[^*]+\*\*:?|<<.*>>)\s*$")


def body(text: str) -> str:
    """The text without code, headings, and a first and last line around the answer.

    Such a first line ends with a colon (`Here is a summary:`), such a last line offers
    more (`Let me know ...`).
    """
    lines = [line for line in _CODE.sub("\n", text).split("\n") if not _HEADING.match(line)]
    filled = [place for place, line in enumerate(lines) if line.strip()]
    if len(filled) > 1 and lines[filled[0]].rstrip(" *").endswith((":", "：")):
        lines[filled[0]] = ""
    if len(filled) > 1 and _OFFER.match(lines[filled[-1]]):
        lines[filled[-1]] = ""
    return "\n".join(lines)


_OFFER = re.compile(
    r"\s*(?:let me know|i hope|hope this|feel free|if you (?:need|have|want|would)|note:"
    r"|\(?word count|도움이 되|더 궁금|추가로|필요하시|\(?(?:총 )?\d+ ?(?:자|단어|words))",
    re.IGNORECASE,
)


def words(text: str) -> Range:
    """Words: what stands between spaces, or what stands between any signs."""
    strict = [each for each in _LIST_MARK.sub("", body(text)).split() if _WORD.search(each)]
    return Range(len(strict), len(_WORD.findall(text)))


def characters(text: str) -> Range:
    """Characters: without white space, or with all of it; without headings, or with them."""
    return Range(len("".join(body(text).split())), len(text))


# Behind these a full stop does not end a sentence.
_SHORT = frozenset(
    [
        *("mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "gen", "rep", "sen", "gov"),
        *("vs", "etc", "eg", "ie", "e.g", "i.e", "approx", "no", "fig", "est", "al", "dept"),
        *("u.s", "u.k", "u.n", "a.m", "p.m", "b.c", "a.d", "ph.d", "inc", "ltd", "co", "mt"),
        *("jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"),
    ]
)
_STOP = re.compile(r"(?<![.!?。])([.!?。]++)([\"'”’)\]*_]*+)(?=\s|$)")


def sentences(text: str) -> Range:
    """Sentences: stops that can only be ends, or all stops and all ends of lines."""
    return Range(max(1, _certain_ends(body(text))), max(1, _possible_ends(text)))


def _certain_ends(text: str) -> int:
    text = _LIST_MARK.sub("", text).strip()
    return sum(_is_end(text, stop) for stop in _STOP.finditer(text))


def _is_end(text: str, stop: re.Match[str]) -> bool:
    signs, closing = stop.groups()
    rest = text[stop.end() : stop.end() + 40]
    if not rest.strip():
        return True
    if closing.strip("*_)]") or len(signs) > 1:  # "Stop!" said Ann; and so on... Well
        return False
    following = rest.lstrip(" \n\t\"'“‘(*_")[:1]
    if following.islower():
        return False
    before = text[max(0, stop.start() - 12) : stop.start()].split()
    last = before[-1].lstrip("(\"'“‘").lower() if before else ""
    # Initials, abbreviations and the numbers of items end with a stop too.
    return signs != "." or not (len(last) < 2 or last in _SHORT or last.isdecimal())


def _possible_ends(text: str) -> int:
    ends = 0
    for line in text.split("\n"):
        stops = list(_STOP.finditer(line))
        rest = line[stops[-1].end() :] if stops else line
        ends += len(stops) + bool(_WORD.search(rest))
        ends += line.count(";") + line.count(": ")
    return ends


def paragraphs(text: str) -> Range:
    """Paragraphs: blocks between empty lines without headings, or all lines.

    A list belongs to the paragraph before it.
    """
    blocks = [each for each in re.split(r"\n\s*\n", body(text)) if _WORD.search(each)]
    strict = [
        each
        for each in blocks
        if not _LIST_MARK.match(each) and each.rstrip(" *\n")[-1:] in ".!?。”\"')"
    ]
    return Range(max(1, len(strict)), max(1, _filled(text)))


def lines(text: str) -> Range:
    """Lines that are not empty: without headings and a possible title, or all."""
    return Range(max(1, _filled(body(text)) - 1), max(1, _filled(text)))


def _filled(text: str) -> int:
    return sum(bool(_WORD.search(line)) for line in text.split("\n"))


_ITEM = re.compile(
    r"(?m)^(?P<indent>[ \t]*+)(?:[#*]{1,6}[ \t]*)?"
    r"(?:(?P<number>\d{1,3})[.)]|(?P<bullet>[-*•–+]))[ \t]+(?=\S)"
)


@dataclass(frozen=True)
class Items:
    """The lists in a text.

    Attributes:
      numbers: of the numbered items, in their order.
      bullets: how deep each item with a bullet is indented, in characters.
      headings: how many headings there are.
      apart: whether other text stands between the bullets, as between several lists.
    """

    numbers: tuple[int, ...]
    bullets: tuple[int, ...]
    headings: int
    apart: bool

    def counts(self) -> set[int]:
        """Every number that one may give as the number of items."""
        found = {len(self.numbers), len(self.bullets), self.headings}
        found |= {self.bullets.count(depth) for depth in set(self.bullets)}
        return (found | {max(self.numbers, default=0)}) - {0}

    def certain(self) -> int | None:
        """The number of items where all would give the same one, else None."""
        numbered = self.numbers == tuple(range(1, len(self.numbers) + 1))
        if self.numbers:
            return len(self.numbers) if numbered and len(self.numbers) > 1 else None
        plain = len(set(self.bullets)) == 1 and not self.headings and not self.apart
        return len(self.bullets) if plain and len(self.bullets) > 1 else None


@lru_cache(maxsize=1)  # several demands count the same answer's items
def items(text: str) -> Items:
    """The lists in a text, code left out."""
    text = _CODE.sub("\n", text)
    found = list(_ITEM.finditer(text))
    return Items(
        tuple(int(each["number"]) for each in found if each["number"]),
        tuple(len(each["indent"]) for each in found if each["bullet"]),
        len(re.findall(r"(?m)^#{1,6} ", text)),
        _has_text(text, [each for each in found if each["bullet"]]),
    )


def _has_text(text: str, bullets: list[re.Match[str]]) -> bool:
    """Whether a line between the bullets is neither one of them nor below one."""
    if not bullets:
        return False
    between = text[bullets[0].start() : bullets[-1].start()].split("\n")
    return any(line[:1].strip() and line[0] not in "-*•–+" for line in between)
