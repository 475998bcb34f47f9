import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.grading.expressions import (
    SECONDS,
    Comparer,
    as_latex,
    is_expression,
    too_large,
)
from beam_thunder.grading.grade import Grade
from beam_thunder.grading.mathematics import (
    equal_quantities,
    grade_mathematics,
    grade_mathematics_batch,
    read_reference,
)
from beam_thunder.grading.numbers import Quantity
from beam_thunder.grading.words import compare_words


def verdict(response, answer):
    return grade_mathematics(response, answer).verdict


def stated(given, answer):
    return verdict(f"10 - 3 is not it. The answer is {given}.", answer)


def lines(path):
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def comparer():
    comparer = Comparer()
    yield comparer
    comparer.close()


# Numbers.


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ("72", "72"),
        ("72.0", "72"),
        ("1,234", "1234"),
        ("$1,234.50", "1234.5"),
        ("0.5", "1/2"),
        ("10/12", "(5/6)"),
        ("66/5", "13 1/5"),
        (r"$13\frac{1}{5}$", "13 1/5"),
        ("12 apples", "12"),
        ("12", "12 apples"),
        ("9 * 3 = 27", "27"),
        ("6, since 6 * 2 = 12", "6"),
        ("72 clips in 2 months", "72"),
        ("that in 2 months she sold 72 clips", "72"),
        ("twenty-one", "21"),
        ("−5", "-5"),
    ],
)
def test_equal_numbers_are_correct(given, answer):
    assert stated(given, answer) == "correct"


@pytest.mark.parametrize(
    ("given", "answer"),
    [("25", "5"), ("5", "25"), ("5", "-5"), ("72.5", "72"), ("1.234", "1234"), ("0.33", "1/3")],
)
def test_other_numbers_are_wrong(given, answer):
    # 25 ends with 5, and is not 5.
    assert stated(given, answer) == "wrong"


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ("6.93", True),
        ("6.928", True),
        ("6.9282032", True),
        ("6.925", True),  # half a hundredth: whichever way it is rounded
        ("6.9", False),
        ("6.924", False),
        ("7", False),
    ],
)
def test_decimal_reference_may_have_been_rounded(given, holds):
    assert stated(given, "6.93") == ("correct" if holds else "wrong")


def test_dropped_zeros_of_a_decimal_reference_count():
    assert stated("4.196", "4.2") == "correct"  # 4.2 was rounded to hundredths
    assert stated("4.16", "4.2") == "wrong"


@pytest.mark.parametrize(
    ("given", "answer", "holds"),
    [
        ("50%", "50", True),
        ("50%", "0.5", True),
        ("50%", "1/2", True),
        ("50", "50%", True),
        ("0.5", "50%", True),
        ("0.5%", "50%", False),
        ("100%", "1", False),
        ("50", "0.5", False),
    ],
)
def test_percentages(given, answer, holds):
    assert stated(given, answer) == ("correct" if holds else "wrong")


@given(st.integers(), st.integers())
def test_integers_are_equal_only_if_the_same(one, other):
    assert equal_quantities(Quantity(one), Quantity(other)) == (one == other)


@given(st.decimals(-1000, 1000, places=5), st.integers(2, 5))
def test_what_rounds_to_a_decimal_equals_it(number, places):
    exact = Fraction(number)
    rounded = round(exact, places)
    assert equal_quantities(Quantity(exact), Quantity(rounded, places))
    away = rounded + Fraction(1, 10**places)
    assert not equal_quantities(Quantity(exact), Quantity(away + Fraction(1, 10**6), places))


# Korean.


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("정답은 27입니다.", "27"),
        ("**정답: 27개**", "27"),
        ("정답은 $27$입니다.", "27"),
        ("정답은 3장씩 9명이므로 27장입니다.", "27"),
        ("정답은 27장(9명×3장)입니다.", "27"),
        ("정답은 27장입니다. 왜냐하면 3장씩 9명이기 때문입니다.", "27"),
        ("정답은 1만 2천 원입니다.", "12000"),
        ("모두 1만 2000원입니다.", "12000"),
        ("답은 3억 5천만 원", "350000000"),
        ("정답은 3과 1/2입니다.", "3.5"),
        ("답은 다섯 개입니다", "5"),
        ("따라서 열두 명이다.", "12"),
        ("답: 스물세 살", "23"),
        ("정답: 삼분의 이", "2/3"),
        ("정답은 ２７입니다", "27"),
        ("넓이는 27cm²입니다.", "27"),
        ("정답은 2학년입니다.", "2학년"),
    ],
)
def test_korean_quantities(response, answer):
    assert verdict(response, answer) == "correct"
    assert verdict(response, "9999") == "wrong"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("지민입니다", "지민"),
        ("지민이입니다", "지민"),
        ("지민이가 더 크다", "지민"),
        ("제일 큰 사람은 지민이다", "지민"),
        ("지은", "지은"),
        ("바다입니다", "바다"),
        ("(가)입니다", "(가)"),
        ("가", "(가)"),
        ("오른쪽이에요", "오른쪽"),
        ("검정색", "검정"),
        ('"지민"입니다', "지민"),
        ("지민(5개)", "지민"),
        ("A트럭", "A"),
        ("Option (B)", "B"),
        (r"\text{B}", "B"),
        ("Tuesday", "tuesday"),
        ("3 : 2", "3:2"),
    ],
)
def test_words_that_name_the_reference(given, word):
    assert compare_words(given, word) is True


