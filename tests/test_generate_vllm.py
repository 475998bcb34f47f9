"""Generating with a real vLLM server on the CPU, and a model of random weights."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from beam_thunder.generate import Asking, Selection, generate
from beam_thunder.generation.store import done, folder_of
from tests.stored import stored
from tests.test_vllm import PYTHON, pytestmark, tiny_model, tiny_server  # noqa: F401

QUESTIONS = 12


def recipe(folder: Path, model: str, **sampling: object) -> Path:
    """Of GSM8K questions, answered by the tiny model."""
    chosen = {"temperature": 1.0, "max_tokens": 24, "seed": 1, **sampling}
    content = {
        "samples": 2,
        "sampling": chosen,
        "models": {
            "tiny": {
                "hub": model,
                "server": {"max-model-len": 1024, "dtype": "float32", "enforce-eager": True},
            }
        },
        "datasets": {"gsm8k-synthetic": {"template": "{question}"}},
    }
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(content))  # which is YAML
    return path


def rows_of(folder: Path) -> dict[str, dict[str, Any]]:
    return stored(folder_of(str(folder), "gsm8k-synthetic", "tiny"))


def test_real_questions_are_answered_by_a_server_that_runs(raw, tmp_path, tiny_server):
    path = recipe(tmp_path, "tiny")
    out = tmp_path / "attempts"
    counts = generate(
        path,
        str(raw / "hub"),
        str(out),
        Selection(limit=QUESTIONS),
        Asking([tiny_server.url], concurrency=16),
    )
    rows = rows_of(out)
    found = counts["tiny"]["gsm8k-synthetic"]
    # Random weights may say nothing but white space, which is an error of its own.
    assert found["answered"] + found["empty"] == len(rows) == 2 * QUESTIONS
    assert found["answered"] > QUESTIONS
    assert {row["finish_reason"] for row in rows.values()} <= {"stop", "length"}
    assert all(row["completion_tokens"] for row in rows.values())
    assert len({row["question_id"] for row in rows.values()}) == QUESTIONS
    # Each sample has a seed of its own; random weights say much the same to every question.
    said = [{row["response"] for row in rows.values() if row["sample"] == n} for n in (0, 1)]
    assert not said[0] & said[1]


def test_a_prompt_over_the_context_length_fails_alone(tmp_path, tiny_server):
    rows = [{"question": f"How much is {n} and 1?", "answer": "#### 1"} for n in range(5)]
    rows[2]["question"] += " really" * 3000
    folder = tmp_path / "raw" / "gsm8k"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    counts = generate(
        recipe(tmp_path, "tiny"),
        str(tmp_path / "raw"),
        str(tmp_path / "attempts"),
        asking=Asking([tiny_server.url], concurrency=16),
    )
    found = counts["tiny"]["gsm8k-synthetic"]
    assert (found["answered"] + found["empty"], found["context_length"]) == (8, 2)


def finished(url: str) -> float:
    """How many requests the server has finished with, also those whose client went away."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    counts = [line for line in lines if line.startswith("vllm:request_success_total")]
    assert counts
    return sum(float(line.rpartition(" ")[2]) for line in counts)


def test_killed_twenty_times_the_answers_are_those_of_an_undisturbed_run(
    raw,
    tmp_path,
    tiny_server,
):
    path = recipe(tmp_path, "tiny", temperature=0.7, max_tokens=64)
    path.write_text(path.read_text().replace('"samples": 2', '"samples": 6'))
    wanted = Selection(limit=100)
    asking = Asking([tiny_server.url], concurrency=4)
    quiet, disturbed = tmp_path / "quiet", tmp_path / "disturbed"
    generate(path, str(raw / "hub"), str(quiet), wanted, asking)
    expected = rows_of(quiet)
    assert len(expected) == 600

    folder = folder_of(str(disturbed), "gsm8k-synthetic", "tiny")
    where = ["--vllm-url", tiny_server.url, "--limit", "100", "--concurrency", "4"]
    moments = random.Random(8)
    before = finished(tiny_server.url)
    kills = 0
    while kills < 20:
        process = command(path, raw, disturbed, *where)
        at = finished(tiny_server.url)
        wait_for(lambda: finished(tiny_server.url) > at or process.poll() is not None, 60)  # noqa: B023
        time.sleep(moments.uniform(0, 0.5))
        assert process.poll() is None, "it was done before it was killed as often as meant"
        process.kill()
        process.communicate()
        kills += 1
    kept = len(done(folder))
    assert 0 < kept < 600
    process = command(path, raw, disturbed, *where)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    rows = rows_of(disturbed)
    assert {key: row["response"] for key, row in rows.items()} == {
        key: row["response"] for key, row in expected.items()
    }
    again = finished(tiny_server.url) - before - 600
    print(
        f"asked again after 20 kills: {again:.0f} of 600; {kept} were kept before the last run"
    )
    # Four are open at a time, and answers are durable a quarter of a second after they came.
    assert again <= 20 * (4 + 12)


COMMAND = "import sys; from beam_thunder.cli import main; sys.exit(main(sys.argv[1:]))"


def command(path: Path, raw: Path, out: Path, *where: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-c", COMMAND, "generate", path, "--raw", raw / "hub"),
            *("--out", out, *where),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1"},
    )


def servers(model: Path) -> list[int]:
    """The processes that serve a model."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,stat=,args="], capture_output=True, text=True
    )
    rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    found = [row for row in rows if str(model) in row[2] and "api_server" in row[2]]
    return [int(row[0]) for row in found if row[1][0] not in "ZX" and "supervise" not in row[2]]


def wait_for(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_server_that_dies_comes_back_and_one_whose_owner_dies_does_not_stay(
    raw,
    tmp_path,
    tiny_model,
):
    """Killed: first the server, then the command. The next run asks for what is missing."""
    model = shutil.copytree(tiny_model, tmp_path / "model")  # which nobody else serves
    path = recipe(tmp_path, str(model), temperature=0.7, max_tokens=200)
    out = tmp_path / "attempts"
    folder = folder_of(str(out), "gsm8k-synthetic", "tiny")
    where = ["--vllm-python", str(PYTHON), "--limit", "150", "--concurrency", "8"]
    process = command(path, raw, out, *where)
    drained = threading.Thread(target=process.stderr.read)
    drained.start()
    wait_for(lambda: len(done(folder)) > 10 or process.poll() is not None, 180)
    [server] = servers(model)
    before = len(done(folder))
    os.kill(server, signal.SIGKILL)
    wait_for(lambda: len(done(folder)) > before + 10 or process.poll() is not None, 240)
    assert process.poll() is None  # it went on, and is not done
    process.kill()
    process.wait()
    drained.join()
    wait_for(lambda: not servers(model), 30)
    kept = rows_of(out)
    assert before + 10 < len(kept) < 300

    process = command(path, raw, out, *where)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    rows = rows_of(out)
    assert len(rows) == 300
    assert kept.items() <= rows.items()
    assert {row["error"] for row in rows.values()} <= {None, "empty"}
    assert not servers(model)
