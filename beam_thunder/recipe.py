"""A recipe: which datasets to build, as a YAML file that reads like the published table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from beam_thunder.catalog import CATALOG, Entry, Kind, find, suggestion
from beam_thunder.errors import RecipeError
from beam_thunder.filters import Limits
from beam_thunder.paths import is_local
from beam_thunder.templates import check_template

Table = Literal["sft", "preference", "attempts", "kto", "published"]

_ACCELERATOR = r"type:[\w-]+;count:[1-9]\d*(;install-nvidia-driver(:[\w.-]+)?)?"
_FOLDER = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_TAKEN = (
    *("rejects", "spilled", "validation"),
    *("manifest.json", "README.md", "report.html", "result.json"),
)
"""What a build itself writes beside the datasets."""


class Sampling(BaseModel):
    """How a model draws its answers; the names are those of the OpenAI protocol.

    Attributes:
      temperature: 0 always takes the likeliest token: then more samples of a question
        are all the same. Higher values give more varied answers, and more wrong ones.
      top_p: draw from the likeliest tokens that together have this probability.
      max_tokens: where an answer is cut off. Not part of what an answer is stored
        under: one that ended by itself would have been the same with a higher limit.
      seed: sample *k* of every question is drawn with `seed + k`.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_tokens: int = Field(default=2048, ge=1)
    seed: int = Field(default=0, ge=0)


class ModelRecipe(BaseModel):
    """A model that answers questions.

    Attributes:
      engine: `vllm` asks a server; `recorded` takes the answers that a file has.
      hub: its repository on the Hugging Face Hub, or a local folder; what a server is
        asked for, and what rows name as their model.
      revision: branch, tag or commit of the repository; answers of another one are
        other answers.
      server: arguments for the server that is started for it, as vLLM names them.
      accelerator: the hardware of workers that run it, as Beam's resource hint, where the
        runner hires workers (Dataflow): `type:nvidia-l4;count:1;install-nvidia-driver`.
      sampling: in place of the recipe's own for this model.
      answers: for `recorded`, a file (.jsonl, .csv or .parquet) of `question` or
        `question_id`, `model` and `response`, relative to the recipe, or a URL.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    engine: Literal["vllm", "recorded"] = "vllm"
    hub: str = ""
    revision: str = ""
    server: dict[str, str | int | float | bool] = Field(default_factory=dict)
    accelerator: str = ""
    sampling: Sampling | None = None
    answers: str = ""


class DatasetRecipe(BaseModel):
    """One dataset of a recipe.

    Attributes:
      source: the catalog's dataset it is built like; its own name if left out.
      files: patterns of its raw files below the raw folder, where they are not
        the catalog's: another size or split, or files of your own.
      tables: what to write; what the authors published if left out.
      few_shot: for GSM8K, a text file that is put before every question, relative
        to the recipe.
      models: of a synthetic dataset, the recipe's models that answer it; all of them
        if left out.
      samples: of a synthetic dataset, answers per question and model, in place of the
        recipe's own.
      template: of a synthetic dataset, the prompt with `{question}` where the question
        goes; the package's own for the source if left out.
      filters: of a synthetic dataset, what answers may be like, in place of the
        recipe's own.
      pairs: of a synthetic dataset, `one_per_question` as published, or `all`.
      max_pairs: with `all`, at most so many of a question.
      program_seconds: of a coding dataset, CPU time that an answer may take with its
        tests. Lower it for simple tasks: an endless loop takes all of it.
      ungradable_sft: of a synthetic dataset, whether answers that no rule decides on
        become SFT rows; if left out, those of instruction following do.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    source: str = ""
    files: list[str] = Field(default_factory=list)
    tables: list[Table] = Field(default_factory=list)
    few_shot: str = ""
    models: list[str] = Field(default_factory=list)
    samples: int | None = Field(default=None, ge=1)
    template: str = ""
    filters: Limits | None = None
    pairs: Literal["one_per_question", "all"] = "one_per_question"
    max_pairs: int | None = Field(default=None, ge=1)
    program_seconds: int = Field(default=60, ge=1)
    ungradable_sft: bool | None = None

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
        kept = ("attempts",) if self.entry.kind == "synthetic" else ()
        wanted = (*(self.tables or self.entry.tables), *kept)
        return tuple(table for table in get_args(Table) if table in wanted)


