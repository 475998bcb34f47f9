"""The gate: real rows pass, damaged ones are refused with a message that says what is wrong."""

import csv
import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_thunder import cli
from beam_thunder.build import Gate, build
from beam_thunder.errors import BuildRefused, UserError
from beam_thunder.validation import load_schemas, validate_folder

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples" / "raw"

# The real files that are at hand, of every source; for some another split or size.
REAL = {
    "mmlu": "hub/cais/mmlu/all/auxiliary_train-00000-of-00001.parquet",
    "hellaswag": "hub/Rowan/hellaswag/data/validation-00000-of-00001.parquet",
    "winogrande": "hub/allenai/winogrande/winogrande_s/train-00000-of-00001.parquet",
    "openbookqa": "hub/allenai/openbookqa/main/validation-00000-of-00001.parquet",
    "gsm8k": "hub/openai/gsm8k/main/train-00000-of-00001.parquet",
    "arc-easy": "hub/allenai/ai2_arc/ARC-Easy/train-00000-of-00001.parquet",
    "arc-challenge": "release/arc/ARC-Challenge-Dev.jsonl",
    "kmmlu": "hub/HAERAE-HUB/KMMLU/data/Criminal-Law-train.csv",
    "kobest-hellaswag": "hub/skt/kobest_v1/hellaswag/train-00000-of-00001.parquet",
}


def recipe(folder: Path, names, rows_per_shard: int = 100_000) -> Path:
    files = "".join(f"  {name}: {{files: ['{REAL[name]}']}}\n" for name in names)
    path = folder / "recipe.yaml"
    path.write_text(f"rows_per_shard: {rows_per_shard}\ndatasets:\n{files}")
    return path


def test_real_files_of_every_source_are_published_validated(raw, tmp_path):
    out = tmp_path / "out"
    manifest = build(recipe(tmp_path, REAL, 2000), str(raw), str(out))
    assert manifest["validation"]["anomalies"] == []
    assert {name: d["ledger"]["rejected"] for name, d in manifest["datasets"].items()} == {
        name: {} for name in REAL
    }
    verdict = validate_folder(out, load_schemas())
    assert (verdict.problems, verdict.anomalies) == ((), ())
    assert (out / "report.html").stat().st_size > 10_000


# What is done to the first row of each real file, and what the message must say of it.


def korean(row):
    return {**row, "question": "다음 중 옳은 것은 무엇입니까? " * 40}


def no_hangul(row):
    return {key: re.sub("[가-힣]", "x", value) for key, value in row.items()}


def wreck_choices(row, text):
    choices = {**row["choices"], "text": [text, *row["choices"]["text"][1:]]}
    return {**row, "choices": choices}


DAMAGE = {
    "mmlu": (lambda r: {**r, "question": r["question"] + "\ufffd"}, "sft: prompt_replacement"),
    "hellaswag": (
        lambda r: {**r, "endings": ["", *r["endings"][1:]]},
        "preference: rejected_characters",
    ),
    "winogrande": (
        lambda r: {**r, "sentence": "민수는 영희보다 _ 크다."},
        "preference: prompt_mostly_hangul",
    ),
    "openbookqa": (lambda r: wreck_choices(r, " \t"), "sft: completion_blank"),
    "gsm8k": (lambda r: {**r, "question": "What? " * 40_000}, "sft: prompt_characters"),
    "arc-easy": (korean, "sft: prompt_mostly_hangul"),
    "arc-challenge": (
        lambda r: {
            **r,
            "question": {**r["question"], "stem": r["question"]["stem"] + "\ufffd"},
        },
        "preference: prompt_replacement",
    ),
    "kmmlu": (no_hangul, "sft: prompt_in_language"),
    "kobest-hellaswag": (
        lambda r: {**r, f"ending_{r['label'] + 1}": "\ufffd\ufffd"},
        "preference: chosen_replacement",
    ),
}


def damage(source: Path, target: Path, change, every: bool) -> None:
    target.parent.mkdir(parents=True)
    if source.suffix == ".parquet":
        table = pq.read_table(source)
        rows = table.to_pylist()
    elif source.suffix == ".jsonl":
        rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    else:
        with source.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
    rows = [change(row) if every or i == 0 else row for i, row in enumerate(rows)]
    if source.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), target)
    elif source.suffix == ".jsonl":
        target.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    else:
        with target.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0])
            writer.writeheader()
            writer.writerows(rows)


