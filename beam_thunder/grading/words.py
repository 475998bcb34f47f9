"""Comparing answers that are words: names, things, choices such as (가) or A."""

from __future__ import annotations

import re
from collections.abc import Iterator

from beam_thunder.grading.numbers import plain_text

_ENDING = re.compile(r"(?:입니다|이에요|예요|이다|이며|이고|다|요)$")
_COLOUR = "색"  # 검정색 is 검정
_AROUND = " \t\n.,;:!?。'\"`*‘’“”()[]{}<>「」『』（）"
_INSIDE = re.compile(r"[\s()\"'“”‘’]")
_AMOUNT_BEHIND = re.compile(r"(?<=\S)\s?\([^()]*\d[^()]*\)")  # 지민(5개)
_LETTER = re.compile(r"(?<![A-Za-z0-9])(?!a\s)[A-Za-z](?![A-Za-z0-9'’])")  # not an article
_FORMULA = re.compile(r"[\^_=+*/\\{}]")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
FIRST_SYLLABLE, LAST_SYLLABLE, FINALS = 0xAC00, 0xD7A3, 28
"""Unicode's Hangul syllables: every 28th has no final consonant."""


def compare_words(text: str, reference: str) -> bool | None:
    """Whether a text names the reference; None if it mentions it and no rule decides.

    A name may have an ending (입니다) or a subject particle (이, 가), or stand last in a
    sentence (`제일 큰 사람은 지민입니다`). The reference is never shortened: 지은 is not 지.
    """
    wanted = _squeeze(reference)
    # Most answers are just that; what else they may be takes longer to find out.
    if _squeeze(text) in (wanted, wanted + "입니다") or wanted in forms(text):
        return True
    tokens = plain_text(text).split()
    if len(wanted) == 1 and wanted.isascii():
        return _names_letter(tokens, wanted)
    if len(tokens) > 1 and " " not in reference.strip():
        subject = forms(tokens[0]) if tokens[0][-1:] in ("이", "가") else set()
        if wanted in forms(tokens[-1]) | subject:
            return True
    return None if _undecided(tokens, wanted) else False


def _names_letter(tokens: list[str], wanted: str) -> bool | None:
    """Whether the one choice named is the letter: `A트럭`, `(A)`, `Option A`; not `A와 B`."""
    text = " ".join(tokens)
    if _FORMULA.search(text):  # the x of x^2 is no choice
        return False
    letters = {letter.casefold() for letter in _LETTER.findall(text)}
    if wanted not in letters:
        return False
    return True if len(letters) == 1 else None


def forms(text: str) -> set[str]:
    """A text as it may be meant: without blanks, marks, ending, particle and 색."""
    found = {_squeeze(text)}
    # Particles twice: 지민이가.
    for shorten in (_without_ending, _without_particle, _without_particle, _without_colour):
        found |= {short for form in found for short in shorten(form) if short}
    return found


def _squeeze(text: str) -> str:
    text = _AMOUNT_BEHIND.sub("", plain_text(text)).strip(_AROUND)
    return _INSIDE.sub("", text).casefold()


def _without_ending(form: str) -> Iterator[str]:
    short = _ENDING.sub("", form)
    yield short
    if short.endswith("이"):  # 다: 지민이다
        yield short[:-1]


def _without_particle(form: str) -> Iterator[str]:
    """Without 이 behind a final consonant, or 가 behind a vowel: no other place has them."""
    if len(form) > 1 and FIRST_SYLLABLE <= ord(form[-2]) <= LAST_SYLLABLE:
        final = (ord(form[-2]) - FIRST_SYLLABLE) % FINALS
        if form[-1] == ("이" if final else "가"):
            yield form[:-1]


def _without_colour(form: str) -> Iterator[str]:
    yield form.removesuffix(_COLOUR)
    if form and form[-1] != _COLOUR:
        yield form + _COLOUR


def _undecided(tokens: list[str], wanted: str) -> bool:
    """Whether the reference is there, but among other words or with something behind it."""
    if _DIGITS.search(wanted):
        # "2시간 30분" may be said as "150분", but "2시간 20분" is something else.
        return _DIGITS.sub("0", _squeeze("".join(tokens))) != _DIGITS.sub("0", wanted)
    # 지민네 may well mean 지민; but a syllable, such as 소, begins many another word (소나무).
    return any(
        _squeeze(token).startswith(wanted) if len(wanted) > 1 else wanted in forms(token)
        for token in tokens
    )
