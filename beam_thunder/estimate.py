"""The estimate command: what generating will take, before a GPU is rented."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from beam_thunder.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    import pyarrow as pa

    from beam_thunder.pipelines.questions import DatasetPlan

CHARACTERS_PER_TOKEN = 4.0
"""Of English text and code; the rule of thumb of most tokenizers' documentation."""

HANGUL_PER_TOKEN = 1.2
"""Hangul syllables per token: between the four models' tokenizers, EXAONE's is the best."""

EXPECTED_TOKENS = {
    "mathematical reasoning": 300,
    "coding": 350,
    "instruction following": 350,
}
"""Output tokens of an answer by domain, where nothing was measured: a guess, and said so."""


@dataclass(frozen=True)
class Estimate:
    """What a model is asked about one dataset.

    Attributes:
      model: its name in the recipe.
      dataset: its name.
      requests: answers to ask for.
      prompt_tokens: of all requests.
      output_tokens: of all answers.
      measured: whether the tokens come from attempts that exist, or are guessed.
    """

    model: str
    dataset: str
    requests: int
    prompt_tokens: int
    output_tokens: int
    measured: bool


def estimate(
    recipe_path: Path,
    raw: str,
    attempts: str | None = None,
    tokens_per_second: float | None = None,
    sample: int = 200,
    only: Sequence[str] = (),
    console: Console | None = None,
) -> list[Estimate]:
    """Says how many requests, tokens and GPU hours a recipe's synthetic datasets take.

    Args:
      recipe_path: of the recipe.
      raw: the raw folder.
      attempts: a folder of attempts, such as of `generate --limit 50`; their tokens are
        taken where it has some of a model and dataset.
      tokens_per_second: of output that a server of each model gives.
      sample: questions of each dataset whose prompts are measured.
      only: names of datasets.
      console: to show the table on.

    Raises:
      UserError: the recipe or a raw file cannot be used.
    """
    from beam_thunder.pipelines.questions import find_datasets

    console = console or Console(soft_wrap=True)
    recipe = load_recipe(recipe_path).only(list(only))
    plans = find_datasets(recipe.of_kind("synthetic"), recipe_path.parent, raw)
    lines = [
        _line(recipe, model, name, *_questions(plan, sample), attempts)
        for name, plan in plans.items()
        for model in recipe.models_of(name)
        if recipe.models[model].engine == "vllm"
    ]
    console.print(table(lines, recipe, tokens_per_second))
    guessed = sum(not line.measured for line in lines)
    console.print("Prompts and answers are in tokens.")
    if guessed:
        console.print(
            f"{guessed} of {len(lines)} lines are guessed (~): {CHARACTERS_PER_TOKEN:g} "
            f"characters or {HANGUL_PER_TOKEN:g} Hangul syllables per token, and "
            f"{min(EXPECTED_TOKENS.values())} to {max(EXPECTED_TOKENS.values())} tokens per "
            "answer. `generate --limit 50`, then --attempts, takes the place of guesses."
        )
    if tokens_per_second is None:
        console.print("--tokens-per-second, as `generate` shows it, gives hours.")
    return lines


def _questions(plan: DatasetPlan, sample: int) -> tuple[int, list[str]]:
    """How many questions a dataset has, and the prompts of some."""
    from beam_thunder.transforms.questions import split_rejects
    from beam_thunder.transforms.read import BATCH_ROWS, count_rows, read_slice

    source = plan.source
    rows = sum(count_rows(piece, source.rows) for piece in plan.slices)
    prompts: list[str] = []
    seen = 0
    for piece in plan.slices:
        for batch in read_slice(piece, source.rows, BATCH_ROWS):
            questions, _ = split_rejects(batch, source.parse(batch))
            prompts += _prompts(questions)
            seen += batch.num_rows
            if len(prompts) >= sample:
                return round(rows * len(prompts) / seen), prompts[:sample]
    return len(prompts), prompts


