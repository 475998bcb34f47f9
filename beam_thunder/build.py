"""The build command: plan, run, check, publish, report."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from beam_thunder.card import configurations
from beam_thunder.errors import BuildRefused
from beam_thunder.ledger import Ledger
from beam_thunder.manifest import RESULT, manifest
from beam_thunder.publish import keep_refused, publish, staging
from beam_thunder.recipe import Recipe, load_recipe


def build(
    recipe_path: Path,
    raw: str,
    out: str,
    only: Sequence[str] = (),
    beam_flags: Sequence[str] = (),
    console: Console | None = None,
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

    from beam_thunder.pipelines import build as wire
    from beam_thunder.pipelines import plan
    from beam_thunder.runners import beam_options, run
    from beam_thunder.runners.options import is_local
    from beam_thunder.transforms import Progress

    options = beam_options(beam_flags)
    with staging(out) as folder, tempfile.TemporaryDirectory() as channel:
        what = plan(recipe, recipe_path.parent, raw, folder)
        if is_local(options):
            what = replace(what, progress=Progress(channel))
        run(options, lambda root: wire(root, what), what.progress, what.bytes, console)
        result = _read_result(folder)
        raw_files = {
            name: sorted({piece.name for piece in each.slices})
            for name, each in what.datasets.items()
        }
        built = manifest(recipe, raw_files, result)
        ledgers = {name: Ledger(**each["ledger"]) for name, each in built["datasets"].items()}
        try:
            _check(recipe, ledgers)
        except BuildRefused as error:
            kept = keep_refused(folder, out)
            raise BuildRefused(f"{error}\nNothing was published; see {kept}") from None
        publish(folder, out, built)
    console.print(summary(built))
    console.print(_how_to_load(built, out))
    return built


def _read_result(folder: str) -> dict[str, Any]:
    from beam_thunder.remote import read

    return json.loads(read(f"{folder}/{RESULT}"))


def _check(recipe: Recipe, ledgers: Mapping[str, Ledger]) -> None:
    """What must hold before anything is published.

    Raises:
      BuildRefused: with everything that does not hold.
    """
    wrong = []
    for name, ledger in ledgers.items():
        ledger.check(name)
        if ledger.reject_rate > recipe.max_reject_rate:
            reasons = ", ".join(
                f"{reason} {count}" for reason, count in ledger.rejected.items()
            )
            wrong.append(
                f"{name}: {sum(ledger.rejected.values())} of {ledger.read} raw rows were "
                f"rejected ({reasons}), {ledger.reject_rate:.1%}; the recipe's max_reject_rate "
                f"is {recipe.max_reject_rate:.1%}"
            )
        empty = [table for table, rows in ledger.written.items() if rows == 0]
        if not ledger.read or empty:
            wrong.append(f"{name}: no rows for {', '.join(empty) or 'any table'}")
    if wrong:
        raise BuildRefused("\n".join(wrong))


def summary(built: Mapping[str, Any]) -> Table:
    """What a build came to, beside the published counts."""
    table = Table(title="Built (= as published)")
    table.add_column("dataset")
    for name in ("raw rows", "SFT", "published", "", "preference", "published", ""):
        table.add_column(name, justify="right")
    table.add_column("dropped", overflow="fold")
    for name, each in built["datasets"].items():
        ledger, published = each["ledger"], each["published"]
        cells = []
        for kind in ("sft", "preference"):
            rows = ledger["written"].get(kind)
            equal = "=" if rows is not None and rows == published[kind] else ""
            cells += [_count(rows), _count(published[kind]), equal]
        reasons = {**ledger["rejected"], **ledger["dropped"]}
        dropped = ", ".join(f"{reason} {_count(count)}" for reason, count in reasons.items())
        table.add_row(name, _count(ledger["read"]), *cells, dropped)
    return table


def _count(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"


def _how_to_load(built: Mapping[str, Any], out: str) -> str:
    first = next(iter(configurations(built)))
    return f'{out} is ready: datasets.load_dataset("{out}", "{first}", split="train")'
