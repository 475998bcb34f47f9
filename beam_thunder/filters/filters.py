"""Drops answers that are no use for training, before they are graded.

A filter says keep, or a named reason. The reasons are tried in the order of
`REASONS`, the cheap and certain ones first, and the first that holds is given.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field

from beam_thunder.filters.language import language_reason
from beam_thunder.filters.repetition import repeated_share, repeats_in_a_row

REASONS = (
    "truncated",
    "unfinished_thinking",
    "empty",
    "too_long",
    "broken_text",
    "repetition",
    "refusal",
    "echo",
    "foreign_script",
    "language",
    "other_language",
)
"""Why an answer may be dropped, in the order in which they are tried."""


class Limits(BaseModel):
    """What an answer may be like; part of a recipe.

    Attributes:
      max_characters: Unicode code points of the answer. Raise it for long essays or
        programs, lower it to train for short contexts.
      max_tokens: of the answer, by the model that gave it, where that is known. Raise
        it together with the `max_tokens` of sampling.
      max_repeated_share: share of the letters, 0 to 1, in lines and sentences that
        occurred before. Raise it for song lyrics, forms and other texts with refrains.
      max_loop: times that the same words may follow each other. Lower it where
        answers with loops still come through.
      echo_characters: shortest prompt that an answer may not start with. Raise it
        where answers are to repeat long questions.
      max_foreign_share: share of the letters, 0 to 1, that may be neither Hangul nor
        Latin. Raise it for questions on Chinese, Japanese, Russian and so on.
      same_language: whether an answer must be in its question's language. Turn it on
        where models answer Korean questions in English; keep it off where
        translations are asked for.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    max_characters: int = Field(default=16_000, ge=1)
    max_tokens: int = Field(default=4_096, ge=1)
    max_repeated_share: float = Field(default=0.5, ge=0, le=1)
    max_loop: int = Field(default=5, ge=2)
    echo_characters: int = Field(default=60, ge=1)
    max_foreign_share: float = Field(default=0.02, ge=0, le=1)
    same_language: bool = False


def filter_response(
    response: str,
    *,
    prompt: str,
    question_language: str,
    finish_reason: str | None,
    completion_tokens: int | None,
    limits: Limits,
) -> str | None:
    """The first of `REASONS` to drop a response, or None to keep it.

    Args:
      response: without its thinking, see `without_thinking`.
      prompt: what the model was asked.
      question_language: `ko` or `en`.
      finish_reason: why the model stopped, as the OpenAI protocol says it; `length`
        is the token limit.
      completion_tokens: tokens of the response, where known.
      limits: of the recipe.
    """
    if finish_reason == "length":
        return "truncated"
    if has_unfinished_thinking(response):
        return "unfinished_thinking"
    if not response.strip():
        return "empty"
    if len(response) > limits.max_characters or (completion_tokens or 0) > limits.max_tokens:
        return "too_long"
    if "\N{REPLACEMENT CHARACTER}" in response:
        return "broken_text"
    if is_repetition(response, limits):
        return "repetition"
    if is_refusal(response, prompt):
        return "refusal"
    if is_echo(response, prompt, limits.echo_characters):
        return "echo"
    return language_reason(
        response, question_language, limits.max_foreign_share, limits.same_language
    )


# A tag that is spoken of stands in quotation marks or backquotes.
_THINKING = re.compile(r"(?<![`\"'])<(/?)(?:think|thinking|thought)>")


def without_thinking(response: str) -> str:
    """The response without complete blocks `<think>...</think>`.

    Nothing is removed where a tag lacks its partner. Surrounding white space goes with
    a block; a response without any is returned as it is.
    """
    kept: list[str] = []
    start, opened = 0, -1
    for tag in _THINKING.finditer(response):
        if not tag.group(1):
            opened = tag.start() if opened < 0 else opened
        elif opened >= 0:
            kept.append(response[start:opened].rstrip())
            start, opened = tag.end(), -1
        else:
            return response  # an end without a start: has_unfinished_thinking says so
    if opened >= 0 or not kept:
        return response
    return "\n\n".join(part for part in [*kept, response[start:].strip()] if part)


