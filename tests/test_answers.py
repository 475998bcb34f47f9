import time

import pytest

from beam_thunder.grading.answers import Answer, find_answers


def first(response):
    return next(find_answers(response), None)


def found(response):
    answer = first(response)
    return answer and (answer.rule, answer.text.strip())


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (r"So it is \boxed{72}.", "72"),
        (r"So it is $\boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
        (r"First \boxed{1}, no: \boxed{2}", "2"),
        (r"The answer is 3, or \boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\fbox{7}", "7"),
        (r"\boxed 7", "7"),
        (r"cut off at \boxed{12", "12"),
    ],
)
def test_box_comes_before_all_else_and_braces_nest(response, text):
    assert found(response) == ("boxed", text)


@pytest.mark.parametrize(
    ("response", "text"),
    [("48 + 24 = 72\n#### 72", "72"), ("#### 1\n#### 2\n", "2"), ("#### 지민", "지민")],
)
def test_hashes(response, text):
    assert found(response) == ("hashes", text)


def test_headings_are_no_answers():
    response = "#### 1단계\n3명\n#### Step 2\n4명\n##### 5\n정답은 7명입니다."
    assert found(response) == ("stated", "7명입니다")


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ("The answer is 72. It was 48 before.", "72"),
        ("the final answer is: 72", "72"),
        ("**Final Answer:** 72 clips", "72 clips"),
        ("### Answer\n\n72", "72"),
        ("Answer = 72", "72"),
        ("The answer to the second question is therefore 72!", "72"),
        ("The answer is as follows:\n72", "72"),
        ("The answer is 5? No. The answer is 6.", "6"),
        ("The answer is 3.5.", "3.5"),
        ("정답은 27입니다.", "27입니다"),
        ("정답: 27", "27"),
        ("**정답**: 27", "27"),
        ("답은 27이다.", "27이다"),
        ("답: 27", "27"),
        ("답 27", "27"),
        ("최종 답변: 27", "27"),
        ("답이 27개", "27개"),
        ("[정답] 지민", "지민"),
    ],
)
def test_stated(response, text):
    assert found(response) == ("stated", text)


@pytest.mark.parametrize("response", ["대답은 5번 했습니다", "응답은 5", "답안지 5장"])
def test_other_words_with_the_same_syllable_state_nothing(response):
    assert found(response) == ("last_number", response)


def test_line_that_begins_with_a():
    assert found("Q: How many?\nA: 18") == ("a_line", "18")
    assert found("plan A: 18") == ("last_number", "plan A: 18")


def test_text_after_a_label_must_be_all_of_the_answer_if_more_follows():
    assert first("Answer: 48 in April. 24 in May. 72 in all").whole
    assert not first("48 in April. 24 in May. Answer: 72 in all.").whole


def test_latex_where_no_number_follows():
    assert found(r"Hence $x = \frac{3}{4}$ holds.") == ("latex", r"x = \frac{3}{4}")
    assert found(r"Hence \(\frac{3}{4}\) of 8")[0] == "last_number"


def test_money_is_no_latex():
    assert found("She has $5 and he has $10") == ("last_number", "She has $5 and he has $10")


def test_last_line_with_a_number():
    assert found("1 first\n2 second\nno more\n") == ("last_number", "2 second")


def test_blank_response_has_no_answer():
    assert first(" \n ") is None


def test_rules_follow_one_another():
    response = "A: 1\nThe answer is 2\n#### 3\n" + r"\boxed{4}"
    assert [answer.rule for answer in find_answers(response)] == [
        *("boxed", "hashes", "stated", "a_line", "last_number"),
    ]


@pytest.mark.parametrize(
    "mark",
    [
        "\\boxed{",
        "\\boxed",
        "####",
        "####1",
        "The answer is ",
        "정답은 ",
        "답",
        "A: ",
        "$x",
        "\\(",
    ],
)
def test_endless_repetition_is_read_in_a_moment(mark):
    start = time.perf_counter()
    answers = list(find_answers(mark * (200_000 // len(mark))))
    # Quadratic work would take minutes; a generous limit keeps busy machines out of it.
    assert time.perf_counter() - start < 5
    assert all(isinstance(answer, Answer) for answer in answers)
