"""KMMLU: Korean multiple-choice questions by subject."""

from __future__ import annotations

from pathlib import Path

from rows.files import write_csv

KMMLU_HEADER = ["question", "answer", "A", "B", "C", "D", "Category", "Human Accuracy"]

# By subject: (question, number of the right option from 1, the options, human accuracy)
KMMLU: dict[str, list[tuple[str, int, list[str], float]]] = {
    "Computer-Science": [
        (
            "10진수 45를 2진수로 바르게 나타낸 것은?",
            2,
            ["101011", "101101", "110101", "101110"],
            0.83,
        ),
        # Newlines and quotes in a cell.
        (
            (
                "다음 파이썬 코드의 실행 결과로 옳은 것은?\n\n"
                'words = ["가", "나", "다"]\n'
                "print(len(words), words[-1])"
            ),
            3,
            ["3 가", "2 다", "3 다", "2 나"],
            0.74,
        ),
        # Full-width letters.
        (
            "ＴＣＰ와 ＵＤＰ에 대한 설명으로 옳지 않은 것은?",
            2,
            [
                "ＴＣＰ는 연결을 맺은 뒤에 데이터를 보낸다.",
                "ＵＤＰ는 데이터그램이 도착하는 순서를 보장한다.",
                "ＴＣＰ는 잃어버린 세그먼트를 다시 보낸다.",
                "ＵＤＰ의 헤더는 ＴＣＰ의 헤더보다 짧다.",
            ],
            0.65,
        ),
        # Commas in the question and in the options.
        (
            (
                "빈 스택에 1, 2, 3을 차례로 넣고(push) 두 번 꺼낸(pop) 다음 4를 넣었다. "
                "스택에 남은 값을 맨 위부터 차례로 적은 것은?"
            ),
            1,
            ["4, 1", "1, 4", "4, 3", "3, 4"],
            0.7,
        ),
        (
            "SQL의 SELECT 문에서 중복된 행을 없애고 조회할 때 쓰는 예약어는?",
            4,
            ["HAVING", "ORDER BY", "LIMIT", "DISTINCT"],
            0.9,
        ),
        (
            "루트의 깊이를 0으로 할 때, 깊이가 3인 포화 이진 트리의 전체 노드 수는?",
            1,
            ["15", "7", "8", "16"],
            0.58,
        ),
        # A list of statements, one a line.
        (
            (
                "다음 〈보기〉에서 옳은 것만을 모두 고른 것은?\n\n"
                "〈보기〉\n"
                "ㄱ. 1바이트는 8비트이다.\n"
                "ㄴ. 캐시 기억 장치는 주기억 장치보다 빠르다.\n"
                "ㄷ. 하드 디스크는 휘발성 기억 장치이다."
            ),
            3,
            ["ㄱ", "ㄷ", "ㄱ, ㄴ", "ㄴ, ㄷ"],
            0.77,
        ),
    ],
    "Korean-History": [
        # Corner brackets, a stray space before a full stop, accuracy zero.
        (
            "「훈민정음」 해례본에 대한 설명으로 옳은 것은?",
            1,
            [
                "한글을 만든 원리와 쓰임을 한문으로 풀이한 책이다.",
                "고려 말에 목판으로 처음 간행되었다 .",
                "신라의 향가를 모아 엮은 노래집이다.",
                "조선 왕조의 역사를 날짜순으로 적은 책이다.",
            ],
            0.0,
        ),
        (
            (
                "다음 설명에 해당하는 고구려의 왕은?\n\n"
                "○ 수도를 국내성에서 평양으로 옮겼다.\n"
                "○ 백제의 한성을 함락하였다."
            ),
            3,
            ["광개토 대왕", "소수림왕", "장수왕", "미천왕"],
            0.81,
        ),
        (
            "고려 시대에 있었던 일을 시기순으로 바르게 늘어놓은 것은?",
            2,
            [
                "몽골의 1차 침입, 거란의 1차 침입, 윤관의 여진 정벌",
                "거란의 1차 침입, 윤관의 여진 정벌, 몽골의 1차 침입",
                "윤관의 여진 정벌, 거란의 1차 침입, 몽골의 1차 침입",
                "거란의 1차 침입, 몽골의 1차 침입, 윤관의 여진 정벌",
            ],
            0.62,
        ),
        # The Korean middle dot, once with a space after it.
        (
            "조선 시대의 사헌부ㆍ사간원ㆍ 홍문관을 함께 이르는 말은?",
            4,
            ["육조", "의정부", "승정원", "삼사"],
            0.79,
        ),
        (
            "정약용이 쓴 책으로, 지방을 다스리는 수령이 지켜야 할 도리를 다룬 것은?",
            2,
            ["「경세유표」", "「목민심서」", "「흠흠신서」", "「열하일기」"],
            0.85,
        ),
        # Quotes in the question.
        (
            '"왜란"(임진왜란ㆍ정유재란) 때의 싸움 가운데 바다에서 벌어지지 않은 것은?',
            4,
            ["한산도 대첩", "명량 대첩", "노량 해전", "행주 대첩"],
            0.72,
        ),
    ],
}


def write_kmmlu(folder: Path) -> None:
    """One CSV file for every subject; the release is the Hub's."""
    for subject, rows in KMMLU.items():
        category = subject.replace("-", " ")
        cells = [
            [question, answer, *options, category, accuracy]
            for question, answer, options, accuracy in rows
        ]
        path = folder / f"raw/HAERAE-HUB/KMMLU/data/{subject}-train.csv"
        write_csv(path, [KMMLU_HEADER, *cells])
