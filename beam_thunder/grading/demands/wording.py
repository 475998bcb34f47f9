"""Demands for the answer's language, its case, and how it starts and ends."""

from __future__ import annotations

import re

from beam_thunder.filters.language import count_letters, identify_language, prose
from beam_thunder.grading.demands.task import Check, Task, is_about_programs

_NAMES = {"korean": "ko", "english": "en", "한국어": "ko", "한글": "ko", "영어": "en"}
_SHOWN = {"ko": "Korean", "en": "English"}
_NEGATED = re.compile(
    r"\b(?:do not|don['’]t|never|avoid|not|instead of|rather than|both|either|or)\b"
    r"|지 ?마|말고|않|또는|하고 한|와 한|와 영",
    re.IGNORECASE,
)

_ANSWER_IN = {
    "en": re.compile(
        r"\b(?:answer|respond|reply|response|write|explain)"
        r"(?: to)?(?: me| back| the question| it| this| only| (?:your|the) (?:entire |whole )?"
        r"(?:answer|response|reply|explanation|essay|summary))*(?: (?:should|must) be)?"
        r"(?: only| entirely)? in (?P<language>Korean|English)\b(?! (?:class|grammar))",
        re.IGNORECASE,
    ),
    "ko": re.compile(
        r"(?<![가-힣])(?P<language>한국어|한글|영어)로(?:만)?\s*"
        r"(?:꼭 |반드시 |간단히 |자세히 |짧게 )?"
        r"(?:답|대답|응답|작성|설명|써(?!진|져)|쓰[세시고]|적[어으]|말해|요약|서술)"
        r"(?![가-힣]{0,2}(?:하는|하기|한\s|된|되어|할|하면|했))"
    ),
}


def answer_language(task: Task) -> list[Check]:
    """`answer in Korean`, `영어로 답해줘`; answers in both languages are not judged."""
    wanted = {
        _NAMES[match["language"].lower()]
        for match in task.search(_ANSWER_IN)
        if not _NEGATED.search(match.string)
    }
    if len(wanted) != 1:
        return []
    [language] = wanted
    words = prose(task.response)
    hangul, latin, other = count_letters(words)
    found = identify_language(words)
    share = (hangul if language == "ko" else latin) / max(1, hangul + latin + other)
    # Latin letters without English, as in French, are no answer in English.
    french = language == "en" and found not in (None, "ko", "en")
    if found is None or (found != language and share > 0.1 and not french):
        return []
    shown = _SHOWN.get(found or "", f"language {found!r}")
    return [Check("answer_language", found == language, _SHOWN[language], shown)]


_TRANSLATE = {
    "en": re.compile(
        r"(?:^\W*|\b(?:please|and|then|can you|could you|you)\s+)translate\b[^.]{0,300}?"
        r"\b(?:to|into|in) (?P<language>Korean|English)\b",
        re.IGNORECASE,
    ),
    "ko": re.compile(r"(?<![가-힣])(?P<language>한국어|한글|영어)로\s*(?:번역|옮겨)"),
}


def translation_target(task: Task) -> list[Check]:
    """`Translate ... into Korean`: there must be some of its letters; others are not judged."""
    matches = [m for m in task.search(_TRANSLATE) if not is_about_programs(m.string, "en")]
    wanted = {_NAMES[match["language"].lower()] for match in matches}
    if len(wanted) != 1 or any(_NEGATED.search(match.string) for match in matches):
        return []
    [language] = wanted
    hangul, latin, _ = count_letters(prose(task.response))
    holds = bool(hangul if language == "ko" else latin)
    found = "some" if holds else "none"
    return [Check("translation_target", holds, f"a text in {_SHOWN[language]}", found)]


_OWN = (
    r"(?:answer|respond|reply|write|response|output)"
    r"(?: (?:your|the|only|entire|whole|answer|response|reply|should|must|be|is|everything))*"
)
_LOWER = {
    "en": re.compile(
        rf"\b{_OWN} (?:in|using|with) (?:all |only |entirely )(?:lower[- ]?case)(?: letters)?"
        r"(?=\s*(?:[.,!;]|$|only\b|and\b))"
        r"|\b(?:no|without(?: any| using)*) (?:capital|upper[- ]?case) letters\b",
        re.IGNORECASE,
    ),
    "ko": re.compile(r"소문자(?:로만|만 사용(?:해서|하여))\s*(?:답|작성|써|쓰|적|대답)"),
}
_UPPER = {
    "en": re.compile(
        rf"\b{_OWN} (?:in|using|with) (?:all |only |entirely )(?:upper[- ]?case|capitals?|caps"
        r"|capital letters|upper[- ]?case letters)(?: letters)?(?=\s*(?:[.,!;]|$|only\b|and\b))"
        r"|\b(?:no|without(?: any| using)*) lower[- ]?case letters\b",
        re.IGNORECASE,
    ),
    "ko": re.compile(r"대문자(?:로만|만 사용(?:해서|하여))\s*(?:답|작성|써|쓰|적|대답)"),
}