def _prompts(questions: pa.RecordBatch) -> list[str]:
    columns = [questions.column(name).to_pylist() for name in ("system", "prompt")]
    return [f"{system or ''}{prompt}" for system, prompt in zip(*columns, strict=True)]


def tokens(text: str) -> float:
    """About how many tokens a text has."""
    hangul = sum("가" <= character <= "힣" for character in text)
    return hangul / HANGUL_PER_TOKEN + (len(text) - hangul) / CHARACTERS_PER_TOKEN


def _line(
    recipe: Recipe,
    model: str,
    name: str,
    questions: int,
    prompts: Sequence[str],
    attempts: str | None,
) -> Estimate:
    requests = questions * recipe.samples_of(name)
    prompt, output = _measured(attempts, name, model)
    measured = output is not None
    if output is None:
        output = float(EXPECTED_TOKENS[recipe.datasets[name].entry.domain])
    if prompt is None:
        prompt = sum(map(tokens, prompts)) / max(len(prompts), 1)
    limit = recipe.sampling_of(model).max_tokens
    output = min(output, limit)
    return Estimate(
        model, name, requests, round(requests * prompt), round(requests * output), measured
    )


def _measured(
    attempts: str | None, dataset: str, model: str
) -> tuple[float | None, float | None]:
    """Mean tokens of prompts and answers in a folder of attempts, where there are some."""
    if attempts is None:
        return None, None
    import pyarrow.compute as pc

    from beam_thunder.generation.store import folder_of, parts, read_part

    names = ["prompt_tokens", "completion_tokens"]
    sums, counts = [0, 0], [0, 0]
    for path in parts(folder_of(attempts, dataset, model)):
        part = read_part(path, names)
        for index, name in enumerate(names):
            sums[index] += pc.sum(part.column(name)).as_py() or 0
            counts[index] += len(part) - part.column(name).null_count
    means = [total / n if n else None for total, n in zip(sums, counts, strict=True)]
    return means[0], means[1]


def table(lines: Sequence[Estimate], recipe: Recipe, tokens_per_second: float | None) -> Table:
    """The estimate, with a total for each model."""
    shown = Table(title="Estimate; ~ is guessed", box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("model, dataset", no_wrap=True)
    for name in ("requests", "prompts", "answers", "hours", "GPU hours"):
        shown.add_column(name, justify="right", no_wrap=True)
    for model in recipe.models:
        own = [line for line in lines if line.model == model]
        if not own:
            continue
        whole = Estimate(
            model,
            "all",
            sum(line.requests for line in own),
            sum(line.prompt_tokens for line in own),
            sum(line.output_tokens for line in own),
            all(line.measured for line in own),
        )
        shown.add_row(model, *_cells(whole, recipe, tokens_per_second))
        for line in own:
            cells = _cells(line, recipe, tokens_per_second)
            shown.add_row(f"  {line.dataset}", *cells, end_section=line is own[-1])
    return shown


def _cells(line: Estimate, recipe: Recipe, tokens_per_second: float | None) -> list[str]:
    about = "" if line.measured else "~"
    hours = gpu_hours = "-"
    if tokens_per_second:
        needed = line.output_tokens / tokens_per_second / 3600
        hours = f"{about}{needed:,.1f}"
        gpu_hours = f"{about}{needed * gpus(recipe.models[line.model].server):,.1f}"
    amounts = [f"{about}{_short(n)}" for n in (line.prompt_tokens, line.output_tokens)]
    return [f"{line.requests:,}", *amounts, hours, gpu_hours]


def _short(amount: int) -> str:
    """A number of tokens to three digits or so: 14.4k, 1.2M."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if amount >= size:
            return f"{amount / size:,.1f}{unit}"
    return str(amount)


def gpus(server: Mapping[str, object]) -> int:
    """The GPUs that a server with these arguments takes."""
    arguments = {name.replace("_", "-"): value for name, value in server.items()}
    parallel = ("tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size")
    return math.prod(int(str(arguments.get(name, 1))) for name in parallel)
