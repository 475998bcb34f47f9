"""Closed questions, and how words, sentences, paragraphs and items are counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.grading.demands import measure
from beam_thunder.grading.demands.closed import chosen, options_of
from beam_thunder.grading.demands.measure import Range
from beam_thunder.grading.demands.numerals import number
from beam_thunder.grading.demands.task import instructions
from beam_thunder.grading.instructions import grade_instructions

TWO = "Bees visit flowers. They carry pollen."


def verdict(question, response, reference):
    korean = any("가" <= character <= "힣" for character in question)
    return grade_instructions(question, response, reference, ("en", "ko")[korean]).verdict


# Closed questions

LETTERED = "Which is a metal?\nA) wood\nB) iron\nC) glass"
FLAN = (
    "Premise: A man plays the guitar.\nHypothesis: A man makes music.\nDoes the premise entail "
    "the hypothesis?\nOPTIONS:\n- yes\n- it is not possible to tell\n- no"
)
NAMED = "Choose the sentiment from: positive, negative, neutral.\nThe film was a joy."


@pytest.mark.parametrize(
    ("question", "reference", "response", "expected"),
    [
        (LETTERED, "B", "B", "correct"),
        (LETTERED, "B) iron", "iron", "correct"),
        (LETTERED, "iron", "The answer is B.", "correct"),
        (LETTERED, "B", "**B) iron**\n\nIron is a metal, unlike wood and glass.", "correct"),
        (LETTERED, "B", "A) wood", "wrong"),
        (LETTERED, "B", "The correct answer is (C) glass.", "wrong"),
        (LETTERED, "B", "C. Because glass is hard.", "wrong"),
        (LETTERED, "B", "A metal conducts heat.", "ungradable"),  # A is no label here
        (LETTERED, "B", "It could be A or B.", "ungradable"),
        (LETTERED, "B", "Not wood.", "ungradable"),
        (LETTERED, "B", "The answer is A. No, the answer is B.", "ungradable"),
        (LETTERED, None, "A", "ungradable"),
        (LETTERED, "It may be seen in many ways.", "A", "ungradable"),
        (LETTERED, "B" + " because of its properties" * 10, "A", "ungradable"),
        (FLAN, "yes", "Yes, since playing the guitar makes music.", "correct"),
        (FLAN, "yes", "no", "wrong"),
        (FLAN, "it is not possible to tell", "It is not possible to tell if so.", "correct"),
        (FLAN, "no", "No, it is not possible to tell.", "ungradable"),
        (LETTERED, "B", "A) wood: no metal\nB) iron: a metal", "ungradable"),
        (LETTERED, "B", "(A) is wrong.", "ungradable"),
        (LETTERED, "B", "The answer is A because I think so.", "wrong"),
        (LETTERED, "B", "The answer is not A.", "ungradable"),
        ("Right? OPTIONS: a). No; b). Yes", "b). Yes", "a). No", "wrong"),
        (FLAN, "it is not possible to tell", "It is not possible to tell.", "correct"),
        (FLAN, "it is not possible to tell", "Yes", "wrong"),
        (FLAN, "no", "There is no way he makes music.", "ungradable"),
        (NAMED, "positive", "Positive", "correct"),
        (NAMED, "positive", "The sentiment is negative.", "wrong"),
        ("Which? (A) one (B) two (C) three", "(C)", "(C) three", "correct"),
        ("Which? (A) one (B) two (C) three", "(C)", "Answer: B", "wrong"),
        ("다음 중 금속인 것은?\n① 나무\n② 철\n③ 유리", "②", "정답은 ② 철입니다.", "correct"),
        ("다음 중 금속인 것은?\n① 나무\n② 철\n③ 유리", "② 철", "정답: ③", "wrong"),
        ("Follow the steps.\n1. Mix\n2. Bake", "1", "2", "ungradable"),
        ("Is iron a metal?", "Yes", "Yes, it is.", "correct"),
        ("Is iron a metal?", "Yes, it is.", "No, it is not.", "wrong"),
        ("Is iron a metal?", "Yes", "Iron is a metal.", "ungradable"),
        ("Is iron a metal?", "Yes", "No one doubts it.", "ungradable"),
        ("True or False: iron is a metal.", "True", "**True**", "correct"),
        ("True or False: iron is a metal.", "True", "The answer is false.", "wrong"),
        ("What is iron?", "Yes", "No", "ungradable"),
        ("Is love blind?", "Yes", "True love is.", "ungradable"),
        ("Is iron a metal? Is wood one?", "Yes", "No", "ungradable"),
        ("Isn't iron a metal?", "Yes", "No", "ungradable"),
        ("철은 금속인가요?", "네, 금속입니다.", "예, 그렇습니다.", "correct"),
        ("철은 금속인가요?", "네", "아니요, 아닙니다.", "wrong"),
        ("철은 금속인가요?", "네", "예를 들어 설명하겠습니다.", "ungradable"),
        ("철은 금속이다. 참 또는 거짓으로 답하세요.", "참", "거짓", "wrong"),
    ],
    ids=range(47),
)
def test_closed_questions(question, reference, response, expected):
    assert verdict(question, response, reference) == expected


def test_options_are_read():
    assert [option.label for option in options_of(LETTERED)] == ["A", "B", "C"]
    assert [option.text for option in options_of(FLAN)] == [
        "yes",
        "it is not possible to tell",
        "no",
    ]
    assert options_of("A man walked. B-movies are fun.") == []


def test_the_last_options_of_several_count():
    options = options_of("A) x B) y\nAnd now?\nA) one\nB) two")
    assert [option.text for option in options] == ["one", "two"]
    assert chosen("two", options) == 1


# Counting


@given(st.lists(st.sampled_from(["bee", "Honey", "wax", "벌", "x2"]), min_size=1, max_size=30))
def test_plain_words_are_counted_exactly(words):
    assert measure.words(" ".join(words)) == Range(len(words), len(words))


@given(st.integers(1, 12), st.sampled_from([" ", "\n"]))
def test_plain_sentences_are_counted_exactly(count, between):
    text = between.join(["The bees fly home."] * count)
    assert measure.sentences(text) == Range(count, count)


@given(st.integers(1, 12))
def test_plain_paragraphs_are_counted_exactly(count):
    assert measure.paragraphs("\n\n".join([TWO] * count)) == Range(count, count)


@given(st.text(max_size=200))
def test_counts_are_ranges(text):
    for count in (measure.words, measure.sentences, measure.paragraphs, measure.lines):
        found = count(text)
        assert found.low <= found.high, (count, found)


@given(st.text(alphabet="aB .!?\n-*1)가\"'#:", max_size=120))
def test_counts_of_what_looks_like_text_are_ranges(text):
    for count in (measure.words, measure.sentences, measure.paragraphs, measure.lines):
        found = count(text)
        assert found.low <= found.high, (count, found)


@pytest.mark.parametrize(
    ("text", "value"),
    [("three", 3), ("Twenty", 20), ("1,000", 1000), ("세", 3), ("다섯", 5), ("열두", 12),
     ("스무", 20), ("15", 15)],
)  # fmt: skip
def test_numbers(text, value):
    assert number(text) == value


def test_instructions_leave_material_out():
    question = "Explain it.\n\nPassage: secret\nmore secret\n\nBe brief."
    assert instructions(question) == "Explain it.\n\nBe brief."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1. a\n2. b\n3. c", 3),
        ("- a\n- b", 2),
        ("1. a\n1. b", None),  # two lists, or one?
        ("- a\n  - b\n- c", None),
        ("- a\nBut then:\n- b", None),
        ("1. a\n   text\n\n2. b", 2),
        ("no list", None),
    ],
)
def test_items_are_counted_only_where_all_would_agree(text, count):
    assert measure.items(text).certain() == count


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_ranges_meet_where_they_share_a_number(a, b, c, d):
    left, right = Range(min(a, b), max(a, b)), Range(min(c, d), max(c, d))
    shared = set(range(left.low, left.high + 1)) & set(range(right.low, right.high + 1))
    assert left.meets(right) == bool(shared)
    both = left.both(right)
    assert (set(range(both.low, both.high + 1)) if both else set()) == shared
