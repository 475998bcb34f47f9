"""Demands for a format: JSON, CSV, lists, tables, a marked title, code alone."""

from __future__ import annotations

import csv
import json
import re

from beam_thunder.grading.demands import measure
from beam_thunder.grading.demands.task import Check, Task, is_about_programs

_GIVE = (
    r"(?:answers?|respond|reply|return|output|format(?:ted)?|provide|give|write|present|wrap"
    r"|express|generate|produce|list|summari[sz]e|put|response|show|organi[sz]e|arrange|create"
    r"|display|use|make)"
)
_DO = r"(?:답|출력|작성|정리|만들|나타|써|적|제공|표현|알려|나열|응답|반환|요약|보여|비교|설명)"

# Possessive, so that a block that is never closed is read once, not once a character.
_FENCE = re.compile(r"```[ \t]*+[\w+-]*+[ \t]*+\n?((?s:.*?))```")


def fenced(text: str) -> list[str]:
    """What stands in the text's code blocks."""
    return _FENCE.findall(text)


def _asked(task: Task, english: re.Pattern[str], korean: re.Pattern[str]) -> str | None:
    """The first sentence that asks for a format, and not for a program that gives it."""
    for match in task.search({"en": english, "ko": korean}):
        if not is_about_programs(match.string, task.language) and not _NEGATED.search(
            match.string
        ):
            return match.string
    return None


_NEGATED = re.compile(
    r"\b(?:do not|don['’]t|never|avoid|without|not|instead of|rather than)\b|지 ?마|말고|않",
    re.IGNORECASE,
)

_JSON = (
    re.compile(
        # `Give an overview of dates in JSON` asks for no JSON.
        r"\b(?:(?:answer|respond|reply|return|output|format|present|response|results?)\b"
        rf"[^.:]{{0,60}}?\b(?:in|as|using|into)|{_GIVE}\b[^.:]{{0,60}}?\bas"
        rf"|{_GIVE}\b[^.:]{{0,60}}?\bin(?= (?:a |valid )*JSON format)) "
        r"(?:a |an )?(?:single )?(?:valid )?JSON\b(?! (?:schema|lines|file|path|parser|web))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"JSON\s*(?:형식|포맷|형태|객체)?\s*(?:으로|로)(?:만)?\s*{_DO}",
        re.IGNORECASE,
    ),
)


def json_format(task: Task) -> list[Check]:
    """`answer in JSON`, `JSON 형식으로 답해줘`; a code block of it will do."""
    if not _asked(task, *_JSON):
        return []
    parts = [task.response, *fenced(task.response)]
    holds = any(_is_json(part) for part in parts)
    return [Check("json_format", holds, "valid JSON", "valid JSON" if holds else "none")]


def _is_json(text: str) -> bool:
    """Whether a text is a JSON object or array; a bare number or word is no format."""
    text = text.strip()
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


MAX_CSV = 20_000
"""Characters of an answer that are read as CSV."""

_CSV = (
    re.compile(
        rf"\b{_GIVE}\b[^.:]{{0,80}}?\b(?:in|as) (?:a )?CSV(?: format)?\b(?! file)", re.I
    ),
    re.compile(rf"CSV\s*(?:형식|포맷|형태)?\s*(?:으로|로)(?:만)?\s*{_DO}", re.IGNORECASE),
)


def csv_format(task: Task) -> list[Check]:
    """`in CSV format`; judged where the answer is one code block, or has no comma at all."""
    if not _asked(task, *_CSV):
        return []
    blocks = fenced(task.response)
    found = (blocks or [task.response])[0].strip()
    try:
        widths = {len(row) for row in csv.reader(found[:MAX_CSV].split("\n")) if row}
    except csv.Error:
        return []
    if len(widths) == 1 and widths != {1}:
        holds = True
    elif widths == {1} or blocks:
        holds = False
    else:  # words around it make lines of other widths
        return []
    return [Check("csv_format", holds, "CSV", f"lines of {sorted(widths)[:5]} columns")]


_NUMBERED = (
    re.compile(
        rf"\b{_GIVE}\b[^.:]{{0,80}}?\b(?:in|as|using|with) (?:a |the form of a )?"
        r"number(?:ed)? (?:list|points|format)\b|\b(?:use|make|create) a numbered list\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"번호\s*(?:를 (?:매겨|붙여)서?|가 (?:매겨진|있는) 목록으로|\s?목록으로)\s*{_DO}"
    ),
)


