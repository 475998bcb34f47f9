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
    stored=counts,
    unused=by("other_prompt", "unknown_question"),
    attempts=counts,
    filtered=by("too_long", "language"),
    correct=counts,
    wrong=counts,
    ungradable=counts,
    error=counts,
    accepted=counts,
    duplicates=counts,
    candidates=counts,
    dropped=by("identical_pair", "other"),
    written=by("sft", "preference"),
    models=st.dictionaries(st.sampled_from(["small", "large"]), by("asked", "correct")),
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
    accepted=8,
    candidates=24,
    dropped={"identical_pair": 1},
    written={"sft": 8, "preference": 23},
)

ANSWERED = Ledger(
    read=10,
    questions=10,
    shuffled=10,
    stored=25,
    unused={"other_prompt": 3, "unknown_question": 2},
    attempts=20,
    filtered={"language": 2, "too_long": 1},
    correct=8,
    wrong=5,
    ungradable=3,
    error=1,
    accepted=11,
    duplicates=2,
    candidates=6,
    dropped={"identical_pair": 1, "pair_not_picked": 2},
    written={"sft": 9, "preference": 3, "attempts": 20},
    models={"large": {"asked": 12, "correct": 8}, "small": {"asked": 8}},
)


def test_a_ledger_that_adds_up_passes():
    SOUND.check("mmlu")
    ANSWERED.check("orca-math")
    replace(ANSWERED, accepted=8, written={"sft": 6, "attempts": 20}).check("orca-math")


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
@pytest.mark.parametrize("ledger", [SOUND, ANSWERED], ids=["options", "answers"])
def test_one_row_more_or_less_anywhere_is_found_out(ledger, name, change):
    with pytest.raises(BuildRefused, match="mmlu: the ledger does not add up"):
        replace(ledger, **{name: getattr(ledger, name) + change}).check("mmlu")


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


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("unused", {"other_prompt": 3}),
        ("filtered", {"language": 2}),
        ("written", {"sft": 9, "preference": 3, "attempts": 19}),
        ("models", {"large": {"asked": 12}}),
    ],
)
def test_one_answer_more_or_less_under_any_name_is_found_out(name, change):
    with pytest.raises(BuildRefused, match="orca-math: the ledger does not add up"):
        replace(ANSWERED, **{name: change}).check("orca-math")


def test_what_does_not_add_up_is_told_with_both_numbers():
    with pytest.raises(BuildRefused, match=r"11 rows read, but 10 questions \+ rejected"):
        replace(SOUND, read=11).check("mmlu")


def test_the_reject_rate_is_the_share_of_the_rows_read():
    assert SOUND.reject_rate == pytest.approx(0.2)


def test_the_reject_rate_of_nothing_is_zero():
    assert Ledger().reject_rate == 0
