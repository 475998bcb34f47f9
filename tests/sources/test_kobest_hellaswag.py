import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.pair import option_attempts, pair
from beam_thunder.transforms.questions import split_rejects
from beam_thunder.transforms.read import find_files, raw_slices, read_slice
from beam_thunder.transforms.sources import parser

KOBEST = parser("kobest-hellaswag")
SOUND = {
    "context": "비가 온다.",
    "ending_1": "우산을 편다.",
    "ending_2": "눈이 녹는다.",
    "ending_3": "해가 진다.",
    "ending_4": "문을 연다.",
    "label": 0,
}
HUB, RELEASE = "skt/kobest_v1/hellaswag/train-*.parquet", "kobest/HellaSwag/train.tsv"


def test_an_example_row_reads_as_published(parse_files, examples):
    question = parse_files(KOBEST, examples / "raw", HUB)[0]
    assert question["prompt"] == (
        "문장: 지수는 주말 아침에 달걀말이를 만들기로 했다. 그릇에 달걀 네 개를 깨 넣고 소금을 "
        "조금 뿌린다. 잘게 썬 파와 당근도 함께 넣는다."
    )
    # The bare endings: no labels.
    assert question["options"] == [
        "젓가락으로 달걀을 고르게 푼다.",
        "다 익은 달걀말이를 썰어 접시에 담는다.",
        "팬에 부은 달걀물이 익으면 끝에서부터 돌돌 만다.",
        "남은 달걀말이를 도시락에 싼다.",
    ]
    assert question["answer_key"] == 0
    assert question["reason"] is None


def test_the_release_gives_the_same_questions_as_the_hub(parse_files, examples):
    # It calls the endings choices, and quotes cells that have quotes in them.
    hub = parse_files(KOBEST, examples / "raw", HUB)
    assert parse_files(KOBEST, examples / "release", RELEASE) == hub
    assert any('"' in question["prompt"] for question in hub)
    assert all(question["reason"] is None for question in hub)


def test_a_label_may_be_text_or_number(parse_records):
    number, text = parse_records(KOBEST, SOUND, {**SOUND, "label": "0"})
    assert text == number


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": 4}, "answer_outside_options"),  # it counts from 0
        ({"label": -1}, "answer_outside_options"),
        ({"label": "A"}, "answer_outside_options"),
        ({"context": ""}, "empty_question"),
        ({"context": "\u3000 "}, "empty_question"),
        ({"context": None}, "null_value"),
        ({"ending_4": None}, "null_value"),
        ({"label": None}, "null_value"),
        ({"context": 5}, "wrong_type"),
        ({"ending_1": ["우산"]}, "wrong_type"),
        ({"label": 0.0}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(KOBEST, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert bad["detail"]
    assert before == after == parse_records(KOBEST, SOUND)[0]


@pytest.mark.parametrize("column", SOUND)
def test_a_row_that_lacks_a_column_is_rejected(parse_records, column):
    row = {name: value for name, value in SOUND.items() if name != column}
    assert parse_records(KOBEST, row)[0]["reason"] == "missing_column"


# Real rows.


def test_real_rows_read_as_published(parse_files, raw):
    questions = parse_files(KOBEST, raw / "hub", HUB)
    assert questions[735]["prompt"] == (
        "문장: 목이 마른 남성이 음료수를 찾는다. 남성이 부엌에 있는 냉장고의 문을 연다. 남성이 "
        "냉장고 안에 있는 이온음료를 꺼낸다."
    )
    assert questions[735]["options"] == [
        "남성이 이온음료를 입으로 가져간다.",
        "남성이 이온음료를 꿀꺽꿀꺽 마신다.",
        "남성의 갈증이 해결된다.",
        "남성이 이온음료의 뚜껑을 연다.",
    ]
    assert questions[735]["answer_key"] == 3


def test_both_real_layouts_give_the_same_questions(parse_files, raw):
    hub = parse_files(KOBEST, raw / "hub", HUB)
    assert parse_files(KOBEST, raw / "release", RELEASE) == hub
    assert all(question["reason"] is None for question in hub)


def test_real_rows_make_the_published_number_of_rows_and_pairs(raw):
    counts = {"sft": 0, "preference": 0}
    for piece in raw_slices(find_files(str(raw / "hub"), [HUB])):
        for batch in read_slice(piece, KOBEST.rows, 1000):
            questions, _ = split_rejects(batch, KOBEST.parse(batch))
            paired = pair(questions, option_attempts(questions), find("kobest-hellaswag"))
            counts["sft"] += paired.sft.num_rows
            counts["preference"] += paired.preference.num_rows
    assert counts == {"sft": 2029, "preference": 6087}
