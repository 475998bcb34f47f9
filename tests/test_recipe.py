import pytest

from beam_thunder.catalog import find
from beam_thunder.errors import RecipeError
from beam_thunder.recipe import load_recipe


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        return load_recipe(path)

    return load


@pytest.fixture
def refusal(load, tmp_path):
    """The message that a recipe is refused with, less the folder it is in."""

    def refusal(text):
        with pytest.raises(RecipeError) as refused:
            load(text)
        return str(refused.value).replace(f"{tmp_path}/", "")

    return refusal


# What a recipe may say.


def test_a_name_alone_is_the_catalogs_dataset(load):
    recipe = load("datasets:\n  mmlu:\n  gsm8k: {}\n")
    assert list(recipe.datasets) == ["mmlu", "gsm8k"]
    assert recipe.datasets["mmlu"].entry is find("mmlu")
    assert recipe.datasets["mmlu"].patterns == find("mmlu").patterns()
    assert recipe.datasets["mmlu"].few_shot == ""


def test_what_is_left_out_has_defaults(load):
    recipe = load("datasets:\n  mmlu:\n")
    assert recipe.rows_per_shard == 100_000
    assert recipe.max_reject_rate == 0.01


@pytest.mark.parametrize(
    ("name", "tables"), [("mmlu", ("sft", "preference")), ("gsm8k", ("sft",))]
)
def test_the_tables_are_those_that_were_published(load, name, tables):
    assert load(f"datasets:\n  {name}:\n").datasets[name].written_tables == tables


def test_tables_are_written_in_the_order_of_the_flow(load):
    recipe = load("datasets:\n  mmlu:\n    tables: [preference, sft]\n")
    assert recipe.datasets["mmlu"].written_tables == ("sft", "preference")


def test_a_table_may_be_left_out(load):
    recipe = load("datasets:\n  mmlu:\n    tables: [preference]\n")
    assert recipe.datasets["mmlu"].written_tables == ("preference",)


def test_a_dataset_may_have_a_name_and_files_of_its_own(load):
    recipe = load(
        "datasets:\n  small:\n    source: winogrande\n    files: [s/*.parquet, more.jsonl]\n"
    )
    assert recipe.datasets["small"].entry is find("winogrande")
    assert recipe.datasets["small"].patterns == ("s/*.parquet", "more.jsonl")


def test_a_source_may_be_built_twice(load):
    recipe = load("datasets:\n  mmlu:\n  again:\n    source: mmlu\n")
    assert recipe.datasets["again"].entry is recipe.datasets["mmlu"].entry


@pytest.mark.parametrize("number", ["100_000", "100000", "0x186A0"])
def test_numbers_may_be_written_as_yaml_has_them(load, number):
    assert load(f"rows_per_shard: {number}\ndatasets:\n  mmlu:\n").rows_per_shard == 100_000


@pytest.mark.parametrize("rate", ["0", "1", "0.5"])
def test_a_reject_rate_is_from_none_to_all(load, rate):
    assert load(f"max_reject_rate: {rate}\ndatasets:\n  mmlu:\n").max_reject_rate == float(rate)


def test_a_few_shot_file_is_beside_the_recipe(load, tmp_path):
    (tmp_path / "shots.txt").write_text("Q: 1\n")
    recipe = load("datasets:\n  gsm8k:\n    few_shot: shots.txt\n")
    assert recipe.datasets["gsm8k"].few_shot == "shots.txt"


# What it may not: every message names the file, the line and a cure.

CATALOG_NAMES = "known are arc-challenge, arc-easy, gsm8k, "


