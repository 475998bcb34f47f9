"""The build command: plan, run, check, publish, report."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich import box
from rich.console import Console
from rich.table import Table

from beam_thunder.card import configurations
from beam_thunder.errors import BuildRefused
from beam_thunder.ledger import Ledger
from beam_thunder.manifest import REPORT, RESULT, explain, manifest
from beam_thunder.publish import complete, keep_refused, publish, report, staging
from beam_thunder.quiet import import_tfdv
from beam_thunder.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from beam_thunder.pipelines import Plan, Validation


@dataclass(frozen=True)
class Gate:
    """What a build is held to before it is published.

    Attributes:
      validate: whether tables are measured and held to their schemas.
      schemas: folder of TFDV schemas that take the place of the package's own.
      baseline: an earlier build to compare with.
      on_anomaly: `stop` publishes nothing, `warn` publishes and says so.
    """

    validate: bool = True
    schemas: Path | None = None
    baseline: Path | None = None
    on_anomaly: Literal["stop", "warn"] = "stop"


def build(
    recipe_path: Path,
    raw: str,
    out: str,
    only: Sequence[str] = (),
    beam_flags: Sequence[str] = (),
    gate: Gate = Gate(),
    console: Console | None = None,
    attempts: str | None = None,
) -> dict[str, Any]:
    """Builds a recipe's datasets from the raw folder and publishes them at `out`.

    Returns:
      The manifest.

    Raises:
      UserError: the recipe, an option, a folder or a raw file cannot be used.
      BuildRefused: the build ran, and something in it may not be published.
    """
    console = console or Console(soft_wrap=True)
    recipe = load_recipe(recipe_path).only(list(only))

    from beam_thunder.grading.graders import check_graders
    from beam_thunder.pipelines import Job, plan
    from beam_thunder.pipelines import build as wire
    from beam_thunder.runners.display import BuildView, display
    from beam_thunder.runners.folders import check_folders
    from beam_thunder.runners.options import beam_options, workers_elsewhere
    from beam_thunder.runners.options import is_local as runs_here
    from beam_thunder.runners.run import run
    from beam_thunder.transforms import Progress

    options = beam_options(beam_flags)
    if not workers_elsewhere(options):
        check_graders(recipe.of_kind("synthetic").values())
    check_folders(options, {"--raw": raw, "--out": out, "--attempts": attempts})
    with staging(out) as folder, tempfile.TemporaryDirectory() as channel:
        progress = Progress(channel if runs_here(options) else None)
        job = Job(recipe.rows_per_shard, folder, progress)
        what = plan(recipe, recipe_path.parent, raw, job, _validation(gate), attempts)
        with display(progress, BuildView(what.bytes), console):
            run(options, lambda root: wire(root, what))
        built = _manifest(recipe, what, gate, _read_result(folder))
        complete(folder, built)
        report(folder, built)
        try:
            _check(recipe, built)
        except BuildRefused as error:
            kept = keep_refused(folder, out)
            raise BuildRefused(f"{error}\nNothing was published; see {kept}") from None
        publish(folder, out, built)
    _say(built, out, console)
    return built


def _validation(gate: Gate) -> Validation | None:
    if not gate.validate:
        return None
    import_tfdv()
    from beam_thunder.pipelines import Validation
    from beam_thunder.validation import load_baseline, load_schemas

    baseline = load_baseline(gate.baseline) if gate.baseline else {}
    return Validation(load_schemas(gate.schemas), baseline)


def _read_result(folder: str) -> dict[str, Any]:
    from beam_thunder.files import read

    return json.loads(read(f"{folder}/{RESULT}"))


def _manifest(recipe: Recipe, what: Plan, gate: Gate, result: dict[str, Any]) -> dict[str, Any]:
    raw_files = {
        name: sorted({piece.name for piece in each.slices})
        for name, each in what.datasets.items()
    }
    built = manifest(recipe, raw_files, result)
    if what.validation is None:
        return built
    from beam_thunder.validation import describe

    schemas, folder = what.validation.schemas, what.job.staging
    found = {
        "on_anomaly": gate.on_anomaly,
        "baseline": str(gate.baseline) if gate.baseline else None,
        "anomalies": [describe(each, built, folder, schemas) for each in result["anomalies"]],
        "drift": result["drift"],
    }
    return manifest(recipe, raw_files, result, found)


def _check(recipe: Recipe, built: Mapping[str, Any]) -> None:
    """What must hold before anything is published.

    Raises:
      BuildRefused: with everything that does not hold.
    """
    wrong = []
    for name, dataset in built["datasets"].items():
        ledger = Ledger(**dataset["ledger"])
        ledger.check(name)
        rejected = sum(ledger.rejected.values())
        if ledger.reject_rate > recipe.max_reject_rate:
            reasons = ", ".join(f"{reason} {n}" for reason, n in ledger.rejected.items())
            wrong.append(
                f"{name}: {rejected} of {ledger.read} raw rows were rejected ({reasons}), "
                f"{ledger.reject_rate:.1%}; the recipe's max_reject_rate is "
                f"{recipe.max_reject_rate:.1%}"
            )
        empty = [table for table, rows in ledger.written.items() if rows == 0]
        if not ledger.read or empty:
            wrong.append(f"{name}: no rows for {', '.join(empty) or 'any table'}")
    validation = built.get("validation")
    if validation and validation["anomalies"] and validation["on_anomaly"] == "stop":
        wrong.append(explain(validation["anomalies"]))
        wrong.append("Mend the rows, change the schema (--schema), or use --on-anomaly warn")
    if wrong:
        raise BuildRefused("\n".join(wrong))


def _say(built: Mapping[str, Any], out: str, console: Console) -> None:
    console.print(summary(built))
    for line in dropped(built):
        console.print(line)
    validation = built.get("validation")
    if validation and validation["anomalies"]:
        console.print("Published with anomalies:\n" + explain(validation["anomalies"]))
    if validation and validation["drift"]:
        console.print(f"Moved since {validation['baseline']}:\n{explain(validation['drift'])}")
    first = next(iter(configurations(built)))
    console.print(f"Report: {out}/{REPORT}")
    console.print(f'{out} is ready: datasets.load_dataset("{out}", "{first}", split="train")')


def summary(built: Mapping[str, Any]) -> Table:
    """What a build came to, beside the published counts."""
    table = Table(title="Built; = is as published", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("dataset", no_wrap=True)
    for name in ("raw rows", "SFT", "published", "preference", "published"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, each in built["datasets"].items():
        ledger, published = each["ledger"], each["published"]
        cells = []
        for kind in ("sft", "preference"):
            rows = ledger["written"].get(kind)
            equal = "= " if rows is not None and rows == published[kind] else ""
            cells += [equal + _count(rows), _count(published[kind])]
        table.add_row(name, _count(ledger["read"]), *cells)
    return table


def dropped(built: Mapping[str, Any]) -> list[str]:
    """A line for each dataset that dropped rows, with the reasons."""
    lines = []
    for name, each in built["datasets"].items():
        steps = ("rejected", "unused", "filtered", "dropped")
        reasons = {k: n for step in steps for k, n in each["ledger"].get(step, {}).items()}
        if reasons:
            counts = ", ".join(f"{reason} {_count(n)}" for reason, n in reasons.items())
            lines.append(f"{name}: dropped {counts}")
    return lines


def _count(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"
