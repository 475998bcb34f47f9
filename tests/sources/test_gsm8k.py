import re

import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import parser

GSM8K = parser("gsm8k")
SOUND = {"question": "Two and two?", "answer": "2+2 = <<2+2=4>>4\n#### 4"}


def worked(parse_records, answer):
    """What becomes of an answer, or the reason why nothing does."""
    question = parse_records(GSM8K, {**SOUND, "answer": answer})[0]
    return question["reason"] or question["options"][0]


def test_an_example_row_reads_as_published(parse_files, examples):
    question = parse_files(GSM8K, examples / "raw", find("gsm8k").patterns()[0])[0]
    assert question["prompt"] == (
        "Q: A bakery puts 48 rolls on 2 trays, the same number on each. Then 15 rolls from the "
        "first tray are sold. How many rolls are left on the first tray?"
    )
    # The newline before the last line stays.
    assert question["options"] == [
        "Each tray holds 48/2 = 24 rolls.\n"
        "After the sale, 24-15 = 9 rolls are left on the first tray.\n"
        "The answer is 9."
    ]
    assert question["answer_key"] == 0
    assert question["reason"] is None


def test_a_final_number_with_a_comma_stays_as_written(parse_files, examples):
    questions = parse_files(GSM8K, examples / "raw", find("gsm8k").patterns()[0])
    assert questions[1]["options"] == [
        "Together they make 350+267 = 617 posters an hour.\n"
        "In 2 hours they make 617*2 = 1,234 posters.\n"
        "The answer is 1,234."
    ]
    assert questions[5]["options"][0].endswith("\nThe answer is 1,050,000.")


def test_a_negative_final_number_keeps_its_sign(parse_files, examples):
    questions = parse_files(GSM8K, examples / "raw", find("gsm8k").patterns()[0])
    assert questions[2]["options"] == [
        "It falls by 3*3 = 9 degrees.\nThe temperature then is 4-9 = -5 degrees.\n"
        "The answer is -5."
    ]


def test_dollar_signs_outside_of_the_marks_stay(parse_files, examples):
    question = parse_files(GSM8K, examples / "raw", find("gsm8k").patterns()[0])[4]
    assert question["options"] == [
        "The notebooks cost 4*3.50 = $14.\nWith the pen he has to pay $14 + $2 = $16.\n"
        "His change is $20 - $16 = $4.\nThe answer is 4."
    ]


def test_the_release_gives_the_same_questions_as_the_hub(parse_files, examples):
    hub = parse_files(GSM8K, examples / "raw", find("gsm8k").patterns()[0])
    release = parse_files(GSM8K, examples / "release", find("gsm8k").patterns()[1])
    assert hub == release
    assert all(question["reason"] is None for question in hub)


def test_the_few_shot_text_stands_before_every_question_as_it_is(parse_records):
    questions = parse_records(parser("gsm8k", "Q: 1?\nThe answer is 1.\n\n"), SOUND, SOUND)
    assert {question["prompt"] for question in questions} == {
        "Q: 1?\nThe answer is 1.\n\nQ: Two and two?"
    }


def test_the_few_shot_text_does_not_change_what_a_question_is(parse_records):
    plain, prompted = parse_records(GSM8K, SOUND), parse_records(parser("gsm8k", "Hi. "), SOUND)
    assert plain[0]["id"] == prompted[0]["id"]
    assert plain[0]["options"] == prompted[0]["options"]


@pytest.mark.parametrize(
    ("answer", "completion"),
    [
        ("So 5.\n#### 5", "So 5.\nThe answer is 5."),
        ("So 5.\n####5", "So 5.\nThe answer is 5."),
        ("So 5.\n#### 5 \n", "So 5.\nThe answer is 5."),
        ("So 0.5.\n#### 0.5", "So 0.5.\nThe answer is 0.5."),
        ("#### 5", "The answer is 5."),
        ("<<1+1=2>>2 <<2+2=4>>4\n#### 4", "2 4\nThe answer is 4."),
        ("1 < 2 and 3 >> 2\n#### 1", "1 < 2 and 3 >> 2\nThe answer is 1."),
        (
            "a <<\nb >>\n#### 1",
            "a <<\nb >>\nThe answer is 1.",
        ),  # no mark goes over a line's end
        ("line\n\nline\n#### 1", "line\n\nline\nThe answer is 1."),
    ],
)
def test_an_answer_is_worked_out(parse_records, answer, completion):
    assert worked(parse_records, answer) == completion


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "It is 5.",
        "It is 5. #### 5",  # not a line of its own
        "#### 5\nand so on",  # not the last line
        "It is\n#### five",
        "It is\n####",
        "It is\n#### 5 apples",
        "It is\n#### -",
    ],
)
def test_an_answer_without_a_final_number_is_rejected(parse_records, answer):
    assert worked(parse_records, answer) == "no_final_answer"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": "4"}, "no_final_answer"),
        ({"question": ""}, "empty_question"),
        ({"question": None}, "null_value"),
        ({"answer": None}, "null_value"),
        ({"question": ["Two?"]}, "wrong_type"),
        ({"answer": 4}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(GSM8K, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert bad["detail"]
    assert before == after == parse_records(GSM8K, SOUND)[0]


@pytest.mark.parametrize("column", SOUND)
def test_a_row_that_lacks_a_column_is_rejected(parse_records, column):
    row = {name: value for name, value in SOUND.items() if name != column}
    assert parse_records(GSM8K, row)[0]["reason"] == "missing_column"


# Real rows.


@pytest.fixture(scope="module")
def real(parse_files, raw):
    return parse_files(GSM8K, raw / "hub", "openai/gsm8k/main/train-*.parquet")


def test_real_rows_read_as_published(real):
    assert real[0]["prompt"] == (
        "Q: Natalia sold clips to 48 of her friends in April, and then she sold half as many "
        "clips in May. How many clips did Natalia sell altogether in April and May?"
    )
    assert real[0]["options"] == [
        "Natalia sold 48/2 = 24 clips in May.\n"
        "Natalia sold 48+24 = 72 clips altogether in April and May.\n"
        "The answer is 72."
    ]
    assert real[644]["options"] == [
        "13 weeks have 13 * 7 = 91 days.\n"
        "For 91 days the bus system carries 1,200,000 * 91 = 109,200,000 people.\n"
        "The answer is 109,200,000."
    ]
    assert real[5715]["options"] == [
        "-14 + (-8) + 1 = -21 degrees Fahrenheit\n"
        "-21/3 = -7 degrees Fahrenheit\n"
        "The average temperature was -7 degrees Fahrenheit.\n"
        "The answer is -7."
    ]


def test_every_real_row_makes_an_sft_row(real):
    assert len(real) == 7473
    assert all(question["reason"] is None for question in real)
    assert len({question["id"] for question in real}) == 7473


def test_no_mark_is_left_in_any_real_row(real):
    assert not [q for q in real if "<<" in q["options"][0] or "####" in q["options"][0]]


def test_every_real_row_ends_with_a_line_that_gives_the_answer(real):
    last_line = re.compile(r"The answer is -?\d[\d,]*(\.\d+)?\.")
    assert not [q for q in real if not last_line.fullmatch(q["options"][0].split("\n")[-1])]


def test_final_numbers_with_commas_and_signs_are_all_there(real):
    final = [question["options"][0].split("\n")[-1] for question in real]
    assert sum("," in line for line in final) == 79
    assert sum("-" in line for line in final) == 3


def test_both_real_layouts_give_the_same_questions(real, parse_files, raw):
    assert parse_files(GSM8K, raw / "release", "gsm8k/train.jsonl") == real
