import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import parser

MMLU = parser("mmlu")
SOUND = {"question": "One and one?", "choices": ["1", "2"], "answer": 1}


def as_set(questions):
    return {(q["id"], q["prompt"], tuple(q["options"]), q["answer_key"]) for q in questions}


def test_an_example_row_reads_as_published(parse_files, examples):
    question = parse_files(MMLU, examples / "raw", find("mmlu").patterns()[0])[0]
    assert question["prompt"] == (
        "A lunch box holds 3 red and 5 green marbles. One marble is drawn without looking. "
        "What is the chance that it is red?\n"
        "A. 3/5\n"
        "B. 3/8\n"
        "C. 5/8\n"
        "D. 1/3\n"
        "Answer:"
    )
    assert question["options"] == ["A. 3/5", "B. 3/8", "C. 5/8", "D. 1/3"]
    assert question["answer_key"] == 1
    assert question["reason"] is None


@pytest.mark.parametrize(
    ("row", "question"),
    [
        (1, "A lamp draws 0.5 ampere from a 12 volt battery. What is its resistance?"),
        (3, 'Which word of the sentence "The ferry left quietly before dawn" is an adverb?'),
    ],
)
def test_the_question_is_stripped(parse_files, examples, row, question):
    found = parse_files(MMLU, examples / "raw", find("mmlu").patterns()[0])[row]
    assert found["prompt"].startswith(question + "\nA. ")


def test_the_question_loses_its_last_newline(parse_files, examples):
    # Otherwise a blank line would stand before the options.
    question = parse_files(MMLU, examples / "raw", find("mmlu").patterns()[0])[2]
    assert "one year of Earth?\nA. 2\nB. 4\nC. 8\nD. 88\nAnswer:" in question["prompt"]


def test_the_newlines_within_a_question_stay(parse_records):
    question = parse_records(MMLU, {**SOUND, "question": "A text.\n\nWhy?"})[0]
    assert question["prompt"] == "A text.\n\nWhy?\nA. 1\nB. 2\nAnswer:"


def test_choices_are_not_stripped(parse_records):
    question = parse_records(MMLU, {**SOUND, "choices": [" 1", "2 "]})[0]
    assert question["options"] == ["A.  1", "B. 2 "]


def test_the_release_gives_the_same_questions_as_the_hub(parse_files, examples):
    # The release has letters for numbers, and no header.
    hub = parse_files(MMLU, examples / "raw", find("mmlu").patterns()[0])
    release = parse_files(MMLU, examples / "release", find("mmlu").patterns()[1])
    assert hub == release


def test_a_row_that_is_there_twice_has_one_id(parse_files, examples):
    questions = parse_files(MMLU, examples / "raw", find("mmlu").patterns()[0])
    assert questions[6] == questions[11]
    assert len({question["id"] for question in questions}) == 11


def test_a_letter_and_an_index_are_the_same_key(parse_records):
    letter, index, text = parse_records(
        MMLU, {**SOUND, "answer": "B"}, SOUND, {**SOUND, "answer": "1"}
    )
    assert letter == index == text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": 2}, "answer_outside_options"),
        ({"answer": -1}, "answer_outside_options"),
        ({"answer": "E"}, "answer_outside_options"),
        ({"answer": ""}, "answer_outside_options"),
        ({"choices": []}, "answer_outside_options"),
        ({"question": ""}, "empty_question"),
        ({"question": " \n\t"}, "empty_question"),
        ({"question": None}, "null_value"),
        ({"choices": None}, "null_value"),
        ({"choices": ["1", None]}, "null_value"),
        ({"answer": None}, "null_value"),
        ({"question": 5}, "wrong_type"),
        ({"choices": "1 2"}, "wrong_type"),
        ({"choices": [1, 2]}, "wrong_type"),
        ({"answer": 1.0}, "wrong_type"),
        ({"answer": True}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(MMLU, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert bad["detail"]
    assert before == after == parse_records(MMLU, SOUND)[0]


@pytest.mark.parametrize("column", SOUND)
def test_a_row_that_lacks_a_column_is_rejected(parse_records, column):
    row = {name: value for name, value in SOUND.items() if name != column}
    assert parse_records(MMLU, row)[0]["reason"] == "missing_column"


def test_a_row_with_more_choices_than_letters_stops_nothing(parse_records):
    many = {**SOUND, "choices": [str(number) for number in range(11)]}
    before, _, after = parse_records(MMLU, SOUND, many, SOUND)
    assert before == after == parse_records(MMLU, SOUND)[0]


# Real rows.


def test_real_rows_read_as_published(parse_files, raw):
    questions = parse_files(MMLU, raw / "hub", "cais/mmlu/all/auxiliary_train-*.parquet")
    assert questions[0]["prompt"] == (
        "Sir Isaac Newton determined that white light is made up of all the colors of the "
        "rainbow. What did he use to discover this phenomenon?\n"
        "A. a prism\nB. a telescope\nC. a microscope\nD. a magnifying glass\nAnswer:"
    )
    assert questions[0]["answer_key"] == 0
    assert questions[155]["prompt"] == (
        "Which animal eats only plants?\nA. Cat\nB. Dog\nC. Lion\nD. Rabbit\nAnswer:"
    )
    assert questions[155]["options"][questions[155]["answer_key"]] == "D. Rabbit"


def test_the_three_real_layouts_give_the_same_questions(parse_files, raw):
    flat = parse_files(MMLU, raw / "hub", "cais/mmlu/all/auxiliary_train-*.parquet")
    nested = parse_files(MMLU, raw / "hub", "cais/mmlu/auxiliary_train/train-*.parquet")
    release = parse_files(MMLU, raw / "release", "mmlu/auxiliary_train/*.csv")
    assert len(flat) == 1218
    assert all(question["reason"] is None for question in flat)
    assert flat == nested
    assert as_set(release) == as_set(flat)
    assert len(release) == len(flat)
