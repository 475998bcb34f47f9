from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.errors import BuildRefused
from beam_thunder.ledger import Ledger

counts = st.integers(0, 50)


def by(*names):
    return st.dictionaries(st.sampled_from(names), counts)


ledgers = st.builds(
    Ledger,
    read=counts,
    questions=counts,
    rejected=by("null_value", "wrong_type", "empty_question"),
    shuffled=counts,
    attempts=counts,
    correct=counts,
    wrong=counts,
    candidates=counts,
    dropped=by("identical_pair", "other"),
    written=by("sft", "preference"),
)


@given(ledgers)
def test_adding_nothing_changes_nothing(ledger):
    assert ledger + Ledger() == Ledger() + ledger == ledger


@given(ledgers, ledgers)
def test_ledgers_add_up_in_any_order(one, two):
    assert one + two == two + one


@given(ledgers, ledgers, ledgers)
def test_ledgers_add_up_in_any_grouping(one, two, three):
    assert (one + two) + three == one + (two + three)


@given(st.lists(ledgers, max_size=5))
def test_the_sum_has_every_parts_counts(parts):
    total = Ledger.sum(parts)
    assert total.read == sum(part.read for part in parts)
    for name in ("sft", "preference"):
        assert total.written.get(name, 0) == sum(part.written.get(name, 0) for part in parts)


def test_adding_leaves_the_parts_as_they_are():
    one, two = Ledger(rejected={"a": 1}), Ledger(rejected={"a": 2, "b": 1})
    assert (one + two).rejected == {"a": 3, "b": 1}
    assert (one.rejected, two.rejected) == ({"a": 1}, {"a": 2, "b": 1})


def test_a_table_without_rows_does_not_vanish_from_the_sum():
    # As a Counter it would, and then nobody would miss the rows.
    assert Ledger.sum([Ledger(written={"sft": 0}), Ledger()]).written == {"sft": 0}


SOUND = Ledger(
    read=10,
    questions=8,
    rejected={"null_value": 1, "wrong_type": 1},
    shuffled=8,
    attempts=32,
    correct=8,
    wrong=24,
    candidates=24,
    dropped={"identical_pair": 1},
    written={"sft": 8, "preference": 23},
)


def test_a_ledger_that_adds_up_passes():
    SOUND.check("mmlu")


def test_a_ledger_of_nothing_adds_up():
    Ledger().check("mmlu")


@pytest.mark.parametrize("tables", [["sft"], ["preference"], []], ids=str)
def test_a_table_that_is_not_written_is_not_missed(tables):
    written = {name: rows for name, rows in SOUND.written.items() if name in tables}
    replace(SOUND, written=written).check("mmlu")


@pytest.mark.parametrize("change", [1, -1], ids=["repeated", "lost"])
@pytest.mark.parametrize(
    "name", [field.name for field in fields(Ledger) if field.type in ("int", int)]
)
def test_one_row_more_or_less_anywhere_is_found_out(name, change):
    with pytest.raises(BuildRefused, match="mmlu: the ledger does not add up"):
        replace(SOUND, **{name: getattr(SOUND, name) + change}).check("mmlu")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("rejected", {"null_value": 2, "wrong_type": 1}),
        ("rejected", {}),
        ("dropped", {"identical_pair": 2}),
        ("dropped", {}),
        ("written", {"sft": 7, "preference": 23}),
        ("written", {"sft": 8, "preference": 24}),
        ("written", {"sft": 0, "preference": 23}),
        ("written", {"sft": 8, "preference": 0}),
    ],
)
def test_one_row_more_or_less_under_any_name_is_found_out(name, change):
    with pytest.raises(BuildRefused, match="mmlu: the ledger does not add up"):
        replace(SOUND, **{name: change}).check("mmlu")


def test_what_does_not_add_up_is_told_with_both_numbers():
    with pytest.raises(BuildRefused, match=r"11 rows read, but 10 questions \+ rejected"):
        replace(SOUND, read=11).check("mmlu")


def test_the_reject_rate_is_the_share_of_the_rows_read():
    assert SOUND.reject_rate == pytest.approx(0.2)


def test_the_reject_rate_of_nothing_is_zero():
    assert Ledger().reject_rate == 0