class Recipe(BaseModel):
    """What to build.

    Attributes:
      rows_per_shard: of the larger of a dataset's tables, about; more rows make
        fewer and larger files, and take more memory per worker.
      max_reject_rate: share of a dataset's raw rows, from 0 to 1, that may be
        unusable before nothing is published.
      sampling: how models draw their answers.
      filters: what answers may be like.
      samples: answers per question and model.
      models: that answer the questions of synthetic datasets, by a name of yours; the
        name is the folder that their answers are kept in.
      datasets: by name; the name is the folder it is written to.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    rows_per_shard: int = Field(default=100_000, ge=1)
    max_reject_rate: float = Field(default=0.01, ge=0, le=1)
    sampling: Sampling = Field(default_factory=Sampling)
    filters: Limits = Field(default_factory=Limits)
    samples: int = Field(default=1, ge=1)
    models: dict[str, ModelRecipe] = Field(default_factory=dict)
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

    def of_kind(self, kind: Kind) -> dict[str, DatasetRecipe]:
        """Its processed or its synthetic datasets."""
        return {name: d for name, d in self.datasets.items() if d.entry.kind == kind}

    def models_of(self, dataset: str) -> list[str]:
        """The names of the models that answer a synthetic dataset."""
        return self.datasets[dataset].models or list(self.models)

    def samples_of(self, dataset: str) -> int:
        """Answers per question and model."""
        return self.datasets[dataset].samples or self.samples

    def sampling_of(self, model: str) -> Sampling:
        """How a model draws its answers."""
        return self.models[model].sampling or self.sampling

    def filters_of(self, dataset: str) -> Limits:
        """What answers to a synthetic dataset's questions may be like."""
        return self.datasets[dataset].filters or self.filters

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


_MODELS: dict[Any, type[BaseModel]] = {
    "datasets": DatasetRecipe,
    "models": ModelRecipe,
    "sampling": Sampling,
    "filters": Limits,
}
"""What the keys below each key of a recipe are."""


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
    for name, model in recipe.models.items():
        _check_model(path, tree, name, model)
    for name, dataset in recipe.datasets.items():
        _check_dataset(path, tree, name, dataset)
        _check_kind(path, tree, name, dataset, recipe)
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
        model = next((_MODELS[key] for key in reversed(keys[:-1]) if key in _MODELS), Recipe)
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
    if not re.fullmatch(_FOLDER, name) or name in _TAKEN:
        raise RecipeError(
            f"{where}: dataset name {name!r}: expected a folder's name of letters, digits and "
            f"- _ . that a build does not use itself ({', '.join(_TAKEN)})"
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


_SYNTHETIC_KEYS = (
    *("models", "samples", "template"),
    *("filters", "pairs", "max_pairs", "program_seconds", "ungradable_sft"),
)
"""What only synthetic datasets may say."""


def _check_kind(
    path: Path, tree: Any, name: str, dataset: DatasetRecipe, recipe: Recipe
) -> None:
    """What only datasets of one kind may say, and must say."""
    keys: tuple[Any, ...] = ("datasets", name)

    def error(key: str, problem: str) -> RecipeError:
        return RecipeError(f"{path}:{_line(tree, (*keys, key))}: {problem}")

    if dataset.entry.kind == "processed":
        for key in _SYNTHETIC_KEYS:
            if key in dataset.model_fields_set:
                raise error(key, f"{name!r} has its own answers: {key} is for synthetic ones")
        synthetic = [table for table in dataset.tables if table not in ("sft", "preference")]
        if synthetic:
            raise error("tables", f"{name!r} has its own answers: no table {synthetic[0]!r}")
        return
    if not recipe.models:
        raise error(
            "source",
            f"{name!r} is made of models' answers; name some under `models`, or leave it out",
        )
    for model in dataset.models:
        if model not in recipe.models:
            known = suggestion(model, recipe.models)
            raise error("models", f"{name}: no model {model!r} in the recipe; {known}")
    if dataset.template:
        try:
            check_template(dataset.source, dataset.template)
        except RecipeError as wrong:
            raise error("template", f"{name}: {wrong}") from None


def _check_model(path: Path, tree: Any, name: str, model: ModelRecipe) -> None:
    keys: tuple[Any, ...] = ("models", name)
    where = f"{path}:{_line(tree, keys)}"
    if not re.fullmatch(_FOLDER, name):
        raise RecipeError(f"{where}: model name {name!r}: expected letters, digits and - _ .")
    needed = "hub" if model.engine == "vllm" else "answers"
    if not getattr(model, needed):
        raise RecipeError(f"{where}: model {name!r} of engine {model.engine} needs `{needed}`")
    if model.accelerator and not re.fullmatch(_ACCELERATOR, model.accelerator):
        raise RecipeError(
            f"{path}:{_line(tree, (*keys, 'accelerator'))}: accelerator "
            f"{model.accelerator!r} of model {name!r}: expected type:TYPE;count:NUMBER, and "
            "perhaps ;install-nvidia-driver behind it, as type:nvidia-l4;count:1"
        )
    missing = is_local(model.answers) and not (path.parent / model.answers).is_file()
    if model.answers and missing:
        raise RecipeError(
            f"{path}:{_line(tree, (*keys, 'answers'))}: no file {model.answers!r} "
            f"beside the recipe in {path.parent}"
        )
