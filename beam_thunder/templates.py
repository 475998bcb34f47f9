"""Prompt templates: what a model is told around each source's question.

The authors published no prompts, so these are the project's own: English for
English sources, Korean for Korean ones. A recipe may give others. What a
template says is never part of a question's id.
"""

from __future__ import annotations

import re

from beam_thunder.errors import RecipeError

_MATHS = (
    "Solve the following problem. Reason step by step, and end with a last line of the form "
    "`The answer is N.`, where N is the final answer alone.\n\n{question}"
)
_MATHS_KO = (
    "다음 문제를 풀어 주세요. 단계별로 풀이한 다음, 마지막 줄에 `정답은 N입니다.` 형식으로 "
    "최종 답만 적어 주세요.\n\n{question}"
)
_MBPP = (
    "{question}\n\nYour code should pass these tests:\n\n```python\n{tests}```\n\n"
    "Answer with one ```python code block that has the whole program, without the tests."
)
_LEETCODE = (
    "Solve the following programming problem in Python.\n\n{question}\n\n"
    "Complete this starter code and keep its names:\n\n```python\n{starter_code}\n```\n\n"
    "Answer with one ```python code block that has the whole solution."
)

TEMPLATES: dict[str, str] = {
    "gsm8k-synthetic": _MATHS,
    "orca-math": _MATHS,
    "mbpp": _MBPP,
    "leetcode": _LEETCODE,
    "slimorca": "{question}",
    "gsm8k-ko": _MATHS_KO,
    "orca-math-ko": _MATHS_KO,
    "mwp-korean-2021": _MATHS_KO,
    "koalpaca": "{question}",
}
"""The default template of each synthetic dataset, by its name in the catalog."""

PLACEHOLDERS: dict[str, frozenset[str]] = {
    "mbpp": frozenset({"tests"}),
    "leetcode": frozenset({"starter_code"}),
}
"""What a dataset's template may name besides `{question}`."""

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
"""Braces around anything but a name are text: `\\boxed{}` may stand in a template."""


def check_template(name: str, template: str) -> None:
    """Makes sure that a template can be applied to a dataset's questions.

    Args:
      name: the dataset's in the catalog.
      template: with `{question}` once, and any of the dataset's other placeholders.

    Raises:
      RecipeError: it lacks the question, repeats it, or names something unknown.
    """
    found = PLACEHOLDER.findall(template)
    allowed = PLACEHOLDERS.get(name, frozenset()) | {"question"}
    known = ", ".join(f"{{{each}}}" for each in sorted(allowed))
    if unknown := sorted(set(found) - allowed):
        raise RecipeError(
            f"template {template!r} of {name}: unknown placeholder {{{unknown[0]}}}; "
            f"it may have {known}"
        )
    if found.count("question") != 1:
        raise RecipeError(
            f"template {template!r} of {name}: expected {{question}} once, found it "
            f"{found.count('question')} times; put it where the question is to stand"
        )
