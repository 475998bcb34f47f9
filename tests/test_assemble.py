from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_thunder.build import build
from beam_thunder.cli import main
from beam_thunder.errors import UserError
from beam_thunder.generate import Asking, generate
from beam_thunder.generation.store import parts, read_part
from tests.openai_server import serving

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def jsonl(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def table(out: Path, name: str) -> list[dict]:
    files = sorted(out.glob(f"gsm8k-synthetic/{name}/*.parquet"))
    return pa.concat_tables(map(pq.read_table, files)).to_pylist()


def ledger(out: Path) -> dict:
    return json.loads((out / "manifest.json").read_text())["datasets"]["gsm8k-synthetic"][
        "ledger"
    ]


@pytest.fixture(scope="module")
def solutions(raw) -> list[dict]:
    """Real solutions of four models to GSM8K test questions, marked by the publisher."""
    path = raw / "release" / "gsm8k" / "example_model_solutions_first319.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def recorded(solutions, tmp_path_factory) -> Path:
    """A recipe, a raw folder and recorded answers of them."""
    folder = tmp_path_factory.mktemp("recorded")
    questions = [
        {"question": s["question"], "answer": s["ground_truth"].replace("\nA: ", "\n#### ")}
        for s in solutions
    ]
    jsonl(folder / "raw" / "gsm8k" / "train.jsonl", questions)
    jsonl(
        folder / "answers.jsonl",
        [
            {"question": s["question"], "model": model, "response": s[model]["solution"]}
            for s in solutions
            for model in MODELS
        ],
    )
    models = "".join(f"  {m}: {{engine: recorded, answers: answers.jsonl}}\n" for m in MODELS)
    (folder / "recipe.yaml").write_text(
        f"rows_per_shard: 300\nmodels:\n{models}datasets:\n"
        "  gsm8k-synthetic: {tables: [sft, preference, kto, published]}\n"
    )
    return folder


@pytest.fixture(scope="module")
def built(recorded) -> Path:
    build(recorded / "recipe.yaml", str(recorded / "raw"), str(recorded / "out"))
    return recorded / "out"


def test_the_rows_are_those_that_follow_from_the_publishers_marks(solutions, built):
    answers = [
        (s["question"], s[m]["solution"], s[m]["is_correct"]) for s in solutions for m in MODELS
    ]
    correct = {(question, answer) for question, answer, right in answers if right}
    marks = defaultdict(set)
    for question, _, right in answers:
        marks[question].add(right)
    found = ledger(built)
    assert found["attempts"] == found["stored"] == len(answers) == 1276
    assert found["correct"] == sum(right for _, _, right in answers)
    assert found["wrong"] == 1276 - found["correct"]
    assert {
        (r["prompt"].split("\n\n", 1)[1], r["completion"]) for r in table(built, "sft")
    } == correct
    assert len(table(built, "sft")) == len(correct) == found["correct"] - found["duplicates"]
    pairs = table(built, "preference")
    assert len(pairs) == sum(len(each) == 2 for each in marks.values())
    right = {(question, answer): mark for question, answer, mark in answers}
    for row in pairs:
        question = row["prompt"].split("\n\n", 1)[1]
        assert (right[question, row["chosen"]], right[question, row["rejected"]]) == (
            True,
            False,
        )
    assert len(list(built.glob("gsm8k-synthetic/sft/*"))) > 1


def test_every_models_attempts_add_up(solutions, built):
    models = ledger(built)["models"]
    assert set(models) == set(MODELS)
    for model, funnel in models.items():
        right = sum(s[model]["is_correct"] for s in solutions)
        assert funnel == {"asked": 319, "answered": 319, "correct": right, "wrong": 319 - right}


def test_further_views_have_every_graded_attempt(solutions, built):
    marks = Counter(s[m]["is_correct"] for s in solutions for m in MODELS)
    assert Counter(row["label"] for row in table(built, "kto")) == marks
    rows = table(built, "published")
    assert Counter(row["chosen"] for row in rows) == marks
    assert {row["question"] for row in rows} == {s["question"] for s in solutions}
    assert {row["source_dataset"] for row in rows} == {"openai/gsm8k"}


def test_the_table_of_attempts_says_which_rule_decided(built):
    rows = table(built, "attempts")
    assert {row["grader"] for row in rows} == {"mathematics 1"}
    assert {row["rule"] for row in rows} >= {"a_line"}
    assert {row["verdict"] for row in rows} == {"correct", "wrong"}


# With attempts that a server made.

QUESTIONS = [f"Tom has {n} apples and buys 3 more. How many has he?" for n in range(30)]
RECIPE = """
samples: 3
models:
  tiny: {hub: tiny}
datasets:
  gsm8k-synthetic: {pairs: all, max_pairs: 1}
"""


@pytest.fixture
def generated(tmp_path) -> Path:
    """Attempts at 30 questions: a third each correct, wrong and cut off."""
    rows = [{"question": q, "answer": f"#### {n + 3}"} for n, q in enumerate(QUESTIONS)]
    jsonl(tmp_path / "raw" / "gsm8k" / "train.jsonl", rows)
    (tmp_path / "recipe.yaml").write_text(RECIPE)

    def plan(request, times):
        return "truncated" if request["seed"] == 2 else "answer"

    def say(request):
        prompt = request["messages"][-1]["content"]
        number = next(n for n, q in enumerate(QUESTIONS) if q in prompt)
        return f"He has {number} and buys three.\nThe answer is {number + 3 + request['seed']}."

    with serving(plan=plan, say=say) as server:
        generate(
            tmp_path / "recipe.yaml",
            str(tmp_path / "raw"),
            str(tmp_path / "attempts"),
            asking=Asking([server.url], concurrency=8),
        )
    return tmp_path


def assembled(folder: Path, name: str = "out") -> Path:
    attempts = str(folder / "attempts")
    out = folder / name
    build(folder / "recipe.yaml", str(folder / "raw"), str(out), attempts=attempts)
    return out


def test_stored_attempts_are_filtered_graded_and_paired(generated):
    out = assembled(generated)
    found = ledger(out)
    assert found["filtered"] == {"truncated": 30}
    assert (found["correct"], found["wrong"], found["attempts"]) == (30, 30, 90)
    assert found["written"] == {"sft": 30, "preference": 30, "attempts": 90}
    assert found["models"] == {
        "tiny": {
            "asked": 90,
            "answered": 90,
            "correct": 30,
            "wrong": 30,
            "filtered: truncated": 30,
        }
    }
    reasons = Counter(
        (row["verdict"], row["rule"], row["reason"]) for row in table(out, "attempts")
    )
    assert reasons["ungradable", "filter", "truncated"] == 30
    assert all(row["model"] == "tiny" for row in table(out, "sft"))


def test_the_order_in_which_answers_came_leaves_no_trace(generated):
    before = {p.name: p.read_bytes() for p in assembled(generated).rglob("*.parquet")}
    folder = generated / "attempts" / "gsm8k-synthetic" / "tiny"
    [whole] = parts(str(folder))
    rows = read_part(whole)
    Path(whole).unlink()
    for n in range(3):  # in other parts, backwards, and some twice
        some = rows.take(list(range(len(rows) - 1 - n, -1, -2)))
        pq.write_table(some, folder / f"part-{n}.parquet")
    again = assembled(generated, "again")
    assert {p.name: p.read_bytes() for p in again.rglob("*.parquet")} == before
    assert ledger(again)["unused"] == {"asked_again": 44}


def test_answers_to_another_prompt_or_question_are_counted_and_not_used(generated, capsys):
    raw = generated / "raw" / "gsm8k" / "train.jsonl"
    raw.write_text("".join(raw.read_text().splitlines(keepends=True)[:-1]))
    assert ledger(assembled(generated))["unused"] == {"unknown_question": 3}
    recipe = generated / "recipe.yaml"
    (generated / "recorded.jsonl").write_text(
        json.dumps({"question": QUESTIONS[0], "response": "The answer is 3."}) + "\n"
    )
    recipe.write_text(
        RECIPE.replace(
            "pairs: all, max_pairs: 1", "tables: [sft], template: 'Q: {question}'"
        ).replace("datasets:", "  file: {engine: recorded, answers: recorded.jsonl}\ndatasets:")
    )
    found = ledger(assembled(generated))
    assert found["unused"] == {"unknown_question": 3, "other_prompt": 87}
    assert "dropped other_prompt 87, unknown_question 3" in capsys.readouterr().out
    assert found["written"]["sft"] == 1


def test_without_attempts_the_cure_is_told(generated):
    with pytest.raises(UserError, match=r"(?s)gsm8k-synthetic: of tiny.*beam-thunder generate"):
        build(generated / "recipe.yaml", str(generated / "raw"), str(generated / "out"))


# What models may say must not keep a build from being published.

LONG = " ".join(f"Step {n} adds {n * 7} to what is there." for n in range(12_000))
HOSTILE = {
    "broken_text": "The answer is 5\ufffd.",
    "too_long": LONG,
    "empty": "\u00a0\n \t",
    "foreign_script": "答案是五，因为两个加三个等于五个苹果。",
    "unfinished_thinking": "<think>Two and three is five",
}
KEPT = {
    "in Korean": "사과 두 개에 세 개를 더하면 모두 다섯 개가 됩니다.\nThe answer is 5.",
    "markup": "<script>alert('5')</script>\nThe answer is 5.",
    "a NUL": "Two and three is \x00 five.\nThe answer is 5.",
    "many lines": "\n".join(["Two and three."] + [""] * 14_000 + ["The answer is 5."]),
    "wrong and short": "6",
}


def test_no_answer_keeps_a_dataset_from_being_published(tmp_path):
    question = "Tom has 2 apples and buys 3 more. How many has he?"
    jsonl(tmp_path / "raw/gsm8k/train.jsonl", [{"question": question, "answer": "#### 5"}])
    answers = [
        {"question": question, "response": r} for r in (*HOSTILE.values(), *KEPT.values())
    ]
    jsonl(tmp_path / "answers.jsonl", answers)
    (tmp_path / "recipe.yaml").write_text(
        "models:\n  m: {engine: recorded, answers: answers.jsonl}\n"
        "datasets:\n  gsm8k-synthetic: {tables: [sft, preference, kto, published]}\n"
    )
    build(tmp_path / "recipe.yaml", str(tmp_path / "raw"), str(tmp_path / "out"))
    found = ledger(tmp_path / "out")
    # White space alone is no answer, so its attempt is an error.
    assert found["filtered"] == {name: 1 for name in HOSTILE if name != "empty"}
    assert (found["error"], found["correct"], found["wrong"]) == (1, 4, 1)


def test_a_build_of_every_table_validates_and_has_schemas_proposed(built, tmp_path, capsys):
    assert main(["validate", str(built)]) == 0
    assert "rows are as published" in capsys.readouterr().out
    proposed = tmp_path / "schemas"
    assert main(["schema", "infer", str(built / "gsm8k-synthetic"), "--to", str(proposed)]) == 0
    names = {path.stem for path in proposed.iterdir()}
    assert names == {"sft", "preference", "attempts", "kto", "published"}
    assert main(["validate", str(built), "--schema", str(proposed)]) == 0
