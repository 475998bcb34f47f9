import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import parser

WINOGRANDE = parser("winogrande")
SOUND = {
    "sentence": "The cup fell off the table, but the _ broke.",
    "option1": "cup",
    "option2": "table",
    "answer": "2",
}


def parse_sentence(parse_records, sentence):
    return parse_records(WINOGRANDE, {**SOUND, "sentence": sentence})[0]


def test_an_example_row_reads_as_published(parse_files, examples):
    question = parse_files(WINOGRANDE, examples / "raw", find("winogrande").patterns()[0])[0]
    assert question["prompt"] == "Jonas lent Petra an umbrella because "
    assert question["options"] == [
        "Jonas was going home by car.",
        "Petra was going home by car.",
    ]
    assert question["reason"] is None


def test_the_right_option_is_the_one_that_the_answer_counts_from_one(parse_records):
    question = parse_records(WINOGRANDE, SOUND)[0]
    assert question["prompt"] == "The cup fell off the table, but the "
    assert question["options"][question["answer_key"]] == "table broke."


def test_a_blank_at_the_start_leaves_a_space_as_the_prompt(parse_files, examples):
    question = parse_files(WINOGRANDE, examples / "raw", find("winogrande").patterns()[0])[2]
    assert question["prompt"] == " "
    assert question["options"][1] == (
        "Omar often had to ask for directions, since Nadia knew the town well and Omar did not."
    )
    assert question["reason"] is None


def test_a_blank_at_the_end_leaves_the_full_stop_alone(parse_files, examples):
    # With a space before it, as in the published data.
    question = parse_files(WINOGRANDE, examples / "raw", find("winogrande").patterns()[0])[4]
    assert question["options"] == ["rope .", "thread ."]


def test_a_genitive_is_set_off_by_a_space(parse_files, examples):
    question = parse_files(WINOGRANDE, examples / "raw", find("winogrande").patterns()[0])[6]
    assert question["options"][0] == "Lena 's tomatoes ripen early."


def test_only_the_first_blank_is_filled(parse_records):
    question = parse_sentence(parse_records, "a _ b _ c")
    assert question["prompt"] == "a "
    assert question["options"][0] == "cup b _ c"


def test_a_sentence_of_several_lines_is_kept_whole(parse_records):
    question = parse_sentence(parse_records, " a\nb _\nc\nd\n")
    assert question["prompt"] == "a\nb "
    assert question["options"][0] == "cup c\nd"


def test_nothing_behind_the_blank_leaves_a_space(parse_records):
    assert parse_sentence(parse_records, "It was the _")["options"] == ["cup ", "table "]


def test_the_release_gives_the_same_questions_as_the_hub(parse_files, examples):
    hub = parse_files(WINOGRANDE, examples / "raw", find("winogrande").patterns()[0])
    release = parse_files(WINOGRANDE, examples / "release", find("winogrande").patterns()[1])
    assert hub == release
    assert all(question["reason"] is None for question in hub)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sentence": "No gap here."}, "no_blank"),
        ({"answer": "3"}, "answer_outside_options"),
        ({"answer": "0"}, "answer_outside_options"),
        ({"answer": ""}, "answer_outside_options"),  # as the test split has it
        ({"sentence": None}, "null_value"),
        ({"option2": None}, "null_value"),
        ({"answer": None}, "null_value"),
        ({"sentence": 5}, "wrong_type"),
        ({"option1": ["cup"]}, "wrong_type"),
        ({"answer": False}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(WINOGRANDE, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert bad["detail"]
    assert before == after == parse_records(WINOGRANDE, SOUND)[0]


@pytest.mark.parametrize("sentence", ["", "  \n"])
def test_an_empty_sentence_is_rejected(parse_records, sentence):
    assert parse_sentence(parse_records, sentence)["reason"] in ("no_blank", "empty_question")


@pytest.mark.parametrize("column", SOUND)
def test_a_row_that_lacks_a_column_is_rejected(parse_records, column):
    row = {name: value for name, value in SOUND.items() if name != column}
    assert parse_records(WINOGRANDE, row)[0]["reason"] == "missing_column"


# Real rows.


def test_real_rows_read_as_published(parse_files, raw):
    questions = parse_files(
        WINOGRANDE, raw / "hub", "allenai/winogrande/winogrande_s/*.parquet"
    )
    start = "Ian volunteered to eat Dennis's menudo after already having a bowl because "
    assert questions[0]["prompt"] == start
    assert questions[0]["options"] == [
        "Ian despised eating intestine.",
        "Dennis despised eating intestine.",
    ]
    assert [question["answer_key"] for question in questions[:4]] == [1, 0, 0, 1]
    assert questions[2]["prompt"] == (
        "He never comes to my home, but I always go to his house because the "
    )
    assert questions[2]["options"] == ["home is smaller.", "house is smaller."]


def test_both_real_layouts_give_the_same_questions(parse_files, raw):
    hub = parse_files(WINOGRANDE, raw / "hub", "allenai/winogrande/winogrande_s/*.parquet")
    release = parse_files(WINOGRANDE, raw / "release", "winogrande/train_s.jsonl")
    assert hub == release
    assert len(hub) == 640
    assert all(question["reason"] is None for question in hub)
