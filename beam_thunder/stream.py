"""The stream command: raw files that keep arriving, to windows of validated shards."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from beam_thunder.build import Gate
from beam_thunder.errors import UserError
from beam_thunder.generate import Asking
from beam_thunder.manifest import dump
from beam_thunder.paths import absolute
from beam_thunder.quiet import import_tfdv
from beam_thunder.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from beam_thunder.pipelines.stream import StreamPlan
    from beam_thunder.streaming.answer import AnswerHandler
    from beam_thunder.streaming.log import Entry
    from beam_thunder.streaming.window import WindowRules

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Watching:
    """What a stream looks at, and for how long.

    Attributes:
      pattern: of the raw files, or a Pub/Sub subscription of a bucket's notifications.
      window: its length in seconds.
      poll: seconds between looks for files.
      seconds: until the stream ends; None for one without an end.
      attempts: folder that models' answers are kept in, and taken from; one of the stream's
        own if empty.
    """

    pattern: str
    window: float = 60.0
    poll: float = 5.0
    seconds: float | None = None
    attempts: str = ""

    @property
    def notified(self) -> bool:
        """Whether files are told of by Pub/Sub."""
        return self.pattern.startswith("projects/")

    @property
    def folder(self) -> str:
        """That all files are in which the pattern matches."""
        return re.split(r"[*?\[]", absolute(self.pattern), maxsplit=1)[0].rpartition("/")[0]

    def check_apart(self, out: str) -> None:
        """Raises a UserError if the files would lie in the output folder, which is its own."""
        if not self.notified and f"{self.folder}/".startswith(f"{out}/"):
            raise UserError(
                f"--watch {self.pattern} looks in --out {out}, where the stream writes; give "
                "another --out, beside the raw files"
            )


def seconds(text: str) -> float:
    """The seconds of a duration such as `90`, `60s`, `5m` or `1h`.

    Raises:
      UserError: it is none, or not above 0.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if match is None or float(match[1]) == 0:
        raise UserError(f"{text!r}: expected a duration above 0, as 90, 60s, 5m or 1h")
    return float(match[1]) * _UNITS[match[2]]


def stream(
    recipe_path: Path,
    watching: Watching,
    out: str,
    only: Sequence[str] = (),
    beam_flags: Sequence[str] = (),
    gate: Gate | None = None,
    asking: Asking | None = None,
    console: Console | None = None,
) -> list[Entry]:
    """Publishes a window of each dataset whenever one is over, until it is stopped.

    Returns:
      The windows that this run added, of a stream that ends by itself.

    Raises:
      UserError: the recipe, an option, a folder or a server cannot be used.
    """
    console = console or Console(soft_wrap=True)
    recipe = load_recipe(recipe_path).only(list(only))

    from beam_thunder.grading.graders import check_graders
    from beam_thunder.pipelines.stream import stream as wire
    from beam_thunder.runners.folders import check_folders
    from beam_thunder.runners.options import workers_elsewhere
    from beam_thunder.runners.run import run
    from beam_thunder.runners.streaming import late_seconds, stream_options
    from beam_thunder.streaming.commit import recover
    from beam_thunder.streaming.log import WindowLog

    options = stream_options(beam_flags, watching.seconds is not None)
    if not workers_elsewhere(options):
        check_graders(recipe.of_kind("synthetic").values())
    out = absolute(out).rstrip("/")
    watching.check_apart(out)
    watched = None if watching.notified else watching.pattern
    check_folders(
        options, {"--watch": watched, "--out": out, "--attempts": watching.attempts or None}
    )
    claim(out, recipe)
    asking = (asking or Asking()).on(options)
    what = plan(recipe, recipe_path.parent, watching, out, gate or Gate(), asking)
    what = replace(what, late=late_seconds(options))
    logs = {name: WindowLog(out, name) for name in recipe.datasets}
    for name, log in logs.items():
        recover(log, out, name)
    before = {name: len(log.entries) for name, log in logs.items()}
    console.print(f"Watching {watching.pattern}; windows of {watching.window:g} s below {out}")
    run(options, lambda root: wire(root, what))
    for log in logs.values():
        log.read()
    added = {name: log.entries[before[name] :] for name, log in logs.items()}
    console.print(summary(added))
    return [entry for entries in added.values() for entry in entries]


