"""mwp-korean-2021: Korean word problems."""

from __future__ import annotations

import json
from pathlib import Path

# (class, question, answer, equation)
MWP_KOREAN: list[tuple[str, str, str, str]] = [
    ("산술연산", "귤 8개씩 6봉지가 있습니다. 귤은 모두 몇 개입니까?", "48", "8*6"),
    # A decimal.
    (
        "산술연산",
        "끈 17m를 4명이 똑같이 나누면 한 명이 가지는 끈은 몇 m입니까?",
        "4.25",
        "17/4",
    ),
    # A word, chosen from the question.
    (
        "순서정하기",
        "보라, 하늘, 샛별이 달리기를 합니다. 보라는 하늘보다 빠르고 샛별은 하늘보다 느립니다. "
        "가장 느린 사람은 누구입니까?",
        "샛별",
        "[OP_LIST_SOL]",
    ),
    # A fraction.
    (
        "산술연산",
        "케이크를 똑같이 8조각으로 나누어 5조각을 먹었습니다. 남은 양을 분수로 쓰시오.",
        "3/8",
        "(8-5)/8",
    ),
    # A comma in the question, none in the answer.
    ("산술연산", "1,500원짜리 공책을 4권 사면 모두 얼마입니까?", "6000", "1500*4"),
    # Zero.
    (
        "조합하기",
        "연필 12자루를 4명이 3자루씩 가지면 남는 연필은 몇 자루입니까?",
        "0",
        "12-4*3",
    ),
    # Letters for numbers.
    (
        "수찾기",
        "두 자리 수 A7에 15를 더하면 62입니다. A는 얼마입니까?",
        "4",
        "(62-15-7)/10",
    ),
    # A word in parentheses.
    (
        "크기비교",
        "민지(는) 사과 9개, 준호(는) 사과 11개를 땄습니다. 누가 더 많이 땄습니까?",
        "준호",
        "max",
    ),
    # Quotes and a unit with an exponent.
    ("도형", '한 변이 5cm인 "정사각형"의 넓이는 몇 cm^2입니까?', "25", "5^2"),
]


def write_mwp_korean(folder: Path) -> None:
    """One object of objects, keyed by number, behind a byte order mark."""
    names = ("class", "question", "answer", "equation")
    rows = {
        str(number): dict(zip(names, row, strict=True))
        for number, row in enumerate(MWP_KOREAN, start=1)
    }
    text = "\ufeff" + json.dumps(rows, ensure_ascii=False, indent="\t")
    # Its publisher keeps it outside of the Hub, so it lies in the same place in both folders.
    for layout in ("raw", "release"):
        path = folder / layout / "mwp-korean-data-2021/public_mwp_data.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
