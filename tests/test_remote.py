"""Folders that are no folders: raw files and output where only Beam's filesystems reach."""

import json
from pathlib import Path

import memory_filesystem
import pytest
from memory_filesystem import OBJECTS

from beam_thunder import remote
from beam_thunder.build import Gate, build
from beam_thunder.errors import BuildRefused, RawFileError, UserError

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples" / "raw"
assert memory_filesystem.MemoryFileSystem.scheme() == "memory"


@pytest.fixture(autouse=True)
def objects():
    OBJECTS.clear()
    for path in EXAMPLES.rglob("*"):
        if path.is_file():
            OBJECTS[f"memory://raw/{path.relative_to(EXAMPLES)}"] = path.read_bytes()


def recipe(tmp_path: Path, *names: str, rate: float = 0.01) -> Path:
    path = tmp_path / "recipe.yaml"
    datasets = "".join(f"  {name}:\n" for name in names)
    path.write_text(f"rows_per_shard: 20\nmax_reject_rate: {rate}\ndatasets:\n{datasets}")
    return path


def published() -> dict[str, bytes]:
    start = "memory://out/"
    return {
        path.removeprefix(start): d for path, d in OBJECTS.items() if path.startswith(start)
    }


def test_the_same_files_are_published_as_on_a_disk(tmp_path):
    names = ("gsm8k", "kmmlu", "openbookqa")
    build(recipe(tmp_path, *names), "memory://raw", "memory://out")
    build(recipe(tmp_path, *names), str(EXAMPLES), str(tmp_path / "out"))
    local = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert published() == local


def test_nothing_of_the_way_there_is_left(tmp_path):
    build(recipe(tmp_path, "gsm8k"), "memory://raw", "memory://out")
    listed = {file["path"] for file in json.loads(published()["manifest.json"])["files"]}
    assert set(published()) == {*listed, "manifest.json", "README.md", "report.html"}


def test_a_rebuild_removes_what_it_does_not_write_again(tmp_path):
    build(recipe(tmp_path, "kmmlu"), "memory://raw", "memory://out")
    build(recipe(tmp_path, "gsm8k"), "memory://raw", "memory://out")
    assert not [path for path in published() if path.startswith("kmmlu/")]


def test_a_refused_build_leaves_the_earlier_one(tmp_path):
    build(recipe(tmp_path, "gsm8k"), "memory://raw", "memory://out")
    before = published()
    OBJECTS["memory://raw/bad/gsm8k/train.jsonl"] = b'{"question": 1}\n'
    with pytest.raises(BuildRefused):
        build(recipe(tmp_path, "gsm8k"), "memory://raw/bad", "memory://out")
    after = {p: d for p, d in published().items() if not p.startswith(".staging/")}
    assert after == before


def test_a_cluster_that_works_on_for_a_killed_build_cannot_reach_the_next(tmp_path):
    first, second = remote.staging("memory://out"), remote.staging("memory://out")
    assert first != second
    OBJECTS[f"{first}/gsm8k/sft/train-00000-of-00001.parquet"] = b"of an earlier recipe"
    build(recipe(tmp_path, "gsm8k"), "memory://raw", "memory://out")
    assert b"of an earlier recipe" not in published().values()


def test_rows_behind_an_anomaly_are_found(tmp_path):
    line = json.dumps({"question": "How many\ufffd?", "answer": "Two\n#### 2"})
    OBJECTS["memory://raw/bad/gsm8k/train.jsonl"] = line.encode()
    with pytest.raises(BuildRefused, match="prompt_replacement") as error:
        build(recipe(tmp_path, "gsm8k"), "memory://raw/bad", "memory://out")
    assert "Q: How many" in str(error.value)


def test_a_prefix_that_holds_something_else_is_refused(tmp_path):
    OBJECTS["memory://out/thesis.tex"] = b"x"
    with pytest.raises(UserError, match=r"holds memory://out/thesis\.tex"):
        build(recipe(tmp_path, "gsm8k"), "memory://raw", "memory://out")
    assert published() == {"thesis.tex": b"x"}


def test_missing_raw_files_are_named(tmp_path):
    with pytest.raises(RawFileError, match="memory://nowhere lacks the raw files of 1 of 1"):
        build(recipe(tmp_path, "gsm8k"), "memory://nowhere", "memory://out")


def test_without_validation_too(tmp_path):
    gate = Gate(validate=False)
    build(recipe(tmp_path, "gsm8k"), "memory://raw", "memory://out", gate=gate)
    assert "gsm8k/sft/train-00000-of-00001.parquet" in published()
