"""Raw files, attempts, builds and windows in a bucket, through real emulators.

The one that has all that Beam needs does not hold a writer to `if_generation_match`; another
does, for the test of writers at once.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from beam_thunder import files
from beam_thunder.build import build
from beam_thunder.errors import BuildRefused, UserError
from beam_thunder.generate import Asking, generate
from beam_thunder.runners.dataflow import template
from tests.gcs_emulator import BUCKET, bucket, emulator, strict_bucket, strict_emulator
from tests.openai_server import serving
from tests.windows import planned, run_windows

__all__ = ["bucket", "emulator", "strict_bucket", "strict_emulator"]
ROOT = Path(__file__).parent.parent
RECIPE = ROOT / "recipes" / "quickstart.yaml"
RAW = ROOT / "examples" / "raw"


def put(source: Path, target: str) -> str:
    """Copies a folder into the bucket."""
    for path in source.rglob("*"):
        if path.is_file():
            files.write(f"{target}/{path.relative_to(source).as_posix()}", path.read_bytes())
    return target


def there(folder: str) -> dict[str, bytes]:
    """What is below a folder of the bucket."""
    return {path.removeprefix(f"{folder}/"): files.read(path) for path in files.below(folder)}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_build_in_a_bucket_is_the_one_on_a_disk(bucket, tmp_path):
    """With recorded answers, which lie beside the recipe, and with the report."""
    names = ["mmlu", "gsm8k", "gsm8k-synthetic", "kmmlu"]
    build(RECIPE, put(RAW, f"{bucket}/raw"), f"{bucket}/out", names)
    build(RECIPE, str(RAW), str(tmp_path / "out"), names)
    assert there(f"{bucket}/out") == tree(tmp_path / "out")
    assert there(f"{bucket}/out")["report.html"]


def test_a_rebuild_takes_the_place_of_the_earlier_one(bucket, tmp_path):
    for names in (["mmlu", "arc-easy"], ["gsm8k"]):
        build(RECIPE, str(RAW), f"{bucket}/out", names)
    build(RECIPE, str(RAW), str(tmp_path / "out"), ["gsm8k"])
    assert there(f"{bucket}/out") == tree(tmp_path / "out")


KILLED = """
import os, sys
sys.path[:0] = [{root!r}]
from pathlib import Path
from apache_beam.internal.gcp import auth
from beam_thunder import files, manifest
from beam_thunder.build import build
auth._Credentials._credentials_init = True
real = files.write
def write(path, content, durable=True):
    if path == {last!r}:
        os.kill(os.getpid(), 9)
    real(path, content, durable)
