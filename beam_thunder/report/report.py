"""Makes the report of a build from the build's folder alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from beam_thunder.manifest import REPORT, read_manifest
from beam_thunder.report import pictures
from beam_thunder.report.flow import Funnel, Step, funnels, lost, steps
from beam_thunder.report.licences import meaning, restricted
from beam_thunder.report.measures import Measure, Statistics, read_statistics
from beam_thunder.report.samples import Sample, read_rejects, read_samples
from beam_thunder.report.text import plain, shorten, visible

_TITLES = {"sft": "SFT", "preference": "Preference"}
_TEXT = 300
"""Characters shown of a row's text among the anomalies."""


@dataclass(frozen=True)
class Finding:
    """An anomaly or a drift, as the manifest has it.

    Attributes:
      dataset: its name.
      table: its name.
      measure: what was measured.
      found: what the statistics say.
      expected: what the schema allows.
      rows: some that it is about, with their `id` and `text`.
    """

    dataset: str
    table: str
    measure: str
    found: str
    expected: str
    rows: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Table:
    """What the report shows of a table.

    Attributes:
      name: `sft` or `preference`.
      rows: written, None if the table was not built.
      published: by the authors of the datasets, None if they published no such table.
      statistics: of its rows, None if there are none.
      lengths: a picture, empty if there are no statistics.
      scripts: a picture, empty if there are no statistics.
      samples: a few of its rows.
    """

    name: str
    rows: int | None
    published: int | None
    statistics: Statistics | None = None
    lengths: str = ""
    scripts: str = ""
    samples: Sequence[Sample] = ()

    @property
    def title(self) -> str:
        """Its name for people."""
        return _TITLES.get(self.name, self.name)

    @property
    def measures(self) -> list[tuple[str, list[Measure]]]:
        """Its measures, by the text column that they are of; the others under an empty name."""
        found = list(self.statistics.measures.values()) if self.statistics else []
        columns = self.statistics.columns if self.statistics else ()
        by_column = [(c, [m for m in found if m.column == c]) for c in (*columns, "")]
        return [(column, measures) for column, measures in by_column if measures]


@dataclass(frozen=True)
class Dataset:
    """What the report shows of a dataset.

    Attributes:
      name: as in the recipe.
      about: its entry in the manifest.
      steps: its ledger.
      lost: its raw rows and pairs that are in no table.
      tables: `sft` and `preference`.
      rejects: a few of its rejected raw rows.
      anomalies: how many it has.
      funnels: of the models that answered its questions.
    """

    name: str
    about: Mapping[str, Any]
    steps: Sequence[Step]
    lost: int
    tables: Sequence[Table]
    rejects: Sequence[Mapping[str, Any]]
    anomalies: int
    funnels: Sequence[Funnel] = ()

    @property
    def outcomes(self) -> list[str]:
        """Where attempts of its models went: the verdicts, then the filters."""
        verdicts = ("correct", "wrong", "ungradable", "error")
        found = {name for funnel in self.funnels for name in funnel.parts}
        return [v for v in verdicts if v in found] + sorted(found.difference(verdicts))


