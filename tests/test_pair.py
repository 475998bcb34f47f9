from collections import Counter, defaultdict

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import example, given
from hypothesis import strategies as st

from beam_thunder.catalog import find
from beam_thunder.schemas import PREFERENCE, QUESTIONS, SFT
from beam_thunder.transforms import register_coders
from beam_thunder.transforms.pair import (
    ATTEMPTS,
    DUPLICATE,
    IDENTICAL,
    NOT_PICKED,
    PairedCoder,
    PairOptions,
    Picking,
    cross,
    option_attempts,
    pair,
)

MMLU = find("mmlu")
SHARED = {
    "source": "MMLU",
    "language": "en",
    "domain": "general knowledge",
    "kind": "processed",
    "license": "mit",
}


def questions(*rows):
    """A batch of (id, prompt, options, answer key)."""
    return pa.RecordBatch.from_pylist(
        [dict(zip(QUESTIONS.names, row, strict=True)) for row in rows], schema=QUESTIONS
    )


def attempts(*rows):
    """A batch of (question, name, model, response, verdict)."""
    return pa.RecordBatch.from_pylist(
        [dict(zip(ATTEMPTS.names, row, strict=True)) for row in rows], schema=ATTEMPTS
    )


# The same, one row at a time.


def stems(ids):
    seen = Counter()
    for each in ids:
        yield f"{each}+{seen[each]}" if seen[each] else each
        seen[each] += 1


def pair_one_by_one(asked, tried):
    by_question = defaultdict(list)
    for attempt in tried:
        by_question[attempt["question"]].append(attempt)
    sft, preference, counts = [], [], Counter(attempts=len(tried), questions=len(asked))
    for at, (question, stem) in enumerate(
        zip(asked, stems(each["id"] for each in asked), strict=True)
    ):
        correct = [each for each in by_question[at] if each["verdict"] == "correct"]
        wrong = [each for each in by_question[at] if each["verdict"] == "wrong"]
        counts.update(correct=len(correct), wrong=len(wrong), accepted=len(correct))
        for won in correct:
            sft.append(
                {
                    "id": f"{stem}-{won['name']}",
                    "question_id": question["id"],
                    **SHARED,
                    "model": won["model"],
                    "prompt": question["prompt"],
                    "completion": won["response"],
                }
            )
            for lost in wrong:
                counts["candidates"] += 1
                if won["response"] == lost["response"]:
                    counts[IDENTICAL] += 1
                    continue
                preference.append(
                    {
                        "id": f"{stem}-{won['name']}-{lost['name']}",
                        "question_id": question["id"],
                        **SHARED,
                        "prompt": question["prompt"],
                        "chosen": won["response"],
                        "rejected": lost["response"],
                        "chosen_model": won["model"],
                        "rejected_model": lost["model"],
                    }
                )
    return sft, preference, counts


# An attempt without its question and its name.
tried = st.tuples(
    st.sampled_from([None, "small", "large"]),
    st.sampled_from(["a", "b", "c"]),  # few texts, so that some are the same
    st.sampled_from(["correct", "wrong", "too_long", None]),
)


@st.composite
def tables(draw):
    """Questions sorted by id, some of them copies, with any number of attempts each."""
    ids = sorted(draw(st.lists(st.sampled_from(["aa", "bb", "cc"]), max_size=6)))
    asked = questions(*[(each, f"prompt of {each}", [], 0) for each in ids])
    rows = [
        (at, str(name), *attempt)
        for at in range(len(ids))
        for name, attempt in enumerate(draw(st.lists(tried, max_size=5)))
    ]
    return asked, attempts(*rows)


@given(tables())
@example((questions(), attempts()))
def test_pairs_are_those_made_one_by_one(table):
    asked, answered = table
    sft, preference, counts = pair_one_by_one(asked.to_pylist(), answered.to_pylist())
    paired = pair(asked, answered, MMLU)
    assert paired.sft.to_pylist() == sft
    assert paired.preference.to_pylist() == preference
    assert {name: n for name, n in paired.counts.items() if n} == {**(+counts)}


def plain(schema):
    """Column names and types; a dictionary of texts is text."""
    return [
        (each.name, each.type.value_type if pa.types.is_dictionary(each.type) else each.type)
        for each in schema
    ]


@given(tables())
@example((questions(), attempts()))
def test_rows_have_the_columns_of_their_tables_also_where_there_are_none(table):
    paired = pair(*table, MMLU)
    assert plain(paired.sft.schema) == plain(SFT)
    assert plain(paired.preference.schema) == plain(PREFERENCE)


