"""KoAlpaca: Korean questions with answers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from rows.files import write_parquet

KOALPACA_SCHEMA = pa.schema(
    [("instruction", pa.string()), ("output", pa.string()), ("url", pa.string())]
)

# (instruction, output)
KOALPACA: list[tuple[str, str]] = [
    (
        "바나나는 왜 냉장고에 넣으면 까맣게 변하나요?",
        "바나나는 추위에 약해서 껍질의 세포가 상하고 색이 변합니다. \n\n속은 괜찮습니다.",
    ),
    ("무지개는 몇 가지 색인가요?", "흔히 일곱 가지 색이라고 합니다."),
    # Line breaks in the question.
    (
        "화분의 잎이 노랗게 됩니다.\n\n물은 이틀에 한 번 줍니다. 어떻게 해야 하나요?",
        "물을 너무 자주 주는 것 같습니다. 흙이 마른 뒤에 주세요.",
    ),
    # White space around.
    (" 라면을 끓일 때 물은 얼마나 넣나요? ", "한 봉지에 550ml쯤 넣습니다.\n"),
    # A list.
    (
        "여행 가방에 챙길 것을 세 가지만 알려 주세요.",
        "1. 여권\n2. 충전기\n3. 갈아입을 옷",
    ),
    # English words and braces.
    (
        "Python의 f-string에서 {name}은 무슨 뜻인가요?",
        "변수 name의 값을 그 자리에 넣으라는 뜻입니다. 예: f'{name}님'",
    ),
    # Quotes.
    ("'금세'와 '금새' 가운데 무엇이 맞나요?", "\"지금 바로\"라는 뜻이면 '금세'가 맞습니다."),
    # An emoji, and what people write in messages.
    ("고양이가 자꾸 울어요ㅠㅠ 왜 그럴까요? 🐱", "배가 고프거나 놀아 달라는 뜻일 수 있습니다."),
]


def write_koalpaca(folder: Path) -> None:
    """Released on the Hub only."""
    rows = [
        {"instruction": question, "output": output, "url": f"https://example.org/{number}"}
        for number, (question, output) in enumerate(KOALPACA, start=1)
    ]
    path = "beomi/KoAlpaca-v1.1a/data/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, KOALPACA_SCHEMA, rows)