def has_unfinished_thinking(response: str) -> bool:
    """Whether a thinking tag lacks its partner."""
    if ">" not in response:
        return False
    return bool(_THINKING.search(without_thinking(response)))


def is_repetition(response: str, limits: Limits) -> bool:
    """Whether the response runs in a loop, or is mostly the same lines over again."""
    return (
        repeats_in_a_row(response, limits.max_loop)
        or repeated_share(response) > limits.max_repeated_share
    )


_HELP = (
    r"(?:assist|help(?: you| with)|provide|fulfil|comply|answer|create|generate|write|produce"
    r"|engage|support|discuss|share|give|offer|continue|access|browse|do that|respond"
    r"|participate|complete|translate|process|recommend|tell you|facilitate|satisfy)"
)
_CANNOT = (
    r"I(?: can(?:no|['’])t|['’]?m(?: not able| unable) to| am (?:not able|unable) to"
    r"| won['’]t(?: be able to)?| will not| do(?:n['’]t| not) have (?:access|the ability)"
    r"| must decline)"
)
_SORRY = (
    r"(?:I(?:['’]m| am)(?: very| really| so| truly)? sorry|(?:my )?apolog(?:ies|y)|sorry"
    r"|I apologi[sz]e(?: for [^.,!\n]{1,60})?|unfortunately)"
)
_MODEL = r"as an (?:AI|artificial intelligence)(?: language)?(?: model| assistant| chatbot)?"

_REFUSAL_EN = re.compile(
    rf"(?:(?:{_SORRY})[,.!;]? (?:but |however,? )?(?:{_MODEL},? )?"
    rf"(?:{_CANNOT}(?: to)?(?: {_HELP}|\.|,)|I must decline)"
    rf"|{_MODEL}(?:,| I\b| developed\b| created\b| trained\b)"
    rf"|{_CANNOT} {_HELP}\b"
    r"|I must decline)",
    re.IGNORECASE,
)

_REFUSAL_KO = re.compile(
    r"(?:(?:정말 |대단히 )?(?:죄송|미안|유감|안타깝)[^\n]{0,120}?"
    r"(?:도와|도움|답변|답|제공|작성|응답|처리|수행|생성|알려|말씀|안내|지원|대답|추천)"
    r"[가-힣]{0,3}(?:을|를)?(?: ?(?:해 ?)?드?리?[릴할드])?(?: ?드릴)? ?수(?:는|가)? ?없"
    r"|(?:저는 )?(?:AI|인공 ?지능)(?: ?언어)? ?(?:모델|어시스턴트|챗봇)?"
    r"(?:로서|으로서|이기 때문)"
    r"|저는 (?:AI|인공 ?지능)[^.\n]{0,40}(?:이므로|이라서|이라|때문에)[^.\n]{0,80}없)",
)


def is_refusal(response: str, prompt: str) -> bool:
    """Whether the response opens with a refusal, in English or Korean.

    An apology that stands within a story or in quotation marks is none, nor is one
    that the prompt itself holds, as where it is to be translated.
    """
    # Only the opening: what comes later is part of an answer.
    opening = response[:400].lstrip(" \n\t*#")
    for pattern in (_REFUSAL_EN, _REFUSAL_KO):
        if pattern.match(opening):
            return not any(each.search(prompt) for each in (_REFUSAL_EN, _REFUSAL_KO))
    return False


def is_echo(response: str, prompt: str, characters: int) -> bool:
    """Whether the response is the prompt again, or starts with all of it.

    Args:
      response: of the model.
      prompt: what it was asked.
      characters: a shorter prompt may be repeated in front of its answer, such as
        `What is photosynthesis?` as a heading.
    """
    said, asked = _normalised(response), _normalised(prompt)
    if not asked:
        return False
    if said == asked:
        return True
    if len(asked) < characters or asked not in said:
        return False
    return said.startswith(asked) or 2 * len(asked) > len(said)


def _normalised(text: str) -> str:
    return " ".join(text.lower().split())
