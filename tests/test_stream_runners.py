"""Streams of real files on Prism and on Flink, through failures."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from beam_thunder.build import build
from beam_thunder.runners.flink.cluster import FlinkCluster, jobs
from tests.clusters import (
    cancel_jobs,
    command,
    failures,
    kill_task_manager,
    on_flink,
    wait,
)
from tests.windows import rows_of

pytestmark = [pytest.mark.runners, pytest.mark.long]

RECIPE = """\
rows_per_shard: 700
models:
  right: {engine: recorded, answers: answers.jsonl}
  wrong: {engine: recorded, answers: answers.jsonl}
datasets:
  gsm8k: {files: ["gsm8k/*"]}
  gsm8k-synthetic: {files: ["gsm8k/*"]}
  kobest-hellaswag: {files: ["kobest-hellaswag/*"]}
"""
TABLES = {
    "gsm8k": ("sft",),
    "gsm8k-synthetic": ("attempts", "preference", "sft"),
    "kobest-hellaswag": ("preference", "sft"),
}
_DROPPING_SECONDS = 60


@dataclass
class Arriving:
    """Real raw files that arrive one by one.

    Attributes:
      folder: with `recipe.yaml`; the stream watches `incoming` in it.
      files: what arrives, by its place below `incoming`, in order.
      rows: of each table of the batch build of the files that can be used, by id.
    """

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    rows: dict[tuple[str, str], dict] = field(default_factory=dict)

    def drop(self, names: Sequence[str], seconds: float = 0) -> None:
        """Has the files arrive, evenly over the time, each whole."""
        for number, name in enumerate(names):
            time.sleep(seconds / len(names) if number else 0)
            target = self.folder / "incoming" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = shutil.copy2(self.files[name], self.folder / f"aside-{os.getpid()}")
            Path(aside).rename(target)

    @contextlib.contextmanager
    def dropping(self) -> Iterator[None]:
        """Has all files arrive over a minute, while the body runs."""
        thread = threading.Thread(target=self.drop, args=(list(self.files), _DROPPING_SECONDS))
        thread.start()
        yield
        thread.join()

    def stream(self, *more: str) -> list[object]:
        """The arguments of the command."""
        return [
            *("stream", self.folder / "recipe.yaml", "--out", self.out, "--window", "10s"),
            *("--watch", self.folder / "incoming/**", "--poll", "1s", *more),
        ]

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def published(self) -> int:
        """How many rows the windows have."""
        return sum(
            rows
            for path in self.out.glob("windows/*/*/manifest.json")
            for name, dataset in json.loads(path.read_text())["datasets"].items()
            for rows in dataset["ledger"]["written"].values()
        )

    def wait_for_all(self) -> bool:
        return self.published() == sum(map(len, self.rows.values()))

    def check(self) -> None:
        """The union of the windows is the batch build, and the bad file is set aside."""
        for (name, table), rows in self.rows.items():
            assert rows_of(self.out, name, table) == rows, (name, table)
        assert self.published() == sum(map(len, self.rows.values()))
        entries = [
            json.loads(path.read_text())
            for path in self.out.glob(".stream/log/gsm8k/????????.json")
        ]
        [reason] = [why for entry in entries for why in entry["set_aside"].values()]
        assert "no readable Parquet file" in reason
        taken = [file["path"] for entry in entries for file in entry["files"]]
        assert len(set(taken)) == len(taken)  # the repeated file is another file, seen once


@pytest.fixture
def arriving(raw, tmp_path) -> Arriving:
    """Seven parts of GSM8K and KoBEST: one bad, one repeated, one with a time long past."""
    found = Arriving(tmp_path)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    lines = (raw / "release/gsm8k/train.jsonl").read_text().splitlines(keepends=True)[:3000]
    with (tmp_path / "answers.jsonl").open("w") as answers:
        for line in lines:
            row = json.loads(line)
            number = row["answer"].rpartition("#### ")[2]
            for model, answer in (("right", number), ("wrong", f"1{number}")):
                said = {"model": model, "response": f"The answer is {answer}."}
                answers.write(json.dumps({"question": row["question"], **said}) + "\n")
    for part in range(4):
        path = tmp_path / "batch" / "gsm8k" / f"{part}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines[part * 750 : part * 750 + 750]))
    [kobest] = (raw / "hub/skt/kobest_v1/hellaswag").glob("train-*.parquet")
    target = tmp_path / "batch" / "kobest-hellaswag" / kobest.name
    target.parent.mkdir()
    shutil.copy2(kobest, target)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    late = tmp_path / "batch/gsm8k/0.jsonl"
    os.utime(late, (time.time() - 86_400,) * 2)
    found.files = {
        "gsm8k/1.jsonl": tmp_path / "batch/gsm8k/1.jsonl",
        "kobest-hellaswag/all.parquet": target,
        "gsm8k/bad.parquet": tmp_path / "bad.parquet",
        "gsm8k/again.jsonl": tmp_path / "batch/gsm8k/1.jsonl",
        "gsm8k/2.jsonl": tmp_path / "batch/gsm8k/2.jsonl",
        "gsm8k/3.jsonl": tmp_path / "batch/gsm8k/3.jsonl",
        "gsm8k/0.jsonl": late,
    }
    build(tmp_path / "recipe.yaml", str(tmp_path / "batch"), str(tmp_path / "built"))
    # A raw row that comes twice is a second question in a build, and none in a stream.
    found.rows = {
        (name, table): {
            row: each
            for row, each in rows_of(tmp_path / "built", name, table).items()
            if "+" not in row
        }
        for name, tables in TABLES.items()
        for table in tables
    }
    return found


def test_a_stream_on_prism_is_the_batch_build(prism, arriving):
    call = arriving.stream("--for", f"{_DROPPING_SECONDS + 20}s", *prism)
    with command(arriving.folder / "log", *call) as running, arriving.dropping():
        said = running.end()
    arriving.check()
    assert "WARNING" not in said


def test_a_stream_on_prism_goes_on_after_a_kill(prism, arriving):
    names = list(arriving.files)
    with command(arriving.folder / "log", *arriving.stream(*prism)) as running:
        arriving.drop(names[:4])
        running.wait(arriving.published)
        arriving.drop(names[4:5])
        running.kill()  # with a window that is under way
    arriving.drop(names[5:])
    again = arriving.stream("--for", "20s", *prism)
    with command(arriving.folder / "again", *again) as running:
        running.end()
    arriving.check()


def test_an_interrupted_stream_ends_in_a_line(prism, arriving):
    with command(arriving.folder / "log", *arriving.stream(*prism)) as running:
        arriving.drop(list(arriving.files)[:2])
        running.wait(arriving.published)
        running.process.send_signal(signal.SIGINT)
        said = running.end(130)
    last = "beam-thunder: interrupted; the same command goes on where it was"
    assert said.splitlines()[1:] == [last]


def started(cluster: FlinkCluster, earlier: set[str]) -> str | None:
    """The job that runs now and did not before."""
    return next(iter(set(jobs(cluster.address, "RUNNING")) - earlier), None)


def test_a_stream_on_flink_is_the_batch_build_and_survives_failures(flink, arriving):
    """A task manager dies in the middle; then the submitter, the job, and all begins anew."""
    flags = [*on_flink(flink, 2), "--checkpointing_interval=3000"]
    earlier = set(jobs(flink.address))
    with command(arriving.folder / "log", *arriving.stream(*flags)) as running:
        job = running.wait(lambda: started(flink, earlier))
        with arriving.dropping():
            running.wait(arriving.published)
            left = kill_task_manager(flink, 0) + kill_task_manager(flink, 1)
        running.wait(arriving.wait_for_all)
        assert failures(flink, job) > 0
        assert left
        running.process.send_signal(signal.SIGINT)
        said = running.end(130)
        assert said.endswith("interrupted; the same command goes on where it was\n")
    wait(lambda: not jobs(flink.address, "RUNNING"))
    arriving.check()
    before = sorted(path.name for path in arriving.out.glob(".stream/log/*/*"))
    again = arriving.stream("--for", "5s", *flags)
    with command(arriving.folder / "again", *again) as running:
        running.end()
    assert sorted(path.name for path in arriving.out.glob(".stream/log/*/*")) == before
    cancel_jobs(flink)