@pytest.mark.parametrize("name", REAL)
def test_a_damaged_copy_of_each_real_file_is_refused(raw, tmp_path, name):
    change, expected = DAMAGE[name]
    # A Korean dataset may have some rows without Hangul, but not all.
    damage(raw / REAL[name], tmp_path / "raw" / REAL[name], change, every=name == "kmmlu")
    with pytest.raises(BuildRefused) as error:
        build(recipe(tmp_path, [name]), str(tmp_path / "raw"), str(tmp_path / "out"))
    message = str(error.value)
    assert f"{name}/{expected}: found " in message
    assert "the schema allows" in message
    assert re.search(r"\n    [0-9a-f]{32}[-+\d]*: \"", message)  # a row, to look it up
    assert not (tmp_path / "out").exists()


# The gate's settings, on the hand-made rows.


@pytest.fixture
def damaged(tmp_path) -> Path:
    """Hand-made rows, one of which has a broken character."""
    shutil.copytree(EXAMPLES, tmp_path / "raw")
    path = tmp_path / "raw/openai/gsm8k/main/train-00000-of-00001.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0]["question"] += " <script>alert(1)</script>\ufffd"
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    return tmp_path


GSM8K = "datasets:\n  gsm8k:\n"


def build_gsm8k(folder: Path, raw: Path, **gate) -> dict:
    (folder / "gsm8k.yaml").write_text(GSM8K)
    return build(folder / "gsm8k.yaml", str(raw), str(folder / "out"), gate=Gate(**gate))


def test_a_refused_build_keeps_statistics_and_report(damaged):
    with pytest.raises(BuildRefused, match=r"see .*out\.refused"):
        build_gsm8k(damaged, damaged / "raw")
    kept = damaged / "out.refused"
    assert (kept / "validation/gsm8k/sft.statistics.pb").stat().st_size > 100
    assert "prompt_replacement" in (kept / "report.html").read_text(encoding="utf-8")
    found = json.loads((kept / "manifest.json").read_text())["validation"]["anomalies"]
    assert [each["measure"] for each in found] == ["prompt_replacement"]


def test_a_refused_build_leaves_the_earlier_one(damaged):
    build_gsm8k(damaged, EXAMPLES)
    before = (damaged / "out/manifest.json").read_bytes()
    with pytest.raises(BuildRefused):
        build_gsm8k(damaged, damaged / "raw")
    assert (damaged / "out/manifest.json").read_bytes() == before


def test_warn_publishes_and_says_so_in_manifest_and_card(damaged):
    manifest = build_gsm8k(damaged, damaged / "raw", on_anomaly="warn")
    assert [each["measure"] for each in manifest["validation"]["anomalies"]] == [
        "prompt_replacement"
    ]
    card = (damaged / "out/README.md").read_text(encoding="utf-8")
    assert "gsm8k/sft: `prompt_replacement`" in card


def test_a_changed_schema_decides(damaged):
    schemas = damaged / "schemas"
    schemas.mkdir()
    text = load_schemas()["sft"]
    start = text.index('name: "prompt_replacement"')
    changed = text[:start] + text[start:].replace("max: 0", "max: 1", 1)
    (schemas / "sft.pbtxt").write_text(changed)
    build_gsm8k(damaged, damaged / "raw", schemas=schemas)
    assert (damaged / "out/manifest.json").exists()


def test_without_validation_nothing_is_measured(damaged):
    manifest = build_gsm8k(damaged, damaged / "raw", validate=False)
    assert "validation" not in manifest
    assert not (damaged / "out/validation").exists()


def test_a_baseline_tells_what_moved(damaged, tmp_path_factory):
    build_gsm8k(damaged, EXAMPLES)
    other = tmp_path_factory.mktemp("other")
    path = other / "raw/openai/gsm8k/main/train-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    rows = [{"question": "가" * 900 + "b" * 950, "answer": f"{i}\n#### {i}"} for i in range(20)]
    pq.write_table(pa.Table.from_pylist(rows), path)
    manifest = build_gsm8k(other, other / "raw", baseline=damaged / "out")
    moved = {each["measure"] for each in manifest["validation"]["drift"]}
    assert {"prompt_characters", "prompt_hangul", "prompt_latin"} <= moved
    assert manifest["validation"]["anomalies"] == []


