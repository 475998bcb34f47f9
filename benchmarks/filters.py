"""Measures how many responses a second the filters and the instruction rules take, on one core.

python benchmarks/filters.py                    # responses made up here, 200 of each kind
python benchmarks/filters.py --responses FILE   # lines of JSON: prompt, response, language
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from beam_thunder.filters import Limits, filter_response
from beam_thunder.filters.filters import (
    has_unfinished_thinking,
    is_echo,
    is_refusal,
    is_repetition,
    without_thinking,
)
from beam_thunder.filters.language import language_reason
from beam_thunder.grading.instructions import grade_instructions

LIMITS = Limits()
SECONDS = 1.0
"""Of processor time that each measurement takes at least."""

Sample = tuple[str, str, str]
"""Prompt, response and language."""

_ENGLISH = (
    "Water boils when its vapour pressure equals the pressure around it. ",
    "Higher up there is less air above, so step {n} takes a lower temperature. ",
    "That is why {n} minutes are not enough to cook potatoes in the mountains. ",
    "In numbers, the boiling point falls by about 1 degree for every {n} metres. ",
)
_KOREAN = (
    "물은 증기압이 주위의 압력과 같아질 때 끓기 시작합니다. ",
    "높은 곳에는 위에 있는 공기가 적으므로 {n}단계에서는 더 낮은 온도면 충분합니다. ",
    "그래서 산에서는 {n}분 만에 감자를 익히기가 어렵습니다. ",
    "수로 말하면 {n}미터를 오를 때마다 끓는점이 약 1도씩 내려갑니다. ",
)
_PROMPTS = {
    "en": "Explain in at most 900 words why water boils sooner up a mountain.",
    "ko": "산에서 물이 더 빨리 끓는 까닭을 900자 이내로 설명해줘.",
}
_CODE = (
    "```python\ndef boil(height):\n    return 100 - height / {n}\n```\nSo $T = 100 - h/{n}$.\n"
)


def samples(each: int = 200) -> list[Sample]:
    """Made-up responses of about 100 to 3,000 characters, in English and Korean."""
    made: list[Sample] = []
    for n in range(each):
        for language, texts in (("en", _ENGLISH), ("ko", _KOREAN)):
            rounds = range(1 + n % 12)
            body = "".join(text.format(n=n * 31 + r * 7) for r in rounds for text in texts)
            code = _CODE.format(n=n + 1) if n % 3 == 0 else ""
            made.append((_PROMPTS[language], body + code, language))
    return made


def read_samples(path: Path) -> list[Sample]:
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [(row["prompt"], row["response"], row["language"]) for row in rows]


def _filter(prompt: str, response: str, language: str) -> str | None:
    return filter_response(
        response,
        prompt=prompt,
        question_language=language,
        finish_reason="stop",
        completion_tokens=None,
        limits=LIMITS,
    )


MEASURED: dict[str, Callable[[str, str, str], object]] = {
    "without_thinking": lambda _, response, __: without_thinking(response),
    "unfinished_thinking": lambda _, response, __: has_unfinished_thinking(response),
    "repetition": lambda _, response, __: is_repetition(response, LIMITS),
    "refusal": lambda prompt, response, _: is_refusal(response, prompt),
    "echo": lambda prompt, response, _: is_echo(response, prompt, LIMITS.echo_characters),
    "language": lambda _, response, language: language_reason(response, language, 0.02, False),
    "all filters": _filter,
    "instructions": lambda prompt, response, language: grade_instructions(
        prompt, response, None, language
    ),
}


def rate(work: Callable[[str, str, str], object], texts: Iterable[Sample]) -> float:
    """Responses per second of processor time."""
    texts = list(texts)
    work(*texts[0])  # loads what is loaded once
    done, start = 0, time.process_time()
    while (spent := time.process_time() - start) < SECONDS:
        for sample in texts:
            work(*sample)
        done += len(texts)
    return done / spent


def main() -> None:
    parser = argparse.ArgumentParser(description="Responses a second and core, by filter.")
    parser.add_argument("--responses", type=Path, help="lines of prompt, response, language")
    arguments = parser.parse_args()
    texts = read_samples(arguments.responses) if arguments.responses else samples()
    characters = sum(len(response) for _, response, _ in texts) / len(texts)
    print(f"{len(texts)} responses of {characters:.0f} characters on average")
    for name, work in MEASURED.items():
        print(f"{name:>20} {rate(work, texts):10,.0f} responses/s")


if __name__ == "__main__":
    main()
