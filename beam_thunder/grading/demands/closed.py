"""Closed questions: a choice among options, or yes and no, against the reference.

Read only where the reference is short and names one option, and the answer names
one too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from beam_thunder.grading.demands.task import Check, Task

SHORT = 120
"""Characters of a reference that is an answer and no explanation."""


MAX_QUESTION = 8_000
"""Characters of a question, from its end, in which options are looked for."""


@dataclass(frozen=True)
class Option:
    """An option of a question; its label, such as `A`, may be empty."""

    label: str
    text: str


_LABEL = re.compile(
    r"(?<=[\s;,])(?:\((?P<round>[A-Ha-h1-8])\)\.?|\[(?P<square>[A-H])\]"
    r"|(?P<open>[A-Ha-h1-8])[).]{1,2}(?=\s)|(?P<colon>[A-H]):(?=\s)|(?P<circle>[①-⑧]))"
)
_LISTED = re.compile(
    r"(?:^|\n)[^\w\n]*(?:options|choices|possible answers|answer choices|보기|선택지)"
    r"[^\w\n]*+\n(?P<lines>(?:[ \t]*[-*•+]{1,2}[ \t]+[^\n]+(?:\n|$))+)",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\b(?:choose|pick|select|answer|options|choices)\b[^:\n]{0,60}:[ \t]{0,3}\[?"
    r"(?P<options>[^\n.?\]]{3,300}?)(?:[\n.?\]]|$)",
    re.IGNORECASE,
)
_ASKS_CHOICE = re.compile(
    r"\b(?:options|choices|choose|select|pick|which)\b|보기|고르|고른|선택|것은", re.IGNORECASE
)


def options_of(question: str) -> list[Option]:
    """The options that a question gives last, or none."""
    question = question[-MAX_QUESTION:]
    listed = list(_LISTED.finditer(question))
    labelled = _labelled("\n" + question)
    if listed and not labelled:
        lines = [line.strip(" \t-*•+") for line in listed[-1]["lines"].split("\n")]
        return [Option("", line) for line in lines if line]
    if labelled:
        return labelled
    named = list(_FROM.finditer(question))
    if not named:
        return []
    texts = re.split(r"\s*[,;/]\s*(?:or\s+|and\s+)?|\s+or\s+", named[-1]["options"])
    texts = [text.strip(" \"'“”‘’") for text in texts]
    fine = len(texts) > 1 and all(text and len(text.split()) <= 6 for text in texts)
    return [Option("", text) for text in texts] if fine else []


def _labelled(question: str) -> list[Option]:
    marks = list(_LABEL.finditer(question))
    labels = [next(g for g in mark.groups() if g) for mark in marks]
    start = max((i for i, label in enumerate(labels) if label in "Aa1①"), default=None)
    if start is None:
        return []
    end = start + 1
    while end < len(labels) and ord(labels[end]) == ord(labels[end - 1]) + 1:
        end += 1
    if end - start < 2 or (labels[start] == "1" and not _ASKS_CHOICE.search(question)):
        return []
    stops = [mark.start() for mark in marks[start + 1 : end]] + [len(question)]
    return [
        Option(label, question[mark.end() : stop].strip().split("\n")[0].strip(" ;,"))
        for label, mark, stop in zip(
            labels[start:end], marks[start:end], stops, strict=True
        )
    ]  # fmt: skip


_FINAL = re.compile(
    r"(?:\b(?:answer|option|choice|label|category)(?: (?:is|would be|should be))?(?: option)?"
    r"|정답은?|답은?)\s*[:：]?\s*(?=(?P<said>[^\n]{1,200}))",
    re.IGNORECASE,
)
_LEADING = re.compile(
    r"[\s*_\"'`]*[(\[]?(?:([①-⑧])|([A-Ha-h1-8])(?:[)\].:*,]|\s*$|입니다|이다|번"
    r"|\s+(?:because|since|which|-|–|—)))"
)
_POLAR = {"yes", "no", "true", "false", "예", "네", "아니오", "아니요", "참", "거짓"}
_NEGATION = re.compile(
    r"\b(?:not|n['’]t|never|neither|nor|cannot|isn|incorrect|wrong|rather than|except|unlike)\b"
    r"|아니|않|틀|오답|제외",
    re.IGNORECASE,
)


def chosen(text: str, options: list[Option]) -> int | None:
    """The place of the option that a text chooses; None where that is not clear."""
    whole = _named(text, options, whole=True)
    if whole is not None:
        return whole
    said = {
        place
        for match in _FINAL.finditer(text[-20_000:])
        if (place := _named(match["said"], options, whole=False)) is not None
    }
    if said:
        return said.pop() if len(said) == 1 else None
    lines = [line for line in text[:20_000].split("\n") if line.strip()]
    leads = [_leading(line, options) for line in lines[:50]]
    # Labels before several lines go through the options one by one.
    if len({lead for lead in leads if lead is not None}) > 1:
        return None
    leading = leads[0] if leads else None
    return leading if leading is not None else _only_mentioned(text[:20_000], options)


def _named(text: str, options: list[Option], whole: bool) -> int | None:
    """The option that a text is, or starts with the label of."""
    plain = _plain(text)
    for place, option in enumerate(options):
        label = option.label.lower()
        exact = {_plain(option.text), _plain(f"{option.label} {option.text}")} | {label} - {""}
        if plain in exact:
            return place
    if whole:
        return None
    leading = _leading(text, options)
    if leading is not None:
        return leading
    starts = [p for p, o in enumerate(options) if _starts(plain, _plain(o.text))]
    return starts[0] if len(starts) == 1 else None


def _leading(text: str, options: list[Option]) -> int | None:
    """The option whose label stands first, as in `(B) because ...`; `A man` has none.

    Yes and no, and longer texts of options, may stand first without a label.
    """
    match = _LEADING.match(text)
    labels = [option.label for option in options]
    if match and (label := match[1] or match[2]) in labels:
        place = labels.index(label)
        # (A) is wrong, because ...; unless the option itself is a negation.
        rest = text[match.end() :].replace(options[place].text, "")[:40]
        return None if _NEGATION.search(rest) else place
    plain = _plain(text)
    texts = [_plain(option.text) for option in options]
    starts = [
        place
        for place, start in enumerate(texts)
        if (start in _POLAR or len(start.split()) > 2) and _starts(plain, start)
    ]
    # No, it is not possible to tell: of two options, which?
    others = [each for place, each in enumerate(texts) if place not in starts]
    if any(each and each not in _POLAR and each in plain for each in others):
        return None
    return starts[0] if len(starts) == 1 else None


def _starts(text: str, start: str) -> bool:
    return bool(start) and re.match(rf"{re.escape(start)}(?!\w)", text) is not None


def _only_mentioned(text: str, options: list[Option]) -> int | None:
    """The one option whose text occurs; longer texts hide the shorter ones within them."""
    plain = _plain(text)
    if any(plain.startswith(f"{polar} ") for polar in _POLAR):
        return None
    found: set[int] = set()
    for place in sorted(range(len(options)), key=lambda p: -len(options[p].text)):
        wanted = _plain(options[place].text)
        if wanted in _POLAR or len(wanted) < 3:
            continue
        spot = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
        if spot.search(plain):
            found.add(place)
            plain = spot.sub(" | ", plain)
    if len(found) != 1 or _NEGATION.search(plain):
        return None
    return found.pop()


def _plain(text: str) -> str:
    """Lower case, words with single spaces between them."""
    words = re.findall(r"(?:[-+](?=\d))?\w+(?:[.'-]\w+)*%?", text.lower().replace("’", "'"))
    return " ".join(words)


def option_choice(task: Task) -> list[Check]:
    """Among options with labels or below `OPTIONS:`, the one that the reference names."""
    reference = (task.reference or "").strip()
    if not reference or len(reference) > SHORT:
        return []
    options = options_of(task.question)
    key = chosen(reference, options) if options else None
    pick = chosen(task.response, options) if key is not None else None
    if key is None or pick is None:
        return []
    return [Check("option_choice", key == pick, _shown(options[key]), _shown(options[pick]))]


def _shown(option: Option) -> str:
    return repr(f"{option.label} {option.text}".strip()[:80])


# `True love` is no answer; such words stand alone.
_ALONE = r"(?=\s*(?:$|[\n.,:;!*)\"'”’입이]))"
_YES = rf"yes|예|네|맞습니다|그렇습니다|(?:true|correct|참){_ALONE}"
_NO = rf"no|아니오|아니요|아닙니다|그렇지 않습니다|(?:false|incorrect|거짓){_ALONE}"
_LEAD = re.compile(
    rf"[\s*_\"'`(]*(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?:(?![\w-])|(?=입니다|이다))",
    re.IGNORECASE,
)
_SAID = re.compile(
    rf"(?:\banswer(?: to (?:the|this) question)?(?: is)?|정답은?|답은?)\s*[:：]?\s*[*\"'“‘]*"
    rf"(?:(?P<yes>{_YES})|(?P<no>{_NO}))(?:(?!\w)|(?=입니다|이다))",
    re.IGNORECASE,
)
_POLAR_QUESTION = re.compile(
    r"\b(?:yes or no|yes/no|true or false|true/false|no or yes|false or true)\b"
    r"|예\s*(?:/|또는|혹은|나|,)\s*아니[오요]|참\s*(?:/|또는|혹은|이나|,)\s*거짓|맞으면|참인지",
    re.IGNORECASE,
)
_POLAR_START = re.compile(
    r"(?:^|[.!?\n]\s*)(?:is|are|was|were|do|does|did|can|could|will|would|has|have|had|should)"
    r"\s[^.?!\n]{1,300}\?\s*$|(?:[가까나]요|니까|는가|은가|ㄴ가|습니까)\?\s*$",
    re.IGNORECASE,
)
# `no, a dog or a cat`; `예를 들어`; `No one knows`
_NOT_POLAR = re.compile(
    r"\s*(?:one\b|longer\b|matter\b|doubt\b|wonder\b|를 들|story\b|\.\s*\d)", re.I
)


def yes_or_no(task: Task) -> list[Check]:
    """`Is ...?`, `True or false: ...`: yes or no, as the short reference says."""
    reference = (task.reference or "").strip()
    if not reference or len(reference) > SHORT or options_of(task.question):
        return []
    tail = task.question.strip()[-600:]
    # With two questions at the end, the first word may answer either.
    plain_question = _POLAR_START.search(tail) and tail.count("?") == 1
    if not (_POLAR_QUESTION.search(tail) or plain_question):
        return []
    key, said = _polarity(reference), _polarity(task.response)
    if key is None or said is None:
        return []
    names = {True: "yes or true", False: "no or false"}
    return [Check("yes_or_no", key == said, names[key], names[said])]


def _polarity(text: str) -> bool | None:
    """Yes, no, or None where the text neither starts with one nor names one as its answer."""
    lead = _LEAD.match(text)
    said = {bool(match["yes"]) for match in _SAID.finditer(text[-20_000:])}
    if lead and not _NOT_POLAR.match(text, lead.end()):
        said.add(bool(lead["yes"]))
    return said.pop() if len(said) == 1 else None