@pytest.mark.parametrize(
    ("given", "word"),
    [
        *[
            ("지", "지은"),
            ("은", "지은"),
            ("나", "(가)"),
            ("영희입니다", "지은"),
            ("B트럭", "A"),
        ],
        *[("x^2", "x"), ("Anna", "A"), ("2:3", "3:2"), ("2시간 20분", "2시간 30분")],
    ],
)
def test_other_words_do_not(given, word):
    assert compare_words(given, word) is False


@pytest.mark.parametrize(
    ("given", "word"),
    [("지민 또는 영희", "지민"), ("A와 B", "A"), ("150분", "2시간 30분")],
)
def test_word_among_others_is_undecided(given, word):
    assert compare_words(given, word) is None
    assert verdict(f"정답은 {given}", word) == "ungradable"


# Sets and expressions.


@pytest.mark.parametrize(
    ("given", "answer", "holds"),
    [
        (r"\{3, 1, 2\}", "{1, 2, 3}", True),
        ("1, 2 and 3", "{1, 2, 3}", True),
        ("x = 2 or x = 1", "1, 2", True),
        ("1,000 and 2", "{2, 1000}", True),
        ("1과 2", "1, 2", True),
        ("민수, 영희", "영희, 민수", True),
        ("1, 2", "{1, 2, 3}", False),
        ("1, 2, 3, 4", "{1, 2, 3}", False),
        ("(1, 2)", "(1, 2)", True),
        ("(2, 1)", "(1, 2)", False),
    ],
)
def test_sets_in_any_order_and_pairs_in_theirs(given, answer, holds):
    assert verdict(rf"\boxed{{{given}}}", answer) == ("correct" if holds else "wrong")


@pytest.mark.parametrize(
    ("given", "answer", "holds"),
    [
        ("1+x", "x+1", True),
        ("x+2", "x+1", False),
        (r"2\sqrt{3}", r"\sqrt{12}", True),
        (r"4\sqrt{3}", "6.93", True),
        (r"4\sqrt{2}", "6.93", False),
        ("√48", "6.93", True),
        ("9*3", "27", True),
        ("2**3", "8", True),
        ("16π", r"16\pi", True),
        (r"\frac{\pi}{2}", "pi/2", True),
        ("(x-1)(x+1)", "x^2-1", True),
        ("y = 2x + 1", "1 + 2x", True),
        ("x < 3", "x > 3", False),
        ("x^{100000}", "x", False),
    ],
)
def test_expressions(given, answer, holds):
    assert verdict(rf"\boxed{{{given}}}", answer) == ("correct" if holds else "wrong")


@pytest.mark.parametrize("text", ["x+1", r"\sqrt{2}", "2x", "sqrt(2)", "2π", "x^2 - 1", "9*3"])
def test_formulas(text):
    assert is_expression(text)


@pytest.mark.parametrize(
    "text", ["지민", "left-hand", "A", "72", "__import__('os')", "os.system(1)+1"]
)
def test_words_and_programs_are_no_formulas(text):
    assert not is_expression(text)


@pytest.mark.parametrize(
    ("typed", "latex"),
    [
        ("sqrt(2)*x**2", r"\sqrt{2}\cdot x^{2}"),
        ("√3", r"\sqrt{3}"),
        ("1/2", r"\frac{1}{2}"),
        ("2pi", r"2\pi"),
    ],
)
def test_typed_formulas_become_latex(typed, latex):
    assert as_latex(typed) == latex


# What no rule decides, and what is hostile.


def test_response_without_a_number_is_wrong():
    assert grade_mathematics("I do not know.", "72") == Grade(
        "wrong", "no_answer", "no final answer found; expected '72'"
    )
    assert grade_mathematics("", "72").rule == "no_answer"


def test_word_that_no_rule_finds_is_ungradable():
    # The answer may be there, but nothing says which of the names it is.
    grade = grade_mathematics("따라서 지민이가 더 많습니다.", "지민")
    assert (grade.verdict, grade.rule) == ("ungradable", "no_answer")


