import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import parser

KMMLU = parser("kmmlu")
SOUND = {
    "question": "하나 더하기 하나는?",
    "answer": "2",
    "A": "1",
    "B": "2",
    "C": "3",
    "D": "4",
}


@pytest.fixture(scope="module")
def computer_science(parse_files, examples):
    return parse_files(
        KMMLU, examples / "raw", "HAERAE-HUB/KMMLU/data/Computer-Science-train.csv"
    )


def test_an_example_row_reads_as_published(computer_science):
    question = computer_science[0]
    assert question["prompt"] == (
        "10진수 45를 2진수로 바르게 나타낸 것은?\n"
        "A. 101011\n"
        "B. 101101\n"
        "C. 110101\n"
        "D. 101110\n"
        "정답:"
    )
    # A full stop in the prompt, a colon in the answers: as published.
    assert question["options"] == ["A: 101011", "B: 101101", "C: 110101", "D: 101110"]
    assert question["answer_key"] == 1
    assert question["reason"] is None


def test_newlines_and_quotes_of_a_cell_stay(computer_science):
    assert computer_science[1]["prompt"] == (
        "다음 파이썬 코드의 실행 결과로 옳은 것은?\n"
        "\n"
        'words = ["가", "나", "다"]\n'
        "print(len(words), words[-1])\n"
        "A. 3 가\nB. 2 다\nC. 3 다\nD. 2 나\n정답:"
    )
    assert computer_science[1]["answer_key"] == 2


def test_commas_of_a_cell_stay(computer_science):
    assert computer_science[3]["options"] == ["A: 4, 1", "B: 1, 4", "C: 4, 3", "D: 3, 4"]


def test_full_width_letters_stay(computer_science):
    assert computer_science[2]["prompt"].startswith(
        "ＴＣＰ와 ＵＤＰ에 대한 설명으로 옳지 않은 것은?\nA. ＴＣＰ는 연결을 맺은 뒤에"
    )


def test_the_question_is_not_stripped(parse_records):
    # MMLU's is.
    question = parse_records(KMMLU, {**SOUND, "question": " 하나? "})[0]
    assert question["prompt"] == " 하나? \nA. 1\nB. 2\nC. 3\nD. 4\n정답:"


def test_the_subjects_are_all_read(parse_files, examples):
    questions = parse_files(KMMLU, examples / "raw", find("kmmlu").patterns()[0])
    assert len(questions) == 13
    assert all(question["reason"] is None for question in questions)


def test_an_answer_may_be_text_or_number(parse_records):
    text, number = parse_records(KMMLU, SOUND, {**SOUND, "answer": 2})
    assert text == number


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": "0"}, "answer_outside_options"),  # it counts from 1
        ({"answer": "5"}, "answer_outside_options"),
        ({"answer": "B"}, "answer_outside_options"),
        ({"answer": ""}, "answer_outside_options"),
        ({"question": ""}, "empty_question"),
        ({"question": None}, "null_value"),
        ({"C": None}, "null_value"),
        ({"answer": None}, "null_value"),
        ({"question": 5}, "wrong_type"),
        ({"D": 4}, "wrong_type"),
        ({"answer": 2.0}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(KMMLU, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert bad["detail"]
    assert before == after == parse_records(KMMLU, SOUND)[0]


@pytest.mark.parametrize("column", SOUND)
def test_a_row_that_lacks_a_column_is_rejected(parse_records, column):
    row = {name: value for name, value in SOUND.items() if name != column}
    assert parse_records(KMMLU, row)[0]["reason"] == "missing_column"


# Real rows.


def test_real_rows_read_as_published(parse_files, raw):
    questions = parse_files(KMMLU, raw / "hub", "HAERAE-HUB/KMMLU/data/Criminal-Law-train.csv")
    assert len(questions) == 85
    assert all(question["reason"] is None for question in questions)
    assert questions[49]["prompt"] == (
        "형의 집행 및 수용자의 처우에 관한 법률 시행규칙 상 수용자의 번호표에 사용하지 않는 "
        "색상은?\nA. 초록색\nB. 노란색\nC. 파란색\nD. 붉은색\n정답:"
    )
    assert questions[49]["options"] == ["A: 초록색", "B: 노란색", "C: 파란색", "D: 붉은색"]
    assert questions[49]["answer_key"] == 0
