"""A question with an answer to it, and the sentences that ask something of the answer.

A prompt holds much that is not addressed to the one who answers: passages to
summarise, examples, code, quotations. Demands are read only from sentences that are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

LANGUAGES = ("ko", "en")

MAX_BLOCK = 1_500
"""Characters of a paragraph that may still be an instruction; longer ones are material."""

MAX_CLOSING = 300
"""Characters of a last paragraph that may still be an instruction, after material."""


@dataclass(frozen=True)
class Check:
    """What came of one demand.

    Attributes:
      rule: the demand's name.
      holds: whether the answer keeps it.
      demanded: in words, such as `at most 50 words`.
      found: in words, such as `73 words`.
    """

    rule: str
    holds: bool
    demanded: str
    found: str


@dataclass(frozen=True)
class Task:
    """A question and an answer to it.

    Attributes:
      question: as the model was asked it.
      response: the model's.
      reference: the dataset's own answer, if any.
      language: of the question, `ko` or `en`; its demands are read in this language.
    """

    question: str
    response: str
    reference: str | None
    language: str

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise ValueError(
                f"language {self.language!r}: expected one of {', '.join(LANGUAGES)}; "
                "questions in other languages have no rules"
            )

    @cached_property
    def _masked(self) -> tuple[str, tuple[str, ...]]:
        """What is spoken to the answerer, quotations replaced by their places `⟦0⟧`."""
        quotes: list[str] = []

        def keep(match: re.Match[str]) -> str:
            quotes.append(next(group for group in match.groups() if group is not None))
            return f"⟦{len(quotes) - 1}⟧"

        spoken = instructions(self.question.replace("⟦", "[").replace("⟧", "]"))
        return _QUOTED.sub(keep, spoken), tuple(quotes)

    @property
    def quotes(self) -> tuple[str, ...]:
        """The quotations that the sentences' `⟦0⟧`, `⟦1⟧`, ... stand for."""
        return self._masked[1]

    @cached_property
    def requests(self) -> tuple[str, ...]:
        """The sentences that ask for something, with `⟦0⟧` in place of quotations."""
        asks = asks_korean if self.language == "ko" else asks_english
        sentences = re.split(r"(?<=[.!?。])\s+|\n+", self._masked[0])
        return tuple(each.strip() for each in sentences if asks(each.strip()))

    def search(self, patterns: dict[str, re.Pattern[str]]) -> list[re.Match[str]]:
        """Where requests match the pattern of the question's language."""
        pattern = patterns[self.language]
        return [match for each in self.requests for match in pattern.finditer(each)]


Demand = Callable[[Task], list[Check]]

_QUOTED = re.compile(
    r'"([^"\n]{1,300})"|“([^“”\n]{1,300})”|(?<![A-Za-z0-9])\'([^\'\n]{1,100})\'(?![A-Za-z0-9])'
    r"|‘([^‘’\n]{1,100})’|「([^「」\n]{1,100})」"
)

_CODE = re.compile(r"```(?s:.*?)(?:```|\Z)")

_MATERIAL = re.compile(
    r"^\W*(?:passage|article|text|context|paragraph|document|story|premise|hypothesis"
    r"|sentence|review|input|tweet|dialogue|conversation|email|example|abstract|lyrics"
    r"|지문|본문|글|기사|문장|내용|대화|예시|원문)\s*\d{0,2}\s*[:：]",
    re.IGNORECASE,
)

_ANNOUNCED = re.compile(
    r"(?:\b(?:following|below|given|this)\b|다음|아래|주어진)[^:：\n]{0,200}[:：]",
    re.IGNORECASE,
)

_EXAMPLE = re.compile(r"(?mi)^[^\w\n]*(?:q|question|질문|문제)\s*\d{0,2}\s*[:：]")