@given(tables())
def test_all_row_ids_are_unique(table):
    paired = pair(*table, MMLU)
    for rows in (paired.sft, paired.preference):
        ids = rows.column("id").to_pylist()
        assert len(set(ids)) == len(ids)


@given(tables())
def test_the_counts_add_up(table):
    paired = pair(*table, MMLU)
    counts = paired.counts
    assert counts["correct"] == paired.sft.num_rows
    assert counts["candidates"] == paired.preference.num_rows + counts[IDENTICAL]
    others = [
        v for v in table[1].column("verdict").to_pylist() if v not in ("correct", "wrong")
    ]
    assert counts["attempts"] == counts["correct"] + counts["wrong"] + len(others)


@given(tables(), st.integers(1, 3))
def test_picked_pairs_are_some_of_all_and_no_more_than_asked_for(table, most):
    every = {row["id"]: row for row in pair(*table, MMLU).preference.to_pylist()}
    paired = pair(*table, MMLU, Picking(pairs=most))
    picked = {row["id"]: row for row in paired.preference.to_pylist()}
    assert picked.items() <= every.items()

    def stem(row_id):
        return row_id.split("-")[0]

    available = Counter(map(stem, every))
    assert Counter(map(stem, picked)) == {q: min(n, most) for q, n in available.items()}
    assert paired.counts[NOT_PICKED] == len(every) - len(picked)


@given(tables())
def test_which_pair_is_picked_follows_from_names_and_not_from_the_order(table):
    asked, answered = table
    order = sorted(range(len(answered)), key=lambda n: (answered["question"][n].as_py(), -n))
    turned = answered.take(pa.array(order, pa.int64()))
    picks = [pair(asked, each, MMLU, Picking(pairs=1)) for each in (answered, turned)]
    ids = [{row["id"] for row in each.preference.to_pylist()} for each in picks]
    assert ids[0] == ids[1]


def test_equal_answers_to_a_question_make_one_row():
    rows = [(0, "a", "m", "same", "correct"), (0, "b", "m", "same", "correct")]
    rows += [(0, "c", "m", "other", "correct"), (1, "a", "m", "same", "correct")]
    asked = questions(("aa", "one", [], 0), ("bb", "two", [], 0))
    paired = pair(asked, attempts(*rows), MMLU, Picking(unique=True))
    assert [row["id"] for row in paired.sft.to_pylist()] == ["aa-a", "aa-c", "bb-a"]
    assert (paired.counts["accepted"], paired.counts[DUPLICATE]) == (4, 1)


def test_ungradable_answers_make_rows_where_they_may_and_never_pairs():
    rows = [(0, "a", "m", "x", "ungradable"), (0, "b", "m", "y", "wrong")]
    asked = questions(("aa", "one", [], 0))
    paired = pair(asked, attempts(*rows), MMLU, Picking(sft=("correct", "ungradable")))
    assert [row["id"] for row in paired.sft.to_pylist()] == ["aa-a"]
    assert paired.preference.num_rows == 0
    assert pair(asked, attempts(*rows), MMLU).sft.num_rows == 0


def test_every_correct_attempt_is_paired_with_every_wrong_one():
    rows = [
        (0, "m1", "m", "right", "correct"),
        (0, "m2", "m", "wrong", "wrong"),
        (0, "m3", "m", "right too", "correct"),
        (0, "m4", "m", "wrong too", "wrong"),
    ]
    paired = pair(questions(("aa", "p", [], 0)), attempts(*rows), MMLU)
    assert paired.sft.column("id").to_pylist() == ["aa-m1", "aa-m3"]
    assert paired.preference.column("id").to_pylist() == [
        "aa-m1-m2",
        "aa-m1-m4",
        "aa-m3-m2",
        "aa-m3-m4",
    ]


def test_attempts_of_different_questions_are_not_paired():
    rows = [(0, "0", None, "right", "correct"), (1, "0", None, "wrong", "wrong")]
    asked = questions(("aa", "p", [], 0), ("bb", "p", [], 0))
    paired = pair(asked, attempts(*rows), MMLU)
    assert paired.preference.num_rows == 0
    assert paired.sft.num_rows == 1


def test_a_pair_of_equal_texts_is_dropped_and_counted():
    paired = pair_options(("aa", "p", ["same", "same", "other"], 0))
    assert paired.preference.column("rejected").to_pylist() == ["other"]
    assert paired.counts["candidates"] == 2
    assert paired.counts[IDENTICAL] == 1


