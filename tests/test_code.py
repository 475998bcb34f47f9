"""Finding code in answers, and grading it: hand-made answers, then all real references."""

import ast
import copy
import gzip
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from beam_thunder.grading.code import extract_code, grade_code, grade_program
from beam_thunder.grading.grade import Grade
from beam_thunder.grading.sandbox import Limits, Outcome, Sandbox

DOUBLE = "def double(x):\n    return 2 * x\n"
DOUBLE_TESTS = "assert double(4) == 8\nassert double(-1) == -2\n"


NO_BUBBLEWRAP = "no bubblewrap (apt-get install bubblewrap)"


@pytest.fixture(scope="module")
def sandbox():
    if shutil.which("bwrap") is None:
        pytest.skip(NO_BUBBLEWRAP)
    with Sandbox(Limits(cpu_seconds=5, wall_seconds=20)) as sandbox:
        yield sandbox


def fenced(code, language="python"):
    return f"```{language}\n{code}```\n"


@pytest.mark.parametrize("language", ["python", "Python", "py", "python3", "", "{.python}"])
def test_code_of_a_block(language):
    assert extract_code(f"Here it is:\n\n{fenced(DOUBLE, language)}\nDone.") == DOUBLE


def test_the_last_block_that_defines_something():
    use = fenced("print(double(4))\n")
    answer = fenced("def double(x):\n    return x\n") + "Better:\n" + fenced(DOUBLE) + use
    assert extract_code(answer) == DOUBLE


def test_blocks_of_output_are_no_code():
    assert extract_code(fenced(DOUBLE) + fenced("8\n", "text")) == DOUBLE
    assert extract_code(fenced("8\n", "text")) is None


def test_a_block_with_a_mistake_is_still_the_answer():
    assert extract_code(fenced("def double(x:\n")) == "def double(x:\n"


def test_a_block_that_is_not_closed_goes_to_the_end():
    assert extract_code("Sure.\n```python\n" + DOUBLE) == DOUBLE + "\n"


def test_windows_line_ends():
    assert extract_code(fenced(DOUBLE).replace("\n", "\r\n")) == DOUBLE


def test_a_block_in_a_list_loses_the_list_s_indentation():
    indented = "".join(f"   {line}\n" for line in fenced(DOUBLE).splitlines())
    assert extract_code("1. Write\n" + indented) == DOUBLE


def test_tildes_and_longer_fences_hold_shorter_ones():
    held = 'def double(x):\n    """```"""\n    return 2 * x\n'
    assert extract_code(f"````python\n{held}````") == held
    assert extract_code(f"~~~python\n{held}~~~") == held


def test_code_without_a_fence():
    assert extract_code(DOUBLE).strip() == DOUBLE.strip()
    assert extract_code(f"The answer:\n\n{DOUBLE}\nIt doubles x.").strip() == DOUBLE.strip()


@pytest.mark.parametrize("prose", ["", "I do not know.", "from here on it is easy", "8"])
def test_prose_is_no_code(prose):
    assert extract_code(prose) is None


def test_an_answer_without_code_is_wrong(sandbox):
    assert grade_code(sandbox, "I do not know.", "", DOUBLE_TESTS) == Grade(
        "wrong", "no_code", "the answer has no code"
    )


def test_right_and_wrong_code(sandbox):
    assert grade_code(sandbox, fenced(DOUBLE), "", DOUBLE_TESTS).verdict == "correct"
    wrong = fenced(DOUBLE.replace("2 *", "3 *"))
    assert grade_code(sandbox, wrong, "", DOUBLE_TESTS).rule == "assertion"


def test_broken_tests_are_nobody_s_fault(sandbox):
    assert grade_program(sandbox, DOUBLE, "", "assert double(4 ==").verdict == "ungradable"
    assert grade_program(sandbox, DOUBLE, "", "double(4)\n").verdict == "ungradable"


def test_a_failed_sandbox_is_an_error():
    class Broken:
        def run(self, before, answer, after):
            return Outcome("sandbox", "gone")

    grade = grade_program(Broken(), DOUBLE, "", DOUBLE_TESTS)
    assert grade == Grade("error", "sandbox", "gone")


# All real references, and a damaged copy of each.

SLOW_SECONDS = 60  # two of LeetCode's references take 12 and 22 s


