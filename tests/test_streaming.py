from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.test_stream import TestStream
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import TimestampedValue

from beam_thunder import files
from beam_thunder.build import build
from beam_thunder.errors import UserError
from beam_thunder.generate import Asking
from beam_thunder.generation.store import folder_of
from beam_thunder.pipelines.stream import into_windows
from beam_thunder.recipe import load_recipe
from beam_thunder.runners.streaming import stream_options
from beam_thunder.stream import Watching, claim, seconds
from beam_thunder.streaming import commit
from beam_thunder.streaming.arrival import Arrival, Piece, datasets_of, whole
from beam_thunder.streaming.commit import commit_window
from beam_thunder.streaming.log import Entry, WindowLog
from tests.openai_server import serving
from tests.stored import stored
from tests.windows import NAMES, arrived, planned, publish, read, rows_of, run_windows

ROOT = Path(__file__).parent.parent
RECIPE = ROOT / "recipes" / "quickstart.yaml"
GSM8K = [{"question": f"What is {n} and 1?", "answer": f"#### {n + 1}"} for n in range(30)]


@pytest.fixture
def recipe(tmp_path) -> Path:
    """A recipe of one dataset, whose tables have more shards than one."""
    path = tmp_path / "recipe.yaml"
    path.write_text("rows_per_shard: 8\ndatasets:\n  gsm8k:\n")
    return path


def raw(folder: Path, name: str, rows: list[dict[str, str]] = GSM8K) -> Path:
    """A raw file of GSM8K rows."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def manifests(out: Path, name: str, place: str = "windows") -> dict[str, dict]:
    """Of a dataset's windows, by their names."""
    return {
        path.parent.name.removeprefix("window="): json.loads(path.read_text())
        for path in sorted((out / place / name).glob("*/manifest.json"))
    }


# Which files are whose


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/in/mmlu/today.jsonl", ["mmlu"]),
        ("/in/openai/gsm8k/main/train-00000-of-00001.parquet", ["gsm8k", "answers"]),
        ("gs://bucket/gsm8k/x.jsonl", ["gsm8k"]),
        ("/in/mmlu", []),  # a file of that name is in no folder of that name
        ("/in/other/today.jsonl", []),
    ],
)
def test_a_file_is_of_the_dataset_that_a_folder_or_its_own_name_says(path, names):
    hub = ["openai/gsm8k/main/train-*.parquet"]
    patterns = {"mmlu": ["cais/mmlu/all/test-*.parquet"], "gsm8k": hub, "answers": hub}
    assert datasets_of(path, patterns) == names


@pytest.mark.parametrize(
    ("pattern", "out"),
    [("/data/out/incoming/**", "/data/out"), ("gs://b/out/*.jsonl", "gs://b/out")],
)
def test_raw_files_in_the_output_folder_are_refused(pattern, out):
    with pytest.raises(UserError, match=r"looks in --out .* give another --out"):
        Watching(pattern).check_apart(out)


@pytest.mark.parametrize(
    ("pattern", "out"),
    [
        ("/data/in/**", "/data/out"),
        ("/data/out-side/**", "/data/out"),  # it begins with the same letters
        ("/data/**", "/data/out"),  # what is written there is passed over
        ("projects/out/subscriptions/files", "projects"),
    ],
)
def test_raw_files_beside_or_around_the_output_folder_are_watched(pattern, out):
    Watching(pattern).check_apart(out)


def test_a_stream_does_not_take_what_it_writes_for_raw_files(answering, tmp_path):
    """As the notifications of a bucket have it that holds both, or a pattern around both."""
    path, _, asking = answering
    plan = planned(path, tmp_path / "in" / "out", asking=asking)
    assert plan.wrote(f"{plan.out}/gsm8k-synthetic/sft/window=1/train-00000-of-00001.parquet")
    assert plan.wrote(f"{plan.state}/rows/gsm8k-synthetic/0/1")
    kept = replace(plan, out="/elsewhere").models["tiny"].model.out
    assert replace(plan, out="/elsewhere").wrote(f"{kept}/gsm8k-synthetic/tiny/part-0.parquet")
    assert not plan.wrote(str(tmp_path / "in" / "gsm8k-synthetic" / "a.jsonl"))
    assert not plan.wrote(f"{plan.out}-of-others/gsm8k-synthetic/a.jsonl")