files.write = write
build(Path({recipe!r}), {raw!r}, {out!r}, ["gsm8k"])
"""


def test_a_build_killed_before_its_manifest_is_none(bucket, tmp_path):
    out = f"{bucket}/out"
    code = KILLED.format(
        root=str(ROOT), recipe=str(RECIPE), raw=str(RAW), out=out, last=f"{out}/manifest.json"
    )
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True)
    assert run.returncode == -9, run.stderr.decode()
    left = there(out)
    assert left
    assert "manifest.json" not in left
    with pytest.raises(UserError, match="or one that was cut off; give another"):
        build(RECIPE, str(RAW), out, ["gsm8k"])
    files.remove(out)
    build(RECIPE, str(RAW), out, ["gsm8k"])
    build(RECIPE, str(RAW), str(tmp_path / "out"), ["gsm8k"])
    assert there(out) == tree(tmp_path / "out")


def test_a_refused_build_leaves_the_earlier_one_and_tells_why(bucket, tmp_path):
    out, bad = f"{bucket}/out", tmp_path / "gsm8k"
    build(RECIPE, str(RAW), out, ["gsm8k"])
    before = there(out)
    bad.mkdir()
    bad.joinpath("train.jsonl").write_text('{"question": 1}\n')
    with pytest.raises(BuildRefused, match=rf"see {out}/\.staging/\w+$") as refused:
        build(RECIPE, str(tmp_path), out, ["gsm8k"])
    kept = there(str(refused.value).rpartition("see ")[2])
    assert {"manifest.json", "report.html", "rejects/gsm8k.jsonl"} <= set(kept)
    assert {n: d for n, d in there(out).items() if not n.startswith(".staging/")} == before


def test_attempts_in_a_bucket_are_asked_for_once(bucket, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "samples: 2\nsampling: {temperature: 0.5, seed: 7, max_tokens: 64}\n"
        "models:\n  tiny: {hub: tiny}\ndatasets:\n  gsm8k-synthetic: {tables: [attempts]}\n"
    )
    with serving() as server:
        asking = Asking([server.url], concurrency=8)
        generate(recipe, str(RAW), f"{bucket}/attempts", asking=asking)
        asked = sum(server.asked.values())
        generate(recipe, str(RAW), f"{bucket}/attempts", asking=asking)
        assert sum(server.asked.values()) == asked > 0
    built = build(recipe, str(RAW), f"{bucket}/out", attempts=f"{bucket}/attempts")
    assert built["datasets"]["gsm8k-synthetic"]["ledger"]["written"]["attempts"] == asked


def test_recorded_answers_may_be_in_a_bucket(bucket, tmp_path):
    answers = ROOT / "examples" / "answers.jsonl"
    there = put(answers.parent, f"{bucket}/examples") + "/answers.jsonl"
    ledgers = []
    for name, place in (("there", there), ("here", answers)):
        recipe = tmp_path / f"{name}.yaml"
        recipe.write_text(
            f"models:\n  careful: {{engine: recorded, answers: '{place}'}}\n"
            "datasets:\n  gsm8k-synthetic: {tables: [attempts]}\n"
        )
        built = build(recipe, str(RAW), str(tmp_path / name))
        ledgers.append(built["datasets"]["gsm8k-synthetic"]["ledger"])
    assert ledgers[0] == ledgers[1]
    assert ledgers[0]["attempts"] > 0


def test_windows_of_a_stream_are_the_same_in_a_bucket(bucket, tmp_path):
    [file] = RAW.glob("openai/gsm8k/main/train-*.parquet")
    again = shutil.copy(file, tmp_path / "again.parquet")
    for out in (f"{bucket}/out", str(tmp_path / "out")):
        stream = planned(RECIPE, out, "gsm8k", validate=True)
        run_windows(stream, [("gsm8k", file)], [("gsm8k", Path(again))])
    published = {
        name: content
        for name, content in there(f"{bucket}/out").items()
        if not name.startswith(".stream/")
    }
    local = tree(tmp_path / "out")
    assert published == {n: d for n, d in local.items() if not n.startswith(".stream/")}
    assert len([name for name in published if name.endswith("manifest.json")]) == 2


@pytest.mark.runners
@pytest.mark.long
def test_of_writers_at_once_one_writes_the_entry(strict_bucket):
    """What exactly one window of several streams rests on, held against the store itself."""
    paths = [f"{strict_bucket}/log/{number:08d}.json" for number in range(20)]
    writers = [f"writer {number}".encode() for number in range(8)]

    def write(content: bytes) -> list[bool]:
        return [files.create(path, content) for path in paths]

    with ThreadPoolExecutor(len(writers)) as pool:
        done = dict(zip(writers, pool.map(write, writers), strict=True))
    for number, path in enumerate(paths):
        assert [who for who in writers if done[who][number]] == [files.read(path)]


# Errors


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """The address of a store that lets nobody in."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("option", ["--raw", "--out", "--attempts"])
def test_a_bucket_that_is_not_there_is_named(bucket, option):
    folders = {"--raw": str(RAW), "--out": f"{bucket}/out", "--attempts": None}
    folders[option] = "gs://no-such-bucket/folder"
    with pytest.raises(UserError, match=rf"{option} gs://no-such-bucket/folder: .*no bucket"):
        build(RECIPE, folders["--raw"], folders["--out"], attempts=folders["--attempts"])


def test_a_bucket_that_may_not_be_read_is_told_with_the_cure(bucket, monkeypatch):
    with refusing() as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        with pytest.raises(UserError, match="gcloud auth application-default login"):
            build(RECIPE, f"gs://{BUCKET}/raw", "out")


def test_missing_credentials_are_told_at_once(monkeypatch, tmp_path):
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(UserError, match="no credentials for Google Cloud here; log in with"):
        build(RECIPE, "gs://bucket/raw", str(tmp_path / "out"))


def test_a_template_takes_its_recipe_from_the_bucket(bucket, tmp_path):
    files.write(f"{bucket}/recipe.yaml", b"datasets: {}\n")
    assert template.fetched(f"{bucket}/recipe.yaml", tmp_path).read_text() == "datasets: {}\n"
    with pytest.raises(UserError, match=r"--recipe .*/none\.yaml: no such file"):
        template.fetched(f"{bucket}/none.yaml", tmp_path)