@pytest.fixture(scope="module")
def mbpp(raw):
    lines = (raw / "release" / "mbpp" / "mbpp.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        (
            row["task_id"],
            "",
            row["code"],
            "\n".join([row["test_setup_code"], *row["test_list"]]),
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def leetcode(raw):
    folder = raw / "hub" / "newfacade" / "LeetCodeDataset"
    with gzip.open(folder / "LeetCodeDataset-test.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        (
            row["task_id"],
            row["prompt"],
            row["completion"],
            f"{row['test']}\ncheck({row['entry_point']})\n",
        )
        for row in rows
    ]


def in_two_sandboxes(grade, programs, limits):
    if shutil.which("bwrap") is None:
        pytest.skip(NO_BUBBLEWRAP)
    with Sandbox(limits) as one, Sandbox(limits) as other, ThreadPoolExecutor(2) as threads:
        free = [one, other]

        def graded(program):
            sandbox = free.pop()
            try:
                return grade(sandbox, *program)
            finally:
                free.append(sandbox)

        return list(threads.map(graded, programs))


def grade_reference(sandbox, name, before, code, after):
    return name, grade_program(sandbox, code, before, after)


@pytest.mark.long
def test_all_mbpp_references_are_correct(mbpp):
    grades = in_two_sandboxes(grade_reference, mbpp, Limits())
    assert len(grades) == 974
    assert [(name, grade) for name, grade in grades if grade.verdict != "correct"] == []


@pytest.mark.long
def test_all_leetcode_references_are_correct(leetcode):
    limits = Limits(cpu_seconds=SLOW_SECONDS)
    grades = in_two_sandboxes(grade_reference, leetcode, limits)
    assert len(grades) == 228
    assert [(name, grade) for name, grade in grades if grade.verdict != "correct"] == []


def mutations(code):
    """Copies with one constant or operator changed, in the order of the text, last first.

    What is near the end is seldom without effect, and seldom an endless loop. The last copy
    returns lists of what it should return.
    """
    tree = ast.parse(code)
    places = [place for place, part in enumerate(ast.walk(tree)) if _changed(part)]
    for place in reversed(places):
        damaged = copy.deepcopy(tree)
        part = list(ast.walk(damaged))[place]
        _change(part)
        yield ast.unparse(damaged)
    # Some have neither, or none whose change their tests notice, as plain Python finds too.
    for part in ast.walk(tree):
        if isinstance(part, ast.Return) and part.value is not None:
            part.value = ast.List([part.value], ast.Load())
    yield ast.unparse(ast.fix_missing_locations(tree))


OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Add, ast.Pow: ast.Add, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitXor, ast.BitXor: ast.BitOr, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE,
    ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def _changed(part):
    if isinstance(part, ast.Constant):
        return isinstance(part.value, int | float | str)
    return type(getattr(part, "op", None)) in OPERATORS or isinstance(part, ast.Compare)


def _change(part):
    if isinstance(part, ast.Compare):
        part.ops[0] = OPERATORS[type(part.ops[0])]()
    elif not isinstance(part, ast.Constant):
        part.op = OPERATORS[type(part.op)]()
    elif isinstance(part.value, bool):
        part.value = not part.value
    elif isinstance(part.value, str):
        part.value += "?"
    else:
        part.value += 1


def wrong_mutation(sandbox, name, before, code, after):
    """The grade of the first mutation that is not correct, or None."""
    for damaged in mutations(code):
        grade = grade_program(sandbox, damaged, before, after)
        if grade.verdict != "correct":
            return name, grade
    return name, None


def assert_wrong(grades):
    assert [
        (name, grade) for name, grade in grades if not grade or grade.verdict != "wrong"
    ] == []
    assert {grade.rule for _, grade in grades} >= {"assertion"}


@pytest.mark.long
def test_damaged_mbpp_references_are_wrong(mbpp):
    grades = in_two_sandboxes(wrong_mutation, mbpp, Limits(cpu_seconds=2, wall_seconds=20))
    assert_wrong(grades)


@pytest.mark.long
def test_damaged_leetcode_references_are_wrong(leetcode):
    grades = in_two_sandboxes(wrong_mutation, leetcode, Limits(cpu_seconds=10, wall_seconds=60))
    assert_wrong(grades)
