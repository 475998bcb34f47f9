import re

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import parser
from beam_thunder.transforms.sources.hellaswag import capitalize, clean

HELLASWAG = parser("hellaswag")
SOUND = {
    "activity_label": "Cooking",
    "ctx_a": "A pot is on the stove.",
    "ctx_b": "it",
    "endings": ["boils.", "sings."],
    "label": "0",
}


# What the authors' toolkit does, in plain Python.


def clean_one(text):
    text = text.strip().replace(" [title]", ". ")
    return re.sub(r"\[.*?\]", "", text).replace("  ", " ")


# Pieces that the rules are about, so that Hypothesis meets them often.
piece = st.sampled_from(
    [" ", "  ", "[title]", " [title]", "[", "]", "[step]", "\n", "\t", "a", "É", "ß", "가", "."]
)
texts = st.lists(piece | st.text(max_size=3), max_size=12).map("".join)


@given(st.lists(st.none() | texts, max_size=5))
@example([" [title] at the start"])  # strip comes first, so that it is no ` [title]`
@example(["a   b    c"])  # two spaces become one, once
@example(["a [step] b"])  # two spaces come about by taking out what is between them
@example(["a [not\nhere] b [[x]] c]"])  # no bracket goes over the end of a line
@example(["a [x\r] b [\u2028] c"])  # only \n ends a line
@example(["\u00a0\u3000a\u200b"])  # a zero-width space is none
def test_clean_does_what_pythons_replace_and_re_do(values):
    expected = [None if value is None else clean_one(value) for value in values]
    assert clean(pa.array(values, pa.string())).to_pylist() == expected


@given(st.lists(st.none() | texts, max_size=5))
@example(["ßa", "ǆa", "ŉ", "İI", "ΑΣ"])  # upper case that is longer, or depends on its place
@example(["DJ in the NASA shirt", None])
def test_capitalize_does_what_pythons_does(values):
    expected = [None if value is None else value.capitalize() for value in values]
    assert capitalize(pa.array(values, pa.string())).to_pylist() == expected


def test_an_example_row_reads_as_published(parse_files, examples):
    question = parse_files(HELLASWAG, examples / "raw", find("hellaswag").patterns()[0])[0]
    assert question["prompt"] == (
        "Sharpening knives: A man sits at a wooden table with a whetstone in front of him. He "
        "pours a little water over the stone. He"
    )
    assert question["options"] == [
        "drinks the stone and leaves the table.",
        "draws the blade of a kitchen knife across the stone.",
        "throws the table into the river behind him.",
        "plays the stone like a drum until the water boils.",
    ]
    assert question["answer_key"] == 1


def test_capital_letters_of_the_second_context_become_small(parse_files, examples):
    question = parse_files(HELLASWAG, examples / "raw", find("hellaswag").patterns()[0])[1]
    assert question["prompt"] == (
        "Playing records: A crowd stands in a small hall with colored lights. The dj in the "
        "nasa shirt"
    )


def test_marks_are_taken_out_and_a_title_becomes_a_full_stop(parse_files, examples):
    question = parse_files(HELLASWAG, examples / "raw", find("hellaswag").patterns()[0])[2]
    # An empty second context leaves no space behind.
    assert question["prompt"] == (
        "Home and Garden: How to dry lavender. Cut the stems early in the day. Wait until the "
        "dew is gone but the sun is not yet hot. Cut the stems just above the woody part, and "
        "keep them as long as you can."
    )
    # A mark at the very start leaves its space: stripping comes first.
    assert question["options"] == [
        " Boil the stems for an hour so that the scent leaves them. Pour the water over the "
        "flowers and wait.",
        "Put the stems back into the soil at once. They will grow new flowers within the same "
        "afternoon.",
        "Gather them in small bunches and tie each with a rubber band. Small bunches let the "
        "air through and dry evenly.",
        "Paint every flower before the evening.. Water the bunches twice a day until they are "
        "dry.",
    ]


def test_spaces_become_one_by_pairs_and_once(parse_files, examples):
    question = parse_files(HELLASWAG, examples / "raw", find("hellaswag").patterns()[0])[4]
    assert question["prompt"] == (
        "Building sandcastles: Two children carry buckets of wet sand up the beach. They turn "
        "them over beside each other. Then ana and her brother luis"
    )
    # Three spaces become two.
    assert question["options"][2] == (
        "pull the buckets off and  two smooth towers are left standing."
    )


def test_the_release_gives_the_same_questions_as_the_hub(parse_files, examples):
    hub = parse_files(HELLASWAG, examples / "raw", find("hellaswag").patterns()[0])
    release = parse_files(HELLASWAG, examples / "release", find("hellaswag").patterns()[1])
    assert hub == release
    assert all(question["reason"] is None for question in hub)


def test_a_label_may_be_text_or_number(parse_records):
    text, number = parse_records(HELLASWAG, SOUND, {**SOUND, "label": 0})
    assert text == number


def test_a_context_may_be_in_its_second_part_alone(parse_records):
    question = parse_records(HELLASWAG, {**SOUND, "ctx_a": ""})[0]
    assert question["prompt"] == "Cooking: It"
    assert question["reason"] is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": "2"}, "answer_outside_options"),
        ({"label": ""}, "answer_outside_options"),  # as the Hub's test split has it
        ({"label": "A"}, "answer_outside_options"),
        ({"endings": []}, "answer_outside_options"),
        ({"ctx_a": "", "ctx_b": ""}, "empty_question"),
        ({"ctx_a": " ", "ctx_b": "\n"}, "empty_question"),
        ({"activity_label": None}, "null_value"),
        ({"ctx_b": None}, "null_value"),
        ({"endings": ["boils.", None]}, "null_value"),
        ({"label": None}, "null_value"),
        ({"ctx_a": 5}, "wrong_type"),
        ({"endings": "boils."}, "wrong_type"),
        ({"label": 0.0}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(HELLASWAG, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert bad["detail"]
    assert before == after == parse_records(HELLASWAG, SOUND)[0]


@pytest.mark.parametrize("column", SOUND)
def test_a_row_that_lacks_a_column_is_rejected(parse_records, column):
    row = {name: value for name, value in SOUND.items() if name != column}
    assert parse_records(HELLASWAG, row)[0]["reason"] == "missing_column"


# Real rows.


def test_real_rows_read_as_published(parse_files, raw):
    questions = parse_files(HELLASWAG, raw / "hub", "Rowan/hellaswag/data/validation-*.parquet")
    assert questions[1]["prompt"] == (
        "Putting in contact lenses: A doctor in a lab coat talks about the lenses too, while "
        "people are showing how to use them. Another news anchor"
    )
    assert questions[172]["prompt"] == (
        "Making a sandwich: A hand cooked the bacon on the pan. The tomato"
    )
    assert questions[172]["options"][0] == "is being sliced on the board."
    assert questions[172]["answer_key"] == 0
    # The data has two spaces in `see  he`.
    assert questions[169]["options"][0] == "blows a whistle then we see he bag the harmonica."


def test_every_real_row_is_sound(parse_files, raw):
    questions = parse_files(HELLASWAG, raw / "hub", "Rowan/hellaswag/data/validation-*.parquet")
    assert len(questions) == 250
    assert all(question["reason"] is None for question in questions)
    assert all("[title]" not in question["prompt"] for question in questions)
