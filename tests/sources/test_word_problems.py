import pyarrow as pa
import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import open_parser, parser
from beam_thunder.transforms.sources.word_problems import (
    hashed_number,
    last_sentence,
    stated_answer,
)

GSM8K = open_parser("gsm8k-synthetic")
GSM8K_KO = open_parser("gsm8k-ko")
ORCA = open_parser("orca-math")
ORCA_KO = open_parser("orca-math-ko")
SOUND = {"question": "Two and two?", "answer": "2+2 = <<2+2=4>>4\n#### 4"}


def stated(text):
    return stated_answer(pa.array([text], pa.string()))[0].as_py()


# GSM8K.


def test_a_row_of_gsm8k_becomes_an_open_question(parse_records):
    row = parse_records(GSM8K, SOUND)[0]
    assert row["question"] == "Two and two?"
    assert row["prompt"].endswith("\n\nTwo and two?")
    assert "The answer is N." in row["prompt"]
    assert (row["answer"], row["reference"]) == ("4", "2+2 = 4\n#### 4")
    assert [row[name] for name in ("system", "before", "after", "reason")] == [None] * 4


def test_the_same_row_is_the_same_question_as_in_the_processed_dataset(parse_records):
    processed, synthetic = (parse_records(s, SOUND)[0] for s in (parser("gsm8k"), GSM8K))
    assert processed["id"] == synthetic["id"]


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("#### 72", "72"),
        ("So 5.\n####5 \n", "5"),
        ("x\n#### 1,234", "1234"),
        ("x\n#### 1,050,000", "1050000"),
        ("x\n#### -5", "-5"),
        ("x\n#### 0.50", "0.50"),
        ("x #### 5", None),
        ("x\n#### five", None),
        ("#### 5\nand so on", None),
        ("", None),
    ],
)
def test_the_final_number_is_that_of_the_last_line(answer, number):
    assert hashed_number(pa.array([answer])).to_pylist() == [number]


@pytest.mark.parametrize("source", [GSM8K, GSM8K_KO])
def test_a_row_without_a_final_number_is_rejected_alone(parse_records, source):
    before, bad, after = parse_records(source, SOUND, {**SOUND, "answer": "4"}, SOUND)
    assert bad["reason"] == "no_final_answer"
    assert before == after
    assert before["reason"] is None


def test_a_translation_without_a_last_line_has_the_english_final_number(parse_records):
    row = parse_records(GSM8K_KO, {**SOUND, "answer": "4개", "answer_en": "x\n#### 1,004"})[0]
    assert (row["answer"], row["reference"], row["reason"]) == ("1004", "4개", None)


def test_the_english_answer_does_not_change_what_a_question_is(parse_records):
    rows = parse_records(GSM8K_KO, SOUND, {**SOUND, "answer_en": "x\n#### 5"})
    assert rows[0] == rows[1]


def test_a_korean_question_is_asked_for_in_korean(parse_files, examples):
    rows = parse_files(GSM8K_KO, examples / "raw", find("gsm8k-ko").patterns()[0])
    assert [row["answer"] for row in rows] == [
        "9",
        "1234",
        "-5",
        "18",
        "4",
        "1050000",
        "60",
        "23",
    ]
    assert all("정답은 N입니다." in row["prompt"] for row in rows)
    assert not [row for row in rows if "<<" in row["reference"]]


# OrcaMath.


def test_final_answers_of_the_example_rows(parse_files, examples):
    rows = parse_files(ORCA, examples / "raw", find("orca-math").patterns()[0])
    expected = ["126", "1232.50", "80", r"\frac{5}{8}", "35%", None, None, None, "-21"]
    assert [row["answer"] for row in rows] == expected
    assert rows[0]["reference"].startswith("Each trip takes 18 cars.\n\n")


def test_final_answers_of_the_korean_example_rows(parse_files, examples):
    rows = parse_files(ORCA_KO, examples / "raw", find("orca-math-ko").patterns()[0])
    expected = ["126", "1232.50", "80", r"\frac{5}{8}", None, None, None, "21"]
    assert [row["answer"] for row in rows] == expected


