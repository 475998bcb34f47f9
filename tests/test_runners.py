"""The same build, also through failures, on every runner that can be had here."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from beam_thunder.build import build
from beam_thunder.runners.flink.cluster import jobs
from tests.clusters import (
    ROOT,
    beam_thunder,
    cancel_jobs,
    command,
    failures,
    kill_task_manager,
    on_flink,
    wait,
    workers,
)
from tests.openai_server import serving

pytestmark = [pytest.mark.runners, pytest.mark.long]

REAL = """\
rows_per_shard: 700
models:
  right: {engine: recorded, answers: answers.jsonl}
  wrong: {engine: recorded, answers: answers.jsonl}
datasets:
  mmlu:
  hellaswag: {files: ["Rowan/hellaswag/data/validation-*.parquet"]}
  winogrande: {files: ["allenai/winogrande/winogrande_s/train-*.parquet"]}
  openbookqa: {files: ["allenai/openbookqa/main/validation-*.parquet"]}
  gsm8k:
  gsm8k-synthetic:
  arc-easy:
  kmmlu:
  kobest-hellaswag:
"""


@pytest.fixture(scope="module")
def real(raw, tmp_path_factory) -> Path:
    """A recipe of the real raw files, with an answer that is right and one that is not."""
    folder = tmp_path_factory.mktemp("real")
    [file] = (raw / "hub/openai/gsm8k/main").glob("train-*.parquet")
    with (folder / "answers.jsonl").open("w") as answers:
        for row in pq.read_table(file).to_pylist():
            number = row["answer"].rpartition("#### ")[2]
            for model, answer in (("right", number), ("wrong", f"1{number}")):
                said = {"model": model, "response": f"The answer is {answer}."}
                answers.write(json.dumps({"question": row["question"], **said}) + "\n")
    (folder / "recipe.yaml").write_text(REAL)
    return folder / "recipe.yaml"


@pytest.fixture(scope="module")
def built(real, raw, tmp_path_factory) -> dict[str, bytes]:
    """What the recipe's build publishes in one process."""
    out = tmp_path_factory.mktemp("built") / "out"
    build(real, str(raw / "hub"), str(out))
    return tree(out)


def tree(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def same(out: Path, expected: dict[str, bytes]) -> None:
    """Compares names before contents, for the message's sake."""
    found = tree(out)
    assert sorted(found) == sorted(expected)
    assert [name for name in found if found[name] != expected[name]] == []


# The same bytes


def test_two_local_workers_publish_the_same_files(real, raw, built, tmp_path):
    flags = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    build(real, str(raw / "hub"), str(tmp_path / "out"), beam_flags=flags)
    same(tmp_path / "out", built)


def test_prism_publishes_the_same_files(prism, real, raw, built, tmp_path):
    out = tmp_path / "out"
    beam_thunder(tmp_path / "log", "build", real, "--raw", raw / "hub", "--out", out, *prism)
    same(out, built)


@pytest.mark.parametrize("parallelism", [1, 4])
def test_flink_publishes_the_same_files(flink, real, raw, built, tmp_path, parallelism):
    out, flags = tmp_path / "out", on_flink(flink, parallelism)
    said = beam_thunder(
        tmp_path / "log", "build", real, "--raw", raw / "hub", "--out", out, *flags
    )
    same(out, built)
    assert "WARNING" not in said
    managers = [f"taskmanager-{number}" for number in range(flink.task_managers)]
    wait(lambda: not any(workers(flink, name) for name in managers))


# Failures


def test_a_build_survives_a_task_manager(flink, real, raw, built, tmp_path):
    out = tmp_path / "out"
    earlier = jobs(flink.address)
    call = ("build", real, "--raw", raw / "hub", "--out", out, *on_flink(flink, 4))
    with command(tmp_path / "log", *call) as running:
        running.wait(lambda: list(tmp_path.glob(".out.staging.*/**/*.parquet")))
        left = kill_task_manager(flink, 0)
        running.end()
    [job] = set(jobs(flink.address)) - set(earlier)
    assert failures(flink, job) > 0  # it did lose something
    same(out, built)
    assert left
    wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))


def test_a_build_killed_before_publishing_leaves_nothing_visible(
    flink, real, raw, built, tmp_path
):
    out = tmp_path / "out"
    call = ("build", real, "--raw", raw / "hub", "--out", out, *on_flink(flink, 4))
    with command(tmp_path / "log", *call) as running:
        running.wait(lambda: list(tmp_path.glob(".out.staging.*/**/*.parquet")))
        running.kill()
    assert not out.exists()
    # The cluster is still working for the first, in a staging folder of its own.
    assert jobs(flink.address, "RUNNING", "RESTARTING")
    beam_thunder(tmp_path / "again", "build", real, "--raw", raw / "hub", "--out", out)
    same(out, built)
    cancel_jobs(flink)


def test_an_interrupted_build_ends_its_job_too(flink, real, raw, tmp_path):
    out = tmp_path / "out"
    earlier = jobs(flink.address)
    call = ("build", real, "--raw", raw / "hub", "--out", out, *on_flink(flink, 4))
    with command(tmp_path / "log", *call) as running:
        running.wait(lambda: list(tmp_path.glob(".out.staging.*/**/*.parquet")))
        os.killpg(running.process.pid, signal.SIGINT)  # as a terminal does
        said = running.end(130)
    assert "interrupted; nothing was published" in said
    [job] = set(jobs(flink.address)) - set(earlier)
    wait(lambda: job in jobs(flink.address, "CANCELED"))
    assert not out.exists()
    assert "Traceback" not in said


def test_what_a_worker_finds_wrong_is_told_in_a_line(flink, tmp_path):
    raw = tmp_path / "raw/gsm8k/train.jsonl"
    raw.parent.mkdir(parents=True)
    raw.write_text('{"question": "What is 1 and 1?", "answer": "#### 2"}\n')
    raw.with_name("train.parquet").write_bytes(b"PAR1 and no more")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text('datasets:\n  gsm8k: {files: ["gsm8k/*"]}\n')
    call = ("build", recipe, "--raw", tmp_path / "raw", "--out", tmp_path / "out")
    said = beam_thunder(tmp_path / "log", *call, *on_flink(flink, 1), status=2)
    [line] = [line for line in said.splitlines() if line.startswith("beam-thunder: ")]
    assert "train.parquet" in line
    assert "Traceback" not in said


# Generation


def test_models_answer_on_flink_and_are_not_asked_twice(flink, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "samples: 2\nsampling: {temperature: 0.5, seed: 7, max_tokens: 64}\n"
        "models:\n  tiny: {hub: tiny}\ndatasets:\n  gsm8k-synthetic:\n"
    )
    with serving() as server:
        call = ("generate", recipe, "--raw", ROOT / "examples/raw", "--out", tmp_path / "kept")
        flags = ("--vllm-url", server.url, *on_flink(flink, 2))
        beam_thunder(tmp_path / "first", *call, *flags)
        asked = sum(server.asked.values())
        beam_thunder(tmp_path / "second", *call, *flags)
        assert sum(server.asked.values()) == asked > 0
