"""The generate command: the models of a recipe, one by one, answer what is missing."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from beam_thunder.catalog import suggestion
from beam_thunder.errors import BuildRefused, RecipeError, UserError
from beam_thunder.paths import absolute
from beam_thunder.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from beam_thunder.generation.handler import VllmModelHandler
    from beam_thunder.pipelines.questions import DatasetPlan
    from beam_thunder.transforms import Progress
    from beam_thunder.transforms.generate import Generate, TakeRecorded

Counts = dict[str, dict[str, Counter[str]]]
"""What a run came to, by model and dataset."""


@dataclass(frozen=True)
class Asking:
    """How models are asked.

    Attributes:
      urls: of running servers; without any, one is started for each model.
      python: an interpreter with vLLM; None to look for one.
      concurrency: requests that are open at a time.
      redo_truncated: whether answers that were cut off at the token limit are asked again.
      elsewhere: whether workers run in containers, whose interpreter `python` then is.
    """

    urls: Sequence[str] = ()
    python: str | None = None
    concurrency: int = 256
    redo_truncated: bool = False
    elsewhere: bool = False

    def on(self, options: PipelineOptions) -> Asking:
        """The same, for the workers of a runner."""
        from beam_thunder.runners.options import workers_elsewhere

        return replace(self, elsewhere=workers_elsewhere(options))


@dataclass(frozen=True)
class Selection:
    """What of a recipe is asked.

    Attributes:
      models: their names; all if empty.
      datasets: their names; all synthetic ones if empty.
      limit: questions of each dataset; all if None.
    """

    models: Sequence[str] = ()
    datasets: Sequence[str] = ()
    limit: int | None = None


def generate(
    recipe_path: Path,
    raw: str,
    out: str,
    selection: Selection = Selection(),
    asking: Asking = Asking(),
    beam_flags: Sequence[str] = (),
    console: Console | None = None,
) -> Counts:
    """Gets what is missing of the models' answers to a recipe's questions, below `out`.

    Raises:
      UserError: the recipe, an option, a raw file or a server cannot be used.
      BuildRefused: the run ended, and some answers are missing still.
    """
    console = console or Console(soft_wrap=True)
    recipe = load_recipe(recipe_path).only(list(selection.datasets))
    names = _models(recipe, selection.models)
    datasets = recipe.of_kind("synthetic")
    if not datasets:
        raise RecipeError(f"{recipe_path}: no synthetic dataset, so there is nothing to ask")
    asked = {n: [d for d in datasets if n in recipe.models_of(d)] for n in names}
    if asking.urls and sum(recipe.models[n].engine == "vllm" for n in names if asked[n]) > 1:
        raise UserError("--vllm-url takes one model at a time; name it with --model")

    from beam_thunder.pipelines.questions import find_datasets
    from beam_thunder.runners.folders import check_folders
    from beam_thunder.runners.options import beam_options

    options = beam_options(beam_flags)
    check_folders(options, {"--raw": raw, "--out": out})
    wanted = {d: datasets[d] for d in datasets if any(d in each for each in asked.values())}
    found = find_datasets(wanted, recipe_path.parent, raw)
    job = _Job(
        recipe,
        recipe_path.parent,
        absolute(out),
        selection.limit,
        asking.on(options),
        options,
        console,
    )
    counts = {
        name: job.run(name, {d: found[d] for d in asked[name]}) for name in names if asked[name]
    }
    console.print(summary(counts, recipe))
    _check(counts)
    console.print(
        f"{out} has the attempts: beam-thunder build {recipe_path} --attempts {out} ..."
    )
    return counts


def _models(recipe: Recipe, chosen: Sequence[str]) -> list[str]:
    for name in chosen:
        if name not in recipe.models:
            known = suggestion(name, recipe.models)
            raise UserError(f"--model {name}: the recipe has no such model; {known}")
    return [name for name in recipe.models if not chosen or name in chosen]


@dataclass(frozen=True)
class _Job:
    """Everything that is the same for all models."""

    recipe: Recipe
    folder: Path
    out: str
    limit: int | None
    asking: Asking
    options: PipelineOptions
    console: Console

    def run(self, name: str, datasets: Mapping[str, DatasetPlan]) -> dict[str, Counter[str]]:
        from beam_thunder.pipelines.generate import GeneratePlan
        from beam_thunder.pipelines.generate import generate as wire
        from beam_thunder.runners.display import GenerateView, display
        from beam_thunder.runners.options import is_local
        from beam_thunder.runners.run import run
        from beam_thunder.transforms import Progress
        from beam_thunder.transforms.generate import TakeRecorded

        with tempfile.TemporaryDirectory() as channel:
            progress = Progress(channel if is_local(self.options) else None)
            result = f"{self.out.rstrip('/')}/.result-{name}.json"
            answer = self._answer(name, datasets, progress)
            plan = GeneratePlan(datasets, answer, result, self.limit, progress)
            with display(progress, GenerateView(name), self.console):
                run(self.options, lambda root: wire(root, plan))
            counts = _read_and_delete(result, datasets)
        if isinstance(answer, TakeRecorded):
            self._say_unused(answer, counts)
        return counts

    def _say_unused(self, answer: TakeRecorded, counts: Mapping[str, Counter[str]]) -> None:
        from beam_thunder.generation.recorded import read_recorded

        has = len(read_recorded(answer.file))
        used = sum(each["answered"] + sum(errors_of(each).values()) for each in counts.values())
        if has > used:
            self.console.print(
                f"{answer.file.path}: {has - used:,} of {has:,} answers are to none of the "
                "questions"
            )

    def _answer(
        self, name: str, datasets: Mapping[str, DatasetPlan], progress: Progress
    ) -> Generate | TakeRecorded:
        from beam_thunder.generation.recorded import RecordedFile
        from beam_thunder.transforms.generate import Generate, TakeRecorded

        model = self.recipe.models[name]
        if model.engine == "recorded":
            return TakeRecorded(RecordedFile.of(name, model, self.folder), name, self.out)
        samples = {dataset: self.recipe.samples_of(dataset) for dataset in datasets}
        asked = handler(self.recipe, name, self.out, self.asking)
        return Generate(asked, samples, self.asking.redo_truncated, progress)


def handler(recipe: Recipe, name: str, out: str, asking: Asking) -> VllmModelHandler:
    """What asks a recipe's model.

    Args:
      recipe: that has it.
      name: of the model.
      out: the folder of attempts.
      asking: where it is asked, and how.

    Raises:
      UserError: a server or an interpreter cannot be used.
    """
    from beam_thunder.generation.attempts import Asked
    from beam_thunder.generation.engine import Window
    from beam_thunder.generation.handler import VllmModelHandler
    from beam_thunder.generation.interpreter import (
        CONTAINER_PYTHON,
        check_interpreter,
        find_interpreter,
    )
    from beam_thunder.generation.served import check_served

    model, urls, python = recipe.models[name], asking.urls, ""
    for url in urls:
        check_served(url, model.hub)
    if not urls and asking.elsewhere:
        python = asking.python or CONTAINER_PYTHON
    elif not urls:
        python = find_interpreter(asking.python)
        check_interpreter(python)
    return VllmModelHandler(
        Asked(model.hub, model.revision, **recipe.sampling_of(name).model_dump()),
        name,
        out,
        urls,
        python,
        model.server,
        Window(asking.concurrency),
        "" if urls else model.accelerator,
    )


def _read_and_delete(path: str, datasets: Mapping[str, object]) -> dict[str, Counter[str]]:
    from apache_beam.io.filesystems import FileSystems

    from beam_thunder.files import read

    counts = json.loads(read(path))
    FileSystems.delete([path])
    return {name: Counter(counts.get(name, {})) for name in datasets}


def errors_of(counts: Counter[str]) -> dict[str, int]:
    """The answers that are errors, by their name."""
    other = ("questions", "rejected", "answered", "prompt_tokens", "completion_tokens")
    return {name: n for name, n in sorted(counts.items()) if name not in other}


def summary(counts: Counts, recipe: Recipe) -> Table:
    """What a run came to."""
    table = Table(title="Generated", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("model", "dataset"):
        table.add_column(name, no_wrap=True)
    for name in ("questions", "wanted", "there before", "answered", "errors"):
        table.add_column(name, justify="right")
    for model, datasets in counts.items():
        for dataset, each in datasets.items():
            errors = errors_of(each)
            new = each["answered"] + sum(errors.values())
            wanted = each["questions"] * recipe.samples_of(dataset)
            if recipe.models[model].engine == "recorded":
                wanted = new
            reasons = ", ".join(f"{name} {n:,}" for name, n in errors.items()) or "0"
            row = (each["questions"], wanted, wanted - new, each["answered"])
            table.add_row(model, dataset, *(f"{n:,}" for n in row), reasons)
    return table


def _check(counts: Counts) -> None:
    """Raises a BuildRefused if another run would ask something again, or nothing was asked."""
    from beam_thunder.generation.attempts import TRANSIENT

    missing: Counter[str] = Counter()
    for datasets in counts.values():
        for dataset, each in datasets.items():
            if not each["questions"]:
                raise BuildRefused(f"{dataset}: its raw files have no questions")
            missing += Counter({n: k for n, k in each.items() if n in TRANSIENT})
    if missing:
        reasons = ", ".join(f"{name} {n:,}" for name, n in sorted(missing.items()))
        raise BuildRefused(
            f"{sum(missing.values()):,} answers are missing ({reasons}); run the same command "
            "again, which asks for them alone"
        )
