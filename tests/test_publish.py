"""Publishing: all at once, over an earlier build alone, one at a time."""

import json
import os
import sys
from pathlib import Path

import pytest

from beam_thunder import publish as module
from beam_thunder.errors import UserError
from beam_thunder.manifest import read_manifest
from beam_thunder.paths import ASIDE
from beam_thunder.publish import complete, keep_refused, publish, staging


def manifest(*paths: str) -> dict:
    ledger = {"written": {"sft": 1}}
    dataset = {"ledger": ledger, "license": "mit", "language": "en", "source": "S"}
    return {
        "beam_thunder": "0",
        "datasets": {"d": {**dataset, "kind": "processed", "domain": "science"}},
        "files": [{"path": path, "rows": 1, "bytes": 1, "sha256": ""} for path in paths],
    }


def fill(folder: str, *paths: str, text: str = "x") -> None:
    for path in paths:
        Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
        Path(folder, path).write_text(text)
    Path(folder, "result.json").write_text("{}")
    Path(folder, "spilled").mkdir()


def publish_one(out: Path, text: str = "x") -> None:
    with staging(str(out)) as folder:
        fill(folder, "d/sft/a.parquet", text=text)
        complete(folder, manifest("d/sft/a.parquet"))
        publish(folder, str(out), manifest("d/sft/a.parquet"))


def names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_published_folder_has_data_card_and_manifest_alone(tmp_path):
    publish_one(tmp_path / "out")
    assert names(tmp_path / "out") == {"d/sft/a.parquet", "manifest.json", "README.md"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_files_that_a_killed_worker_had_not_finished_are_not_published(tmp_path):
    with staging(str(tmp_path / "out")) as folder:
        fill(folder, "d/sft/a.parquet", f"d/sft/{ASIDE}a.parquet.1.ab")
        complete(folder, manifest("d/sft/a.parquet"))
        publish(folder, str(tmp_path / "out"), manifest("d/sft/a.parquet"))
    assert names(tmp_path / "out") == {"d/sft/a.parquet", "manifest.json", "README.md"}


def test_parents_of_the_output_folder_are_made(tmp_path):
    publish_one(tmp_path / "a" / "b" / "out")
    assert (tmp_path / "a/b/out/manifest.json").exists()


def test_rebuild_replaces_the_old_build_whole(tmp_path):
    out = tmp_path / "out"
    publish_one(out)
    with staging(str(out)) as folder:
        fill(folder, "d/sft/b.parquet")
        complete(folder, manifest("d/sft/b.parquet"))
        publish(folder, str(out), manifest("d/sft/b.parquet"))
    assert names(out) == {"d/sft/b.parquet", "manifest.json", "README.md"}


def test_rebuild_without_an_exchange_of_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "other")
    publish_one(tmp_path / "out", "old")
    publish_one(tmp_path / "out", "new")
    assert (tmp_path / "out/d/sft/a.parquet").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_kill_between_two_renames_is_put_right_by_the_next_build(tmp_path):
    publish_one(tmp_path / "out", "old")
    (tmp_path / "out").rename(tmp_path / ".out.previous")
    with staging(str(tmp_path / "out")):
        assert (tmp_path / "out/d/sft/a.parquet").read_text() == "old"


def test_an_exception_leaves_the_old_build_and_no_staging_folder(tmp_path):
    out = tmp_path / "out"
    publish_one(out, "old")
    with pytest.raises(ZeroDivisionError), staging(str(out)) as folder:
        fill(folder, "d/sft/a.parquet", text="new")
        raise ZeroDivisionError
    assert (out / "d/sft/a.parquet").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_build_left_in_staging_is_removed(tmp_path):
    left = tmp_path / ".out.staging.1.ab"
    left.mkdir()
    (left / "junk").write_text("x")
    with staging(str(tmp_path / "out")) as folder:
        assert list(Path(folder).iterdir()) == []
        assert not left.exists()


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    publish_one(tmp_path / "out")
    assert (tmp_path / "out/manifest.json").exists()


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match=r"no build of beam-thunder; give another --out"):
        publish_one(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_a_foreign_file_in_an_earlier_build_is_not_removed(tmp_path):
    publish_one(tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds notes\.txt beside an earlier build"):
        publish_one(tmp_path / "out")
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_a_file_as_output_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(UserError, match="is a file; give a folder"):
        publish_one(tmp_path / "out")


def test_a_mount_point_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "is_mount", lambda self: self.name == "out")
    with pytest.raises(UserError, match="mount point"):
        publish_one(tmp_path / "out")


def test_a_link_to_a_folder_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    publish_one(tmp_path / "out")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "real/manifest.json").exists()


def test_two_builds_at_once_into_one_folder_are_refused(tmp_path):
    with (
        staging(str(tmp_path / "out")),
        pytest.raises(UserError, match="another build is writing"),
        staging(str(tmp_path / "out")),
    ):
        pass


def test_refused_build_keeps_what_explains_it_and_no_data(tmp_path):
    with staging(str(tmp_path / "out")) as folder:
        fill(folder, "rejects/d.jsonl", "validation/d/sft.statistics.pb", "d/sft/a.parquet")
        complete(folder, manifest())
        kept = keep_refused(folder, str(tmp_path / "out"))
    expected = {"rejects/d.jsonl", "validation/d/sft.statistics.pb", "manifest.json"}
    assert names(Path(kept)) == expected


def test_next_published_build_removes_what_a_refused_one_kept(tmp_path):
    with staging(str(tmp_path / "out")) as folder:
        fill(folder)
        kept = keep_refused(folder, str(tmp_path / "out"))
    publish_one(tmp_path / "out")
    assert not Path(kept).exists()


def test_manifest_of_another_tool_is_told_apart(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "web app"}))
    with pytest.raises(UserError, match="not a manifest of beam-thunder"):
        read_manifest(tmp_path)


def test_a_replacement_that_the_system_refuses_is_told(tmp_path, monkeypatch):
    publish_one(tmp_path / "out", "old")
    monkeypatch.setattr(module.ctypes, "get_errno", lambda: 13)

    class Refusing:
        def renameat2(self, *arguments):
            return -1

    monkeypatch.setattr(module.ctypes, "CDLL", lambda *arguments, **settings: Refusing())
    with pytest.raises(UserError, match=os.strerror(13)):
        publish_one(tmp_path / "out", "new")
    assert (tmp_path / "out/d/sft/a.parquet").read_text() == "old"