def test_every_file_is_of_the_only_dataset():
    assert datasets_of("/anything.jsonl", {"mmlu": ["x"]}) == ["mmlu"]


# What the windows have


def test_all_windows_together_are_the_batch_build(tmp_path):
    """Of every kind of dataset; in two windows, with a file repeated in the second."""
    names = ["mmlu", "gsm8k", "gsm8k-synthetic", "slimorca"]
    hub = ROOT / "examples" / "raw"
    build(RECIPE, str(hub), str(tmp_path / "batch"), names)
    out = tmp_path / "stream"
    plan = planned(RECIPE, out, *names, validate=True)
    found = {name: sorted(hub.glob(plan.datasets[name].recipe.patterns[0])) for name in names}
    again = shutil.copy(found["mmlu"][0], tmp_path / "again.parquet")
    run_windows(
        plan,
        [(name, path) for name in names[:2] for path in found[name]],
        [*((n, p) for n in names[2:] for p in found[n]), ("mmlu", again)],
    )
    for name in names:
        for table in plan.datasets[name].recipe.written_tables:
            if table == "published":  # which has no ids
                continue
            expected = [
                row
                for path in sorted((tmp_path / "batch" / name / table).glob("*.parquet"))
                for row in pq.read_table(path).to_pylist()
            ]
            # A row that a raw file repeats is a second question there, and none here.
            once = {row["id"]: row for row in expected if "+" not in row["id"]}
            assert rows_of(out, name, table) == once, (name, table)
    assert not (out / "quarantine").exists()
    assert manifests(out, "mmlu")[NAMES[1]]["datasets"]["mmlu"]["ledger"]["repeated"] == 12


def test_a_window_has_a_manifest_a_report_and_its_shards(recipe, tmp_path):
    plan = planned(recipe, tmp_path / "out", validate=True)
    [entry] = publish(plan, NAMES[0], raw(tmp_path, "a.jsonl"))
    assert (entry.place, entry.rows) == ("windows", {"sft": 30})
    manifest = manifests(tmp_path / "out", "gsm8k")[NAMES[0]]
    tables = [each for each in manifest["files"] if each["path"].startswith("gsm8k/sft/")]
    assert len(tables) == 4
    for each in tables:
        assert pq.read_metadata(tmp_path / "out" / each["path"]).num_rows == each["rows"]
    window = tmp_path / "out" / "windows" / "gsm8k" / f"window={NAMES[0]}"
    assert "<html" in (window / "report.html").read_text()
    assert (window / "validation/gsm8k/sft.statistics.pb").is_file()
    assert manifest["window"]["files"][0]["bytes"] == (tmp_path / "a.jsonl").stat().st_size


def test_a_question_already_seen_gives_no_second_row(recipe, tmp_path):
    out = tmp_path / "out"
    plan = planned(recipe, out)
    publish(plan, NAMES[0], raw(tmp_path, "a.jsonl", GSM8K[:20] + GSM8K[:5]))
    publish(plan, NAMES[1], raw(tmp_path, "b.jsonl", GSM8K[10:]))
    assert len(rows_of(out, "gsm8k", "sft")) == 30
    ledgers = [each["datasets"]["gsm8k"]["ledger"] for each in manifests(out, "gsm8k").values()]
    assert [(each["repeated"], each["written"]["sft"]) for each in ledgers] == [
        (5, 20),
        (10, 10),
    ]


def test_a_window_of_nothing_new_has_no_tables(recipe, tmp_path):
    plan = planned(recipe, tmp_path / "out", validate=True)
    publish(plan, NAMES[0], raw(tmp_path, "a.jsonl"))
    [entry] = publish(plan, NAMES[1], raw(tmp_path, "b.jsonl"))
    assert (entry.place, entry.tables) == ("windows", ())
    assert len(rows_of(tmp_path / "out", "gsm8k", "sft")) == 30


