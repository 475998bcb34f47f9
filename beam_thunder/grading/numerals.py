"""Numerals in words, Korean and English, and the Korean scales that digits go with."""

from __future__ import annotations

import re
from fractions import Fraction

Exact = int | Fraction

AMOUNT = r"(?:(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?|\.\d+)"
"""Digits as written: `1234`, `1,234`, `1,234.50`, `.5`."""

LONGEST_AMOUNT = 400
"""Characters: beyond them a run of digits is noise (a model that repeats itself)."""

SINO_DIGITS = {
    digit: value
    for value, digits in enumerate(
        ["영", "일", "이", "삼", "사", "오", "육륙", "칠", "팔", "구"]
    )
    for digit in digits
}
SMALL_SCALES = {"십": 10, "백": 100, "천": 1000}
LARGE_SCALES = {"만": 10**4, "억": 10**8, "조": 10**12, "경": 10**16}
SINO = "".join([*SINO_DIGITS, *SMALL_SCALES, *LARGE_SCALES])
"""Every syllable a Sino-Korean numeral is made of."""

NATIVE_TENS = {
    "열": 10,
    "스물": 20,
    "스무": 20,
    "서른": 30,
    "마흔": 40,
    "쉰": 50,
    "예순": 60,
    "일흔": 70,
    "여든": 80,
    "아흔": 90,
}
NATIVE_ONES = {
    "하나": 1,
    "한": 1,
    "둘": 2,
    "두": 2,
    "셋": 3,
    "세": 3,
    "넷": 4,
    "네": 4,
    "다섯": 5,
    "여섯": 6,
    "일곱": 7,
    "여덟": 8,
    "아홉": 9,
}
NATIVE = (
    rf"(?P<tens>{'|'.join(NATIVE_TENS)})?\s?(?P<ones>{'|'.join(NATIVE_ONES)})?"  # both optional
)

_BELOW_TWENTY = """
    zero one two three four five six seven eight nine ten
    eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
ENGLISH_ONES = {name: value for value, name in enumerate(_BELOW_TWENTY.split())}
ENGLISH_TENS = {name: 10 * value for value, name in enumerate(_TENS.split(), start=2)}
ENGLISH_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
ENGLISH_WORDS = (*ENGLISH_ONES, *ENGLISH_TENS, "hundred", *ENGLISH_SCALES)

_NATIVE = re.compile(NATIVE)
_TOKEN = re.compile(rf"\s*(?:({AMOUNT})|([{SINO}]))")


def amount(digits: str) -> Exact | None:
    """The exact value of digits with their commas and point; None if absurdly long."""
    if len(digits) > LONGEST_AMOUNT:
        return None
    if digits.isdecimal():
        return int(digits)
    plain = digits.replace(",", "")
    return Fraction(plain) if "." in plain else int(plain)


def scaled(text: str) -> Exact | None:
    """The value of digits or Sino-Korean digits with scales: `1만 2천`, `3억 5천만`, `이십삼`.

    None if the text is anything else, or not in the order that a numeral has
    (`일이`, `십백`, `1만 20000`).
    """
    total: Exact = 0
    section: Exact = 0  # below ten thousand, to be multiplied by the next large scale
    pending: Exact | None = None  # a number that no scale has multiplied yet
    small_bound, large_bound = 10**4, 10**20
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if not token:
            return None
        place = token.end()
        digits, syllable = token.groups()
        if digits or syllable in SINO_DIGITS:
            value = amount(digits) if digits else SINO_DIGITS[syllable]
            if value is None or pending is not None or (section and value >= small_bound):
                return None
            pending = value
        elif syllable in SMALL_SCALES:
            scale = SMALL_SCALES[syllable]
            if scale >= small_bound:
                return None
            section += scale if pending is None else pending * scale
            pending, small_bound = None, scale
        else:
            scale = LARGE_SCALES[syllable]
            if scale >= large_bound:
                return None
            bare = pending is None and not section  # 만 alone is one of it
            total += scale * (1 if bare else section + (pending or 0))
            section, pending, small_bound, large_bound = 0, None, 10**4, scale
    rest = section + (pending or 0)
    return None if not text or rest >= large_bound else total + rest


def native_korean(text: str) -> int | None:
    """The value of a native Korean numeral from 1 to 99: `다섯`, `열두`, `스물세`."""
    match = _NATIVE.fullmatch(text)
    if not match or not text.strip():
        return None
    return NATIVE_TENS.get(match["tens"], 0) + NATIVE_ONES.get(match["ones"], 0)


def english(text: str) -> int | None:
    """The value of an English numeral: `twelve`, `twenty-one`, `two hundred and five`."""
    words = [word for word in re.split(r"[\s-]+", text.lower()) if word != "and"]
    total, section, last = 0, 0, ""
    for word in words:
        if word in ENGLISH_ONES:
            if last in ENGLISH_ONES or (last in ENGLISH_TENS and ENGLISH_ONES[word] > 9):
                return None
            section += ENGLISH_ONES[word]
        elif word in ENGLISH_TENS:
            if last in ENGLISH_ONES or last in ENGLISH_TENS:
                return None
            section += ENGLISH_TENS[word]
        elif word == "hundred":
            section = 100 * (section or 1)
        elif word in ENGLISH_SCALES:
            total, section = total + ENGLISH_SCALES[word] * (section or 1), 0
        else:
            return None
        last = word
    return total + section if words else None
