"""A ledger as steps: every count, and what each step lost."""

from beam_thunder.report.flow import funnels, steps


def test_every_count_and_loss_is_a_step():
    ledger = {
        "read": 10, "questions": 9, "rejected": {"no_answer": 1}, "shuffled": 9, "attempts": 36,
        "correct": 9, "wrong": 25, "ungradable": 2, "candidates": 27,
        "dropped": {"identical_pair": 1}, "written": {"sft": 9, "preference": 26},
    }  # fmt: skip
    found = steps(ledger)
    assert {step.name: step.rows for step in found} == {
        "raw rows read": 10, "questions": 9, "answers": 36, "correct": 9, "wrong": 25,
        "ungradable": 2, "SFT rows": 9, "candidate pairs": 27, "preference pairs": 26,
    }  # fmt: skip
    assert {step.name: step.lost for step in found if step.lost} == {
        "questions": {"no_answer": 1},
        "preference pairs": {"identical_pair": 1},
    }


def test_a_window_names_the_questions_that_an_earlier_one_has():
    ledger = {"read": 10, "questions": 9, "repeated": 4, "shuffled": 5, "attempts": 20}
    found = {step.name: step for step in steps(ledger)}
    assert found["questions not seen before"].rows == 5
    assert found["questions not seen before"].lost == {"repeated": 4}
    assert "questions in shards" not in found  # which tells of rows that a step lost


def test_a_table_that_was_not_wanted_is_no_step():
    assert [step.name for step in steps({"read": 1, "written": {"sft": 1}})][-1] == "SFT rows"


ANSWERED = {
    "read": 10,
    "questions": 10,
    "shuffled": 10,
    "stored": 25,
    "attempts": 20,
    "correct": 8,
    "wrong": 5,
    "ungradable": 3,
    "error": 1,
    "accepted": 11,
    "duplicates": 2,
    "unused": {"other_prompt": 5},
    "filtered": {"language": 3},
    "candidates": 6,
    "dropped": {"pair_not_picked": 3},
    "written": {"sft": 9, "preference": 3},
    "models": {
        "large": {
            "asked": 12,
            "answered": 12,
            "correct": 6,
            "filtered: language": 3,
            "wrong": 3,
        },
        "small": {"asked": 8, "answered": 7, "correct": 2, "ungradable": 5, "error": 1},
    },
}


def test_answers_of_models_are_steps_of_the_ledger():
    found = {step.name: step for step in steps(ANSWERED)}
    assert list(found) == [
        *("raw rows read", "questions", "attempts read", "answers", "kept by the filters"),
        *("correct", "wrong", "ungradable", "error", "SFT rows", "candidate pairs"),
        "preference pairs",
    ]
    assert (found["answers"].rows, found["answers"].lost) == (20, {"other_prompt": 5})
    assert (found["kept by the filters"].rows, found["kept by the filters"].lost) == (
        17,
        {"language": 3},
    )
    assert found["SFT rows"].lost == {"duplicate_answer": 2}


def test_every_models_answers_add_up_and_say_what_was_accepted():
    large, small = funnels(ANSWERED)
    assert (large.model, large.asked, large.acceptance) == ("large", 12, 0.5)
    assert (small.model, small.asked, small.acceptance) == ("small", 8, 0.25)
    for each in (large, small):
        assert sum(each.parts.values()) == each.asked