def test_a_file_is_taken_once(recipe, tmp_path):
    plan = planned(recipe, tmp_path / "out")
    path = raw(tmp_path, "a.jsonl")
    publish(plan, NAMES[0], path)
    assert publish(plan, NAMES[1], path) == []


def test_a_file_that_changed_is_another(recipe, tmp_path):
    plan = planned(recipe, tmp_path / "out")
    publish(plan, NAMES[0], raw(tmp_path, "a.jsonl", GSM8K[:20]))
    [entry] = publish(plan, NAMES[1], raw(tmp_path, "a.jsonl"))
    assert entry.rows == {"sft": 10}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("bad.parquet", b"PAR1 and no more", "no readable Parquet file"),
        ("bad.jsonl", b"no JSON\n" * 20, "100.0% of its 20 rows were rejected"),
        ("bad.docx", b"", "expected a file named"),
    ],
)
def test_a_bad_file_is_set_aside_alone(recipe, tmp_path, name, content, reason):
    plan = planned(recipe, tmp_path / "out", validate=True)
    (tmp_path / name).write_bytes(content)
    [entry] = publish(plan, NAMES[0], tmp_path / name, raw(tmp_path, "a.jsonl"))
    assert entry.rows == {"sft": 30}
    [(path, said)] = entry.set_aside.items()
    assert path == str(tmp_path / name)
    assert reason in said


def test_a_window_with_anomalies_goes_to_quarantine_and_the_stream_goes_on(recipe, tmp_path):
    out = tmp_path / "out"
    plan = planned(recipe, out, validate=True)
    odd = [{"question": "What is \ufffd?", "answer": "#### 7"}]
    [first] = publish(plan, NAMES[0], raw(tmp_path, "odd.jsonl", odd))
    [second] = publish(plan, NAMES[1], raw(tmp_path, "a.jsonl"))
    assert (first.place, second.place) == ("quarantine", "windows")
    kept = out / "quarantine" / "gsm8k" / f"window={NAMES[0]}"
    assert (kept / "report.html").is_file()
    assert json.loads((kept / "manifest.json").read_text())["validation"]["anomalies"]
    assert list(kept.glob("gsm8k/sft/*/*.parquet"))
    assert len(rows_of(out, "gsm8k", "sft")) == 30


def test_questions_of_a_quarantined_window_may_come_again(recipe, tmp_path):
    refused = planned(recipe, tmp_path / "out", validate=True)
    log = WindowLog(refused.out, "gsm8k")
    entry = Entry(NAMES[0], "quarantine", "nothing", (), (), {}, {})
    (tmp_path / "out" / "nothing").mkdir(parents=True)
    assert log.commit(entry, ["ab" * 16])
    assert "ab" * 16 not in log.seen


