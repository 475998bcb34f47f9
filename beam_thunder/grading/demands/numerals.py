"""Small numbers in digits and words, English and Korean."""

from __future__ import annotations

_ENGLISH = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen", "twenty"),
)

# As they stand before what is counted. Sino-Korean 일, 이, 삼 are left out: 이 문장 is
# `this sentence` more often than `two sentences`.
_KOREAN_UNITS = ("한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_KOREAN = (*_KOREAN_UNITS, "열", *(f"열{unit}" for unit in _KOREAN_UNITS), "스무")

WORDS = {
    **{word: value for value, word in enumerate(_ENGLISH, 1)},
    **{word: value for value, word in enumerate(_KOREAN, 1)},
}
"""The value of each word, 1 to 20."""

# The longer words first, so that none is taken for its beginning.
ENGLISH_NUMBER = (
    rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,5}}|{'|'.join(sorted(_ENGLISH, key=len)[::-1])})"
)
KOREAN_NUMBER = (
    rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,5}}|{'|'.join(sorted(_KOREAN, key=len)[::-1])})"
)


def number(text: str) -> int:
    """The value of digits, with or without thousands commas, or of a number word."""
    word = text.lower().replace(",", "")
    return int(word) if word.isdecimal() else WORDS[word]
