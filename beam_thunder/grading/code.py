"""Code in an answer, and whether it passes its question's tests."""

from __future__ import annotations

import ast
import re
import textwrap

from beam_thunder.grading.grade import Grade, Verdict
from beam_thunder.grading.sandbox import Sandbox

VERSION = 1
"""Of these rules; higher when a verdict may change."""

_FENCE = re.compile(r"^([ \t]*(?:>[ \t]?)*)(`{3,}|~{3,})[ \t]*([^`\n]*)$")
_PYTHON = {"", "python", "python3", "py", "py3", "python2", "ipython"}
_STARTS = re.compile(r"(?:def|class|import|from|async def)\s+\w|@\w")

_VERDICTS: dict[str, Verdict] = {
    "tests_passed": "correct",
    "bad_tests": "ungradable",
    "sandbox": "error",
}


def grade_code(sandbox: Sandbox, response: str, before: str, after: str) -> Grade:
    """Grades an answer by running the code in it.

    Args:
      sandbox: where it runs.
      response: the whole answer, in Markdown.
      before: what its code may use, such as imports and the classes a question gives.
      after: the tests. MBPP: `test_setup_code`, then `test_list`, on lines of their own.
        LeetCode: `test`, then `check(...)` of the entry point.
    """
    code = extract_code(response)
    if code is None:
        return Grade("wrong", "no_code", "the answer has no code")
    return grade_program(sandbox, code, before, after)


def grade_program(sandbox: Sandbox, code: str, before: str, after: str) -> Grade:
    """Grades code; its rule is the outcome's, such as `tests_passed` or `timeout`."""
    outcome = sandbox.run(before, code, after)
    return Grade(_VERDICTS.get(outcome.rule, "wrong"), outcome.rule, outcome.detail)


def extract_code(response: str) -> str | None:
    """The code of an answer in Markdown, or None.

    The last Python block that defines something: what precedes is often a draft, and
    what follows shows its use. If none does, the last Python block; where nothing is
    fenced, the part of the text that is Python.
    """
    text = response.replace("\r\n", "\n").replace("\r", "\n")
    blocks = _blocks(text)
    if not blocks:
        return _bare_code(text)
    for _, code in reversed(blocks):
        if _defines(code):
            return code
    tagged = [code for language, code in blocks if language in _PYTHON]
    return tagged[-1] if tagged else None


def _blocks(text: str) -> list[tuple[str, str]]:
    """Language and code of each block that is not blank; one not closed goes to the end."""
    blocks = []
    fence, language, indent, held = "", "", "", list[str]()
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if not fence:
            if match:
                indent, fence, info = match.groups()
                language, held = _language(info), []
        elif match and match[2].startswith(fence) and not match[3].strip():
            blocks.append((language, _unindented(held, indent)))
            fence = ""
        else:
            held.append(line)
    if fence:
        blocks.append((language, _unindented(held, indent)))
    return [(language, code) for language, code in blocks if code.strip()]


def _language(info: str) -> str:
    words = re.split(r"[\s{},:]+", info.strip().lower().lstrip("{."))
    return words[0] if words else ""


def _unindented(lines: list[str], indent: str) -> str:
    """Without the indentation or quote marks of the fence, which a list or quote adds."""
    stripped = [line.removeprefix(indent) for line in lines]
    return textwrap.dedent("\n".join(stripped)) + "\n"


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _defines(code: str) -> bool:
    tree = _parsed(code)
    if tree is None:  # with a mistake in it, it may still be what was meant as the answer
        return False
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return any(isinstance(part, kinds) for part in tree.body)


def _bare_code(text: str) -> str | None:
    """From the first line that starts a definition or import, as far as it is Python."""
    lines = text.split("\n")
    starts = [place for place, line in enumerate(lines) if _STARTS.match(line)]
    if not starts:
        return None
    code = lines[starts[0] :]
    while code:
        tree = _parsed("\n".join(code))
        if tree is not None:
            return "\n".join(code) + "\n" if tree.body else None
        del code[_last_paragraph(code) :]
    return None


def _last_paragraph(lines: list[str]) -> int:
    """Where the last block of lines at the margin starts: prose, if it is no Python."""
    for place in range(len(lines) - 1, 0, -1):
        if lines[place].strip() and not lines[place][0].isspace():
            return place
    return 0