@pytest.mark.parametrize("answer", ["", " ", "nan", "None", "$$"])
def test_reference_that_says_nothing_is_ungradable(answer):
    grade = grade_mathematics("The answer is 72.", answer)
    assert (grade.verdict, grade.rule) == ("ungradable", "no_reference")
    assert read_reference(answer) is None


def test_reason_tells_what_was_found_and_expected():
    grade = grade_mathematics("The answer is 26 because.", "18")
    assert (grade.rule, grade.reason) == ("stated", "found '26 because', expected '18'")
    assert grade_mathematics("The answer is 18.", "18").reason == ""


def test_last_number_is_marked_so():
    assert grade_mathematics("So she sold 72 clips.", "72") == Grade("correct", "last_number")


@given(
    st.lists(
        st.one_of(
            st.text(max_size=5),
            st.sampled_from(
                ["answer is ", "정답은 ", r"\boxed{", "}", "#### ", "$", "= ", "1/2"]
            ),
            st.sampled_from(
                ["만 ", "다섯 ", "%", "72", "x+1", "{", "(", "^", ", ", "\n", "A: "]
            ),
        ),
        max_size=12,
    ),
    st.sampled_from(
        ["72", "6.93", "50%", "{1, 2}", "(1, 2)", "x+1", "지민", "A", "1만 2천 원"]
    ),
)
def test_any_response_gets_a_verdict(pieces, answer):
    assert verdict("".join(pieces), answer) in ("correct", "wrong", "ungradable")


def test_batch_is_the_same_one_by_one():
    responses, answers = ["#### 1", "#### 2", "정답은 지민"], ["1", "1", "지민"]
    grades = grade_mathematics_batch(responses, answers)
    assert grades == [grade_mathematics(*pair) for pair in zip(responses, answers, strict=True)]
    with pytest.raises(ValueError, match="shorter"):
        grade_mathematics_batch(responses, answers[:2])


HOSTILE = [
    "9**9**9**9",
    "10^10^10",
    "10^{10^{10}}",
    "3^{3^{3^{3}}}",
    "9" * 100_000,
    "(" * 100_000,
    "{" * 100_000,
    "9+" * 50_000,
    "1만 " * 30_000,
    "일이" * 30_000,
    "5" + "가" * 1900 + "!x",
    "5 " + "ab " * 600 + "#1",
    "100000!",
    "9999^{9999}",
    r"\frac{" * 20_000,
    "**a" * 600,
]


@pytest.mark.parametrize("mark", ["{}", r"\boxed{{{}}}", "The answer is {}", "정답: {}"])
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_hostile_answers_come_back_soon_and_are_never_correct(text, mark):
    verdict("The answer is $2^{10}$", "1024")  # starts the server, which takes seconds
    start = time.perf_counter()
    grade = grade_mathematics(mark.format(text), "72")
    # Far over the limit of one comparison, and far under what evaluating would take.
    assert time.perf_counter() - start < 10 * SECONDS
    assert grade.verdict in ("wrong", "ungradable")


@pytest.mark.parametrize("text", ["9^9^9", "x^{123456}", "(" * 30, "1+" * 400, "99999!"])
def test_some_expressions_are_not_even_tried(text):
    assert too_large(text)


def test_worker_over_its_time_is_replaced(comparer):
    late = comparer.compare("72", "10^{10^{10}}")
    assert (late.outcome, late.value) == ("timeout", None)
    assert comparer.compare("x+1", "1+x").outcome == "equal"


def test_unread_expression_is_told(comparer):
    assert comparer.compare("3", "2x+").outcome == "unread"


def test_expressions_compare_in_threads(comparer):
    found = {}

    def work(number):
        found[number] = comparer.compare(f"x+{number}", f"{number}+x").outcome

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(8), "equal")


def test_server_ends_with_a_killed_process():
    program = """
import os, signal
from beam_thunder.grading.expressions import Comparer
comparer = Comparer()
comparer.compare("1", "1")
print(comparer._server.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    server = Path("/proc") / done.stdout.strip() / "cmdline"
    deadline = time.monotonic() + 20
    while is_running(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(server)


def is_running(server):
    """Whether a process is there; one that ended and nobody waits for has no command line."""
    try:
        return b"expressions.py" in server.read_bytes()
    except FileNotFoundError:
        return False


def test_interrupted_comparison_does_not_answer_the_next_one(comparer, monkeypatch):
    assert comparer.compare("1", "1").outcome == "equal"

    def interrupted(server, request):
        print(request, file=server.stdin, flush=True)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("beam_thunder.grading.expressions._ask", interrupted)
        comparer.compare("1", "2")
    assert comparer.compare("1", "1").outcome == "equal"


def test_forked_process_has_a_server_of_its_own(comparer):
    assert comparer.compare("1", "1").outcome == "equal"
    child = os.fork()
    if child == 0:
        outcome = comparer.compare("2", "2").outcome
        comparer.close()
        os._exit(0 if outcome == "equal" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert comparer.compare("3", "3").outcome == "equal"


def test_server_that_cannot_start_is_an_error_with_a_cure(monkeypatch):
    monkeypatch.setattr("beam_thunder.grading.mathematics._comparer", broken := Comparer())
    monkeypatch.setattr(sys, "executable", "/bin/false")
    grade = grade_mathematics(r"\boxed{1+x}", "x+1")
    broken.close()
    assert grade.verdict == "error"
    assert "import math_verify" in grade.reason


def test_plain_answers_import_no_computer_algebra():
    program = """
