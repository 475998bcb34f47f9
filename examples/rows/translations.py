"""GSM8K and OrcaMath in Korean."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from rows.files import write_parquet
from rows.gsm8k import GSM8K
from rows.orca_math import ORCA_MATH

_TRANSLATED = [
    (name, pa.string()) for name in ("question", "answer", "question_en", "answer_en")
]
GSM8K_KO_SCHEMA = pa.schema(_TRANSLATED)
ORCA_MATH_KO_SCHEMA = pa.schema([*_TRANSLATED, ("llm", pa.string())])

# (question, answer) in Korean, of the first rows of `gsm8k.py`.
GSM8K_KO: list[tuple[str, str]] = [
    (
        (
            "빵집에서 롤빵 48개를 쟁반 2개에 똑같이 나누어 담았습니다. 첫 번째 쟁반에서 15개가 "
            "팔렸습니다. 첫 번째 쟁반에 남은 롤빵은 몇 개인가요?"
        ),
        (
            "쟁반마다 롤빵이 48/2 = <<48/2=24>>24개 있습니다.\n"
            "팔고 나면 첫 번째 쟁반에 24-15 = <<24-15=9>>9개가 남습니다.\n#### 9"
        ),
    ),
    # A comma in the final answer.
    (
        (
            "인쇄소에서 기계 두 대를 2시간 동안 돌립니다. 한 대는 한 시간에 포스터 350장을, "
            "다른 한 대는 267장을 만듭니다. 모두 몇 장을 만드나요?"
        ),
        (
            "한 시간에 350+267 = <<350+267=617>>617장을 만듭니다.\n"
            "2시간이면 617*2 = <<617*2=1234>>1,234장입니다.\n#### 1,234"
        ),
    ),
    # A negative final answer.
    (
        (
            "정오에 기온이 4도입니다. 3시간 동안 한 시간에 3도씩 내려갑니다. "
            "그때 기온은 몇 도인가요?"
        ),
        (
            "기온은 3*3 = <<3*3=9>>9도 내려갑니다.\n그때 기온은 4-9 = <<4-9=-5>>-5도입니다.\n"
            "#### -5"
        ),
    ),
    # Decimals on the way.
    (
        (
            "레아는 주스 1.5리터가 든 병을 3개 가지고 있습니다. "
            "0.25리터 컵 몇 개를 채울 수 있나요?"
        ),
        (
            "주스는 3*1.5 = <<3*1.5=4.5>>4.5리터입니다.\n"
            "컵 4.5/0.25 = <<4.5/0.25=18>>18개를 채웁니다.\n#### 18"
        ),
    ),
    # Dollar signs.
    (
        (
            "샘은 3.50달러짜리 공책 4권과 2달러짜리 펜 한 자루를 사고 20달러를 냅니다. "
            "거스름돈은 몇 달러인가요?"
        ),
        (
            "공책은 4*3.50 = $<<4*3.50=14>>14입니다.\n모두 $14 + $2 = $<<14+2=16>>16입니다.\n"
            "거스름돈은 $20 - $16 = $<<20-16=4>>4입니다.\n#### 4"
        ),
    ),
    # The translation lost the last line; the English answer has it.
    (
        (
            "공장은 일하는 날마다 볼트 3,500개를 만들고, 한 달에 25일 일합니다. 일 년에 볼트를 "
            "몇 개 만드나요?"
        ),
        (
            "한 달에 3,500*25 = <<3500*25=87500>>87,500개를 만듭니다.\n"
            "일 년이면 87,500*12 = <<87500*12=1050000>>1,050,000개입니다."
        ),
    ),
    # A percent sign.
    (
        (
            "도서관에 동물 책이 240권 있습니다. 그중 25%는 새에 관한 책이고, 나머지의 "
            "3분의 1은 물고기에 관한 책입니다. 물고기 책은 몇 권인가요?"
        ),
        (
            "새 책은 240*25/100 = <<240*25/100=60>>60권입니다.\n"
            "나머지는 240-60 = <<240-60=180>>180권입니다.\n"
            "물고기 책은 180/3 = <<180/3=60>>60권입니다.\n#### 60"
        ),
    ),
    # Lines without marks.
    (
        (
            "이다의 나이는 사촌 닐스의 세 배입니다. 둘의 나이를 더하면 24살입니다. "
            "5년 뒤에 이다는 몇 살인가요?"
        ),
        (
            "닐스의 나이를 N이라고 합니다.\nN + 3N = 4N = 24입니다.\n"
            "닐스는 24/4 = <<24/4=6>>6살입니다.\n이다는 3*6 = <<3*6=18>>18살입니다.\n"
            "5년 뒤에는 18+5 = <<18+5=23>>23살입니다.\n#### 23"
        ),
    ),
]

# (question, answer, model that translated) in Korean, of the first rows of `orca_math.py`.
ORCA_MATH_KO: list[tuple[str, str, str]] = [
    (
        "배는 한 번에 자동차 18대를 나릅니다. 7번이면 모두 몇 대를 나르나요?",
        "한 번에 18대를 나릅니다.\n\n18 * 7 = 126\n\n따라서 배는 모두 126대를 나릅니다.",
        "example-model",
    ),
    (
        "동아리가 14.50달러짜리 표 85장을 팝니다. 얼마를 버나요?",
        "85 * $14.50 = $1,232.50\n\n동아리는 $1,232.50를 법니다.",
        "example-model",
    ),
    (
        "루스는 하루에 24쪽을 읽습니다. 200쪽 가운데 5일 뒤에 남은 것은 몇 쪽인가요?",
        "24 * 5 = 120쪽을 읽었습니다. 남은 것은 200 - 120 = 80쪽입니다.",
        "example-model",
    ),
    # A box.
    (
        "똑같은 8조각으로 나눈 피자에서 3조각을 먹으면 얼마가 남나요?",
        "8 - 3 = 5조각이 남습니다.\n\n\\[ \\boxed{\\frac{5}{8}} \\]",
        "example-model",
    ),
    # The English answer has a sign for per cent: the two differ.
    (
        "40명인 반에서 14명이 수영을 합니다. 반의 몇 퍼센트인가요?",
        "14 / 40 = 0.35\n\n정답은 35퍼센트입니다.",
        "example-model",
    ),
    # Two numbers: no single final answer.
    (
        "두 수의 합은 30이고, 한 수는 다른 수의 두 배입니다. 두 수는 무엇인가요?",
        "작은 수를 x라고 하면 3x = 30입니다.\n\n두 수는 10과 20입니다.",
        "example-model",
    ),
    (
        "91은 소수인가요?",
        "아니요. 7로 나누어떨어지므로 합성수입니다.",
        "example-model",
    ),
    # The Korean answer states more than the English one.
    (
        "어떤 수의 두 배에 4를 더하면 18입니다. 그 수의 세 배는 얼마인가요?",
        "2x + 4 = 18이므로 x = 7입니다.\n\n답은 21입니다.",
        "example-model",
    ),
]


def write_translations(folder: Path) -> None:
    """GSM8K and OrcaMath in Korean, beside the English they were translated from."""
    gsm8k = [
        {"question": ko, "answer": answer_ko, "question_en": en, "answer_en": answer_en}
        for (ko, answer_ko), (en, answer_en) in zip(GSM8K_KO, GSM8K, strict=False)
    ]
    path = "kuotient/gsm8k-ko/data/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, GSM8K_KO_SCHEMA, gsm8k)
    orca = [
        {
            "question": ko,
            "answer": answer_ko,
            "question_en": en,
            "answer_en": answer_en,
            "llm": llm,
        }
        for (ko, answer_ko, llm), (en, answer_en) in zip(ORCA_MATH_KO, ORCA_MATH, strict=False)
    ]
    path = "kuotient/orca-math-word-problems-193k-korean/data/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, ORCA_MATH_KO_SCHEMA, orca)
