"""The grader of each domain of the published table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from beam_thunder.grading.grade import Grade
from beam_thunder.recipe import DatasetRecipe


class Grader(Protocol):
    """Decides on answers to the questions of one domain.

    Attributes:
      name: with its version, as the table of attempts has it.
    """

    name: str

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


class MathematicsGrader:
    """Compares final answers."""

    def __init__(self) -> None:
        from beam_thunder.grading.mathematics import VERSION

        self.name = f"mathematics {VERSION}"

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
        from beam_thunder.grading.code import VERSION
        from beam_thunder.grading.sandbox import Limits, Sandbox

        self.name = f"code {VERSION}"
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
        from beam_thunder.grading.instructions import VERSION

        self.name = f"instructions {VERSION}"
        self._language = language

    def grade(self, question: Mapping[str, Any], response: str) -> Grade:
        """See `grade_instructions`."""
        from beam_thunder.grading.instructions import grade_instructions

        reference = question["reference"]
        return grade_instructions(question["question"], response, reference, self._language)

    def close(self) -> None:
        pass
