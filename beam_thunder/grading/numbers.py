"""Quantities in Korean and English text as exact values: `1만 2천 원`, `3 1/2`, `50%`.

Values are `int` or `Fraction`, never `float`: 0.1 + 0.2 is 0.3 here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

from beam_thunder.grading.numerals import (
    AMOUNT,
    ENGLISH_SCALES,
    ENGLISH_WORDS,
    NATIVE,
    SINO,
    Exact,
    amount,
    english,
    native_korean,
    scaled,
)

LONGEST_TEXT = 2000
"""Characters of a text that may be looked at as one quantity."""


class Quantity(NamedTuple):
    """A number that a text states.

    Attributes:
      value: exact; of a percentage, what stands before the sign (50 for `50%`).
      decimals: digits after the point as written; 0 for integers and fractions.
      percent: whether a percent sign or word follows.
      start: of the number in the text that was searched, in characters.
      end: just behind it.
    """

    value: Exact
    decimals: int = 0
    percent: bool = False
    start: int = 0
    end: int = 0


# A scale is none where it begins another word: 조각 (piece), 만큼 (as much as), 천사 (angel).
_SCALE = r"(?:십(?!자)|백(?!화|두)|천(?!사|막|재)|만(?!큼|두|화)|억(?!울)|조(?!각|카|개|금))"
_SCALED = (
    rf"{AMOUNT}(?:\s?{_SCALE}(?:\s?(?:{AMOUNT}\s?|[일이삼사오육륙칠팔구])?{_SCALE})*"
    rf"(?:\s?{AMOUNT})?)?"
)
_CURRENCY = r"[$€£¥₩￦]"
_SIGN = rf"(?:(?P<minus>(?<![\w)\]}}])-){_CURRENCY}?|{_CURRENCY}(?P<minus2>-)?)?"
_JOINT = r"(?:\s?[과와]\s?|\s+and\s+|\s)"
_NUMBER = re.compile(
    # Not inside a word or an exponent: the 2 of cm2, cm^2 and x_2 is no number of its own.
    rf"(?<![A-Za-z0-9_^])(?<!\^\{{){_SIGN}(?:"
    rf"(?:(?P<whole>{AMOUNT}){_JOINT})?(?P<under>\d+)\s?분의\s?(?P<over>\d+)"
    rf"|(?:(?P<whole2>{AMOUNT}){_JOINT})?(?P<over2>\d+)\s?/\s?(?P<under2>\d+)(?![\d.,]\d)"
    rf"|(?P<scaled>{_SCALED})(?:\s?(?P<english>{'|'.join(ENGLISH_SCALES)})\b)?"
    r")(?P<percent>\s?(?:%|퍼센트|프로(?![가-힣])|percent\b))?",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"([-$]?)(\d{1,3}(?:,\d{3})+|\d+)\.?")

_LEAD = re.compile(
    r"\s*(?:(?:약|총|모두|각각|approximately|about|exactly|only|just|a total of|≈|~)\s*"
    r"|[A-Za-z]\s*[=≈]\s*|=\s*|(?P<minus>마이너스|minus|negative)\s+|(?:USD|KRW|EUR|Rs\.?)\s*)*",
    re.IGNORECASE,
)
# A unit: words without digits, but for powers (cm^2, m2) and what is per something (km/h).
_LATIN_UNIT = r"(?!(?:[xyznkabcdijpqrt])\b)[A-Za-zµ°℃Ω]+(?:\^?\{?[23]\}?)?"
_UNIT = re.compile(
    rf"\s*(?:-?{_LATIN_UNIT}(?:\s?/\s?{_LATIN_UNIT}|[\s'’-]+{_LATIN_UNIT}){{0,6}})?"
    r"(?:\s?[°℃㎠㎡㎤㎥㎝㎞㎏㎖\"′])?"
    # Whole words only: otherwise a long one could be split in very many ways.
    r"(?:\s?[가-힣]+(?![가-힣])){0,4}(?:\s?\([^()\d]{0,30}\)[가-힣]{0,4})?"
    r"[\s.,;:!)。]*"
)
_HALF = re.compile(r"\s?반(?:입니다|이다|이에요)?[\s.]*")
_HALF_UNIT = re.compile(
    r"\s?(?:시간|개월|개|달|년|컵|판|병|바퀴|배|km|m|kg|L|리터|미터|조각|통)\s"
)

_COUNTERS = (
    "개월|개|명|마리|원|살|세|권|장|자루|대|송이|그루|병|잔|시간|분|초|일|주일|주|달|년|번째|번|층|쪽"
    "|페이지|세트|상자|봉지|묶음|줄|벌|켤레|쌍|조각|모둠|팀|학년|인분|포기|통|판|칸|걸음|바퀴|리터|미터"
    "|센티미터|킬로미터|밀리리터|그램|킬로그램|도|배|퍼센트|점|문제|가지|사람|척|채|송이|다발|접시|컵"
)
_ENDING = r"(?:입니다|이다|이에요|예요|이며|이고|이므로|다|요)?(?:[\s.,!。]+.*)?"
_WORDED = re.compile(rf"\s?(?P<counter>{_COUNTERS})?{_ENDING}", re.DOTALL)
_SINO_RUN = re.compile(rf"[{SINO}](?:\s?[{SINO}])*")
_SINO_FRACTION = re.compile(rf"(?P<under>[{SINO}]+)\s?분의\s?(?P<over>[{SINO}]+)")
_NATIVE_RUN = re.compile(NATIVE)
_ENGLISH_RUN = re.compile(
    rf"(?:{'|'.join(ENGLISH_WORDS)})\b(?:[\s-]+(?:{'|'.join(ENGLISH_WORDS)}|and)\b)*",
    re.IGNORECASE,
)

_WORD = re.compile(r"(?<!\S)\S+")
LONGEST_WORDED = 400
"""Characters of a text that are searched for numerals in words, from its end."""

_FROM = "−–‐﹣×÷⁄∕⋅·∶\u00a0\u202f\u3000"
_TO = "----*///**:   "
_REWRITTEN = {"²": "^2", "³": "^3", "\u200b": ""}
# 3½ must not become 31/2.
_VULGAR = {
    sign: " " + unicodedata.normalize("NFKC", sign).replace("\u2044", "/")
    for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
}
_FULL_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_SIGNS = str.maketrans(
    {**dict(zip(_FROM, _TO, strict=True)), **_REWRITTEN, **_VULGAR, **_FULL_WIDTH}
)
_MARKUP = re.compile(r"[\\$*`{_<]|[^\x00-\x7f가-힣]")
_LATEX: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"<<[^<>]*>>"), ""),  # GSM8K's calculator marks
    (re.compile(r"\\(?:text|textbf|mathrm|mathbf|operatorname|mbox)\s?\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\[dtc]?frac"), r"\\frac"),
    (re.compile(r"(\d)\s*\\frac\{(\d+)\}\{(\d+)\}"), r"\1 \2/\3"),
    (re.compile(r"\\frac\{(-?\d+)\}\{(\d+)\}"), r"\1/\2"),
    (re.compile(r"(\d)\s*\\frac(\d)(\d)"), r"\1 \2/\3"),
    (re.compile(r"\\frac(\d)(\d)"), r"\1/\2"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"(?<=\d)\\[,;! ](?=\d{3})"), ""),
    (re.compile(r"\\[,;:! ]|~|\\q?quad\b"), " "),
    (re.compile(r"\\(?:left|right|displaystyle)\b"), ""),
    (re.compile(r"\^\{?\\circ\}?"), "°"),
    (re.compile(r"\\([%#&{}])"), r"\1"),
    (re.compile(r"\\[()\[\]]|\\?\$"), ""),
    (re.compile(r"(?<![A-Za-z0-9)])\*\*([^*\n]+)\*\*"), r"\1"),
    (re.compile(r"(?<![A-Za-z0-9)])(?:\*\*|__)|(?:\*\*|__)(?![A-Za-z0-9(])|`"), ""),
)


def plain_text(text: str) -> str:
    """Text without Markdown emphasis, LaTeX spacing and text commands, and full-width signs.

    Currency's `$` goes as LaTeX's does: the number behind it is the same.
    """
    if not _MARKUP.search(text):
        return text
    text = text.translate(_SIGNS)
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    return text


def parse_quantity(text: str) -> Quantity | None:
    """The quantity that the whole of a text states, with its unit or ending; else None."""
    plain = _PLAIN.fullmatch(text)
    if plain:
        value = amount(plain[2])
        return None if value is None else Quantity(-value if plain[1] == "-" else value)
    if len(text) > LONGEST_TEXT:
        return None
    text = _without_brackets(plain_text(text).strip())
    lead = _LEAD.match(text)
    start = lead.end() if lead else 0
    found = _digits_at(text, start) or _words_at(text, start)
    negative = found and lead and lead["minus"]
    return found._replace(value=-found.value) if found and negative else found


def find_quantities(text: str) -> list[Quantity]:
    """All numbers in digits within a text, in order; where there are none, those in words."""
    text = plain_text(text[-LONGEST_TEXT:])
    found = [q for match in _NUMBER.finditer(text) if (q := _read(match))]
    return found or list(_worded(text))


def _without_brackets(text: str) -> str:
    while len(text) > 2 and text[0] + text[-1] in ("()", "[]") and text.count(text[0]) == 1:
        text = text[1:-1].strip()
    return text


def _digits_at(text: str, start: int) -> Quantity | None:
    """A number in digits, and nothing behind it but a unit or an ending."""
    match = _NUMBER.match(text, start)
    found = _read(match) if match else None
    if not match or not found:
        return None
    end = match.end()
    unit = _HALF_UNIT.match(text, end)
    if _HALF.fullmatch(text, unit.end() if unit else len(text)):
        return found._replace(value=found.value + Fraction(1, 2))
    return found if _UNIT.fullmatch(text, end) else None


def _read(match: re.Match[str]) -> Quantity | None:
    groups = match.groupdict()
    decimals = 0
    value: Exact | None = None
    digits = groups["scaled"]
    if digits:
        value = amount(digits) if digits.isascii() else scaled(digits)
        _, _, behind = digits.partition(".")
        decimals = len(behind) if behind.isdecimal() else 0
    else:
        whole = groups["whole"] or groups["whole2"] or "0"
        over = groups["over"] or groups["over2"]
        under = groups["under"] or groups["under2"]
        value = _mixed(whole, over, under)
    if value is None:
        return None
    if groups["english"]:
        value, decimals = value * ENGLISH_SCALES[groups["english"].lower()], 0
    if groups["minus"] or groups["minus2"]:
        value = -value
    return Quantity(value, decimals, bool(groups["percent"]), match.start(), match.end())


def _mixed(whole: str, over: str, under: str) -> Fraction | None:
    parts = [amount(part) for part in (whole, over, under)]
    if any(part is None for part in parts) or not parts[2]:
        return None
    first, second, third = (Fraction(part) for part in parts if part is not None)
    return first + second / third


def _words_at(text: str, start: int) -> Quantity | None:
    """A number in Korean or English words, and nothing behind it but a counter or an ending."""
    rest = text[start:]
    if re.fullmatch(
        r"(?:절반|반)(?:입니다|이다|이에요)?[\s.]*|(?:one |a )?half[\s.]*", rest.lower()
    ):
        return Quantity(Fraction(1, 2))
    word = _ENGLISH_RUN.match(rest)
    if word:
        value = english(word[0])
        fits = value is not None and _UNIT.fullmatch(rest, word.end())
        return Quantity(value) if fits and value is not None else None
    return _korean_at(rest)


def _korean_at(text: str) -> Quantity | None:
    fraction = _SINO_FRACTION.match(text)
    if fraction:
        return _sino_fraction(text, fraction)
    native = _NATIVE_RUN.match(text)
    if native and native.end():
        count = native_korean(native[0].strip())
        return Quantity(count) if count and _ends(text, native.end()) else None
    run = _SINO_RUN.match(text)
    # The run may have taken the unit or the ending too: 이십삼일 (days), 십이이다.
    for end in range(run.end() if run else 0, 0, -1):
        value = scaled(text[:end]) if text[end - 1] != " " else None
        if value is not None and _ends(text, end):
            return Quantity(value)
    return None


def _sino_fraction(text: str, match: re.Match[str]) -> Quantity | None:
    under = scaled(match["under"])
    for end in range(match.end("over"), match.start("over"), -1):
        over = scaled(text[match.start("over") : end])
        if over is not None and under and _ends(text, end):
            return Quantity(Fraction(over) / under)
    return None


def _ends(text: str, end: int) -> bool:
    """Whether a numeral in words may end there: words like 사과 begin with one, too."""
    behind = _WORDED.fullmatch(text, end)
    if not behind:
        return False
    # One syllable and a counter at once, as in 이주 or 사장, is more often a word.
    short = end == 1 and text[0] in SINO and behind["counter"] and text[end] != " "
    return not short


def _worded(text: str) -> Iterator[Quantity]:
    text, end = text[-LONGEST_WORDED:], 0
    for match in _WORD.finditer(text):
        if match.start() >= end:
            english_run = _ENGLISH_RUN.match(text, match.start())
            value = english(english_run[0]) if english_run else None
            found = _korean_at(text[match.start() :]) if value is None else Quantity(value)
            end = english_run.end() if english_run else match.end()
            if found:
                yield found
