"""The processed pipeline: against an answer worked out directly, and against itself."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_thunder.build import build
from beam_thunder.catalog import find
from beam_thunder.errors import BuildRefused, RawFileError
from beam_thunder.pipelines import Job, plan
from beam_thunder.pipelines import build as wire
from beam_thunder.recipe import load_recipe
from beam_thunder.transforms.pair import option_attempts, pair
from beam_thunder.transforms.questions import split_rejects
from beam_thunder.transforms.read import read_slice
from beam_thunder.transforms.shuffle import sort_shard
from beam_thunder.transforms.sources import parser

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
QUICKSTART = ROOT / "recipes" / "quickstart.yaml"

# Rows, SFT rows, pairs and identical pairs of the hand-made examples.
EXPECTED = {
    "mmlu": (12, 12, 36, 0),
    "hellaswag": (12, 12, 36, 0),
    "winogrande": (12, 12, 12, 0),
    "openbookqa": (12, 12, 35, 1),
    "gsm8k": (12, 12, None, 0),
    "arc-easy": (12, 12, 35, 0),
    "arc-challenge": (12, 12, 35, 0),
    "kmmlu": (13, 13, 39, 0),
    "kobest-hellaswag": (12, 12, 36, 0),
}
SYNTHETIC = {
    "gsm8k-synthetic": (12, 6, 3, 0),
    "orca-math": (9, 4, None, 0),
    "slimorca": (9, 5, 2, 0),
    "gsm8k-ko": (8, 3, 3, 0),
    "orca-math-ko": (8, 2, None, 0),
    "mwp-korean-2021": (9, 4, 3, 0),
    "koalpaca": (8, 3, 1, 0),
}


def recipe_file(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def table(out: Path, name: str) -> pa.Table:
    return pa.concat_tables(
        pq.read_table(path) for path in sorted(out.glob(f"{name}/*.parquet"))
    )


def staged(tmp_path: Path, name: str, change) -> dict[str, bytes]:
    """What the pipeline leaves in staging for the examples, with a changed plan."""
    folder = tmp_path / name
    folder.mkdir()
    recipe = load_recipe(QUICKSTART)
    job = Job(recipe.rows_per_shard, str(folder))
    what = change(plan(recipe, QUICKSTART.parent, str(EXAMPLES / "raw"), job))
    with beam.Pipeline("FnApiRunner") as pipeline:
        wire(pipeline, what)
    return {
        path: data for path, data in tree(folder).items() if not path.startswith("spilled/")
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("built") / "out"
    build(QUICKSTART, str(EXAMPLES / "raw"), str(out))
    return out


def test_every_dataset_has_the_rows_that_its_raw_rows_make(built):
    datasets = json.loads((built / "manifest.json").read_text())["datasets"]
    found = {
        name: (
            each["ledger"]["read"],
            each["ledger"]["written"]["sft"],
            each["ledger"]["written"].get("preference"),
            each["ledger"]["dropped"].get("identical_pair", 0),
        )
        for name, each in datasets.items()
    }
    assert found == EXPECTED | SYNTHETIC


@pytest.mark.parametrize("name", ["mmlu", "arc-easy", "kmmlu"])
def test_tables_equal_those_worked_out_in_memory(built, name):
    what = plan(load_recipe(QUICKSTART), QUICKSTART.parent, str(EXAMPLES / "raw"), Job(1, "-"))
    source = parser(name)
    batches = [
        split_rejects(batch, source.parse(batch))[0]
        for piece in what.datasets[name].slices
        for batch in read_slice(piece, source.rows, 5)
    ]
    questions = sort_shard(batches)
    paired = pair(questions, option_attempts(questions), find(name))
    assert len(batches) > 1
    assert len(list(built.glob(f"{name}/sft/*"))) > 1
    assert table(built, f"{name}/sft").to_pylist() == paired.sft.to_pylist()
    assert table(built, f"{name}/preference").to_pylist() == paired.preference.to_pylist()


def test_rows_stand_in_the_order_of_their_questions_ids(built):
    ids = table(built, "kmmlu/preference").column("question_id").to_pylist()
    assert ids == sorted(ids)
    assert len(set(ids)) > 1


def test_row_ids_are_unique_also_where_a_raw_row_appears_twice(built):
    rows = table(built, "mmlu/preference")
    assert len(set(rows.column("id").to_pylist())) == rows.num_rows
    assert len(set(rows.column("question_id").to_pylist())) == 11  # 12 rows, two are the same


def test_few_shot_text_stands_before_every_question(built):
    text = (EXAMPLES / "prompts" / "gsm8k-few-shot.txt").read_text(encoding="utf-8")
    prompts = table(built, "gsm8k/sft").column("prompt").to_pylist()
    assert all(prompt.startswith(text + "Q: ") for prompt in prompts)


def test_a_second_build_gives_the_same_bytes(built, tmp_path):
    build(QUICKSTART, str(EXAMPLES / "raw"), str(tmp_path / "out"))
    assert tree(tmp_path / "out") == tree(built)


def test_two_worker_processes_give_the_same_bytes(built, tmp_path):
    flags = ["--direct_num_workers", "2", "--direct_running_mode", "multi_processing"]
    build(QUICKSTART, str(EXAMPLES / "raw"), str(tmp_path / "out"), beam_flags=flags)
    assert tree(tmp_path / "out") == tree(built)


def test_batch_size_and_order_of_files_leave_no_trace(tmp_path):
    def backwards(what):
        return replace(
            what,
            job=replace(what.job, batch_rows=3),
            datasets={
                name: replace(each, slices=each.slices[::-1])
                for name, each in what.datasets.items()
            },
        )

    assert staged(tmp_path, "a", lambda what: what) == staged(tmp_path, "b", backwards)


def test_release_layout_gives_the_same_rows_as_the_hub_layout(built, tmp_path):
    released = [name for name in EXPECTED if name != "kmmlu"]  # which has no other release
    build(QUICKSTART, str(EXAMPLES / "release"), str(tmp_path / "out"), released)
    ours, theirs = tree(tmp_path / "out"), tree(built)
    data = [path for path in theirs if path.split("/")[0] in released and "parquet" in path]
    assert len(data) > 20
    assert {path: ours[path] for path in data} == {path: theirs[path] for path in data}


@pytest.mark.parametrize(
    ("rows_per_shard", "shards"), [(1000, 1), (36, 1), (35, 2), (10, 4), (3, 12)]
)
def test_rows_per_shard_decides_the_number_of_shards(tmp_path, rows_per_shard, shards):
    recipe = recipe_file(
        tmp_path, f"rows_per_shard: {rows_per_shard}\ndatasets:\n  hellaswag:\n"
    )
    build(recipe, str(EXAMPLES / "raw"), str(tmp_path / "out"))
    names = sorted(path.name for path in (tmp_path / "out/hellaswag/preference").iterdir())
    assert names == [f"train-{i:05d}-of-{shards:05d}.parquet" for i in range(shards)]
    assert table(tmp_path / "out", "hellaswag/preference").num_rows == 36


def test_manifest_has_the_checksum_and_rows_of_every_file(built):
    import hashlib

    manifest = json.loads((built / "manifest.json").read_text())
    listed = {file["path"]: file for file in manifest["files"]}
    apart = ("manifest.json", "README.md", "report.html")
    found = {path for path in tree(built) if path not in apart}
    assert set(listed) == found
    for path, file in listed.items():
        data = (built / path).read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert file["bytes"] == len(data)
        if path.endswith(".parquet"):
            assert file["rows"] == pq.read_metadata(built / path).num_rows


def test_datasets_loads_every_configuration_of_the_card(built, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="pip install datasets")
    # The card is what names the configurations; nothing else tells `datasets` of them.
    names = datasets.get_dataset_config_names(str(built))
    assert len(names) == 38
    for name in names:
        rows = datasets.load_dataset(
            str(built), name, split="train", cache_dir=str(tmp_path / "cache")
        )
        texts = {  # what TRL's trainers look for, and what the authors published
            "preference": {"id", "question_id", "prompt", "chosen", "rejected"},
            "sft": {"id", "question_id", "prompt", "completion"},
            "kto": {"id", "question_id", "prompt", "completion"},
            "attempts": {"id", "question_id", "prompt", "response", "verdict"},
            "published": {"question", "response", "question_source", "source_dataset"},
        }[name.rpartition("-")[2]]
        assert texts <= set(rows.column_names)
        assert all(rows[0][text] for text in texts)


# Bad rows and bad files.

GOOD = '{"question": "One and one?", "answer": "Two.\\n#### 2"}\n'
BAD = [
    '{"question": "No answer?"}\n',
    '{"question": null, "answer": "#### 1"}\n',
    '{"question": "?", "answer": 5}\n',
    '{"question": " ", "answer": "#### 1"}\n',
    '{"question": "No mark?", "answer": "five"}\n',
    '{"question": "Cut off',
]
REASONS = {
    "empty_question": 1,
    "missing_column": 1,
    "no_final_answer": 1,
    "null_value": 1,
    "unreadable_line": 1,
    "wrong_type": 1,
}


def gsm8k_raw(folder: Path, good: int, bad: list[str]) -> str:
    path = folder / "raw" / "gsm8k" / "train.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [GOOD.replace("One and", f"One and {i} and") for i in range(good)]
    path.write_text("".join(rows + bad), encoding="utf-8")
    return str(folder / "raw")


def test_rejected_rows_are_listed_with_file_line_and_reason(tmp_path):
    recipe = recipe_file(tmp_path, "max_reject_rate: 0.5\ndatasets:\n  gsm8k:\n")
    build(recipe, gsm8k_raw(tmp_path, 10, BAD), str(tmp_path / "out"))
    lines = (tmp_path / "out/rejects/gsm8k.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["position"] for row in rows] == [11, 12, 13, 14, 15, 16]
    assert {row["file"] for row in rows} == {"gsm8k/train.jsonl"}
    assert "expected text, found int" in rows[2]["detail"]
    assert "No mark?" in rows[4]["row"]
    ledger = json.loads((tmp_path / "out/manifest.json").read_text())["datasets"]["gsm8k"][
        "ledger"
    ]
    assert ledger["rejected"] == REASONS
    assert (ledger["read"], ledger["questions"]) == (16, 10)


def test_more_rejects_than_the_recipe_allows_publish_nothing(tmp_path):
    recipe = recipe_file(tmp_path, "datasets:\n  gsm8k:\n")
    with pytest.raises(
        BuildRefused, match=r"6 of 16 raw rows.*37\.5%.*max_reject_rate is 1\.0%"
    ):
        build(recipe, gsm8k_raw(tmp_path, 10, BAD), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    kept = tmp_path / "out.refused/rejects/gsm8k.jsonl"
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 6


def test_a_reject_rate_at_the_limit_is_published(tmp_path):
    recipe = recipe_file(tmp_path, "max_reject_rate: 0.1\ndatasets:\n  gsm8k:\n")
    build(recipe, gsm8k_raw(tmp_path, 9, BAD[:1]), str(tmp_path / "out"))
    assert (tmp_path / "out/manifest.json").exists()


def test_a_dataset_without_rows_is_refused(tmp_path):
    recipe = recipe_file(tmp_path, "datasets:\n  gsm8k:\n")
    with pytest.raises(BuildRefused, match="gsm8k: no rows"):
        build(recipe, gsm8k_raw(tmp_path, 0, []), str(tmp_path / "out"))


def test_a_table_that_stays_empty_is_refused(tmp_path):
    # GSM8K has no wrong answers to reject.
    recipe = recipe_file(tmp_path, "datasets:\n  gsm8k: {tables: [sft, preference]}\n")
    with pytest.raises(BuildRefused, match="gsm8k: no rows for preference"):
        build(recipe, gsm8k_raw(tmp_path, 3, []), str(tmp_path / "out"))


def test_all_missing_raw_files_are_named_with_how_to_get_them(tmp_path):
    with pytest.raises(RawFileError) as error:
        build(ROOT / "recipes/processed.yaml", str(tmp_path), str(tmp_path / "out"))
    message = str(error.value)
    assert "lacks the raw files of 9 of 9 datasets" in message
    assert "openai/gsm8k/main/train-*.parquet" in message
    assert "beam-thunder fetch gsm8k --to DIR" in message


def test_a_truncated_parquet_file_is_named(tmp_path):
    source = EXAMPLES / "raw/openai/gsm8k/main/train-00000-of-00001.parquet"
    target = tmp_path / "raw/openai/gsm8k/main" / source.name
    target.parent.mkdir(parents=True)
    target.write_bytes(source.read_bytes()[:-100])
    recipe = recipe_file(tmp_path, "datasets:\n  gsm8k:\n")
    with pytest.raises(
        RawFileError, match=r"train-00000-of-00001\.parquet is no readable Parquet"
    ):
        build(recipe, str(tmp_path / "raw"), str(tmp_path / "out"))


def test_damage_found_while_reading_is_told_without_a_traceback(tmp_path):
    import gzip

    path = tmp_path / "raw/gsm8k/train.jsonl.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress((GOOD * 1000).encode())[:-20])
    recipe = recipe_file(tmp_path, "datasets:\n  gsm8k: {files: [gsm8k/train.jsonl.gz]}\n")
    with pytest.raises(RawFileError) as error:
        build(recipe, str(tmp_path / "raw"), str(tmp_path / "out"))
    assert "train.jsonl.gz cannot be read" in str(error.value)
    assert "Traceback" not in str(error.value)
    assert not (tmp_path / "out").exists()


# Real files.


@pytest.mark.parametrize(
    ("name", "sft", "pairs"),
    [("gsm8k", 7473, None), ("arc-easy", 2251, 6751), ("kobest-hellaswag", 2029, 6087)],
)
def test_real_files_build_with_the_published_counts(raw, tmp_path, name, sft, pairs):
    manifest = build(
        ROOT / "recipes/processed.yaml", str(raw / "hub"), str(tmp_path / "out"), [name]
    )
    written = manifest["datasets"][name]["ledger"]["written"]
    assert (written["sft"], written.get("preference")) == (sft, pairs)
    assert table(tmp_path / "out", f"{name}/sft").num_rows == sft


# Being killed.

SLOW_BUILD = """
import sys
from pathlib import Path
from beam_thunder import build as module

real = module.publish
def slow(*arguments):
    print("staged", flush=True)
    sys.stdin.readline()
    real(*arguments)
module.publish = slow
module.build(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
"""


def test_a_killed_build_leaves_the_old_one_as_it_was(built, tmp_path):
    out = tmp_path / "out"
    recipe = recipe_file(tmp_path, "datasets:\n  gsm8k:\n")
    build(recipe, str(EXAMPLES / "raw"), str(out))
    before = tree(out)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_BUILD, str(QUICKSTART), str(EXAMPLES / "raw"), str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert b"staged\n" in iter(process.stdout.readline, b"")  # behind lines of progress
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert tree(out) == before
    assert len(list(tmp_path.glob(".out.staging.*"))) == 1
    build(QUICKSTART, str(EXAMPLES / "raw"), str(out))
    assert tree(out) == tree(built)
    assert not list(tmp_path.glob(".out.staging.*"))


def test_a_failing_build_leaves_nothing_behind(tmp_path):
    recipe = recipe_file(tmp_path, "datasets:\n  gsm8k:\n")
    with pytest.raises(BuildRefused):
        build(recipe, gsm8k_raw(tmp_path, 1, BAD), str(tmp_path / "out"))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out.refused", "raw", "recipe.yaml"]
