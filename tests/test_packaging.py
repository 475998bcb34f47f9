"""What Beam stages for its workers: the sdist, installed where nothing else of it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytest.importorskip("pip", reason="`make venv` installs pip")

CHECKOUT = Path(__file__).parent.parent
PACKAGE = "beam_thunder"
# Hidden folders are large; an earlier build's list of files would hide one that is missing.
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "out")


def run(*command: str | Path, cwd: Path) -> str:
    # Neither the checkout nor the environment it is installed in may leak in.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    ran = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert ran.returncode == 0, f"{command!r} failed:\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def package_files(root: Path) -> set[str]:
    """Every file of the package under `root`, relative to it."""
    return {
        path.relative_to(root).as_posix()
        for path in (root / PACKAGE).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, made by the command with which Beam makes it for `--setup_file`."""
    copy = tmp_path_factory.mktemp("copy") / "checkout"
    shutil.copytree(CHECKOUT, copy, symlinks=True, ignore=LEFT_OUT)
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "setup.py", "sdist", "--dist-dir", dist, cwd=copy)
    [archive] = dist.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def worker(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the installed sdist and, from this one, its dependencies."""
    venv = tmp_path_factory.mktemp("worker") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=venv.parent)
    # A path file makes folders importable and is not read for them in turn, so this
    # environment's own path file, the editable installation, has no effect over there.
    dependencies = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site_packages(venv) / "dependencies.pth").write_text("\n".join(dependencies))
    run(
        *(venv / "bin" / "python", "-m", "pip", "install", "--no-deps", "--no-index"),
        *("--no-build-isolation", "--ignore-installed", sdist),
        cwd=venv.parent,
    )
    return venv


def site_packages(venv: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(venv)}))


def run_in(worker: Path, code: str) -> str:
    return run(worker / "bin" / "python", "-c", code, cwd=Path("/"))


def test_sdist_holds_the_whole_package(sdist: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(sdist, tmp_path)
    [unpacked] = tmp_path.iterdir()

    assert package_files(unpacked) == package_files(CHECKOUT)
    # setup.py reads the one and the build the other.
    assert (unpacked / "README.md").is_file()
    assert (unpacked / "pyproject.toml").is_file()


def test_installation_holds_the_whole_package(worker: Path) -> None:
    installed = package_files(site_packages(worker))

    assert installed == package_files(CHECKOUT)
    assert f"{PACKAGE}/py.typed" in installed


def test_links_at_the_root_are_not_installed(worker: Path) -> None:
    links = {path.name for path in CHECKOUT.iterdir() if path.is_symlink()}
    installed = {path.name for path in site_packages(worker).iterdir() if path.is_dir()}

    assert links >= {"transforms", "pipelines", "schemas", "runners"}
    assert PACKAGE in installed
    assert not installed & (links | {"tests", "benchmarks", "recipes", "docs", "examples"})


def test_every_module_imports_on_a_worker(worker: Path) -> None:
    origin = run_in(
        worker,
        f"""
import importlib, pkgutil
import {PACKAGE}
for module in pkgutil.walk_packages({PACKAGE}.__path__, "{PACKAGE}."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print({PACKAGE}.__file__)
""",
    )

    # The checkout, which this environment has as an editable installation, would do as well.
    assert Path(origin.splitlines()[-1]).is_relative_to(worker)


def test_a_transform_runs_on_a_worker(worker: Path) -> None:
    raw = CHECKOUT / "examples/raw"
    output = run_in(
        worker,
        f"""
from beam_thunder.transforms import ReadRaw, find_files, parser, raw_slices
import apache_beam as beam

if __name__ == "__main__":
    source = parser("openbookqa")
    files = find_files({str(raw)!r}, ["allenai/openbookqa/main/*.parquet"])
    with beam.Pipeline("FnApiRunner") as pipeline:
        raw = pipeline | beam.Create(raw_slices(files)) | ReadRaw(source.rows)
        parsed = raw | source
        parsed.questions | beam.Map(lambda batch: print(batch.num_rows, "questions"))
""",
    )

    assert output.splitlines()[-1] == "12 questions"