def claim(out: str, recipe: Recipe) -> None:
    """Claims the output folder for this recipe's stream.

    Raises:
      UserError: it holds something else, or the windows of another recipe.
    """
    from beam_thunder import files
    from beam_thunder.streaming.log import STATE

    path, own = f"{out}/{STATE}/recipe.json", _identity(recipe)
    if files.create(path, own):
        return
    if files.read(path) != own:
        raise UserError(
            f"--out {out} has windows of another recipe (as {path} says), and these would not "
            "fit beside them; give another --out"
        )


def _identity(recipe: Recipe) -> bytes:
    """What must not change between runs of a stream: all but where models run."""
    where = {"models": {"__all__": {"accelerator", "server"}}}
    return dump(recipe.model_dump(exclude=where))


def plan(
    recipe: Recipe, folder: Path, watching: Watching, out: str, gate: Gate, asking: Asking
) -> StreamPlan:
    """Settles what a stream reads and writes.

    Args:
      recipe: what to build.
      folder: that the recipe's own files are relative to.
      watching: what to look at.
      out: the output folder, from the root.
      gate: what windows are held to; there is no baseline.
      asking: how models are asked.

    Raises:
      UserError: a server, an interpreter, a schema or the sandbox cannot be used.
    """
    from beam_thunder.generation.recorded import RecordedFile
    from beam_thunder.pipelines.questions import DatasetPlan
    from beam_thunder.pipelines.stream import StreamPlan

    datasets = {
        name: DatasetPlan(
            each,
            (),
            each.few_shot and (folder / each.few_shot).read_text(encoding="utf-8"),
        )
        for name, each in recipe.datasets.items()
    }
    recorded = {
        name: tuple(
            RecordedFile.of(model, recipe.models[model], folder)
            for model in recipe.models_of(name)
            if recipe.models[model].engine == "recorded"
        )
        for name in recipe.of_kind("synthetic")
    }
    attempts = absolute(watching.attempts or f"{out}/.stream/attempts")
    return StreamPlan(
        watching.pattern if watching.notified else absolute(watching.pattern),
        out,
        datasets,
        _rules(recipe, gate),
        _handlers(recipe, attempts, asking),
        recorded,
        watching.window,
        watching.poll,
        watching.seconds,
    )


def _rules(recipe: Recipe, gate: Gate) -> dict[str, WindowRules]:
    from beam_thunder.pipelines.assemble import rules_of
    from beam_thunder.streaming.window import WindowRules

    schemas = None
    if gate.validate:
        import_tfdv()
        from beam_thunder.validation import load_schemas

        schemas = load_schemas(gate.schemas)
    rules = {}
    for name, dataset in recipe.datasets.items():
        assessing = rules_of(recipe, name) if dataset.entry.kind == "synthetic" else None
        only = recipe.only([name])
        rules[name] = WindowRules(only, assessing, schemas, gate.on_anomaly)
    return rules


def _handlers(recipe: Recipe, attempts: str, asking: Asking) -> dict[str, AnswerHandler]:
    from beam_thunder.generate import handler
    from beam_thunder.streaming.answer import AnswerHandler

    samples: dict[str, dict[str, int]] = {}
    for dataset in recipe.of_kind("synthetic"):
        for model in recipe.models_of(dataset):
            if recipe.models[model].engine == "vllm":
                samples.setdefault(model, {})[dataset] = recipe.samples_of(dataset)
    if len(samples) > 1:
        raise UserError(
            f"a stream asks one model, and these would be asked: {', '.join(samples)}; keep "
            "one in the recipe (workers could not hold the servers of several)"
        )
    return {
        model: AnswerHandler(handler(recipe, model, attempts, asking), samples[model])
        for model in samples
    }


def summary(added: Mapping[str, Sequence[Entry]]) -> Table:
    """What the windows came to, by dataset."""
    table = Table(title="Windows", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("dataset", no_wrap=True)
    for name in ("windows", "quarantine", "files", "unusable", "SFT", "preference"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, entries in added.items():
        places = Counter(entry.place for entry in entries)
        rows: Counter[str] = Counter()
        for entry in entries:
            rows.update(entry.rows if entry.place == "windows" else {})
        numbers = (
            places["windows"],
            places["quarantine"],
            sum(len(entry.files) for entry in entries),
            sum(len(entry.set_aside) for entry in entries),
            rows["sft"],
            rows["preference"],
        )
        table.add_row(name, *(f"{number:,}" for number in numbers))
    return table
