"""The grader of each domain of the published table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from beam_thunder.grading.grade import Grade
from beam_thunder.recipe import DatasetRecipe


class Grader(Protocol):
    """Decides on answers to the questions of one domain."""

    def grade(self, question: Mapping[str, Any], response: str) -> Grade:
        """The verdict on an answer to a row of `OPEN_QUESTIONS`."""

    def close(self) -> None:
        """Ends what it started."""


def grader_of(dataset: DatasetRecipe) -> Grader:
    """The grader of a synthetic dataset's questions, by its domain."""
    entry = dataset.entry
    if entry.domain == "mathematical reasoning":
        return MathematicsGrader()
    if entry.domain == "coding":
        return CodeGrader(dataset.program_seconds)
    return InstructionsGrader(entry.language)


def grader_name(dataset: DatasetRecipe) -> str:
    """The name of a dataset's grader with its version, as the table of attempts has it."""
    from beam_thunder.grading import code, instructions, mathematics

    if dataset.entry.domain == "mathematical reasoning":
        return f"mathematics {mathematics.VERSION}"
    if dataset.entry.domain == "coding":
        return f"code {code.VERSION}"
    return f"instructions {instructions.VERSION}"


def check_graders(datasets: Iterable[DatasetRecipe]) -> None:
    """Starts the graders that need something of this machine, and ends them.

    So what is missing is told at once, and not when everything has been read.

    Raises:
      UserError: there can be no sandbox here, and how to get one.
    """
    for dataset in datasets:
        if dataset.entry.domain == "coding":
            grader_of(dataset).close()
            return


class MathematicsGrader:
    """Compares final answers."""

    def grade(self, question: Mapping[str, Any], response: str) -> Grade:
        """See `grade_mathematics`; `ungradable` where the source's answer is not known."""
        from beam_thunder.grading.mathematics import grade_mathematics

        if question["answer"] is None:
            return Grade("ungradable", "no_reference", "the source's final answer is not known")
        return grade_mathematics(response, question["answer"])

    def close(self) -> None:
        pass


class CodeGrader:
    """Runs programs in a sandbox of its own.

    Args:
      cpu_seconds: that a program may take.

    Raises:
      UserError: there can be no sandbox here, and how to get one.
    """

    def __init__(self, cpu_seconds: int) -> None:
        from beam_thunder.grading.sandbox import Limits, Sandbox

        # The machine may be busy: then a program takes longer than it computes.
        self._sandbox = Sandbox(Limits(cpu_seconds=cpu_seconds, wall_seconds=3 * cpu_seconds))

    def grade(self, question: Mapping[str, Any], response: str) -> Grade:
        """See `grade_code`."""
        from beam_thunder.grading.code import grade_code

        before, after = question["before"] or "", question["after"] or ""
        return grade_code(self._sandbox, response, before, after)

    def close(self) -> None:
        self._sandbox.close()


class InstructionsGrader:
    """Checks what a question demands and can be checked.

    Args:
      language: of the questions.
    """

    def __init__(self, language: str) -> None:
        self._language = language

    def grade(self, question: Mapping[str, Any], response: str) -> Grade:
        """See `grade_instructions`."""
        from beam_thunder.grading.instructions import grade_instructions

        reference = question["reference"]
        return grade_instructions(question["question"], response, reference, self._language)

    def close(self) -> None:
        pass