@pytest.mark.parametrize(
    ("korean", "english", "answer"),
    [
        ("답은 5입니다.", "She has 5.", "5"),
        ("답은 5입니다.", "Not clear.", "5"),
        ("모릅니다.", "She has 5.", "5"),
        ("답은 5입니다.", "She has 6.", None),
        ("답은 5입니다.", None, "5"),
        ("모릅니다.", None, None),
    ],
)
def test_a_translation_and_its_original_must_not_differ(parse_records, korean, english, answer):
    row = {"question": "?!", "answer": korean, "answer_en": english}
    assert parse_records(ORCA_KO, row)[0]["answer"] == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"So \(\boxed{5}\) apples, not 6.", "5"),
        (r"\boxed{1,234}", "1234"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{5} and again \boxed{5}", "5"),
        ("x\n#### 1,234", "1234"),
        ("Since 3+4=7, the answer is 7.", "7"),
        ("The final answer is:\n\n**12**.", "12"),
        ("The answer is $20", "20"),
        ("Thus the answer is 3/4.", "3/4"),
        ("따라서 정답은 1,200원입니다.", "1200"),
        ("답: 3", "3"),
        ("She buys 3 and 4.\nTotal = 3 + 4 = 7 apples.", "7"),
        ("남은 것은 200 - 120 = 80쪽입니다.", "80"),
        ("Therefore, she has 5 apples left.", "5"),
        ("It takes 3 steps. So she has -5 points!", "-5"),
        ("The area is 5cm.", "5"),
        ("He ends up with $1,234.50.", "1234.50"),
        ("So it is 20.03%.", "20.03%"),
        ("따라서 모두 20개입니다.", "20"),
        ("둘레는 20cm입니다.", "20"),
    ],
)
def test_an_answer_that_is_stated(text, answer):
    assert stated(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        r"\boxed{1} or \boxed{2}",
        r"\boxed{broken",  # and not the next best rule
        "The two numbers are 3 and 5.",
        "The answer is 5 apples and 3 pears.",
        "The answer is 5 million.",
        "So she has 5x.",
        "She is in the 5th place.",
        "She has 3 1/2.",
        "It is 2:30.",
        "The code is A5.",
        "The answer is between 3-5.",
        "So there are 1,23 left.",
        "So there are 2 * x of them.",
        "So the area is 5 m^2.",
        "So two of the 5 are red.",
        "So it is not 5.",
        "Is it 5?",
        "x = 7",  # which may not be what was asked for
        "Check: 3*4 = 12.",
        "7 divides it without a remainder.",
        "It is odd because its last digit is 5.",
        "Yes. It is larger than 5.",
        "따라서 5만 원입니다.",
        "따라서 두 사람이 5개입니다.",
        "5로 나누어떨어지므로 홀수입니다.",
        "5개가 아니다.",
        "대답은 3번과 4번이다.",
        "It is a circle.",
        "",
        "a" * 500 + " is 5",
    ],
)
def test_an_answer_that_would_be_a_guess_is_none(text):
    assert stated(text) is None


def test_the_last_sentence_is_found_in_long_texts():
    found = last_sentence(
        pa.array(["a" * 900 + ". It is 5.", "A. B!\nC", "It is 3.5 m.", None])
    )
    assert found.to_pylist() == ["It is 5.", "C", "It is 3.5 m.", None]


@pytest.mark.parametrize("source", [GSM8K, GSM8K_KO, ORCA, ORCA_KO])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"question": " "}, "empty_question"),
        ({"question": None}, "null_value"),
        ({"answer": None}, "null_value"),
        ({"answer": 4}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_for_its_reason(parse_records, source, change, reason):
    before, bad = parse_records(source, SOUND, {**SOUND, **change})
    assert (before["reason"], bad["reason"]) == (None, reason)


# Real rows.


@pytest.fixture(scope="module")
def real(parse_files, raw):
    return parse_files(GSM8K, raw / "hub", "openai/gsm8k/main/train-*.parquet")


def test_every_real_row_has_a_final_number(real):
    assert len(real) == 7473
    assert not [row for row in real if row["reason"]]
    assert sum(float(row["answer"]) < 0 for row in real) == 3  # and all are numbers
    assert not [row for row in real if "," in row["answer"] or "<<" in row["reference"]]


def test_both_real_layouts_give_the_same_questions(real, parse_files, raw):
    assert parse_files(GSM8K, raw / "release", "gsm8k/train.jsonl") == real


def test_real_questions_are_those_of_the_processed_dataset(real, parse_files, raw):
    processed = parse_files(parser("gsm8k"), raw / "hub", "openai/gsm8k/main/train-*.parquet")
    assert [row["id"] for row in real] == [row["id"] for row in processed]


def test_what_real_solutions_state_is_their_final_answer(real):
    # Without the line that gives it away: the rules have to find it in the sentences.
    bare = pa.array([row["reference"].rpartition("\n####")[0] for row in real])
    pairs = zip(stated_answer(bare).to_pylist(), real, strict=True)
    said = [(answer.rstrip("%"), row["answer"]) for answer, row in pairs if answer]
    right = [float(a) == float(b) for a, b in said if "/" not in a]
    assert len(said) >= 6000
    assert sum(right) / len(said) >= 0.997


def test_real_rows_of_the_samples(parse_files, raw):
    korean = parse_files(GSM8K_KO, raw / "samples", "gsm8k-ko_head4.jsonl")
    assert [row["answer"] for row in korean] == ["72", "10", "5", "448000"]
    orca = parse_files(ORCA, raw / "samples", "orca-math_head2.jsonl")
    assert [row["reason"] for row in orca] == [None, None]
    assert [row["answer"] for row in orca] == [None, None]  # 5th and 4; 20.03% and 51%
