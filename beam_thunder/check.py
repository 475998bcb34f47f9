"""The check command: graders are tried on what is known, before any GPU time is spent.

Each source's own answers have to be graded correct, and damaged ones wrong.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from beam_thunder.errors import BuildRefused
from beam_thunder.recipe import load_recipe

if TYPE_CHECKING:
    from beam_thunder.catalog import Entry
    from beam_thunder.pipelines.questions import DatasetPlan

Question = Mapping[str, Any]
_SHOWN = 5


@dataclass(frozen=True)
class Checked:
    """What a dataset's graders said.

    Attributes:
      name: of the dataset.
      reference: verdicts on the source's own answers.
      damaged: verdicts on damaged ones.
      wrong: what should have been another verdict, for people.
    """

    name: str
    reference: Counter[str]
    damaged: Counter[str]
    wrong: tuple[str, ...]


def check(
    recipe_path: Path,
    raw: str,
    only: Sequence[str] = (),
    sample: int = 100,
    console: Console | None = None,
) -> list[Checked]:
    """Grades known answers to a sample of each synthetic dataset's questions.

    Args:
      recipe_path: of the recipe.
      raw: the raw folder.
      only: names of datasets.
      sample: questions of each dataset.
      console: to show the table on.

    Raises:
      UserError: the recipe or a raw file cannot be used, or there can be no sandbox.
      BuildRefused: a source's own answer is wrong, or a damaged one correct.
    """
    from beam_thunder.pipelines.questions import find_datasets

    console = console or Console(soft_wrap=True)
    recipe = load_recipe(recipe_path).only(list(only))
    plans = find_datasets(recipe.of_kind("synthetic"), recipe_path.parent, raw)
    found = [_check(name, plan, sample) for name, plan in plans.items()]
    console.print(table(found))
    wrong = [f"  {each.name}: {line}" for each in found for line in each.wrong[:_SHOWN]]
    if wrong:
        count = sum(len(each.wrong) for each in found)
        raise BuildRefused(
            f"{count} known answers were graded as they should not be:\n"
            + "\n".join(wrong)
            + "\nMend the rows or leave the dataset out; a defect of a grader: please report it"
        )
    return found


def _check(name: str, plan: DatasetPlan, sample: int) -> Checked:
    from beam_thunder.grading.graders import grader_of

    entry = plan.recipe.entry
    grader = grader_of(plan.recipe)
    reference: Counter[str] = Counter()
    damaged: Counter[str] = Counter()
    wrong: list[str] = []
    try:
        for question in questions(plan, sample):
            for counts, response, bad in (
                (reference, known(question, entry), "wrong"),
                (damaged, spoiled(question, entry), "correct"),
            ):
                if response is None:
                    continue
                grade = grader.grade(question, response)
                counts[grade.verdict] += 1
                if grade.verdict in (bad, "error"):
                    found = f"{grade.verdict} by {grade.rule}: {grade.reason}"
                    wrong.append(f"{question['id']}: {found}")
    finally:
        grader.close()
    return Checked(name, reference, damaged, tuple(wrong))


def questions(plan: DatasetPlan, sample: int) -> Iterator[Question]:
    """The first questions of a dataset's raw files."""
    from beam_thunder.transforms.questions import split_rejects
    from beam_thunder.transforms.read import read_slice

    left = sample
    for piece in plan.slices:
        for batch in read_slice(piece, plan.source.rows, sample):
            found, _ = split_rejects(batch, plan.source.parse(batch))
            yield from found.slice(0, left).to_pylist()
            left -= min(left, found.num_rows)
            if not left:
                return


def known(question: Question, entry: Entry) -> str | None:
    """The source's own answer, as a model would give it; None where there is none to grade."""
    reference = question["reference"]
    if entry.domain == "coding":
        return f"```python\n{reference}\n```"
    if entry.domain == "mathematical reasoning":
        return None if question["answer"] is None else stated(question["answer"], entry)
    return str(reference)


def stated(answer: str, entry: Entry) -> str:
    """A final answer in the words that the prompts ask for."""
    return f"정답은 {answer}입니다." if entry.language == "ko" else f"The answer is {answer}."


def spoiled(question: Question, entry: Entry) -> str | None:
    """An answer that is wrong for certain; None where none can be made."""
    if entry.domain == "coding":
        return f"```python\n{_other_results(question['reference'])}\n```"
    if entry.domain != "mathematical reasoning" or question["answer"] is None:
        return None
    from beam_thunder.grading.numbers import parse_quantity

    quantity = parse_quantity(question["answer"])
    if quantity is None:
        return stated("1000003", entry)
    return stated(str(quantity.value * 3 + 1000003), entry)


def _other_results(program: str) -> str:
    """The program with every result in a list."""
    tree = ast.parse(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.Return):
            node.value = ast.List([node.value or ast.Constant(None)], ast.Load())
    return ast.unparse(ast.fix_missing_locations(tree))


def table(found: Sequence[Checked]) -> Table:
    """The verdicts on known answers."""
    shown = Table(title="Known answers", box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("dataset", no_wrap=True)
    shown.add_column("the source's own", overflow="fold")
    shown.add_column("damaged", overflow="fold")
    for each in found:
        shown.add_row(each.name, _told(each.reference), _told(each.damaged))
    return shown


def _told(verdicts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(verdicts.items())) or "-"