def test_copies_of_a_question_get_numbers_into_their_ids():
    row = ("aa", "p", ["right", "wrong"], 0)
    paired = pair_options(row, row, row, ("ab", *row[1:]))
    assert paired.sft.column("id").to_pylist() == ["aa-0", "aa+1-0", "aa+2-0", "ab-0"]
    assert paired.preference.column("id").to_pylist() == [
        "aa-0-1",
        "aa+1-0-1",
        "aa+2-0-1",
        "ab-0-1",
    ]
    # What they were asked is the same question.
    assert paired.sft.column("question_id").to_pylist() == ["aa", "aa", "aa", "ab"]


def test_a_slice_of_questions_is_paired_like_a_batch_of_its_own():
    rows = [(each, f"prompt {each}", [each, "wrong"], 0) for each in ("aa", "bb", "cc")]
    whole = questions(*rows)
    part = whole.slice(1, 1)
    paired = pair(part, option_attempts(part), MMLU)
    assert paired.preference.to_pylist() == pair_options(rows[1]).preference.to_pylist()


# Options as attempts.


def pair_options(*rows):
    asked = questions(*rows)
    return pair(asked, option_attempts(asked), MMLU)


def test_options_are_attempts_and_the_answer_key_is_their_verdict():
    asked = questions(("aa", "p", ["x", "y", "z"], 1), ("bb", "p", ["u"], 0))
    assert option_attempts(asked).to_pylist() == [
        {"question": 0, "name": "0", "model": None, "response": "x", "verdict": "wrong"},
        {"question": 0, "name": "1", "model": None, "response": "y", "verdict": "correct"},
        {"question": 0, "name": "2", "model": None, "response": "z", "verdict": "wrong"},
        {"question": 1, "name": "0", "model": None, "response": "u", "verdict": "correct"},
    ]


option_rows = st.lists(st.text(max_size=2), min_size=1, max_size=5).flatmap(
    lambda options: st.tuples(st.just(options), st.integers(0, len(options) - 1))
)


@given(st.lists(option_rows, max_size=6))
def test_a_question_makes_a_pair_of_each_wrong_option_that_differs(rows):
    ids = [f"{number:02d}" for number in range(len(rows))]
    paired = pair_options(*[(i, "p", *row) for i, row in zip(ids, rows, strict=True)])
    expected = [
        (options[key], other)
        for options, key in rows
        for at, other in enumerate(options)
        if at != key and other != options[key]
    ]
    found = zip(
        paired.preference.column("chosen").to_pylist(),
        paired.preference.column("rejected").to_pylist(),
        strict=True,
    )
    assert list(found) == expected
    assert paired.sft.column("completion").to_pylist() == [o[key] for o, key in rows]


def test_an_option_with_one_choice_makes_no_pair():
    # GSM8K's worked answer is its only option.
    paired = pair_options(("aa", "p", ["right"], 0))
    assert (paired.sft.num_rows, paired.preference.num_rows) == (1, 0)
    assert paired.counts["candidates"] == 0


# Pairs of indices.


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from("cwx")), max_size=15))
def test_cross_is_every_correct_with_every_wrong_of_its_question(rows):
    rows = sorted(rows, key=lambda row: row[0])
    question = np.array([row[0] for row in rows], np.int64)
    kinds = [row[1] for row in rows]
    sides = [np.array([i for i, k in enumerate(kinds) if k == side], np.int64) for side in "cw"]
    expected = [(c, w) for c in sides[0] for w in sides[1] if question[c] == question[w]]
    assert list(zip(*cross(question, *sides), strict=True)) == expected


# The transform.


def test_the_transform_pairs_every_shard_as_its_dataset():
    register_coders()
    row = ("aa", "p", ["right", "wrong"], 0)
    shards = [(("mmlu", 0, 1), questions(row)), (("mine", 0, 1), questions(row))]
    entries = {"mmlu": MMLU, "mine": find("kmmlu")}
    with beam.Pipeline("FnApiRunner") as pipeline:
        paired = pipeline | beam.Create(shards) | PairOptions(entries)
        found = paired | beam.MapTuple(
            lambda key, each: (key, each.preference.column("source").to_pylist())
        )
        assert_that(found, equal_to([(("mmlu", 0, 1), ["MMLU"]), (("mine", 0, 1), ["KMMLU"])]))


def test_paired_tables_survive_travelling_between_workers():
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array(["0" * 32, "1" * 32]),
            pa.array(["p", "질문"]),
            pa.array([["a", "b"], ["c", "d", "c"]]),
            pa.array([0, 1], pa.int32()),
        ],
        schema=QUESTIONS,
    )
    paired = pair(batch, option_attempts(batch), find("mmlu"))
    travelled = PairedCoder().decode(PairedCoder().encode(paired))
    assert travelled.sft.equals(paired.sft)
    assert travelled.preference.equals(paired.preference)
    assert travelled.counts == paired.counts
