"""The command line: what it prints, how it exits, and what it leaves unimported."""

import subprocess
import sys
from pathlib import Path

import pytest

from beam_thunder import cli
from beam_thunder.catalog import CATALOG

ROOT = Path(__file__).parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "beam_thunder.cli", *arguments],
        capture_output=True,
        text=True,
        env={"COLUMNS": "200", "PATH": "", "HOME": "/nonexistent"},
        timeout=120,
    )


def test_sources_lists_the_whole_published_table():
    result = run("sources")
    assert result.returncode == 0
    for text in ("kobest-hellaswag", "HAERAE-HUB/KMMLU", "cc-by-nd-4.0", "625566", "koalpaca"):
        assert text in result.stdout
    assert result.stdout.count(" synthetic ") == 9
    assert result.stdout.count(" processed ") == 9


@pytest.mark.parametrize("arguments", [["sources"], ["--version"]])
def test_quick_commands_import_nothing_heavy(arguments):
    code = "assert not {'apache_beam', 'pyarrow', 'tensorflow', 'numpy'} & set(sys.modules)"
    program = (
        "import sys\nfrom beam_thunder.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n{code}"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_bad_recipe_is_told_before_beam_is_imported(tmp_path):
    (tmp_path / "r.yaml").write_text("datasets:\n  arc-eazy:\n")
    program = (
        "import sys\nfrom beam_thunder.cli import main\n"
        f"status = main(['build', {str(tmp_path / 'r.yaml')!r}, '--raw', 'x', '--out', 'y'])\n"
        "assert 'apache_beam' not in sys.modules\nsys.exit(status)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.strip().endswith(
        "r.yaml:2: unknown source 'arc-eazy' of dataset 'arc-eazy'; did you mean 'arc-easy'?"
    )


def test_build_prints_the_counts_and_how_to_load(tmp_path):
    out = str(tmp_path / "out")
    recipe, raw = ROOT / "recipes/quickstart.yaml", ROOT / "examples/raw"
    result = run("build", str(recipe), "--raw", str(raw), "--out", out, "--only", "openbookqa")
    assert result.returncode == 0, result.stderr
    assert "identical_pair 1" in result.stdout
    assert "4,957" in result.stdout
    assert (
        f'datasets.load_dataset("{out}", "openbookqa-preference", split="train")'
        in result.stdout
    )
    assert result.stderr == ""


def test_an_unknown_option_is_refused_with_the_nearest(tmp_path, capsys):
    recipe = str(ROOT / "recipes/quickstart.yaml")
    call = [
        "build",
        recipe,
        "--raw",
        str(ROOT / "examples/raw"),
        "--out",
        str(tmp_path / "out"),
    ]
    assert cli.main([*call, "--direct_num_wokers=2"]) == 2
    assert "did you mean '--direct_num_workers'?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_pattern_that_the_shell_took_is_told_with_the_cure(tmp_path, capsys):
    recipe = str(ROOT / "recipes/quickstart.yaml")
    call = ["stream", recipe, "--out", str(tmp_path / "out"), "--watch", "a.jsonl", "b.jsonl"]
    assert cli.main(call) == 2
    assert "unexpected 'b.jsonl'; put the pattern of --watch in quotes" in (
        capsys.readouterr().err
    )


def test_a_dataset_that_the_recipe_lacks_is_refused_with_the_nearest(tmp_path, capsys):
    recipe = str(ROOT / "recipes/quickstart.yaml")
    call = ["build", recipe, "--raw", "x", "--out", str(tmp_path / "out"), "--only", "kmlu"]
    assert cli.main(call) == 2
    assert "--only kmlu: the recipe has no such dataset; did you mean 'kmmlu'?" in (
        capsys.readouterr().err
    )


def test_an_unknown_dataset_to_fetch_is_refused_with_the_nearest(tmp_path, capsys):
    assert cli.main(["fetch", "gsm8", "--to", str(tmp_path)]) == 2
    assert "did you mean 'gsm8k'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], {"processed"}),
        (["synthetic"], {"synthetic"}),
        (["processed", "synthetic", "gsm8k"], {"processed", "synthetic"}),
    ],
)
def test_datasets_to_fetch_can_be_named_by_their_kind(given, expected, tmp_path, monkeypatch):
    fetched = []
    monkeypatch.setattr(
        "beam_thunder.fetch.fetch", lambda entries, *_, **__: fetched.extend(entries)
    )
    assert cli.main(["fetch", *given, "--to", str(tmp_path)]) == 0
    wanted = [entry for entry in CATALOG.values() if entry.kind in expected]
    assert sorted(e.name for e in fetched) == sorted(e.name for e in wanted)
