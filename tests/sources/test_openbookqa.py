import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import parser

OPENBOOKQA = parser("openbookqa")
SOUND = {
    "question_stem": "Ice is frozen",
    "choices": {"text": ["water", "fire"], "label": ["A", "B"]},
    "answerKey": "A",
}
RELEASED = {
    "question": {
        "stem": "Ice is frozen",
        "choices": [{"text": "water", "label": "A"}, {"text": "fire", "label": "B"}],
    },
    "answerKey": "A",
}


def test_an_example_row_reads_as_published(parse_files, examples):
    question = parse_files(OPENBOOKQA, examples / "raw", find("openbookqa").patterns()[0])[0]
    # The bare stem, and the bare options: no labels.
    assert question["prompt"] == (
        "A rain barrel with its lid left off is emptied by a hot, dry week because the water"
    )
    assert question["options"] == [
        "turns into vapor",
        "freezes at night",
        "becomes heavier",
        "changes into soil",
    ]
    assert question["answer_key"] == 0
    assert question["reason"] is None


def test_the_key_is_looked_up_among_the_labels(parse_files, examples):
    questions = parse_files(OPENBOOKQA, examples / "raw", find("openbookqa").patterns()[0])
    assert [question["answer_key"] for question in questions] == [
        0, 1, 2, 3, 0, 0, 1, 2, 3, 1, 2, 0,
    ]  # fmt: skip


def test_repeated_options_stay_in_their_places(parse_files, examples):
    questions = parse_files(OPENBOOKQA, examples / "raw", find("openbookqa").patterns()[0])
    assert questions[3]["options"] == ["black fur", "red fur", "black fur", "white fur"]
    assert questions[4]["options"] == ["magnets", "feathers", "magnets", "paper"]


def test_the_release_gives_the_same_questions_as_the_hub(parse_files, examples):
    # Its options are a list of pairs, and not a pair of lists.
    hub = parse_files(OPENBOOKQA, examples / "raw", find("openbookqa").patterns()[0])
    release = parse_files(OPENBOOKQA, examples / "release", find("openbookqa").patterns()[1])
    assert hub == release


def test_the_stem_is_not_stripped(parse_records):
    assert (
        parse_records(OPENBOOKQA, {**SOUND, "question_stem": " Ice "})[0]["prompt"] == " Ice "
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answerKey": "C"}, "answer_outside_options"),
        ({"answerKey": "a"}, "answer_outside_options"),
        ({"answerKey": ""}, "answer_outside_options"),
        ({"choices": {"text": [], "label": []}}, "answer_outside_options"),
        ({"question_stem": ""}, "empty_question"),
        ({"question_stem": "\u3000"}, "empty_question"),
        ({"question_stem": None}, "null_value"),
        ({"choices": {"text": None, "label": ["A", "B"]}}, "null_value"),
        ({"choices": {"text": ["water", None], "label": ["A", "B"]}}, "null_value"),
        ({"answerKey": None}, "null_value"),
        ({"choices": {"text": ["water", "fire"]}}, "missing_column"),
        ({"question_stem": 5}, "wrong_type"),
        ({"choices": {"text": "water", "label": ["A"]}}, "wrong_type"),
        ({"answerKey": 1.5}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(OPENBOOKQA, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert bad["detail"]
    assert before == after == parse_records(OPENBOOKQA, SOUND)[0]


def test_both_layouts_of_a_row_are_the_same_question(parse_records):
    hub, release = parse_records(OPENBOOKQA, SOUND, RELEASED)
    assert hub == release


@pytest.mark.parametrize("column", SOUND)
def test_a_row_that_lacks_a_column_is_rejected(parse_records, column):
    row = {name: value for name, value in SOUND.items() if name != column}
    assert parse_records(OPENBOOKQA, row)[0]["reason"] == "missing_column"


def test_an_option_without_a_label_is_rejected(parse_records):
    # Which text would `B` name, where only two of three have a label?
    choices = {"text": ["water", "fire", "air"], "label": ["A", "B"]}
    before, bad, after = parse_records(OPENBOOKQA, SOUND, {**SOUND, "choices": choices}, SOUND)
    assert bad["reason"] is not None
    assert before == after == parse_records(OPENBOOKQA, SOUND)[0]


# Real rows.


def test_real_rows_read_as_published(parse_files, raw):
    questions = parse_files(OPENBOOKQA, raw / "hub", "allenai/openbookqa/main/*.parquet")
    assert questions[0]["prompt"] == (
        "Frilled sharks and angler fish live far beneath the surface of the ocean, which is "
        "why they are known as"
    )
    assert questions[0]["options"] == [
        "Deep sea animals",
        "fish",
        "Long Sea Fish",
        "Far Sea Animals",
    ]
    assert questions[0]["answer_key"] == 0
    assert questions[1]["prompt"] == "Gas can fill any container it is given, and liquid"
    assert questions[1]["options"][questions[1]["answer_key"]] == "uses what it needs"


def test_both_real_layouts_give_the_same_questions(parse_files, raw):
    hub = parse_files(OPENBOOKQA, raw / "hub", "allenai/openbookqa/main/*.parquet")
    release = parse_files(OPENBOOKQA, raw / "release", "openbookqa/dev.jsonl")
    assert hub == release
    assert len(hub) == 500
    assert all(question["reason"] is None for question in hub)