@pytest.mark.parametrize(
    ("text", "start", "cure"),
    [
        pytest.param(
            "row_per_shard: 5\ndatasets:\n  mmlu:\n",
            "recipe.yaml:1: unknown key 'row_per_shard'",
            "did you mean 'rows_per_shard'?",
            id="unknown key",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n  gsm8k:\n    fewshot: x.txt\n",
            "recipe.yaml:4: unknown key 'datasets.gsm8k.fewshot'",
            "did you mean 'few_shot'?",
            id="unknown key of a dataset",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n    zzz: x\n",
            "recipe.yaml:3: unknown key 'datasets.mmlu.zzz'",
            "known are few_shot, files, filters, max_pairs, models, pairs",
            id="key near none",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n  gms8k:\n",
            "recipe.yaml:3: unknown source 'gms8k' of dataset 'gms8k'",
            "did you mean 'gsm8k'?",
            id="unknown dataset",
        ),
        pytest.param(
            "datasets:\n  mine:\n    files: [x.csv]\n    source: kmlu\n",
            "recipe.yaml:4: unknown source 'kmlu' of dataset 'mine'",
            "did you mean 'kmmlu'?",
            id="unknown source",
        ),
        pytest.param(
            "datasets:\n  xyz123:\n",
            "recipe.yaml:2: unknown source 'xyz123'",
            CATALOG_NAMES,
            id="source near none",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n    tables: [sft, pairs]\n",
            "recipe.yaml:3: datasets.mmlu.tables.1: ",
            "'kto' or 'published', found 'pairs'",
            id="unknown table",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n    tables:\n      - sft\n      - pairs\n",
            "recipe.yaml:5: datasets.mmlu.tables.1: ",
            "'kto' or 'published', found 'pairs'",
            id="unknown table on a line of its own",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n    tables: sft\n",
            "recipe.yaml:3: datasets.mmlu.tables: ",
            "list, found 'sft'",
            id="table that is no list",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n    files: all.csv\n",
            "recipe.yaml:3: datasets.mmlu.files: ",
            "list, found 'all.csv'",
            id="files that are no list",
        ),
        pytest.param(
            "datasets:\n  mmlu:\nrows_per_shard: many\n",
            "recipe.yaml:3: rows_per_shard: ",
            "integer, found 'many'",
            id="text for a number",
        ),
        pytest.param(
            'rows_per_shard: "5"\ndatasets:\n  mmlu:\n',
            "recipe.yaml:1: rows_per_shard: ",
            "integer, found '5'",
            id="quoted number",
        ),
        pytest.param(
            "rows_per_shard: true\ndatasets:\n  mmlu:\n",
            "recipe.yaml:1: rows_per_shard: ",
            "integer, found True",
            id="true for a number",
        ),
        pytest.param(
            "rows_per_shard: 0\ndatasets:\n  mmlu:\n",
            "recipe.yaml:1: rows_per_shard: ",
            "greater than or equal to 1, found 0",
            id="too small a number",
        ),
        pytest.param(
            "max_reject_rate: 5\ndatasets:\n  mmlu:\n",
            "recipe.yaml:1: max_reject_rate: ",
            "less than or equal to 1, found 5",
            id="rate in per cent",
        ),
        pytest.param(
            "max_reject_rate: .nan\ndatasets:\n  mmlu:\n",
            "recipe.yaml:1: max_reject_rate: ",
            "found nan",
            id="rate that is no number",
        ),
        pytest.param(
            "datasets:\n  mmlu: all\n",
            "recipe.yaml:2: datasets.mmlu: ",
            "found 'all'",
            id="dataset that is no mapping",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n    source: 5\n",
            "recipe.yaml:3: datasets.mmlu.source: ",
            "string, found 5",
            id="number for text",
        ),
        pytest.param(
            "datasets: [mmlu]\n",
            "recipe.yaml:1: datasets: ",
            "found ['mmlu']",
            id="list of datasets",
        ),
        pytest.param(
            "datasets:\n", "recipe.yaml:1: datasets: ", "found None", id="no datasets"
        ),
        pytest.param(
            "datasets: {}\n",
            "recipe.yaml:1: datasets: ",
            "at least 1 item",
            id="empty datasets",
        ),
        pytest.param(
            "rows_per_shard: 5\n",
            "recipe.yaml:1: 'datasets' is missing",
            "names its datasets under it",
            id="missing datasets",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n  gsm8k:\n  mmlu:\n",
            "recipe.yaml:4: no valid YAML: ",
            'duplicate key "mmlu"',
            id="duplicate key",
        ),
        pytest.param(
            "datasets:\n  mmlu: [\n",
            "recipe.yaml:3: no valid YAML: ",
            "expected",
            id="open bracket",
        ),
        pytest.param(
            "datasets:\n\tmmlu:\n", "recipe.yaml:2: no valid YAML: ", r"'\t'", id="tab"
        ),
        pytest.param(
            "datasets:\n  mmlu:\n---\ndatasets:\n  gsm8k:\n",
            "recipe.yaml:3: no valid YAML: ",
            "another document",
            id="two documents",
        ),
        pytest.param(
            "- mmlu\n",
            "recipe.yaml:1: expected a mapping with `datasets`",
            "found ['mmlu']",
            id="list",
        ),
        pytest.param(
            "",
            "recipe.yaml:1: expected a mapping with `datasets`",
            "found None",
            id="empty file",
        ),
        pytest.param(
            "datasets:\n  gsm8k:\n    few_shot: none.txt\n",
            "recipe.yaml:3: no file 'none.txt'",
            "beside the recipe in ",
            id="missing few-shot file",
        ),
        pytest.param(
            "datasets:\n  gsm8k:\n    few_shot: .\n",
            "recipe.yaml:3: no file '.'",
            "beside the recipe in ",
            id="folder for a few-shot file",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n    few_shot: recipe.yaml\n",
            "recipe.yaml:3: few_shot is for GSM8K alone",
            "'mmlu' is built like 'mmlu'",
            id="few-shot text of another source",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n    samples: 2\n",
            "recipe.yaml:3: 'mmlu' has its own answers",
            "samples is for synthetic ones",
            id="samples of a processed dataset",
        ),
        pytest.param(
            "models:\n  tiny: {hub: a/b}\ndatasets:\n  mbpp:\n    models: [tony]\n",
            "recipe.yaml:5: mbpp: no model 'tony'",
            "did you mean 'tiny'?",
            id="unknown model of a dataset",
        ),
        pytest.param(
            "models:\n  tiny: {hub: a/b}\ndatasets:\n  mbpp:\n    template: Solve it.\n",
            "recipe.yaml:5: mbpp: template 'Solve it.' of mbpp: expected {question}",
            "put it where the question is to stand",
            id="template without the question",
        ),
        pytest.param(
            "models:\n  tiny: {hub: a/b, accelerator: one L4}\ndatasets:\n  mbpp:\n",
            "recipe.yaml:2: accelerator 'one L4' of model 'tiny'",
            "expected type:TYPE;count:NUMBER",
            id="accelerator that is no resource hint",
        ),
        pytest.param(
            "models:\n  tiny: {server: {max-model-len: 10}}\ndatasets:\n  mbpp:\n",
            "recipe.yaml:2: model 'tiny' of engine vllm",
            "needs `hub`",
            id="model without a repository",
        ),
        pytest.param(
            "models:\n  tiny:\n    engine: recorded\n    answers: no.jsonl\n"
            "datasets:\n  mbpp:\n",
            "recipe.yaml:4: no file 'no.jsonl' beside the recipe in",
            "",
            id="recorded answers that are not there",
        ),
        pytest.param(
            "models:\n  a/b: {hub: a/b}\ndatasets:\n  mbpp:\n",
            "recipe.yaml:2: model name 'a/b'",
            "letters, digits",
            id="model name that is no folder",
        ),
        pytest.param(
            "models:\n  tiny: {hub: a/b, hubs: c}\ndatasets:\n  mbpp:\n",
            "recipe.yaml:2: unknown key 'models.tiny.hubs'",
            "did you mean 'hub'?",
            id="unknown key of a model",
        ),
        pytest.param(
            "sampling: {temprature: 1}\ndatasets:\n  mmlu:\n",
            "recipe.yaml:1: unknown key 'sampling.temprature'",
            "did you mean 'temperature'?",
            id="unknown key of sampling",
        ),
        pytest.param(
            "datasets:\n  mmlu:\n  slimorca:\n",
            "recipe.yaml:3: 'slimorca' is made of models' answers",
            "leave it out",
            id="synthetic dataset",
        ),
        pytest.param(
            "datasets:\n  mine:\n    source: gsm8k-synthetic\n",
            "recipe.yaml:3: 'mine' is made of models' answers",
            "leave it out",
            id="synthetic source",
        ),
    ],
)
def test_a_recipe_is_refused_with_file_line_and_cure(refusal, text, start, cure):
    message = refusal(text)
    assert message.startswith(start)
    assert cure in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "name",
    ["rejects", "../x", "a/b", "..", ".hidden", "-x", "x y", '""', "데이터"],
)
def test_a_name_that_is_no_folder_of_its_own_is_refused(refusal, name):
    message = refusal(f"datasets:\n  {name}:\n    source: mmlu\n")
    assert message.startswith("recipe.yaml:3: dataset name ")
    assert "expected a folder's name of letters, digits and - _ ." in message


