import gzip
import json
import re
from collections import Counter

import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import open_parser

MWP = open_parser("mwp-korean-2021")
(PATTERN,) = find("mwp-korean-2021").patterns()
SOUND = {"class": "산술연산", "question": "둘에 셋을 더하면?", "answer": "5", "equation": "2+3"}


def test_a_row_becomes_an_open_question(parse_records):
    row = parse_records(MWP, SOUND)[0]
    assert row["question"] == "둘에 셋을 더하면?"
    assert row["prompt"].endswith("\n\n둘에 셋을 더하면?")
    assert "정답은 N입니다." in row["prompt"]
    assert (row["answer"], row["reference"]) == ("5", "5")
    assert [row[name] for name in ("system", "before", "after", "reason")] == [None] * 4


@pytest.mark.parametrize("answer", ["27", "6.93", "3/8", "샛별", "0", "-4", "1,000", " 5"])
def test_an_answer_stays_as_it_is(parse_records, answer):
    assert parse_records(MWP, {**SOUND, "answer": answer})[0]["answer"] == answer


def test_an_answer_may_be_an_integer(parse_records):
    assert parse_records(MWP, {**SOUND, "answer": 5}) == parse_records(MWP, SOUND)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": " "}, "no_final_answer"),
        ({"answer": None}, "null_value"),
        ({"answer": 6.93}, "wrong_type"),
        ({"question": ""}, "empty_question"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(MWP, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert before == after == parse_records(MWP, SOUND)[0]


def test_the_example_file_is_read_behind_its_byte_order_mark(parse_files, examples):
    assert (examples / "raw" / PATTERN).read_bytes().startswith(b"\xef\xbb\xbf{")
    rows = parse_files(MWP, examples / "raw", PATTERN, batch_rows=4)
    expected = ["48", "4.25", "샛별", "3/8", "6000", "0", "4", "준호", "25"]
    assert [row["answer"] for row in rows] == expected


def test_the_order_is_that_of_the_file_and_not_of_its_keys(parse_files, tmp_path):
    rows = {number: {**SOUND, "answer": number} for number in ("10", "9", "1")}
    (tmp_path / "rows.json").write_text("\ufeff" + json.dumps(rows), encoding="utf-8")
    found = parse_files(MWP, tmp_path, "rows.json")
    assert [row["answer"] for row in found] == ["10", "9", "1"]


def test_a_compressed_file_is_the_same(parse_files, examples, tmp_path):
    plain = examples / "raw" / PATTERN
    (tmp_path / "rows.json.gz").write_bytes(gzip.compress(plain.read_bytes()))
    found = parse_files(MWP, tmp_path, "rows.json.gz")
    assert found == parse_files(MWP, examples / "raw", PATTERN)


# Real rows.


def test_every_real_row_is_a_question_with_its_answer(parse_files, raw):
    rows = parse_files(MWP, raw / "release", PATTERN)
    assert len(rows) == 3000
    assert not [row for row in rows if row["reason"]]
    kinds = Counter(
        next(
            kind
            for kind in (r"-?\d+", r"-?\d+\.\d+", r"\(?\d+/\d+\)?", ".+")
            if re.fullmatch(kind, row["answer"])
        )
        for row in rows
    )
    assert sorted(kinds.values()) == [18, 183, 525, 2274]
    assert len({row["id"] for row in rows}) == 2985  # 15 rows are there twice
