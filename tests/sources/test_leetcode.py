import ast

import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import open_parser

LEETCODE = open_parser("leetcode")
SOUND = {
    "problem_description": "Return {x} doubled.",
    "starter_code": "class Solution:\n    def double(self, x: int) -> int:\n        ",
    "prompt": "from typing import *\r\n",
    "completion": "class Solution:\r\n    def double(self, x):\r\n        return 2 * x\r\n",
    "test": "def check(candidate):\n    assert candidate(x = 2) == 4\n",
    "entry_point": "Solution().double",
}


def run(row):
    """Runs a row's own program with its tests; the rows of the examples are harmless."""
    exec(f"{row['before']}\n{row['reference']}\n{row['after']}", {})


def test_a_row_becomes_an_open_question(parse_records):
    row = parse_records(LEETCODE, SOUND)[0]
    assert row["question"] == "Return {x} doubled."
    assert "\n\nReturn {x} doubled.\n\n" in row["prompt"]
    assert row["before"] == "from typing import *\n"
    assert (
        row["reference"] == "class Solution:\n    def double(self, x):\n        return 2 * x\n"
    )
    assert row["after"] == (
        "def check(candidate):\n    assert candidate(x = 2) == 4\n"
        "\n\ncheck(Solution().double)\n"
    )
    assert [row[name] for name in ("system", "answer", "reason")] == [None] * 3


def test_the_starter_code_is_in_the_prompt_without_its_last_blanks(parse_records):
    prompt = parse_records(LEETCODE, SOUND)[0]["prompt"]
    starter = "class Solution:\n    def double(self, x: int) -> int:"
    assert f"```python\n{starter}\n```" in prompt


def test_the_programs_of_the_examples_pass_their_tests(parse_files, examples):
    rows = parse_files(LEETCODE, examples / "raw", find("leetcode").patterns()[0])
    assert len(rows) == 8
    for row in rows:
        run(row)


def test_a_wrong_program_fails_its_tests(parse_records):
    row = parse_records(LEETCODE, SOUND)[0]
    run(row)
    with pytest.raises(AssertionError):
        run({**row, "reference": row["reference"].replace("2 * x", "3 * x")})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"test": ""}, "no_tests"),
        ({"entry_point": " "}, "no_tests"),
        ({"problem_description": "\n"}, "empty_question"),
        ({"completion": None}, "null_value"),
        ({"prompt": 4}, "wrong_type"),
    ],
)
def test_a_bad_row_is_rejected_alone_and_for_its_reason(parse_records, change, reason):
    before, bad, after = parse_records(LEETCODE, SOUND, {**SOUND, **change}, SOUND)
    assert bad["reason"] == reason
    assert before == after == parse_records(LEETCODE, SOUND)[0]


@pytest.mark.parametrize("column", SOUND)
def test_a_row_that_lacks_a_column_is_rejected(parse_records, column):
    row = {name: value for name, value in SOUND.items() if name != column}
    assert parse_records(LEETCODE, row)[0]["reason"] == "missing_column"


@pytest.mark.parametrize("column", SOUND)
def test_every_column_identifies_the_row(parse_records, column):
    one, other = parse_records(LEETCODE, SOUND, {**SOUND, column: SOUND[column] + "#"})
    assert one["id"] != other["id"]


# Real rows.


def test_every_real_row_makes_a_program_with_its_tests(parse_files, raw):
    rows = parse_files(
        LEETCODE, raw / "hub", "newfacade/LeetCodeDataset/LeetCodeDataset-test.jsonl*"
    )
    assert len(rows) == len({row["id"] for row in rows}) == 228
    assert not [row for row in rows if row["reason"]]
    for row in rows:
        program = ast.parse(f"{row['before']}\n{row['reference']}\n{row['after']}")
        assert ast.unparse(program.body[-1]).startswith("check(Solution().")
        assert any(getattr(node, "name", "") == "check" for node in program.body)