@pytest.mark.parametrize(
    "name", ["spilled", "validation", "manifest.json", "README.md", "report.html"]
)
def test_a_name_that_a_build_itself_uses_is_refused(refusal, name):
    # Rows on their way are in `spilled`, which is removed before publishing.
    assert refusal(f"datasets:\n  {name}:\n    source: mmlu\n").startswith("recipe.yaml:")


def test_every_mistake_is_told_at_once(refusal):
    message = refusal("shards: 5\nrows_per_shard: many\ndatasets:\n  mmlu:\n    file: x\n")
    lines = message.splitlines()
    assert len(lines) == 3
    assert {line.split(": ")[0] for line in lines} == {f"recipe.yaml:{n}" for n in (1, 2, 5)}


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"absent\.yaml: cannot be read: .*No such file"):
        load_recipe(tmp_path / "absent.yaml")


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"datasets: \xff\n")
    with pytest.raises(RecipeError, match=r"recipe\.yaml: cannot be read: "):
        load_recipe(path)


def test_a_character_that_yaml_does_not_know_is_an_error_of_the_recipe(refusal):
    assert refusal("datasets:\n  mmlu:\n    source: 'a\x07'\n").startswith("recipe.yaml:")


# A part of a recipe.

THREE = "datasets:\n  mmlu:\n  gsm8k:\n  kmmlu:\n"


def test_only_keeps_the_named_datasets_in_the_recipes_order(load):
    recipe = load(f"rows_per_shard: 7\n{THREE}").only(["kmmlu", "mmlu"])
    assert list(recipe.datasets) == ["mmlu", "kmmlu"]
    assert recipe.rows_per_shard == 7


def test_only_without_names_keeps_all(load):
    assert list(load(THREE).only([]).datasets) == ["mmlu", "gsm8k", "kmmlu"]


def test_only_leaves_the_recipe_as_it_is(load):
    recipe = load(THREE)
    recipe.only(["mmlu"])
    assert len(recipe.datasets) == 3


def test_only_refuses_a_name_that_the_recipe_does_not_have(load):
    # It is in the catalog, and not in this recipe.
    with pytest.raises(RecipeError, match="--only arc-easy: the recipe has no such dataset"):
        load(THREE).only(["mmlu", "arc-easy"])


def test_only_offers_the_nearest_name(load):
    with pytest.raises(RecipeError, match=r"did you mean 'kmmlu'\?"):
        load(THREE).only(["kmlu"])