def numbered_list(task: Task) -> list[Check]:
    """`as a numbered list`, `번호를 매겨 알려줘`."""
    if not _asked(task, *_NUMBERED):
        return []
    count = len(measure.items(task.response).numbers)
    return [Check("numbered_list", count > 0, "a numbered list", f"{count} numbered items")]


_BULLETS = (
    re.compile(
        rf"\b{_GIVE}\b[^.:]{{0,80}}?\b(?:in|as|using|with) (?:a |the form of a )?"
        r"(?:bullet(?:ed|[- ]point)? (?:list|points|form|format)|bullets)\b"
        r"|\buse (?:a )?bullet(?:ed)? (?:points|list)\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:글머리\s?기호|불릿(?:\s?포인트)?)\s*(?:목록)?\s*(?:으로|로|를 사용해서?)\s*{_DO}"
    ),
)


def bullet_list(task: Task) -> list[Check]:
    """`use bullet points`; an answer with numbered items alone is not judged."""
    if not _asked(task, *_BULLETS):
        return []
    lists = measure.items(task.response)
    if lists.numbers and not lists.bullets:
        return []
    count = len(lists.bullets)
    return [Check("bullet_list", count > 0, "a list with bullets", f"{count} bullets")]


_TABLE = (
    re.compile(
        # `List the columns in a table` asks for no table.
        rf"\b(?:{_GIVE}\b[^.:]{{0,80}}?\b(?:as|in the form of) a (?:markdown )?table"
        rf"|{_GIVE}\b[^.:]{{0,80}}?\b(?:in|using|with) a (?:markdown table|table format)"
        r"|(?:present|organi[sz]e|format|arrange|display|answer|respond|summari[sz]e)\b"
        r"[^.:]{0,80}?\b(?:in|using|into) a (?:markdown )?table"
        r"(?=\s*(?:[.,!;]|$|with\b|that\b|showing\b)))\b"
        r"|\b(?:create|make|write) a markdown table\b",
        re.IGNORECASE,
    ),
    re.compile(rf"(?:마크다운\s*)?(?<![가-힣])표(?:\s?형식|\s?형태)?로\s*{_DO}"),
)
_ROW = re.compile(
    r"(?m)^[ \t]*+\|?(?:[ \t]*+:?-++:?[ \t]*+\|)++(?:[ \t]*+:?-++:?[ \t]*+)?[ \t]*$"
)


def markdown_table(task: Task) -> list[Check]:
    """`as a markdown table`, `표로 정리해줘`; an HTML table will do for the latter."""
    asked = _asked(task, *_TABLE)
    if not asked:
        return []
    holds = bool(_ROW.search(task.response))
    if not re.search(r"markdown|마크다운", asked, re.IGNORECASE):
        holds = holds or "<table" in task.response.lower()
    return [Check("markdown_table", holds, "a table", "a table" if holds else "none")]


_TITLE = (
    re.compile(
        r"\btitle\b[^.]{0,80}(?:double (?:angular|angle) brackets|<<[^<>]{1,60}>>)",
        re.IGNORECASE,
    ),
    re.compile(r"제목[^.]{0,60}(?:<<[^<>]{0,60}>>|<< ?>>|이중 (?:꺾쇠|홑화살) ?괄호)"),
)


def title_in_brackets(task: Task) -> list[Check]:
    """`a title in double angular brackets, such as <<title>>`."""
    if not _asked(task, *_TITLE):
        return []
    holds = bool(re.search(r"<<[^<>\n]+>>", task.response))
    return [Check("title_in_brackets", holds, "a title in << >>", "one" if holds else "none")]


_SHOW = r"output|return|provide|give|write|respond with|reply with|show"
_CODE_ONLY = {
    "en": re.compile(
        rf"\b(?:only (?:{_SHOW})? ?the code|(?:{_SHOW})(?: me)? (?:only|just) (?:the )?code"
        r"|code only)\b",
        re.IGNORECASE,
    ),
    "ko": re.compile(r"코드만\s*(?:출력|작성|답|제공|보여|써|적)"),
}


def code_only(task: Task) -> list[Check]:
    """`only output the code`; judged where there is a code block, by what is around it."""
    if not task.search(_CODE_ONLY) or not fenced(task.response):
        return []
    around = _FENCE.sub("", task.response).strip()
    found = f"{len(around)} characters around it"
    return [Check("code_only", not around, "a code block alone", found)]
