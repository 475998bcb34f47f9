"""Answers that run in a loop: the same words, lines or sentences again and again.

Code, tables and arithmetic repeat themselves for good reasons and are left out, and
so are short lines: lists and refrains have them.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

MIN_LETTERS = 12
"""Letters of a line or sentence that may not come again without being counted."""

MIN_TEXT = 200
"""Letters of a text from which its repeated share says something."""

MAX_PERIOD = 60
"""Words in the longest loop looked for; longer ones have whole sentences in common."""

MIN_LOOP_WORDS = 24
"""Words that a loop has at least with all its rounds: `no, no, no` is none."""

MIN_LOOP_CHARACTERS = 80
"""The same for loops without spaces between words."""

_CODE = re.compile(r"```(?s:.*?)(?:```|\Z)|`[^`\n]+`|(?m:^ {4}.*$)")
_WORD = re.compile(r"\w+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ENDS = re.compile(r"(?<=[.!?。])\s+|\n+")
_MARK = re.compile(r"^\s*(?:[-*•+>#]+|\(?\d{1,4}[.):]|\(?[A-Za-z][.)])\s+")
_TABLE = re.compile(r"(?m)^[^|\n]*\|[^|\n]*\|.*$")

Codes = np.ndarray[Any, np.dtype[np.int32]]


def plain(text: str) -> str:
    """The text without code and tables."""
    if "`" in text or "    " in text:
        text = _CODE.sub("\n", text)
    return _TABLE.sub("", text) if "|" in text else text


def repeated_share(text: str) -> float:
    """Share of the letters, 0 to 1, in lines and sentences that occurred before.

    Lists' marks and numbers do not make a line another one. 0 for short texts.
    """
    seen: set[str] = set()
    letters = repeated = 0
    for line in _ENDS.split(plain(text)):
        size = sum(map(len, _LETTERS.findall(line)))
        letters += size
        # A line of code outside a code block ends like this, and may well come again.
        if size < MIN_LETTERS or line.rstrip().endswith((";", "{", "}", ")")):
            continue
        line = " ".join(_MARK.sub("", line).lower().split())
        if line in seen:
            repeated += size
        seen.add(line)
    return repeated / letters if letters >= MIN_TEXT else 0.0


def repeats_in_a_row(text: str, most: int) -> bool:
    """Whether the same words, or the same characters, follow each other more than `most` times.

    Only words with at least two letters make a loop: sums and series do not.
    """
    text = plain(text).lower()
    words = _WORD.findall(text)
    if len(words) >= MIN_LOOP_WORDS:
        names = {word: code for code, word in enumerate(dict.fromkeys(words))}
        codes = np.fromiter(map(names.__getitem__, words), np.int32, len(words))
        for start, period in loops(codes, MAX_PERIOD, most, MIN_LOOP_WORDS):
            if any(is_word(word) for word in words[start : start + period]):
                return True
    # Words without spaces between them; a text of ordinary words has no use for this.
    longest = max(map(len, words), default=0)
    return longest >= MIN_LOOP_CHARACTERS and any(map(_is_loop, words))


def is_word(token: str) -> bool:
    """Whether a token is a word rather than a number or a variable."""
    return (len(token) > 1 and token.isalpha()) or "가" <= token <= "힣"


def _is_loop(word: str) -> bool:
    if len(word) < MIN_LOOP_CHARACTERS or not any(map(str.isalpha, word)):
        return False
    codes = np.frombuffer(word.encode("utf-32-le"), np.int32)
    rounds = MIN_LOOP_CHARACTERS // 10
    found = loops(codes, 10, rounds, MIN_LOOP_CHARACTERS)
    return any(word[start : start + period].isalpha() for start, period in found)


def loops(codes: Codes, periods: int, rounds: int, length: int) -> list[tuple[int, int]]:
    """Where sequences repeat themselves: the start and the period of each period's longest.

    Args:
      codes: of words or characters, equal where these are.
      periods: the longest period to look for.
      rounds: a loop has more rounds than this.
      length: items that all rounds have together, at least.
    """
    found = []
    for period in _candidates(codes, periods, rounds, length):
        # Equal to what stands one period later, for as long as all rounds but the last take.
        needed = max(rounds * period, length - period)
        breaks = np.flatnonzero(codes[period:] != codes[:-period])
        edges = np.concatenate([[-1], breaks, [len(codes) - period]])
        runs = np.diff(edges) - 1
        longest = int(runs.argmax())
        if runs[longest] >= needed:
            found.append((int(edges[longest]) + 1, period))
    return found


def _candidates(codes: Codes, periods: int, rounds: int, length: int) -> list[int]:
    """The periods that may have a loop, from few places: most texts have none.

    Every loop covers at least two neighbouring places of those looked at.
    """
    shortest = length * rounds // (rounds + 1)
    places = np.arange(0, len(codes), max(1, shortest // 2))
    beyond = np.concatenate([codes, np.full(periods, -1, np.int32)])
    steps = np.arange(1, min(periods, len(codes) // 2) + 1)
    equal = beyond[places[:, None] + steps] == codes[places][:, None]
    return steps[(equal[1:] & equal[:-1]).any(axis=0)].tolist()
