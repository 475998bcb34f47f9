"""Demands for a number of words, sentences, paragraphs, lines, characters or items."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from beam_thunder.grading.demands import measure
from beam_thunder.grading.demands.measure import Range
from beam_thunder.grading.demands.numerals import ENGLISH_NUMBER, KOREAN_NUMBER, number
from beam_thunder.grading.demands.task import Check, Task, is_about_programs

_LEAST = r"at least|no (?:fewer|less) than|not (?:fewer|less) than|a? ?minimum(?: of)?"
_MOST = (
    r"at most|no more than|not more than|up to|a? ?maximum(?: of)?|within"
    r"|not (?:to )?exceed(?:ing)?"
    r"|(?:limit|limited|restrict|restricted|keep|keep it|limit it|limit yourself)"
    r"(?: (?:your|the) \w+(?: \w+)?)? to(?: at most)?"
)
_LESS = r"fewer than|less than|under|below"
_MORE = r"more than|over"
_EXACTLY = r"exactly|precisely"
_ABOUT = r"about|around|approximately|roughly|nearly|almost|some|approx\.?|circa"
# A number without a limit binds the answer only behind one of these.
_BARE = (
    r"in|into|in (?:only|just)|only|just|using|with|of|write|give|give me|compose|provide"
    r"|contain|contains|containing|have|has|having|be"
)
_END = (
    r"(?=\s*(?:$|[.,;:!?)⟦]|or (?:less|fewer|more)\b|max(?:imum)?\b|min(?:imum)?\b|long\b"
    r"|in (?:length|total|english|korean)\b|total\b|about\b|on\b|describing\b|explaining\b"
    r"|using\b|with(?:out)?\b|summari[sz]ing\b|and\b|that (?:describe|explain|summari[sz]e)))"
)


@cache
def _english(units: str, bare: str) -> re.Pattern[str]:
    limits = {
        "least": _LEAST,
        "most": _MOST,
        "less": _LESS,
        "more": _MORE,
        "exactly": _EXACTLY,
        "about": _ABOUT,
    }
    named = "|".join(rf"(?P<{name}>{words})" for name, words in limits.items())
    return re.compile(
        rf"\b(?:{named}|(?P<between>between)|(?P<bare>{bare}))\s+(?:a (?:total )?of\s+)?"
        rf"(?P<n>{ENGLISH_NUMBER})(?:\s*(?:-|–|to|and)\s*(?P<m>{ENGLISH_NUMBER}))?"
        rf"\s+(?:{units})\b{_END}"
        rf"(?:\s*(?:(?P<or_less>or (?:less|fewer)|max(?:imum)?)"
        rf"|(?P<or_more>or more|min(?:imum)?))\b)?",
        re.IGNORECASE,
    )


@cache
def _hyphened(unit: str) -> re.Pattern[str]:
    """As in `write a three-sentence summary`."""
    return re.compile(
        r"\b(?:write|give|provide|compose|create|draft|produce|generate|make|in|with)(?: me)?"
        rf" (?:an?|your) (?P<n>{ENGLISH_NUMBER})[- ](?:{unit})\b",
        re.IGNORECASE,
    )


# What the number is for may not be the whole answer.
_PARTS_EN = re.compile(
    r"\b(?:each|every|per|apiece|both|respectively|either|first|second|last|then|next"
    r"|followed|after|before|intro|introduction|introductory|conclusion|titles?|headlines?"
    r"|captions?|subject|whose|who|which|these|those|reader|if|ending with \d)\b",
    re.IGNORECASE,
)
_PARTS_KO = re.compile(
    r"각각|각 |마다|씩|먼저|처음|마지막|그다음|그 다음|다음에|제목|서론|결론|본론|예시|예문"
    r"|(?:\d+|한|두|세|네|다섯)\s*(?:편|개)(?!의?\s*(?:문장|문단|단락|단어|항목|로))"
    r"|(?:이|그|위의?|아래의?|다음|주어진)\s*(?:두|세|네|\d+)\s*(?:개의?\s*)?(?:문장|문단|단락)"
)


# People stand in 세 줄로 too.
_WRITE_KO = (
    r"(?:요약|설명|답|작성|써|쓰|정리|서술|표현|적어|적으|소개|묘사|말해|대답|줄여|나눠|나누어"
    r"|구성|만들|번역|않|도록|지 ?마)"
)


@cache
def _korean(units: str, bare: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:(?P<least>최소한?|적어도)|(?P<most>최대한?)|(?P<exactly>정확히|딱)"
        rf"|(?P<about>약|대략|한))?\s*(?<![가-힣\d.])"
        rf"(?P<n>{KOREAN_NUMBER})\s*(?:[~-]\s*(?P<m>\d{{1,5}})\s*)?(?:개의?\s*)?(?:{units})"
        rf"\s*(?:(?P<or_less>이내|이하|내로|안으로|안에|를? ?넘지|을? ?넘지)|(?P<less>미만)"
        rf"|(?P<or_more>이상)|(?P<more>초과)|(?P<vague>정도|내외|안팎|쯤|가량)|{bare})"
        rf"(?=[^.\n]{{0,15}}?{_WRITE_KO})"
    )


_TO = r"(?P<bare>으로|로)(?!부터|서|써)"


@dataclass(frozen=True)
class Unit:
    """What is counted in an answer.

    Attributes:
      rule: the demand's name.
      name: of one of them.
      english: pattern of its names.
      korean: pattern of its names.
      count: how many a text has.
      bare_most: the largest number that is meant exactly where no limit is named.
      least: a smaller number is taken to count something else.
      bare: what a number without a limit must stand behind, in English.
    """

    rule: str
    name: str
    english: str
    korean: str
    count: Callable[[str], Range]
    bare_most: int
    least: int = 1
    bare: str = _BARE

    def patterns(self, language: str) -> list[re.Pattern[str]]:
        """Of its demands, in a language."""
        if language == "ko":
            return [_korean(self.korean, _TO if self.bare_most else r"(?!)")]
        hyphened = [_hyphened(self.english.replace("s?", ""))] if self.bare_most else []
        return [_english(self.english, self.bare), *hyphened]

    def shown(self, range_: Range) -> str:
        """Such as `1 word`, `at most 50 words`."""
        return f"{range_} {self.name}" + ("" if str(range_) == "1" else "s")


def _demanded(task: Task, unit: Unit) -> Range | None:
    """The range in which all demands lie; None without any, or where they clash."""
    parts = _PARTS_KO if task.language == "ko" else _PARTS_EN
    wanted: Range | None = Range(0, None)
    applies = False
    for sentence in task.requests:
        if parts.search(sentence) or is_about_programs(sentence, task.language):
            continue
        for pattern in unit.patterns(task.language):
            for match in pattern.finditer(sentence):
                found = _range(match.groupdict(), unit.bare_most)
                if found is None or max(found.low, found.high or 0) < unit.least:
                    continue
                applies = True
                wanted = wanted.both(found) if wanted else None
    return wanted if applies else None


def _range(match: dict[str, str | None], bare_most: int) -> Range | None:
    """The numbers allowed; None for `about 100` and what else binds nobody."""
    count = number(match["n"] or "")
    if match.get("about") or match.get("vague"):
        return None
    if match.get("m"):
        upper = number(match["m"] or "")
        return Range(count, upper) if count < upper else None
    if match.get("between"):
        return None
    if match.get("least") or match.get("or_more"):
        return Range(count, None)
    if match.get("more"):
        return Range(count + 1, None)
    if match.get("most") or match.get("or_less"):
        return Range(0, count)
    if match.get("less"):
        return Range(0, max(count - 1, 0))
    if match.get("exactly"):
        return Range(count, count)
    # `a 500-word essay` and `write 200 words` are not meant to the word.
    return Range(count, count) if 0 < count <= bare_most else None


def _check(task: Task, unit: Unit) -> list[Check]:
    wanted = _demanded(task, unit)
    if wanted is None:
        return []
    found = unit.count(task.response)
    return [Check(unit.rule, wanted.meets(found), unit.shown(wanted), unit.shown(found))]


def word_count(task: Task) -> list[Check]:
    """`in at most 50 words`, `세 단어로`."""
    # `using 3 words: cat, dog, sun`, `a list of 5 words` ask for other words besides.
    bare = r"in|into|in (?:only|just)|only|just|contain|contains"
    unit = Unit("word_count", "word", r"words?", r"단어|어절", measure.words, 10, bare=bare)
    return _check(task, unit)


def sentence_count(task: Task) -> list[Check]:
    """`in exactly 3 sentences`, `세 문장으로`."""
    english = r"(?:complete |short |simple |full )?sentences?"
    unit = Unit("sentence_count", "sentence", english, r"문장", measure.sentences, 30)
    return _check(task, unit)


def paragraph_count(task: Task) -> list[Check]:
    """`in two paragraphs`, `3개의 문단으로`."""
    english, korean = r"(?:short )?paragraphs?", r"문단|단락"
    unit = Unit("paragraph_count", "paragraph", english, korean, measure.paragraphs, 20)
    return _check(task, unit)


def line_count(task: Task) -> list[Check]:
    """`in four lines`, `네 줄로`."""
    return _check(task, Unit("line_count", "line", r"lines?", r"줄", measure.lines, 40))


def character_count(task: Task) -> list[Check]:
    """`under 280 characters`, `100자 이내로`.

    A story may have three characters of another kind, so that small numbers do not count.
    """
    units = r"characters?", r"글자|자"
    unit = Unit("character_count", "character", *units, measure.characters, 0, least=30)
    return _check(task, unit)


def bullet_count(task: Task) -> list[Check]:
    """`in 3 bullet points`, `5개의 항목으로`; numbered items will do."""
    units = r"bullet(?:ed)? (?:point|item)s?|bullets?", r"불릿|글머리 기호|항목"
    wanted = _check(task, Unit("bullet_count", "item", *units, _most_items, 30))
    lists = measure.items(task.response)
    if not wanted or wanted[0].holds:
        return wanted
    # Items below items may be counted or not.
    return wanted if lists.certain() is not None or not lists.counts() else []


def _most_items(text: str) -> Range:
    counts = measure.items(text).counts() or {0}
    return Range(min(counts), max(counts))


_NOT_ITEMS = (
    r"words?|sentences?|paragraphs?|lines?|minutes?|hours?|days?|weeks?|months?|years?"
    r"|dollars?|times|percent|pages?|letters?|characters?|stanzas?|verses?|points?|bullets?"
    r"|syllables?|haikus?|digits?|sets?|pairs?|groups?|lists?|options?"
)
_ITEMS_EN = re.compile(
    r"(?:^\W*|[,;:]\s*|\b(?:please|and|can you|could you|you)\s+)"
    r"(?:list(?: out)?|name|give(?: me| us)?|provide(?: me with| us with)?|suggest"
    r"|tell me|come up with|generate|identify|mention|share|recommend|propose|state|enumerate)"
    r"\s+(?:(?P<exactly>exactly|precisely)\s+|(?P<least>at least)\s+"
    rf"|(?P<most>up to|at most)\s+|the top\s+)?(?P<n>{ENGLISH_NUMBER})\s+"
    rf"(?!(?:{_NOT_ITEMS})\b|of\b|or\b|and\b|to\b|more\b)"
    rf"(?:[a-z-]+\s+){{0,2}}?(?!(?:{_NOT_ITEMS})\b)"
    r"(?:[a-z-]+s|people|men|women|children)\b(?P<rest>.*)",
    re.IGNORECASE,
)
_ITEMS_KO = re.compile(
    rf"(?<![가-힣\d.])(?P<n>{KOREAN_NUMBER})\s*(?:가지|개)(?:의|만|를|을)?"
    r"(?:\s[가-힣A-Za-z]{1,8}(?<![을를])){0,1}?(?:\s?[가-힣A-Za-z]{1,8}[을를])?"
    r"\s+(?:간단히\s+|자세히\s+)?(?:알려|나열|제시|말해|추천|소개|설명|적어|써|작성|들어|제안|열거)"
)
_MANY_EN = re.compile(
    rf"\b(?:each|every|per|for both|respectively|(?:{ENGLISH_NUMBER}))\b", re.IGNORECASE
)


def item_count(task: Task) -> list[Check]:
    """`List 5 ways to ...`, `방법을 5가지 알려줘`: where the answer is one clear list."""
    lists = measure.items(task.response)
    wanted = [each for sentence in task.requests if (each := _items(sentence, task.language))]
    if len(wanted) != 1 or not lists.counts():
        return []
    if any(wanted[0].meets(Range(count, count)) for count in lists.counts()):
        holds, found = True, str(wanted[0])
    elif (count := lists.certain()) is not None:
        holds, found = False, str(count)
    else:
        return []
    return [Check("item_count", holds, f"{wanted[0]} items", f"{found} items")]


def _items(sentence: str, language: str) -> Range | None:
    if is_about_programs(sentence, language):
        return None
    if language == "ko":
        found = list(_ITEMS_KO.finditer(sentence))
        several = (
            len(re.findall(rf"(?<![가-힣\d.]){KOREAN_NUMBER}\s*(?:가지|개)", sentence)) > 1
        )
        if len(found) != 1 or several or _PARTS_KO.search(sentence):
            return None
        return _range(found[0].groupdict(), bare_most=50)
    match = _ITEMS_EN.search(sentence)
    # A second number asks for something of its own, as in `3 pros and 3 cons`.
    if not match or _MANY_EN.search(match["rest"]):
        return None
    return _range(match.groupdict() | {"rest": None}, bare_most=50)
