import gzip
import shutil

import apache_beam as beam
import pytest
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to

from beam_thunder.catalog import find
from beam_thunder.ledger import Ledger
from beam_thunder.transforms import ReadRaw, register_coders
from beam_thunder.transforms.read import count_rows, find_files, raw_slices
from beam_thunder.transforms.sources import open_parser

MBPP = open_parser("mbpp")
HUB, RELEASE = find("mbpp").patterns()
SOUND = {
    "task_id": 601,
    "text": "Write a function to double.",
    "code": "def double(n): \r\n\treturn 2 * n",
    "test_list": ["assert double(1) == 2", "assert double(0) == 0"],
    "test_setup_code": "",
    "challenge_test_list": ["assert double(9) == 18"],
}


def test_a_row_becomes_an_open_question(parse_records):
    row = parse_records(MBPP, SOUND)[0]
    tests = "assert double(1) == 2\nassert double(0) == 0\n"
    assert row["question"] == "Write a function to double."
    assert row["prompt"].startswith(f"{row['question']}\n\n")
    assert f"```python\n{tests}```" in row["prompt"]
    assert row["reference"] == "def double(n): \n\treturn 2 * n"
    assert row["after"] == tests
    assert [row[name] for name in ("system", "answer", "before", "reason")] == [None] * 4


def test_the_setup_stands_behind_the_answer_and_before_the_tests(parse_records):
    # It builds objects of a class that the answer defines, so it cannot go before it.
    row = parse_records(MBPP, {**SOUND, "test_setup_code": "a = Node(1) \r\nb = a"})[0]
    assert row["before"] is None
    assert row["after"].startswith("a = Node(1) \nb = a\nassert double(1) == 2\n")
    assert row["after"] in row["prompt"]


@pytest.mark.parametrize("setup", [{"test_setup_code": None}, {}])
def test_the_setup_may_be_null_or_absent(parse_records, setup):
    bare = {name: value for name, value in SOUND.items() if name != "test_setup_code"}
    assert parse_records(MBPP, {**bare, **setup}) == parse_records(MBPP, SOUND)


def test_challenge_tests_are_not_needed(parse_records):
    row = {name: value for name, value in SOUND.items() if name != "challenge_test_list"}
    assert parse_records(MBPP, row) == parse_records(MBPP, SOUND)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"test_list": []}, "no_tests"),
        ({"test_list": [" "]}, "no_tests"),
        ({"test_list": None}, "null_value"),
        ({"test_list": ["assert True", None]}, "null_value"),
        ({"test_list": "assert True"}, "wrong_type"),
        ({"text": ""}, "empty_question"),
        ({"code": None}, "null_value"),
        ({"task_id": None}, "null_value"),
        ({"task_id": 975}, "unknown_task"),
        ({"task_id": "six"}, "unknown_task"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(MBPP, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert before == after == parse_records(MBPP, SOUND)[0]


# Splits.


def test_rows_of_other_splits_are_no_rows_of_the_release(parse_files, examples):
    rows = parse_files(MBPP, examples / "release", RELEASE)
    assert len((examples / "release" / RELEASE).read_text().splitlines()) == 11
    assert len(rows) == 8
    assert rows == parse_files(MBPP, examples / "raw", HUB)


def test_rows_are_counted_like_they_are_read(examples):
    for folder, pattern in ((examples / "raw", HUB), (examples / "release", RELEASE)):
        (piece,) = raw_slices(find_files(str(folder), [pattern]))
        assert count_rows(piece, MBPP.rows) == 8


def test_a_compressed_release_is_the_same(parse_files, examples, tmp_path):
    with gzip.open(tmp_path / "mbpp.jsonl.gz", "wb") as file:
        file.write((examples / "release" / RELEASE).read_bytes())
    compressed = parse_files(MBPP, tmp_path, "mbpp.jsonl.gz")
    assert compressed == parse_files(MBPP, examples / "release", RELEASE)


def test_the_ledger_of_the_release_adds_up(examples, tmp_path):
    register_coders()
    file = tmp_path / "mbpp.jsonl"
    shutil.copy(examples / "release" / RELEASE, file)
    with file.open("a") as lines:
        lines.write('{"task_id": 700, "text": "no code"}\nno JSON\n')
    slices = raw_slices(find_files(str(tmp_path), ["mbpp.jsonl"]))
    source = open_parser("mbpp")
    with TestPipeline("FnApiRunner") as pipeline:
        raw = pipeline | beam.Create(slices) | ReadRaw(source.rows, batch_rows=3)
        parsed = raw | source
        ledgers = (
            raw | "Count" >> beam.Map(lambda batch: Ledger(read=batch.num_rows)),
            parsed.ledger,
        )
        total = ledgers | beam.Flatten() | beam.CombineGlobally(Ledger.sum)
        rejected = {"missing_column": 1, "unreadable_line": 1}
        assert_that(total, equal_to([Ledger(read=10, questions=8, rejected=rejected)]), "sum")
        rejects = parsed.rejects | beam.FlatMap(lambda b: b.column("position").to_pylist())
        # Rows that are passed over keep their places: 11 lines were there before.
        assert_that(rejects, equal_to([12, 13]), "positions")


# Real rows.


@pytest.fixture(scope="module")
def real(parse_files, raw):
    return parse_files(MBPP, raw / "hub", HUB)


def test_the_real_train_split_is_complete(real):
    assert len(real) == 374
    assert len({row["id"] for row in real}) == 374
    assert not [row for row in real if row["reason"]]
    assert not [row for row in real if "\r" in row["reference"] + row["after"] + row["prompt"]]
    assert all(row["after"].count("assert") >= 3 for row in real)


def test_the_real_release_gives_the_same_questions_as_the_hub(real, parse_files, raw):
    assert parse_files(MBPP, raw / "release", RELEASE) == real


def test_all_real_splits_of_the_hub_give_the_questions_of_the_train_split(
    real, parse_files, raw
):
    rows = parse_files(MBPP, raw / "hub", "google-research-datasets/mbpp/full/*.parquet")
    assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in real)


def test_the_real_row_with_a_setup_has_it_behind_the_answer(real):
    (row,) = [row for row in real if "root = Node(1)" in row["after"]]
    assert "class Node" in row["reference"]
    assert row["after"].index("root.left") < row["after"].index("assert")