def test_what_is_too_much_for_a_window_becomes_several(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(commit, "WINDOW_ROWS", 20)
    plan = planned(recipe, tmp_path / "out")
    paths = [raw(tmp_path, f"{n}.jsonl", GSM8K[n * 10 : n * 10 + 10]) for n in range(3)]
    entries = publish(plan, NAMES[0], *paths)
    assert [each.window for each in entries] == [NAMES[0], f"{NAMES[0]}.2"]
    assert [each.rows["sft"] for each in entries] == [20, 10]


def test_a_window_is_the_same_bytes_in_any_order_of_its_pieces(recipe, tmp_path):
    paths = [raw(tmp_path, f"{n}.jsonl", GSM8K[n * 9 :]) for n in range(3)]
    trees = []
    for number, order in enumerate((paths, paths[::-1])):
        plan = planned(recipe, tmp_path / f"out{number}", validate=True)
        publish(plan, NAMES[0], *order)
        trees.append(tree(tmp_path / f"out{number}"))
    assert trees[0] == trees[1]
    assert len(trees[0]) > 6


def tree(out: Path) -> dict[str, bytes]:
    """What is published, and the log without the names of folders that were in between."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.is_relative_to(out / ".stream")
    }


# Failures


KILLED = """
import os, sys
sys.path[:0] = [{root!r}]
from pathlib import Path
from beam_thunder import files
from tests.windows import planned, publish
steps = int(sys.argv[1])
def counted(name):
    real = getattr(files, name)
    def step(*args):
        global steps
        if name != "write" or "/log/" in args[0]:
            if steps == 0:
                os.kill(os.getpid(), 9)
            steps -= 1
        return real(*args)
    setattr(files, name, step)
for name in ("write", "create", "move", "remove", "upload"):
    counted(name)
plan = planned(Path({recipe!r}), Path({out!r}))
publish(plan, {window!r}, *map(Path, {paths!r}))
print("done")
"""


@pytest.mark.parametrize("step", range(8))
def test_killed_at_any_step_a_window_is_published_once_by_who_comes_next(
    recipe, tmp_path, step
):
    """The next one finds another file too, and calls its window by another name."""
    paths = [str(raw(tmp_path, "a.jsonl", GSM8K[:20])), str(raw(tmp_path, "b.jsonl"))]
    out = tmp_path / "out"
    code = KILLED.format(
        root=str(ROOT), recipe=str(recipe), out=str(out), window=NAMES[0], paths=paths[:1]
    )
    run = subprocess.run([sys.executable, "-c", code, str(step)], capture_output=True)
    assert run.returncode == (-9 if step < 7 else 0), run.stderr.decode()
    publish(planned(recipe, out), NAMES[1], *map(Path, paths))
    assert len(rows_of(out, "gsm8k", "sft")) == 30
    found = manifests(out, "gsm8k")
    assert sum(m["datasets"]["gsm8k"]["ledger"]["written"]["sft"] for m in found.values()) == 30
    for manifest in found.values():
        for file in manifest["files"]:
            assert (out / file["path"]).is_file()


def test_of_two_writers_one_is_first_and_the_other_leaves_out_what_it_took(recipe, tmp_path):
    plan = planned(recipe, tmp_path / "out")
    path = raw(tmp_path, "a.jsonl")
    late = WindowLog(plan.out, "gsm8k")
    late.refresh()
    publish(plan, NAMES[0], path)
    entry = Entry(NAMES[1], "windows", "nothing", (), (arrived(path),), {}, {})
    assert not late.commit(entry, [])
    assert publish(plan, NAMES[1], path, log=late) == []


def test_a_file_is_created_by_one_alone(tmp_path):
    path = str(tmp_path / "folder" / "entry")
    assert files.create(path, b"first")
    assert not files.create(path, b"second")
    assert files.read(path) == b"first"
    assert [each.name for each in (tmp_path / "folder").iterdir()] == ["entry"]


def test_a_file_counts_when_all_its_pieces_are_there():
    """However they come: the last one says how many there are, and may be the first to come."""
    one, two = (Arrival(name, 1, 1.0) for name in ("one", "two"))
    pieces = [Piece("gsm8k", one, questions="a"), Piece("gsm8k", one, questions="b")]
    end, other = Piece("gsm8k", one, pieces=3), Piece("gsm8k", two, pieces=1)
    assert whole(pieces) == []
    assert whole([end, pieces[0], other]) == [other]
    assert whole([end, *pieces, other]) == [end, *pieces, other]


def test_a_file_whose_pieces_are_missing_is_left_for_later(recipe, tmp_path):
    """As a runner would have it that closes a window too early."""
    plan = planned(recipe, tmp_path / "out")
    log, path = WindowLog(plan.out, "gsm8k"), raw(tmp_path, "a.jsonl")
    pieces = list(read(plan, path))
    rules = plan.rules["gsm8k"]
    assert len(pieces) == 2
    for early in (pieces[:1], pieces[1:]):
        assert commit_window(NAMES[0], early, log, plan.out, rules) == []
    [entry] = commit_window(NAMES[0], pieces, log, plan.out, rules)
    assert entry.rows == {"sft": 30}
    assert commit_window(NAMES[0], pieces, log, plan.out, rules) == []


def test_what_comes_late_has_its_window_gathered_again():
    arriving = (
        TestStream()
        .add_elements([TimestampedValue(("gsm8k", "first"), 1)])
        .advance_watermark_to(61)
        .add_elements([TimestampedValue(("gsm8k", "late"), 2)])
        .advance_watermark_to_infinity()
    )
    options = PipelineOptions(["--streaming"])
    with TestPipeline("BundleBasedDirectRunner", options) as root:
        panes = root | arriving | into_windows(60, late=3600) | beam.GroupByKey()
        gathered = panes | beam.MapTuple(lambda name, found: (name, sorted(found)))
        assert_that(gathered, equal_to([("gsm8k", ["first"]), ("gsm8k", ["first", "late"])]))


# Answers of models


@pytest.fixture
def answering(tmp_path) -> Iterator[tuple]:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "samples: 2\nsampling: {temperature: 0.5, seed: 7, max_tokens: 64}\n"
        "models:\n  tiny: {hub: tiny}\ndatasets:\n  gsm8k-synthetic:\n"
    )
    with serving() as server:
        yield path, server, Asking([server.url], concurrency=8)


def test_models_answer_the_questions_of_a_window(answering, tmp_path):
    path, server, asking = answering
    plan = planned(path, tmp_path / "out", asking=asking)
    name = "gsm8k-synthetic"
    run_windows(plan, [(name, raw(tmp_path, "a.jsonl"))], [(name, raw(tmp_path, "b.jsonl"))])
    rows = rows_of(tmp_path / "out", name, "attempts")
    assert len(rows) == 60
    assert {row["model"] for row in rows.values()} == {"tiny"}
    assert sum(server.asked.values()) == 60


def test_what_was_answered_before_a_stream_ended_is_not_asked_again(answering, tmp_path):
    path, server, asking = answering
    name = "gsm8k-synthetic"
    for out in ("out", "other"):
        plan = planned(path, tmp_path / out, asking=asking)
        kept = Path(plan.models["tiny"].model.out)
        if out == "other":  # as far as the first got when it was stopped
            shutil.copytree(tmp_path / "out" / ".stream" / "attempts", kept)
        run_windows(plan, [(name, raw(tmp_path, "a.jsonl"))])
        assert sum(server.asked.values()) == 60
    assert len(stored(folder_of(str(kept), name, "tiny"))) == 60
    assert rows_of(tmp_path / "out", name, "attempts") == rows_of(
        tmp_path / "other", name, "attempts"
    )


def test_two_models_are_refused(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "models:\n  one: {hub: a/b}\n  two: {hub: a/c}\ndatasets:\n  gsm8k-synthetic:\n"
    )
    with pytest.raises(UserError, match=r"asks one model, .*: one, two; keep one in the"):
        planned(path, tmp_path / "out")


# The command


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("60s", 60), ("1.5m", 90), ("1h", 3600), ("2d", 172800)]
)
def test_durations(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0s", "-1s", "1w", "1h30m", "nan", "s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UserError, match="expected a duration"):
        seconds(text)


def test_a_stream_needs_a_runner_that_streams():
    with pytest.raises(UserError, match="a stream needs PrismRunner"):
        stream_options(["--runner", "DirectRunner"])


def test_other_hardware_makes_no_other_recipe(tmp_path):
    path, out = tmp_path / "recipe.yaml", str(tmp_path / "out")
    for server in ("", ", server: {dtype: float32}, accelerator: type:nvidia-l4;count:1"):
        path.write_text(f"models:\n  tiny: {{hub: tiny{server}}}\ndatasets:\n  mbpp:\n")
        claim(out, load_recipe(path))
    path.write_text("models:\n  tiny: {hub: other}\ndatasets:\n  mbpp:\n")
    with pytest.raises(UserError, match="windows of another recipe"):
        claim(out, load_recipe(path))


def test_an_arrival_keeps_its_time_to_the_last_digit(tmp_path):
    arrival = Arrival("/a", 1, 1795405266.123456789)
    assert Arrival(**json.loads(json.dumps(arrival.__dict__))) == arrival
