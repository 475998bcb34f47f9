from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from beam_thunder.catalog import find
from beam_thunder.check import check, known, spoiled
from beam_thunder.errors import BuildRefused

ROOT = Path(__file__).parent.parent
NEEDED = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="no bubblewrap: apt-get install bubblewrap"
)
THUNDER = ROOT / "recipes" / "thunder.yaml"


def by_name(found):
    return {each.name: each for each in found}


@NEEDED
def test_known_answers_of_the_examples_are_graded_as_they_should_be():
    found = by_name(check(THUNDER, str(ROOT / "examples" / "raw")))
    assert len(found) == 9
    for name, each in found.items():
        assert each.wrong == ()
        assert not each.reference["wrong"]
        if find(name).domain != "instruction following":
            assert set(each.reference) == {"correct"}
            assert set(each.damaged) == {"wrong"}
            assert each.reference == {"correct": each.damaged["wrong"]}


def test_real_answers_are_graded_as_they_should_be(raw):
    found = by_name(check(THUNDER, str(raw / "hub"), ["gsm8k-synthetic"], sample=500))
    assert found["gsm8k-synthetic"].reference == {"correct": 500}
    assert found["gsm8k-synthetic"].damaged == {"wrong": 500}


@NEEDED
def test_a_sources_own_answer_that_is_wrong_is_told(tmp_path):
    folder = tmp_path / "mbpp"
    folder.mkdir()
    row = {
        "task_id": 601,
        "text": "Write a function to double a number.",
        "code": "def double(n):\n    return 3 * n",
        "test_list": ["assert double(2) == 4"],
        "test_setup_code": "",
        "challenge_test_list": [],
    }
    (folder / "mbpp.jsonl").write_text(json.dumps(row))
    with pytest.raises(
        BuildRefused, match=r"(?s)1 known answers .* mbpp: [0-9a-f]{32}: wrong by"
    ):
        check(THUNDER, str(tmp_path), ["mbpp"])


@pytest.mark.parametrize(
    ("answer", "other"), [("18", "1000057"), ("준호", "1000003"), ("3/8", None)]
)
def test_a_damaged_answer_is_another_one(answer, other):
    question = {"answer": answer, "reference": answer}
    entry = find("mwp-korean-2021")
    assert answer in known(question, entry)
    damaged = spoiled(question, entry)
    assert damaged != known(question, entry)
    assert other is None or other in damaged


def test_what_has_no_known_answer_is_left_out():
    question = {"answer": None, "reference": "x = 7"}
    assert known(question, find("orca-math")) is None
    assert spoiled(question, find("orca-math")) is None
