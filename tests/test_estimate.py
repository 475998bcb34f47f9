from __future__ import annotations

import json
from pathlib import Path

import pytest

from beam_thunder.cli import main
from beam_thunder.estimate import estimate, gpus, tokens
from beam_thunder.generation.attempts import Answered, Asked, Request
from beam_thunder.generation.store import write_part

ROOT = Path(__file__).parent.parent
RECIPE = """
samples: 3
sampling: {max_tokens: 200}
models:
  small: {hub: a/small}
  large: {hub: a/large, server: {tensor_parallel_size: 4, pipeline-parallel-size: 2}}
  paper: {engine: recorded, answers: answers.jsonl}
datasets:
  mmlu:
  gsm8k-synthetic: {template: "{question}"}
"""


@pytest.fixture
def files(tmp_path):
    raw = tmp_path / "raw" / "gsm8k"
    raw.mkdir(parents=True)
    rows = [{"question": "x" * 400, "answer": "#### 1"}] * 9 + [
        {"question": "?", "answer": "no"}
    ]
    (raw / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "answers.jsonl").touch()
    return tmp_path


def test_requests_and_tokens_follow_from_the_questions(files):
    lines = estimate(files / "recipe.yaml", str(files / "raw"))
    assert [(each.model, each.dataset) for each in lines] == [
        ("small", "gsm8k-synthetic"),
        ("large", "gsm8k-synthetic"),
    ]
    for each in lines:
        assert (each.requests, each.measured) == (27, False)
        assert each.prompt_tokens == 27 * 100  # four characters a token
        assert each.output_tokens == 27 * 200  # no more than the limit


def test_attempts_take_the_place_of_guesses(files):
    folder = files / "attempts" / "gsm8k-synthetic" / "small"
    request = Request("gsm8k-synthetic", "00" * 16, "11" * 16, 0, None, "?", "22" * 16)
    answered = Answered(request, "1", "stop", prompt_tokens=50, completion_tokens=70)
    write_part([answered.row(Asked("a/small"))], str(folder))
    attempts = str(files / "attempts")
    small, large = estimate(files / "recipe.yaml", str(files / "raw"), attempts)
    assert (small.prompt_tokens, small.output_tokens, small.measured) == (
        27 * 50,
        27 * 70,
        True,
    )
    assert not large.measured


def test_a_throughput_gives_hours(files, capsys):
    command = ["estimate", str(files / "recipe.yaml"), "--raw", str(files / "raw")]
    assert main([*command, "--tokens-per-second", "0.5"]) == 0
    shown = capsys.readouterr().out.splitlines()
    [small] = [line.split() for line in shown if line.strip().startswith("small")]
    [large] = [line.split() for line in shown if line.strip().startswith("large")]
    assert small[-2:] == ["~3.0", "~3.0"]  # 5,400 tokens
    assert large[-2:] == ["~3.0", "~24.0"]  # on eight GPUs


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "fast"])
def test_a_throughput_is_a_number_above_0(files, speed, capsys):
    command = ["estimate", str(files / "recipe.yaml"), "--raw", str(files / "raw")]
    with pytest.raises(SystemExit):
        main([*command, f"--tokens-per-second={speed}"])
    assert "expected a number above 0" in capsys.readouterr().err


def test_hangul_takes_more_tokens_than_latin():
    assert tokens("abcd" * 10) == 10
    assert tokens("가" * 12) == pytest.approx(10)


def test_gpus_are_what_a_server_spreads_over():
    assert gpus({}) == 1
    assert gpus({"tensor-parallel-size": 4, "max-model-len": 100}) == 4