def instructions(question: str) -> str:
    """What of a question may be addressed to the one who answers, one paragraph a line.

    Left out are code, all but the first and the last of many paragraphs, what follows
    a label (`Passage:`) or an announcement (`the following text:`), and everything
    where there are several questions, as in few-shot prompts.
    """
    if len(_EXAMPLE.findall(question)) > 1:
        return ""
    blocks = [
        each for each in re.split(r"\n\s*\n", _CODE.sub("\n\n", question)) if each.strip()
    ]
    if not blocks:
        return ""
    announced = _ANNOUNCED.search(blocks[0][:MAX_BLOCK])
    if announced:
        closing = blocks[-1] if len(blocks) > 2 and len(blocks[-1]) <= MAX_CLOSING else ""
        blocks = [blocks[0][: announced.end()], closing]
    elif len(blocks) > 3:
        blocks = [blocks[0], blocks[-1]]
    return "\n".join(_without_material(each) for each in blocks if len(each) <= MAX_BLOCK)


def _without_material(block: str) -> str:
    kept: list[str] = []
    for line in block.split("\n"):
        if _MATERIAL.match(line):
            break
        kept.append(line)
    return "\n".join(kept)


_VERBS = (
    r"(?:write|re-?write|summari[sz]e|describe|explain|answer|respond|reply|give|provide|list"
    r"|name|compose|create|generate|tell|say|suggest|draft|produce|limit|keep|use|include"
    r"|make|translate|paraphrase|outline|discuss|compare|state|identify|mention|propose"
    r"|recommend|share|enumerate|return|output|format|present|express|begin|start|end|finish"
    r"|conclude|avoid|do not|don['’]t|never|refrain|ensure|put|wrap|be|contain|have|come up"
    r"|choose|pick|select|define|construct|combine|simplify|condense|shorten|print|convert)"
)
_IMPERATIVE = re.compile(
    r"(?:^(?:\W|\d+[.)])*|[,;:(]\s*|\b(?:please|and|then|but|can you|could you|would you"
    r"|will you|you|must|should|want you to|need you to|like you to|task is to)\s+)"
    rf"{_VERBS}\b"
    r"|\b(?:your|the) (?:entire |whole |final |complete )?(?:answer|response|reply|output)\b",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"^\W*(?:how|why|what|when|where|who|whose|which|is|are|do|does|did|was|were|if|has|have"
    r"|should|must)\b.*\?\W*$|\b(?:how to|how do|how can|why|whether)\b",
    re.IGNORECASE,
)


def asks_english(sentence: str) -> bool:
    """Whether a sentence tells the answerer what to do, rather than asks."""
    return bool(_IMPERATIVE.search(sentence)) and not _ASKING.search(sentence)


_KOREAN_REQUEST = re.compile(
    r"(?:줘|줘요|주세요|주십시오|주시오|줄래요?|주시겠어요|주시겠습니까|달라|하세요|하시오"
    r"|하십시오|해라|하라|세요|시오|시길|써라|쓰라|적어라|[가-힣] 것|바랍니다|부탁해요?"
    r"|부탁드립니다|부탁합니다|해야 합니다|해야 한다|안 됩니다|지 마|말 것|봐요?|봐라|답해"
    r"|말해|써|적어|[줄실] 수 있나요|줄 수 있어요?|[줄실] 수 있을까요)\W*$"
)


def asks_korean(sentence: str) -> bool:
    """Whether a sentence ends as a request does."""
    return bool(_KOREAN_REQUEST.search(sentence[-40:]))


_PROGRAM = {
    "en": re.compile(
        r"\b(?:function|program|script|code|class|method|api|endpoint|query|regex|regular"
        r"|algorithm|app|application|parser|string|python|java|javascript|sql|bash"
        r"|returns|counts|prints|outputs|accepts)\b",
        re.IGNORECASE,
    ),
    "ko": re.compile(r"함수|프로그램|코드|스크립트|클래스|메서드|알고리즘|파이썬|자바|정규식"),
}


def is_about_programs(sentence: str, language: str) -> bool:
    """Whether a sentence may say what a program is to do, and not the answer."""
    return bool(_PROGRAM[language].search(sentence))
