"""Grades instruction following: does an answer keep the demands that its prompt makes?

The rules of the Llama-Thunder-LLM authors are not published; these are the project's
own. Only what a program can verify is judged, and a demand that does not clearly
apply is not read at all: most prompts have none, and their answers are ungradable.
"""

from __future__ import annotations

from beam_thunder.grading.demands import DEMANDS, Task
from beam_thunder.grading.grade import Grade

VERSION: int = 1
"""Of these rules; stored with every verdict."""

NONE = "no_demand"
"""The rule of answers to prompts without verifiable demands."""


def grade_instructions(
    question: str, response: str, reference: str | None, language: str
) -> Grade:
    """Grades an answer by every verifiable demand of its prompt.

    Args:
      question: as the model was asked it.
      response: the model's, without its thinking.
      reference: the dataset's own answer, for choices and for yes and no; if any.
      language: of the question, `ko` or `en`.

    Returns:
      `wrong` by the first demand that fails, `correct` by all that apply and hold,
      `ungradable` where none applies.
    """
    task = Task(question, response, reference, language)
    checks = [check for demand in DEMANDS for check in demand(task)]
    for check in checks:
        if not check.holds:
            return Grade("wrong", check.rule, f"demanded {check.demanded}, found {check.found}")
    if not checks:
        return Grade("ungradable", NONE)
    rules = "+".join(dict.fromkeys(check.rule for check in checks))
    return Grade("correct", rules, "; ".join(check.demanded for check in checks))
