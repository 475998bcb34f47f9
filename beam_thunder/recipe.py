"""A recipe: which datasets to build, as a YAML file that reads like the published table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from beam_thunder.catalog import CATALOG, Entry, find, suggestion
from beam_thunder.errors import RecipeError

Table = Literal["sft", "preference"]

_TAKEN = (
    *("rejects", "spilled", "validation"),
    *("manifest.json", "README.md", "report.html", "result.json"),
)
"""What a build itself writes beside the datasets."""


class DatasetRecipe(BaseModel):
    """One dataset of a recipe.

    Attributes:
      source: the catalog's dataset it is built like; its own name if left out.
      files: patterns of its raw files below the raw folder, where they are not
        the catalog's: another size or split, or files of your own.
      tables: what to write; what the authors published if left out.
      few_shot: for GSM8K, a text file that is put before every question, relative
        to the recipe.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    source: str = ""
    files: list[str] = Field(default_factory=list)
    tables: list[Table] = Field(default_factory=list)
    few_shot: str = ""

    @property
    def entry(self) -> Entry:
        """The catalog's entry of its source."""
        return find(self.source)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Where its raw files may be, below the raw folder."""
        return tuple(self.files) or self.entry.patterns()

    @property
    def written_tables(self) -> tuple[Table, ...]:
        """The tables to write, in the order of the flow."""
        wanted = self.tables or self.entry.tables
        return tuple(table for table in get_args(Table) if table in wanted)


class Recipe(BaseModel):
    """What to build.

    Attributes:
      rows_per_shard: of the larger of a dataset's tables, about; more rows make
        fewer and larger files, and take more memory per worker.
      max_reject_rate: share of a dataset's raw rows, from 0 to 1, that may be
        unusable before nothing is published.
      datasets: by name; the name is the folder it is written to.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    rows_per_shard: int = Field(default=100_000, ge=1)
    max_reject_rate: float = Field(default=0.01, ge=0, le=1)
    datasets: dict[str, DatasetRecipe] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _name_sources(cls, data: Any) -> Any:
        """A dataset without a source is the catalog's of that name."""
        if isinstance(data, dict) and isinstance(data.get("datasets"), dict):
            for name, dataset in data["datasets"].items():
                if dataset is None:
                    data["datasets"][name] = dataset = {}
                if isinstance(dataset, dict):
                    dataset.setdefault("source", name)
        return data

    def only(self, names: list[str]) -> Recipe:
        """The recipe with these of its datasets alone; all of them if none is named.

        Raises:
          RecipeError: a name that the recipe does not have.
        """
        for name in names:
            if name not in self.datasets:
                raise RecipeError(
                    f"--only {name}: the recipe has no such dataset; "
                    f"{suggestion(name, self.datasets)}"
                )
        kept = {n: d for n, d in self.datasets.items() if not names or n in names}
        return self.model_copy(update={"datasets": kept})


def load_recipe(path: Path) -> Recipe:
    """Reads and checks a recipe.

    Raises:
      RecipeError: it cannot be read, or something in it is unknown or of the wrong
        kind; the message gives file and line, and what was expected.
    """
    try:
        tree = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read: {error}") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RecipeError(f"{path}:{line}: no valid YAML: {error.problem}") from error
    except YAMLError as error:  # a character that YAML has not
        raise RecipeError(f"{path}: no valid YAML: {error}") from error
    if not isinstance(tree, dict):
        raise RecipeError(f"{path}:1: expected a mapping with `datasets`, found {tree!r}")
    try:
        recipe = Recipe.model_validate(_plain(tree))
    except ValidationError as error:
        raise RecipeError(
            "\n".join(_explain(path, tree, each) for each in error.errors())
        ) from None
    for name, dataset in recipe.datasets.items():
        _check_dataset(path, tree, name, dataset)
    return recipe


def _plain(node: Any) -> Any:
    """YAML's nodes as plain values, copies that may be changed."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return node


def _line(tree: Any, keys: tuple[Any, ...]) -> int:
    """The line, from 1, of the deepest of these keys that the recipe has."""
    line = 1
    for key in keys:
        try:
            line = tree.lc.item(key)[0] + 1 if isinstance(key, int) else tree.lc.key(key)[0] + 1
            tree = tree[key]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _explain(path: Path, tree: Any, error: Any) -> str:
    keys = tuple(key for key in error["loc"] if key != "[key]")
    where = f"{path}:{_line(tree, keys)}"
    name = ".".join(map(str, keys))
    if error["type"] == "extra_forbidden":
        model = DatasetRecipe if keys[0] == "datasets" else Recipe
        return f"{where}: unknown key {name!r}; {suggestion(keys[-1], model.model_fields)}"
    if error["type"] == "missing":
        return f"{where}: {name!r} is missing; a recipe names its datasets under it"
    return f"{where}: {name}: {error['msg']}, found {error['input']!r}"


def _check_dataset(path: Path, tree: Any, name: str, dataset: DatasetRecipe) -> None:
    keys: tuple[Any, ...] = ("datasets", name)
    where = f"{path}:{_line(tree, (*keys, 'source'))}"
    if dataset.source not in CATALOG:
        raise RecipeError(
            f"{where}: unknown source {dataset.source!r} of dataset {name!r}; "
            f"{suggestion(dataset.source, CATALOG)}"
        )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or name in _TAKEN:
        raise RecipeError(
            f"{where}: dataset name {name!r}: expected a folder's name of letters, digits and "
            f"- _ . that a build does not use itself ({', '.join(_TAKEN)})"
        )
    if dataset.entry.kind != "processed":
        raise RecipeError(
            f"{where}: {name!r} is made of models' answers, which this version cannot build; "
            f"leave it out"
        )
    if dataset.few_shot and dataset.entry.source != "GSM8K":
        raise RecipeError(
            f"{path}:{_line(tree, (*keys, 'few_shot'))}: few_shot is for GSM8K alone, "
            f"{name!r} is built like {dataset.source!r}"
        )
    if dataset.few_shot and not (path.parent / dataset.few_shot).is_file():
        raise RecipeError(
            f"{path}:{_line(tree, (*keys, 'few_shot'))}: no file {dataset.few_shot!r} "
            f"beside the recipe in {path.parent}"
        )
