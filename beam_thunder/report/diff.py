"""Where two texts differ, by words; in Korean and other words of syllables, within words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
_WORD = re.compile(r"\w")

# Hangul, kana and Han: a syllable or character says something by itself, and a Korean
# word carries particles (고양이가, 고양이는), so a word is not the smallest that differs.
_SYLLABLE = re.compile(
    "[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]"
)

_LITTLE = 0.15
"""Share of the letters that long texts have in common below which marks would be noise."""

_LONG = 200
"""Letters from which a text is long: more than that, marked as a whole, is hard to read."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a text.

    Attributes:
      text: as it is.
      differs: whether the other text has something else, or nothing, in its place.
    """

    text: str
    differs: bool


Pieces = tuple[Piece, ...]


def differences(left: str, right: str) -> tuple[Pieces, Pieces] | None:
    """Two texts in pieces, those marked that the other does not have.

    Returns:
      The pieces of both texts, whose texts joined are the texts; or None if the two
      are long and have next to nothing in common.
    """
    pairs = list(_absorb(_refine(*_tokens(left, right))))
    shared = sum(_letters(a) for a, b, same in pairs if same)
    letters = max(_letters(left), _letters(right))
    if letters > _LONG and shared < _LITTLE * letters:
        return None
    return (
        _pieces((a, not same) for a, b, same in pairs),
        _pieces((b, not same) for a, b, same in pairs),
    )


_Pair = tuple[str, str, bool]
"""What stands at the same place in both texts, and whether it is the same."""


def _tokens(left: str, right: str) -> tuple[Iterable[_Pair], bool]:
    mine, theirs = _TOKEN.findall(left), _TOKEN.findall(right)
    matcher = SequenceMatcher(None, mine, theirs, autojunk=False)
    pairs = [
        ("".join(mine[a:b]), "".join(theirs[c:d]), kind == "equal")
        for kind, a, b, c, d in matcher.get_opcodes()
    ]
    return pairs, bool(_SYLLABLE.search(left + right))


def _refine(pairs: Iterable[_Pair], syllables: bool) -> Iterable[_Pair]:
    """Leaves the equal starts and ends of differing words unmarked, where that reads well."""
    for left, right, same in pairs:
        if same or not syllables or not _SYLLABLE.search(left + right):
            yield left, right, same
            continue
        start = _common(left, right)
        end = _common(left[start:][::-1], right[start:][::-1])
        stop = len(left) - end, len(right) - end
        yield left[:start], right[:start], True
        yield left[start : stop[0]], right[start : stop[1]], False
        yield left[stop[0] :], right[stop[1] :], True


def _absorb(pairs: Iterable[_Pair]) -> Iterable[_Pair]:
    """Marks what is between two differences and no word, so that marks hold together."""
    filled = [pair for pair in pairs if pair[0] or pair[1]]
    last = len(filled) - 1
    for index, (left, right, same) in enumerate(filled):
        between = 0 < index < last and not filled[index - 1][2] and not filled[index + 1][2]
        yield left, right, same and not (between and not _WORD.search(left))


def _common(left: str, right: str) -> int:
    """How many characters both start with."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(left), len(right)))


def _letters(text: str) -> int:
    return len(_WORD.findall(text))


def _pieces(parts: Iterable[tuple[str, bool]]) -> Pieces:
    joined = (
        Piece("".join(text for text, _ in group), differs)
        for differs, group in groupby(parts, key=lambda part: part[1])
    )
    return tuple(piece for piece in joined if piece.text)