def test_a_baseline_equal_to_the_build_has_no_drift(damaged):
    build_gsm8k(damaged, EXAMPLES)
    manifest = build_gsm8k(damaged, EXAMPLES, baseline=damaged / "out")
    assert manifest["validation"]["drift"] == []


def test_a_baseline_without_statistics_is_refused(damaged):
    build_gsm8k(damaged, EXAMPLES, validate=False)
    with pytest.raises(UserError, match="has no statistics"):
        build_gsm8k(damaged, EXAMPLES, baseline=damaged / "out")


# A published folder, validated again.


@pytest.fixture
def published(tmp_path) -> Path:
    build_gsm8k(tmp_path, EXAMPLES)
    return tmp_path / "out"


def test_a_published_folder_is_as_it_was(published, capsys):
    assert cli.main(["validate", str(published)]) == 0
    assert "12 rows are as published" in capsys.readouterr().out


def test_a_changed_file_is_found(published, capsys):
    path = published / "gsm8k/sft/train-00000-of-00001.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    assert cli.main(["validate", str(published)]) == 1
    assert "train-00000-of-00001.parquet was changed" in capsys.readouterr().out


def test_a_missing_and_a_foreign_file_are_found(published):
    (published / "gsm8k/sft/train-00000-of-00001.parquet").rename(published / "mine.parquet")
    problems = validate_folder(published, load_schemas()).problems
    assert problems == (
        "gsm8k/sft/train-00000-of-00001.parquet is missing",
        "mine.parquet is not in the manifest",
    )


def test_a_ledger_that_was_tampered_with_is_found(published):
    path = published / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["datasets"]["gsm8k"]["ledger"]["read"] += 1
    path.write_text(json.dumps(manifest))
    [problem] = validate_folder(published, load_schemas()).problems
    assert "the ledger does not add up" in problem


def test_a_stricter_schema_finds_rows_in_a_published_folder(published, tmp_path, capsys):
    text = load_schemas()["sft"].replace("max: 200000", "max: 150")
    (tmp_path / "strict").mkdir()
    (tmp_path / "strict/sft.pbtxt").write_text(text)
    assert cli.main(["validate", str(published), "--schema", str(tmp_path / "strict")]) == 1
    out = capsys.readouterr().out
    assert "gsm8k/sft: completion_characters: found" in out
    assert len(re.findall(r"^    [0-9a-f]{32}-0: ", out, re.MULTILINE)) == 2  # are longer


def test_a_folder_that_is_no_build_is_refused(tmp_path, capsys):
    assert cli.main(["validate", str(tmp_path)]) == 2
    assert "is no published build" in capsys.readouterr().err


def test_schemas_are_proposed_for_each_table(published, tmp_path, capsys):
    call = ["schema", "infer", str(published / "gsm8k"), "--to", str(tmp_path / "proposed")]
    assert cli.main(call) == 0
    assert [path.name for path in (tmp_path / "proposed").iterdir()] == ["sft.pbtxt"]
    assert cli.main(["validate", str(published), "--schema", str(tmp_path / "proposed")]) == 0
    assert cli.main(call) == 2  # does not overwrite what a person may have edited
    assert "is there already" in capsys.readouterr().err


def test_schemas_of_an_unknown_dataset_are_refused(published, tmp_path, capsys):
    call = ["schema", "infer", str(published / "mmlu"), "--to", str(tmp_path / "proposed")]
    assert cli.main(call) == 2
    assert "has no dataset 'mmlu'; it has gsm8k" in capsys.readouterr().err


def test_tensorflow_is_not_imported_where_nothing_is_validated(tmp_path):
    import subprocess
    import sys

    (tmp_path / "gsm8k.yaml").write_text(GSM8K)
    program = (
        "import sys\nfrom beam_thunder.cli import main\n"
        f"status = main(['build', {str(tmp_path / 'gsm8k.yaml')!r}, '--no-validate', "
        f"'--raw', {str(EXAMPLES)!r}, '--out', {str(tmp_path / 'out')!r}])\n"
        "assert 'tensorflow' not in sys.modules\nsys.exit(status)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
