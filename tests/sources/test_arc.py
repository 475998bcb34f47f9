import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.pair import option_attempts, pair
from beam_thunder.transforms.questions import split_rejects
from beam_thunder.transforms.read import find_files, raw_slices, read_slice
from beam_thunder.transforms.sources import parser

EASY, CHALLENGE = parser("arc-easy"), parser("arc-challenge")
SOUND = {
    "question": "Ice is frozen",
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
    question = parse_files(EASY, examples / "raw", find("arc-easy").patterns()[0])[0]
    # The space behind `Answer:` is published, too.
    assert question["prompt"] == (
        "Question: A glass of cold lemonade stands outside on a humid day. Where do the drops "
        "on the outside of the glass come from?\n"
        "A: the lemonade\n"
        "B: the glass\n"
        "C: the air\n"
        "D: the ice\n"
        "Answer: "
    )
    assert question["options"] == [
        "A: the lemonade",
        "B: the glass",
        "C: the air",
        "D: the ice",
    ]
    assert question["answer_key"] == 2
    assert question["reason"] is None


@pytest.mark.parametrize(
    ("row", "options", "answer_key"),
    [
        (1, ["1: a thermometer", "2: a ruler", "3: a balance", "4: a stopwatch"], 2),
        (2, ["A: farther", "B: less far", "C: equally far"], 1),
        (3, ["A: carrot", "B: lettuce", "C: peach", "D: pea", "E: almond"], 0),
        (4, ["1: larger", "2: smaller", "3: equally large"], 1),
    ],
)
def test_labels_are_as_in_the_data(parse_files, examples, row, options, answer_key):
    question = parse_files(EASY, examples / "raw", find("arc-easy").patterns()[0])[row]
    assert question["options"] == options
    assert question["answer_key"] == answer_key
    assert question["prompt"].endswith("\n".join(["", *options, "Answer: "]))


@pytest.mark.parametrize("name", ["arc-easy", "arc-challenge"])
def test_the_release_gives_the_same_questions_as_the_hub(parse_files, examples, name):
    hub = parse_files(parser(name), examples / "raw", find(name).patterns()[0])
    release = parse_files(parser(name), examples / "release", find(name).patterns()[1])
    assert hub == release
    assert len(hub) == 12
    assert all(question["reason"] is None for question in hub)


def test_both_layouts_of_a_row_are_the_same_question(parse_records):
    hub, release = parse_records(EASY, SOUND, RELEASED)
    assert hub == release


def test_the_same_row_in_both_sets_is_two_questions(parse_records):
    easy, challenge = parse_records(EASY, SOUND)[0], parse_records(CHALLENGE, SOUND)[0]
    assert easy["id"] != challenge["id"]
    assert easy["prompt"] == challenge["prompt"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answerKey": "C"}, "answer_outside_options"),
        ({"answerKey": "1"}, "answer_outside_options"),  # the labels are letters here
        ({"choices": {"text": [], "label": []}}, "answer_outside_options"),
        ({"question": ""}, "empty_question"),
        ({"question": None}, "null_value"),
        ({"choices": {"text": ["water", "fire"], "label": None}}, "null_value"),
        ({"choices": {"text": None, "label": ["A", "B"]}}, "null_value"),
        ({"choices": {"text": ["water", None], "label": ["A", "B"]}}, "null_value"),
        ({"answerKey": None}, "null_value"),
        ({"choices": {"label": ["A", "B"]}}, "missing_column"),
        ({"question": 5}, "wrong_type"),
        ({"choices": {"text": ["water", 1], "label": ["A", "B"]}}, "wrong_type"),
        ({"choices": {"text": ["water", "fire"], "label": "AB"}}, "wrong_type"),
        ({"answerKey": ["A"]}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(EASY, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert bad["detail"]
    assert before == after == parse_records(EASY, SOUND)[0]


@pytest.mark.parametrize("column", SOUND)
def test_a_row_that_lacks_a_column_is_rejected(parse_records, column):
    row = {name: value for name, value in SOUND.items() if name != column}
    assert parse_records(EASY, row)[0]["reason"] == "missing_column"


@pytest.mark.parametrize(
    ("texts", "labels"), [(["water", "fire"], ["A"]), (["water"], ["A", "B"])]
)
def test_a_row_with_more_texts_than_labels_or_fewer_is_rejected(parse_records, texts, labels):
    choices = {"text": texts, "label": labels}
    before, bad, after = parse_records(EASY, SOUND, {**SOUND, "choices": choices}, SOUND)
    assert bad["reason"] is not None
    assert before == after == parse_records(EASY, SOUND)[0]


def test_the_labels_of_one_row_never_move_to_the_next(parse_records):
    # Together the two rows have as many labels as texts.
    short = {**SOUND, "choices": {"text": ["water", "fire"], "label": ["A", "B", "C"]}}
    long = {**SOUND, "choices": {"text": ["water", "fire"], "label": ["A"]}}
    *bad, after = parse_records(EASY, short, long, SOUND)
    assert None not in [question["reason"] for question in bad]
    assert after == parse_records(EASY, SOUND)[0]


@pytest.mark.parametrize("part", ["label", "text"])
def test_a_null_list_beside_one_that_is_there_costs_its_row_alone(parse_files, tmp_path, part):
    # Parquet keeps the other list, which then has values that this one lacks.
    bad = {**SOUND, "choices": {**SOUND["choices"], part: None}}
    pq.write_table(pa.Table.from_pylist([SOUND, bad, SOUND]), tmp_path / "rows.parquet")
    questions = parse_files(EASY, tmp_path, "rows.parquet")
    assert [question["reason"] for question in questions] == [None, "null_value", None]
    assert questions[0] == questions[2]


def test_broken_bytes_in_an_option_cost_its_row_alone(parse_files, tmp_path):
    path = tmp_path / "rows.parquet"
    table = pa.Table.from_pylist([SOUND, {**SOUND, "question": "b"}, SOUND])
    # Written plainly, so that bytes can be changed in the file.
    pq.write_table(
        table, path, compression="none", use_dictionary=False, write_statistics=False
    )
    content = path.read_bytes()
    second = content.index(b"water", content.index(b"water") + 1)
    path.write_bytes(content[:second] + b"wat\xffr" + content[second + 5 :])
    questions = parse_files(EASY, tmp_path, "rows.parquet")
    assert [question["reason"] for question in questions] == [None, "invalid_utf8", None]
    assert questions[0] == questions[2]


# Real rows.


@pytest.fixture(scope="module")
def real(parse_files, raw):
    return parse_files(EASY, raw / "hub", "allenai/ai2_arc/ARC-Easy/train-*.parquet")


def test_real_rows_read_as_published(real):
    assert real[0]["prompt"] == (
        "Question: Which factor will most likely cause a person to develop a fever?\n"
        "A: a leg muscle relaxing after exercise\n"
        "B: a bacterial population in the bloodstream\n"
        "C: several viral particles on the skin\n"
        "D: carbohydrates being digested in the stomach\n"
        "Answer: "
    )
    assert real[0]["options"][real[0]["answer_key"]] == (
        "B: a bacterial population in the bloodstream"
    )
    assert real[4]["options"] == [
        "1: their color",
        "2: their shape",
        "3: how they formed",
        "4: the minerals they contain",
    ]
    assert real[4]["answer_key"] == 2
    assert real[753]["prompt"] == (
        "Question: When a person sees something, what carries the message from the eyes to "
        "the brain?\nA: arteries\nB: glands\nC: muscles\nD: nerves\nE: veins\nAnswer: "
    )


def test_real_rows_make_the_published_number_of_rows_and_pairs(raw):
    files = find_files(str(raw / "hub"), ["allenai/ai2_arc/ARC-Easy/train-*.parquet"])
    counts = {"sft": 0, "preference": 0}
    for piece in raw_slices(files):
        for batch in read_slice(piece, EASY.rows, 1000):
            questions, _ = split_rejects(batch, EASY.parse(batch))
            paired = pair(questions, option_attempts(questions), find("arc-easy"))
            counts["sft"] += paired.sft.num_rows
            counts["preference"] += paired.preference.num_rows
    assert counts == {"sft": 2251, "preference": 6751}


def test_real_rows_of_the_challenge_set_are_all_sound(parse_files, raw):
    questions = parse_files(CHALLENGE, raw / "release", "arc/ARC-Challenge-Dev.jsonl")
    assert len(questions) == 299
    assert all(question["reason"] is None for question in questions)
    assert {len(question["options"]) for question in questions} == {3, 4, 5}