def letter_case(task: Task) -> list[Check]:
    """`in all lowercase`, `대문자로만 답해줘`; where the answer has letters of either case."""
    text = prose(task.response)
    checks = []
    for name, patterns, other in (
        ("lower", _LOWER, str.isupper),
        ("upper", _UPPER, str.islower),
    ):
        asked = [
            match
            for match in task.search(patterns)
            if not is_about_programs(match.string, "en")
            and not re.search(r"\b(?:not|n['’]t|never|avoid)\b", match.string)
        ]
        if not asked or text.lower() == text.upper():
            continue
        wrong = sum(map(other, text))
        found = f"{wrong} letters of the other case"
        checks.append(Check("letter_case", not wrong, f"{name} case alone", found))
    return checks


_YOURS = (
    r"(?: (?:your|the|this|it)(?: (?:entire|whole|final))?(?: (?:answer|response|reply|essay"
    r"|story|poem|letter|email|paragraph|speech|article|summary|output|sentence))?)?"
)
_TEXT = (
    r"(?:answer|response|reply|essay|story|poem|letter|email|paragraph|speech|article|output)"
)
_PHRASE = r"(?:the )?(?:exact )?(?:words?|phrases?|sentences?|line)?:?\s*⟦(?P<quote>\d+)⟧"


def _edge(verb: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:(?:^\W*|[,;]\s*|\b(?:please|and|you must|you should|must|should|always)\s+)"
        rf"(?:{verb}){_YOURS} (?:with|by saying|by writing) "
        rf"|\b{_TEXT} (?:that |which |should |must )?(?:{verb})(?:s|ning|ing)? with ){_PHRASE}",
        re.IGNORECASE,
    )


_SAYING = r"⟦(?P<quote>\d+)⟧\s*(?:이?라는 (?:말|문장|문구|단어))?(?:으로|로)"
_WRITTEN = r"(?:이야기|글|답변|답|시|소설|편지|에세이|동화|응답|연설문)"
_OPENING = {
    "en": _edge(r"begin|start"),
    "ko": re.compile(
        rf"{_SAYING} 시작(?:하는\s*(?:짧은 |재미있는 )?{_WRITTEN}"
        r"|해\s?(?:줘|주)|하세요|하시오|하고|할 것|하여)"
    ),
}
_ENDING = {
    "en": _edge(r"end|finish|conclude"),
    "ko": re.compile(
        rf"{_SAYING} (?:끝나는\s*(?:짧은 |재미있는 )?{_WRITTEN}"
        r"|(?:끝내|끝맺|마무리|마쳐|끝나게)(?!는))"
    ),
}
# Names that begin with "B", and letters that start all words, are no edges of the answer.
_NO_EDGE = re.compile(
    r"\b(?:words?|names?|each|every|sentences that|lines?|letters?|paragraphs?|animals?"
    r"|countries|cities|or|not|never|n['’]t)\b|각|모든|마다|않|지 마|말고|단어를",
    re.IGNORECASE,
)


def opening(task: Task) -> list[Check]:
    """`begin your answer with "Once upon a time"`; a title may stand before it."""
    # The first three lines that are not empty: a title, and where the text begins.
    text = _plain(task.response[:20_000])
    starts = [line for line in text.split("\n") if line.strip()][:3]
    return [
        Check("opening", any(_plain(s).startswith(want) for s in starts), f"{want!r} first",
              f"{(starts or [''])[0][:60]!r}")
        for want in _edges(task, _OPENING)
    ]  # fmt: skip


def ending(task: Task) -> list[Check]:
    """`end with "Good luck"`, `"감사합니다"로 끝내세요`; closing signs do not matter."""
    text = _plain(task.response[-20_000:])
    return [
        Check("ending", text.endswith(want), f"{want!r} last", f"{text[-60:]!r}")
        for want in _edges(task, _ENDING)
    ]


def _edges(task: Task, patterns: dict[str, re.Pattern[str]]) -> list[str]:
    found = [
        _plain(task.quotes[int(match["quote"])])
        for match in task.search(patterns)
        if not _NO_EDGE.search(re.sub(_PHRASE, "", match.string))
    ]
    return [each for each in found if len(each) > 1]


def _plain(text: str) -> str:
    """Lower case, one kind of apostrophe, without signs around it."""
    text = re.sub(r"[ \t]+", " ", text.lower().replace("’", "'"))
    return text.strip(" \n\t\"'“”‘’*_#.!?,:;。()[]…~`>")
