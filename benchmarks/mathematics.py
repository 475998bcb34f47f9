"""Measures how many answers a second are graded by rules, on one core.

    python benchmarks/mathematics.py                   # made-up responses
    python benchmarks/mathematics.py --gsm8k FILE      # also train.jsonl of GSM8K's release

Responses are made up, about 600 characters long, all different, and so are the reference
answers: half of them right. Seconds are CPU time of the process, so that other work on the
machine matters little. What is graded by Math-Verify is measured apart from plain answers:
it takes a request to another process each time.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from beam_thunder.grading.mathematics import (
    grade_mathematics,
    grade_mathematics_batch,
    read_reference,
)

ROUNDS = 5
ANSWERS = 4000
EXPRESSIONS = 400
TARGET = 20_000
"""Plain answers a second on one core."""

CHARACTERS = 600
ENGLISH_STEP = (
    "She packs {a} boxes of {b} apples, that is {a} * {b} = <<{a}*{b}={c}>>{c} apples in all.\n"
    "Of these, $1 each are sold, so the market pays ${c} for what she carried there.\n"
)
KOREAN_STEP = (
    "상자 {a}개에 사과를 {b}개씩 담았으므로 {a} × {b} = {c}개입니다. "
    "따라서 시장에 가지고 간 사과는 모두 {c}개가 되고, 하나에 1000원을 받습니다.\n"
)
PLAIN: dict[str, tuple[str, Callable[[int], str]]] = {
    "The answer is N.": (ENGLISH_STEP, "The answer is {}.".format),
    "#### N": (ENGLISH_STEP, "#### {}".format),
    "A: N": (ENGLISH_STEP, "A: {}".format),
    r"$\boxed{N}$": (ENGLISH_STEP, r"It follows that $\boxed{{{}}}$.".format),
    "**Final answer:** $N,NNN": (ENGLISH_STEP, "**Final answer:** ${:,}".format),
    "last number": (ENGLISH_STEP, "So she sold {} apples.".format),
    "정답은 N개입니다.": (KOREAN_STEP, "정답은 {}개입니다.".format),
    "**정답**: N": (KOREAN_STEP, "**정답**: {}".format),
    "정답은 N만 N원": (
        KOREAN_STEP,
        lambda n: f"정답은 {n // 10000}만 {n % 10000} 원입니다.",
    ),
    "last number, Korean": (KOREAN_STEP, "그러므로 모두 {}개를 팔았습니다.".format),
}
Pairs = list[tuple[str, str]]


def response(step: str, number: int, ending: str) -> str:
    """A worked answer of about `CHARACTERS`."""
    text = ""
    while len(text) + len(ending) < CHARACTERS - 60:
        a, b = 2 + number % 97, 3 + len(text)
        text += step.format(a=a, b=b, c=a * b)
    return text + ending


def plain_pairs(step: str, ending: Callable[[int], str]) -> Pairs:
    """Responses with reference answers; every other one is wrong by one."""
    numbers = [10_000 + 7 * place for place in range(ANSWERS)]
    return [(response(step, n, ending(n)), str(n + n % 2)) for n in numbers]


def word_pairs() -> Pairs:
    names = [
        first + second for first in "가나다라마서지민현수" for second in "영은호준아윤희우"
    ]
    return [
        (response(KOREAN_STEP, n, f"정답은 {names[n % 80]}입니다."), names[(n + n % 2) % 80])
        for n in range(ANSWERS)
    ]


def expression_pairs() -> Pairs:
    return [
        (
            response(ENGLISH_STEP, n, rf"Thus $\boxed{{{n} + {n + 1}x}}$."),
            f"{n + 1}x+{n + n % 2}",
        )
        for n in range(EXPRESSIONS)
    ]


def gsm8k_pairs(path: Path) -> Pairs:
    with path.open(encoding="utf-8") as file:
        worked = [json.loads(line)["answer"] for line in file]
    return [(text, text.rpartition("#### ")[2]) for text in worked]


def rates(pairs: Pairs, clock: Callable[[], float]) -> Iterator[float]:
    """Answers a second, of one round after another; nothing is kept from one to the next."""
    responses, answers = zip(*pairs, strict=True)
    for _ in range(ROUNDS):
        read_reference.cache_clear()
        start = clock()
        grade_mathematics_batch(responses, answers)
        yield len(pairs) / (clock() - start)


def report(name: str, pairs: Pairs, clock: Callable[[], float] = time.process_time) -> float:
    """Prints what was measured, in CPU seconds unless told otherwise; gives the median."""
    measured = list(rates(pairs, clock))
    characters = statistics.mean(len(text) for text, _ in pairs)
    middle = statistics.median(measured)
    figures = [middle, min(measured), max(measured)]
    print(f"{name:28} {characters:6.0f}", *(f"{figure:10,.0f}" for figure in figures))
    return middle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gsm8k", type=Path, help="train.jsonl of GSM8K's release")
    args = parser.parse_args()
    print(f"Python {platform.python_version()}, one core, {ROUNDS} rounds")
    print(f"{'answers':28} {'chars':>6} {'median/s':>10} {'lowest':>10} {'highest':>10}")
    measured = [report(name, plain_pairs(*kind)) for name, kind in PLAIN.items()]
    measured.append(report("정답은 WORD입니다.", word_pairs()))
    if args.gsm8k:
        measured.append(report("GSM8K, real", gsm8k_pairs(args.gsm8k)))
    grade_mathematics(*expression_pairs()[0])  # starts Math-Verify's process
    # Another process works while this one waits, so its own CPU time says little.
    report("expressions, wall-clock", expression_pairs(), time.perf_counter)
    print(f"slowest plain kind: {min(measured):,.0f} a second; target {TARGET:,}")


if __name__ == "__main__":
    main()
