from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from beam_thunder.errors import BuildRefused, RecipeError, UserError
from beam_thunder.generate import Asking, Selection, generate
from beam_thunder.generation.store import done, folder_of, parts
from beam_thunder.transforms.generate import on_accelerator
from tests.openai_server import answer, serving
from tests.stored import stored

QUESTIONS = [f"Tom has {n} apples and buys {n + 3} more. How many has he?" for n in range(40)]
RECIPE = """
samples: 2
sampling: {temperature: 0.5, seed: 7, max_tokens: 64}
models:
  tiny: {hub: tiny}
datasets:
  gsm8k-synthetic:
"""


@pytest.fixture
def files(tmp_path):
    """A recipe and a raw folder of 40 GSM8K questions."""
    raw = tmp_path / "raw" / "gsm8k"
    raw.mkdir(parents=True)
    rows = [{"question": q, "answer": f"#### {2 * n + 3}"} for n, q in enumerate(QUESTIONS)]
    (raw / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def run(files: Path, server, **asking):
    limit = asking.pop("limit", None)
    return generate(
        files / "recipe.yaml",
        str(files / "raw"),
        str(files / "attempts"),
        Selection(limit=limit),
        Asking([server.url], concurrency=8, **asking),
    )


def rows_of(files: Path, model: str = "tiny"):
    """The rows of the folder of attempts, by key."""
    return stored(folder_of(str(files / "attempts"), "gsm8k-synthetic", model))


def test_a_hint_for_hardware_does_no_harm_where_there_is_nothing_to_hire():
    hint = "type:nvidia-l4;count:1"
    with beam.Pipeline() as pipeline:
        asked = pipeline | beam.Create([1, 2]) | on_accelerator(beam.Map(str), hint)
        assert_that(asked, equal_to(["1", "2"]))


def test_each_question_is_answered_as_often_as_the_recipe_says(files):
    with serving() as server:
        counts = run(files, server)
    rows = rows_of(files)
    assert counts["tiny"]["gsm8k-synthetic"]["answered"] == len(rows) == 80
    assert sorted(Counter(row["question_id"] for row in rows.values()).values()) == [2] * 40
    assert {row["params"] for row in rows.values()} == {
        '{"seed": 7, "temperature": 0.5, "top_p": 0.95}'
    }
    assert len(server.asked) == 80
    assert {seed for _, seed in server.asked} == {7, 8}
    assert all(any(question in prompt for prompt, _ in server.asked) for question in QUESTIONS)
    assert not list((files / "attempts").glob(".result*"))


def test_a_second_run_asks_nothing(files, capsys):
    with serving() as server:
        run(files, server)
        before = rows_of(files)
        server.asked.clear()
        run(files, server)
        assert not server.asked
    assert rows_of(files) == before


def test_more_samples_ask_for_those_alone(files):
    with serving() as server:
        run(files, server)
        server.asked.clear()
        recipe = files / "recipe.yaml"
        recipe.write_text(recipe.read_text().replace("samples: 2", "samples: 3"))
        run(files, server)
        assert {seed for _, seed in server.asked} == {9}
    assert len(rows_of(files)) == 120


@pytest.mark.parametrize(
    ("old", "new"),
    [("temperature: 0.5", "temperature: 0.6"), ("hub: tiny", "hub: tiny, revision: b")],
)
def test_another_request_is_another_answer(files, old, new):
    with serving() as server:
        run(files, server)
        recipe = files / "recipe.yaml"
        recipe.write_text(recipe.read_text().replace(old, new))
        run(files, server)
    assert len(rows_of(files)) == 160


def test_a_higher_token_limit_asks_only_for_what_was_cut_off(files):
    cut = {QUESTIONS[3], QUESTIONS[5]}

    def plan(asked, times):
        short = asked["max_tokens"] < 100
        text = asked["messages"][-1]["content"]
        return "truncated" if short and any(q in text for q in cut) else "answer"

    recipe = files / "recipe.yaml"
    with serving(plan=plan) as server:
        run(files, server)
        assert [r["finish_reason"] for r in rows_of(files).values()].count("length") == 4
        recipe.write_text(recipe.read_text().replace("max_tokens: 64", "max_tokens: 128"))
        server.asked.clear()
        run(files, server)
        assert not server.asked
        run(files, server, redo_truncated=True)
        assert sum(server.asked.values()) == 4
    rows = rows_of(files).values()
    assert (len(rows), {row["finish_reason"] for row in rows}) == (80, {"stop"})


def test_a_limit_asks_about_the_same_questions_again(files):
    with serving() as server:
        run(files, server, limit=5)
        few = {row["question_id"] for row in rows_of(files).values()}
        run(files, server, limit=10)
        more = {row["question_id"] for row in rows_of(files).values()}
    assert (len(few), len(more), few < more) == (5, 10, True)
    assert set(server.asked.values()) == {1}


def test_what_failed_for_a_moment_is_missing_and_asked_by_the_next_run(files):
    busy = {"now": True}

    def plan(asked, times):
        return (
            "429"
            if busy["now"] and QUESTIONS[4] in asked["messages"][-1]["content"]
            else "answer"
        )

    with serving(plan=plan) as server:
        with pytest.raises(BuildRefused, match=r"2 answers are missing \(rate_limited 2\)"):
            run(files, server)
        busy["now"] = False
        server.asked.clear()
        run(files, server)
        assert sum(server.asked.values()) == 2
    assert {row["error"] for row in rows_of(files).values()} == {None}


def test_a_bad_request_is_kept_as_an_error_and_not_asked_again(files):
    def plan(asked, times):
        return "context" if QUESTIONS[4] in asked["messages"][-1]["content"] else "answer"

    with serving(plan=plan) as server:
        counts = run(files, server)
        assert counts["tiny"]["gsm8k-synthetic"]["context_length"] == 2
        server.asked.clear()
        run(files, server)
        assert not server.asked


def test_a_server_of_another_model_is_refused(files):
    with (
        serving(model="huge") as server,
        pytest.raises(UserError, match=r"'tiny'.*huge|huge.*tiny"),
    ):
        run(files, server)


def test_a_recipe_without_synthetic_datasets_is_refused(files):
    (files / "recipe.yaml").write_text("datasets:\n  gsm8k:\n")
    with pytest.raises(RecipeError, match="nothing to ask"):
        generate(files / "recipe.yaml", str(files / "raw"), str(files / "attempts"))


def test_an_unknown_model_is_named(files):
    with pytest.raises(UserError, match=r"--model teeny: .* did you mean 'tiny'\?"):
        generate(files / "recipe.yaml", str(files / "raw"), "out", Selection(["teeny"]))


def test_recorded_answers_stand_in_for_a_model(files, capsys):
    rows = [
        {"question": QUESTIONS[1], "model": "paper", "response": "The answer is 5."},
        {"question": QUESTIONS[1], "model": "paper", "response": "The answer is 6."},
        {"question": QUESTIONS[2], "model": "paper", "response": " "},
        {"question": QUESTIONS[2], "model": "other", "response": "The answer is 7."},
        {"question": "Nobody asked this.", "model": "paper", "response": "So what?"},
    ]
    (files / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = files / "recipe.yaml"
    recipe.write_text(
        "models:\n  paper: {engine: recorded, answers: answers.jsonl}\n"
        "datasets:\n  gsm8k-synthetic:\n"
    )
    for _ in range(2):  # a second run changes nothing
        generate(recipe, str(files / "raw"), str(files / "attempts"))
        rows = sorted(rows_of(files, "paper").values(), key=lambda row: row["response"])
        assert [(r["response"], r["error"], r["model"]) for r in rows] == [
            (" ", "empty", "paper"),
            ("The answer is 5.", None, "paper"),
            ("The answer is 6.", None, "paper"),
        ]
    assert [row["sample"] for row in rows] == [0, 0, 1]
    assert "1 of 4 answers are to none of the questions" in capsys.readouterr().out


COMMAND = """
import sys
from beam_thunder.cli import main
sys.exit(main(sys.argv[1:]))
"""


def start(files: Path, url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-c", COMMAND, "generate", files / "recipe.yaml"),
            *("--raw", files / "raw", "--out", files / "attempts"),
            *("--vllm-url", url, "--concurrency", "8"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


DURABLE_SECONDS = 1.0
"""After an answer, on a busy machine; a quarter of it on an idle one."""


@pytest.mark.long
def test_killed_at_any_moment_it_goes_on_where_it_was(files):
    """Twenty times SIGKILL; then the answers are those of a run that nobody disturbed."""
    recipe = files / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("samples: 2", "samples: 25"))
    moments = random.Random(4)
    folder = folder_of(str(files / "attempts"), "gsm8k-synthetic", "tiny")
    lost: Counter[tuple[str, int]] = Counter()  # what each kill may have lost
    with serving(latency=0.2) as server:
        for _ in range(20):
            before = len(done(folder))
            process = start(files, server.url)
            asked = sum(server.asked.values())
            # From the moment when it begins to ask; what is before that it cannot lose.
            while sum(server.asked.values()) == asked and process.poll() is None:
                time.sleep(0.02)
            time.sleep(moments.uniform(0, 2.5))
            os.killpg(process.pid, signal.SIGKILL)
            since = time.monotonic() - DURABLE_SECONDS
            with server.lock:
                recent = {key for key, at in server.answered_at.items() if at > since}
                lost.update(recent | set(+server.pending))
            process.communicate()
            assert len(done(folder)) >= before
        process = start(files, server.url)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    rows = rows_of(files)
    assert len(rows) == 1000
    assert len({row["question_id"] for row in rows.values()}) == 40
    expected = [
        answer(
            {
                "messages": [{"role": "user", "content": prompt}],
                "seed": seed,
                "temperature": 0.5,
            }
        )
        for prompt in {prompt for prompt, _ in server.asked}
        for seed in range(7, 32)
    ]
    assert Counter(row["response"] for row in rows.values()) == Counter(expected)
    again = server.asked - Counter(dict.fromkeys(server.asked, 1))
    assert again  # something was in flight at some kill
    assert again <= lost  # and nothing else was asked again
    print(f"asked again after 20 kills: {sum(again.values())} of 1,000")
    assert not [path for path in parts(folder) if Path(path).name.startswith(".")]
