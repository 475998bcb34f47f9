"""Demands for words that an answer must or must not have."""

from __future__ import annotations

import re

from beam_thunder.grading.demands.numerals import ENGLISH_NUMBER, number
from beam_thunder.grading.demands.task import Check, Task, is_about_programs

_CLAUSE = r"(?:^\W*|[,;:]\s*|\b(?:please|and|then|but|you|must|should|to)\s+)"
_WORDS = r"(?:the |these |this |following )*(?:exact |key)?(?:words?|phrases?|terms?|keywords?)"
_LIST = r"(?P<list>⟦\d+⟧(?:(?:\s*,\s*|\s+)(?:and\s+)?⟦\d+⟧)*)"
_VERB = r"(?:use|include|contain|mention|incorporate|have)"

_USED = {
    "en": re.compile(
        rf"(?:{_CLAUSE}{_VERB}|\b(?:using|including|containing|that includes?|that uses?"
        rf"|that contains?)) {_WORDS}\s*:?\s*"
        rf"(?:{_LIST}|(?P<bare>[A-Za-z-]{{2,30}})(?<!ly)(?=\s*(?:[.!,;]|$|in (?:a|your) ))"
        rf"(?!\s*,\s*\w+\s*(?:,|and|or)))(?P<rest>.*)",
        re.IGNORECASE,
    ),
    "ko": re.compile(
        r"(?P<list>⟦\d+⟧(?:\s*(?:,|와|과|및)?\s*⟦\d+⟧)*)\s*(?:이?라는)\s*(?:단어|말|표현|낱말|어구)"
        r"(?:들?[을를]|가)?\s*(?:꼭\s*|반드시\s*)?(?:모두\s*)?(?P<bare>)"
        r"(?:(?:사용|포함|활용|이용)(?:하여|해서|하고|해\s?(?:줘|주)|하세요|하시오|시켜|되도록"
        r"|해(?=\s+[가-힣]))|넣어|써서)(?P<rest>.*)"
    ),
}
# `Include the word count`, `use the word below`
_NO_KEYWORDS = frozenset(
    [
        *("below", "above", "here", "there", "count", "limit", "itself", "given", "provided"),
        *("processor", "game", "again", "instead", "somewhere", "well", "in", "that", "list"),
    ]
)
_LOOSE = re.compile(
    r"\b(?:or|any|some|one of|at least|either|not|n['’]t|never|without|avoid|instead|times?"
    r"|once|twice|whether|synonyms?)\b|중|또는|이나 |않|말고|번",
    re.IGNORECASE,
)


def keywords_used(task: Task) -> list[Check]:
    """`use the word 'apple'`, `'사과'라는 단어를 사용해서`; inflected forms will do."""
    checks = []
    for match in task.search(_USED):
        around = re.sub(r"⟦\d+⟧", "", match.string)
        if match["bare"] and match["bare"].lower() in _NO_KEYWORDS:
            continue
        if _LOOSE.search(around) or is_about_programs(around, task.language):
            continue
        text = task.response.lower()
        missing = [word for word in _listed(task, match) if word.lower() not in text]
        wanted = ", ".join(map(repr, _listed(task, match)))
        found = f"no {', '.join(map(repr, missing))}" if missing else "all of it"
        checks.append(Check("keywords_used", not missing, f"use of {wanted}", found))
    return checks


def _listed(task: Task, match: re.Match[str]) -> list[str]:
    if not match["list"]:
        return [match["bare"]]
    places = re.findall(r"⟦(\d+)⟧", match["list"])
    # What is quoted ends with the sentence's own comma in some styles of punctuation.
    return [task.quotes[int(place)].strip(" ,.") for place in places]


_FREQUENCY = re.compile(
    rf"{_CLAUSE}{_VERB} (?:the )?(?:word|phrase|keyword|term) ⟦(?P<word>\d+)⟧,? "
    rf"(?:(?P<least>at least)|(?P<most>at most|no more than)|(?P<exactly>exactly)|(?P<less>"
    rf"less than|fewer than))\s+(?:(?P<n>{ENGLISH_NUMBER})\s+times?|(?P<word_n>once|twice))\b",
    re.IGNORECASE,
)


def keyword_frequency(task: Task) -> list[Check]:
    """`use the word 'apple' at least 3 times`."""
    checks = []
    for match in task.search({"en": _FREQUENCY, "ko": re.compile(r"(?!)")}):
        word = task.quotes[int(match["word"])].lower()
        text = task.response.lower()
        strict, loose = len(_whole(word).findall(text)), text.count(word)
        count = number(match["n"]) if match["n"] else 1 + (match["word_n"].lower() == "twice")
        if match["least"]:
            holds = loose >= count
        elif match["exactly"]:
            holds = strict <= count <= loose
        else:
            holds = strict <= count - bool(match["less"])
        limit = match["least"] or match["most"] or match["exactly"] or match["less"]
        demanded = f"{word!r} {limit.lower()} {count} times"
        checks.append(Check("keyword_frequency", holds, demanded, f"{strict} times"))
    return checks