def write_report(folder: Path) -> Path:
    """Writes `report.html` in the folder of a build, published or refused.

    The same folder gives the same bytes.

    Raises:
      UserError: the folder is no build's, or a file in it is damaged.
    """
    manifest = read_manifest(folder)
    page = (
        _environment().from_string(_asset("template.html")).render(_content(folder, manifest))
    )
    path = folder / REPORT
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def _content(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the template has to fill in."""
    validation = manifest.get("validation")
    anomalies = _findings(manifest, "anomalies")
    counts = Counter(each.dataset for each in anomalies)
    datasets = [_dataset(folder, manifest, name, counts[name]) for name in manifest["datasets"]]
    totals = Counter[str]()
    for dataset in datasets:
        totals.update({table.name: table.rows or 0 for table in dataset.tables})
    problems = list(_problems(manifest))
    stopped = bool(anomalies) and (validation or {}).get("on_anomaly") == "stop"
    return {
        "style": Markup(_asset("style.css")),
        "version": manifest.get("beam_thunder", ""),
        "versions": manifest.get("versions", {}),
        "refused": stopped or bool(problems),
        "problems": problems,
        "validation": validation,
        "anomalies": anomalies,
        "drift": _findings(manifest, "drift"),
        "baseline": (validation or {}).get("baseline"),
        "datasets": datasets,
        "totals": totals,
    }


def _findings(manifest: Mapping[str, Any], key: str) -> list[Finding]:
    """Anomalies or drift, those of a dataset together."""
    all_of_them = (manifest.get("validation") or {}).get(key) or []
    names = [field.name for field in fields(Finding)]
    findings = [Finding(**{n: each[n] for n in names if n in each}) for each in all_of_them]
    places = {name: place for place, name in enumerate(manifest["datasets"])}
    return sorted(findings, key=lambda each: places.get(each.dataset, len(places)))


def _problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Why a build is refused, but for its anomalies."""
    limit = manifest.get("recipe", {}).get("max_reject_rate", 1.0)
    for name, about in manifest["datasets"].items():
        ledger = about.get("ledger") or {}
        read, rejected = ledger.get("read") or 0, sum((ledger.get("rejected") or {}).values())
        if rejected > limit * read:
            yield (
                f"{name}: {rejected:,} of {read:,} raw rows were rejected, "
                f"{rejected / read:.1%}; the recipe allows {limit:.1%}"
            )
        for table, rows in (ledger.get("written") or {}).items():
            if not rows:
                yield f"{name}: the table {table} has no rows"


def _dataset(folder: Path, manifest: Mapping[str, Any], name: str, anomalies: int) -> Dataset:
    about = manifest["datasets"][name]
    ledger = about.get("ledger") or {}
    written, published = ledger.get("written") or {}, about.get("published") or {}
    return Dataset(
        name=name,
        about={"source": "", "kind": "", "language": "", "domain": "", "license": "", **about},
        steps=steps(ledger),
        lost=lost(ledger),
        tables=[
            _table(folder, manifest, (name, table), written.get(table), published.get(table))
            for table in _TITLES
        ],
        rejects=read_rejects(folder, name),
        anomalies=anomalies,
        funnels=funnels(ledger),
    )


def _table(
    folder: Path,
    manifest: Mapping[str, Any],
    names: tuple[str, str],
    rows: int | None,
    published: int | None,
) -> Table:
    dataset, table = names
    if rows is None:
        return Table(table, None, published)
    statistics = read_statistics(folder / "validation" / dataset / f"{table}.statistics.pb")
    salt = f"{dataset}/{table}"
    return Table(
        name=table,
        rows=rows,
        published=published,
        statistics=statistics,
        lengths=pictures.lengths(statistics, f"{salt}/lengths") if statistics else "",
        scripts=pictures.scripts(statistics, f"{salt}/scripts") if statistics else "",
        samples=read_samples(folder, list(_paths(manifest, f"{dataset}/{table}/"))),
    )


def _paths(manifest: Mapping[str, Any], start: str) -> Iterator[str]:
    for path in sorted(file["path"] for file in manifest.get("files", [])):
        if path.startswith(start) and path.endswith(".parquet"):
            yield path


def _environment() -> Environment:
    """Jinja that escapes whatever is put into the page, and keeps it visible."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = _count
    environment.filters["visible"] = visible
    environment.filters["brief"] = lambda text: visible(shorten(str(text), _TEXT))
    environment.filters["anchor"] = lambda name: re.sub(r"[^A-Za-z0-9._-]", "-", name)
    environment.globals["meaning"] = meaning
    environment.globals["restricted"] = restricted
    return environment


def _count(rows: int | None) -> str:
    return "–" if rows is None else f"{rows:,}"


def _asset(name: str) -> str:
    return files("beam_thunder.report").joinpath(name).read_text(encoding="utf-8")