import sys
from beam_thunder.grading.mathematics import grade_mathematics
assert grade_mathematics("정답은 3과 1/2입니다.", "3.5").verdict == "correct"
assert grade_mathematics("The answer is $1,234.", "1234").verdict == "correct"
print([name for name in ("sympy", "math_verify", "apache_beam") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# Real rows.


def test_verdicts_agree_with_the_publisher_of_model_solutions(raw):
    rows = lines(raw / "release/gsm8k/example_model_solutions_first319.jsonl")
    compared = 0
    for row in rows:
        answer = row["ground_truth"].rsplit("A:", 1)[1].strip()
        for model in (value for value in row.values() if isinstance(value, dict)):
            grade = grade_mathematics(model["solution"], answer)
            assert grade.verdict == ("correct" if model["is_correct"] else "wrong"), grade
            compared += 1
    assert compared == 4 * len(rows) == 1276


def test_gsm8k_answers_are_correct_and_one_more_is_wrong(raw):
    rows = lines(raw / "release/gsm8k/train.jsonl")
    assert len(rows) == 7473
    for row in rows:
        worked, _, answer = row["answer"].rpartition("#### ")
        assert grade_mathematics(row["answer"], answer) == Grade("correct", "hashes")
        more = int(answer.replace(",", "")) + 1
        for ending in (f"#### {more}", f"The answer is {more}."):
            assert verdict(worked + ending, answer) == "wrong", (ending, answer)


def test_last_numbers_of_gsm8k(raw):
    rows = [
        row["answer"].rpartition("#### ") for row in lines(raw / "release/gsm8k/train.jsonl")
    ]
    # A few speak of "the answer" on the way, which is trusted more than a last number.
    unmarked = [(worked, answer) for worked, _, answer in rows if "nswer" not in worked]
    assert len(unmarked) > 7000
    for worked, answer in unmarked:
        more = int(answer.replace(",", "")) + 1
        ending = "So she has {} of them."
        right = grade_mathematics(worked + ending.format(answer), answer)
        assert right == Grade("correct", "last_number")
        assert verdict(worked + ending.format(f"{more:,}"), answer) == "wrong", answer


@pytest.fixture(scope="module")
def korean_answers(raw):
    text = (raw / "release/mwp-korean-data-2021/public_mwp_data.json").read_text("utf-8-sig")
    return [row["answer"] for row in json.loads(text).values()]


def damaged(answer, words):
    """The next number, or another word of the dataset."""
    if re.search(r"\d", answer):
        return re.sub(r"\d+", lambda digits: str(int(digits[0]) + 1), answer, count=1)
    # Not one that begins with the answer: "지민네" is undecided, and so is 은행나무 for 은행.
    place = words.index(answer)
    return next(word for word in words[place:] + words if not word.startswith(answer))


def test_korean_answers_are_correct_and_damaged_ones_are_wrong(korean_answers):
    words = sorted(
        {answer for answer in korean_answers if not re.search(r"\d", answer)} - {"nan"}
    )
    solved = "식을 세우면 12 + 3 × 4입니다.\n\n따라서 정답은 {}입니다."
    graded = [answer for answer in korean_answers if answer != "nan"]
    for answer in graded:
        assert verdict(solved.format(answer), answer) == "correct", answer
        other = damaged(answer, words)
        assert verdict(solved.format(other), answer) == "wrong", (answer, other)
    # Two rows were published without their answer, as `nan`.
    assert len(graded) == len(korean_answers) - 2 == 2998


@pytest.mark.parametrize(
    "form", ["답: {}", "**정답**: {}", r"\boxed{{{}}}", "정답은 **{}**이다."]
)
def test_korean_answers_are_correct_in_other_forms(korean_answers, form):
    for answer in set(korean_answers) - {"nan"}:
        assert verdict("풀이: 12 + 3\n" + form.format(answer), answer) == "correct", answer