def _whole(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)


_NOT = r"(?:do not|don['’]t|never|must not|should not|cannot|can['’]t|avoid|refrain from)"
_AVOIDED = {
    "en": re.compile(
        rf"(?:\b{_NOT} (?:use|using|say|saying|include|including|mention|mentioning)"
        rf"|\bavoid|\bwithout (?:using|saying|mentioning|including)) "
        rf"(?:any of )?{_WORDS}\s*:?\s*"
        r"(?P<list>⟦\d+⟧(?:(?:\s*,\s*|\s+)(?:(?:and|or)\s+)?⟦\d+⟧)*)"
        r"(?P<rest>.*)",
        re.IGNORECASE,
    ),
    "ko": re.compile(
        r"(?P<list>⟦\d+⟧(?:\s*(?:,|와|과|나|및|또는)?\s*⟦\d+⟧)*)\s*"
        r"(?:이?라는)\s*(?:단어|말|표현|낱말)[은는을를]?\s*(?:절대\s*)?"
        r"(?:(?:사용하|포함하|언급하|쓰|넣)지\s*(?:마|말|않고|않도록)"
        r"|(?:사용|언급) ?없이)(?P<rest>.*)"
    ),
}
_UNLESS = re.compile(
    r"\b(?:unless|except|more than|too|often|twice|together|first|start|begin|at the)\b"
    r"|보다|너무|이상|번",
    re.IGNORECASE,
)


def keywords_avoided(task: Task) -> list[Check]:
    """`do not use the word 'apple'`, `'사과'라는 단어를 쓰지 마세요`; whole words count."""
    checks = []
    for match in task.search(_AVOIDED):
        if _UNLESS.search(match["rest"]) or is_about_programs(match.string, task.language):
            continue
        places = re.findall(r"⟦(\d+)⟧", match["list"])
        banned = [task.quotes[int(place)].strip(" ,.") for place in places]
        used = [word for word in banned if word and _uses(task, word)]
        demanded = f"no {', '.join(map(repr, banned))}"
        found = ", ".join(map(repr, used)) or "none of it"
        checks.append(Check("keywords_avoided", not used, demanded, found))
    return checks


def _uses(task: Task, word: str) -> bool:
    if task.language == "ko":  # particles follow without a space: 사과는, 사과를
        particle = r"(?=[은는이가을를의에로도만과와]|\W|$)"
        return bool(re.search(rf"(?<!\w){re.escape(word)}{particle}", task.response))
    return bool(_whole(word).search(task.response))


_LETTERS = re.compile(
    rf"(?:\b{_NOT} (?:use|using|include|including)|\bavoid|\bwithout(?: using| the use of)?) "
    r"(?:any words? (?:with|containing) )?(?:the )?letters? "
    r"(?:⟦(?P<quote>\d+)⟧|(?P<bare>[A-Za-z])\b)(?P<rest>.*)",
    re.IGNORECASE,
)


def letters_avoided(task: Task) -> list[Check]:
    """`without the letter e`."""
    checks = []
    for match in task.search({"en": _LETTERS, "ko": re.compile(r"(?!)")}):
        letter = task.quotes[int(match["quote"])] if match["quote"] else match["bare"]
        # `the letter a or b`, `the letter of complaint`
        if (
            len(letter) != 1
            or not letter.isalpha()
            or re.match(r"\s*(?:,|or|and)", match["rest"])
        ):
            continue
        times = task.response.lower().count(letter.lower())
        found = f"it {times} times" if times else "none"
        checks.append(Check("letters_avoided", not times, f"no letter {letter!r}", found))
    return checks


_COMMAS = {
    "en": re.compile(
        rf"\b(?:{_NOT} (?:use|using|include|including)|avoid|refrain from|without)"
        r" (?:using |the use of |any |a single )*commas?\b(?! splices?)",
        re.IGNORECASE,
    ),
    "ko": re.compile(
        r"(?:쉼표|콤마)[는를]?\s*(?:(?:사용하|쓰|넣)지\s*(?:마|말|않)|(?:사용 ?)?없이)"
    ),
}


def no_commas(task: Task) -> list[Check]:
    """`do not use any commas`, `쉼표를 쓰지 마세요`."""
    for match in task.search(_COMMAS):
        if is_about_programs(match.string, task.language):
            continue
        # In numbers they are no punctuation.
        count = len(re.findall(r"(?<!\d)[,，、]|[,，、](?!\d)", task.response))
        return [Check("no_commas", not count, "no commas", f"{count} commas")]
    return []
