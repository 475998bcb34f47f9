import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import open_parser

KOALPACA = open_parser("koalpaca")
SOUND = {"instruction": " 왜 {x}인가요?", "output": "그래서요.\n", "url": "https://example.org"}


def test_a_row_becomes_an_open_question(parse_records):
    row = parse_records(KOALPACA, SOUND)[0]
    assert (row["question"], row["prompt"]) == (" 왜 {x}인가요?", " 왜 {x}인가요?")
    assert row["reference"] == "그래서요.\n"
    assert [row[n] for n in ("system", "answer", "before", "after", "reason")] == [None] * 5


def test_the_address_is_not_needed(parse_records):
    row = {name: SOUND[name] for name in ("instruction", "output")}
    assert parse_records(KOALPACA, row) == parse_records(KOALPACA, SOUND)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"instruction": " "}, "empty_question"),
        ({"instruction": None}, "null_value"),
        ({"output": None}, "null_value"),
        ({"output": ["a"]}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(KOALPACA, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert before == after == parse_records(KOALPACA, SOUND)[0]


def test_the_example_rows_are_read(parse_files, examples):
    rows = parse_files(KOALPACA, examples / "raw", find("koalpaca").patterns()[0])
    assert len(rows) == 8
    assert rows[3]["question"] == " 라면을 끓일 때 물은 얼마나 넣나요? "
    assert rows[5]["prompt"] == "Python의 f-string에서 {name}은 무슨 뜻인가요?"


def test_real_rows_are_read(parse_files, raw):
    rows = parse_files(KOALPACA, raw / "samples", "koalpaca_head2.jsonl")
    assert [row["reason"] for row in rows] == [None, None]
    assert all(row["reference"].endswith(".") for row in rows)
