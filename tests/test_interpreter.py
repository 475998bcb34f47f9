from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from beam_thunder.generation import interpreter as module
from beam_thunder.generation.interpreter import check_interpreter, find_interpreter
from tests.vllm_fixtures import own_environment, python, refused, script  # noqa: F401


def test_an_interpreter_that_has_vllm(python):
    check_interpreter(python)
    assert find_interpreter(python) == python


def test_an_interpreter_that_is_not_there():
    said = refused(lambda: check_interpreter("/nowhere/python"))
    assert "'/nowhere/python' is not there" in said
    assert "make vllm" in said
    assert "--vllm-python" in said


def test_an_interpreter_that_is_not_executable(python):
    Path(python).chmod(stat.S_IRUSR)
    if os.access(python, os.X_OK):
        pytest.skip("everything is executable here")
    assert "is not executable" in refused(lambda: check_interpreter(python))


def test_an_interpreter_without_vllm():
    said = refused(lambda: check_interpreter(sys.executable))
    assert f"{sys.executable!r} has no vllm and no torch; run `make vllm`" in said


def test_a_folder_called_vllm_is_no_vllm(monkeypatch, tmp_path):
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    assert "has no vllm" in refused(lambda: check_interpreter(sys.executable))


def test_an_installation_that_was_interrupted(python, tmp_path):
    (tmp_path / "packages" / "torch.py").unlink()
    assert "has no torch; run `make vllm`" in refused(lambda: check_interpreter(python))


def test_what_is_no_interpreter(tmp_path):
    path = script(tmp_path / "no-python", "echo I am a shell >&2; exit 4")
    assert "no Python that runs (I am a shell)" in refused(lambda: check_interpreter(path))
    Path(path).write_bytes(b"\x00")
    assert "does not run" in refused(lambda: check_interpreter(path))


def test_an_interpreter_by_its_name(python, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert find_interpreter("python") == python


def test_a_given_interpreter_is_taken_as_a_path_from_here(python, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert find_interpreter("./python") == python


def test_an_interpreter_is_found_where_make_vllm_puts_it(python, monkeypatch, tmp_path):
    made = tmp_path / ".vllm" / "bin" / "python"
    made.parent.mkdir(parents=True)
    made.symlink_to(python)
    monkeypatch.chdir(tmp_path)
    assert find_interpreter() == str(made)  # and not what it links to


def test_the_running_interpreter_is_the_last_resort(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "__file__", str(tmp_path / "a" / "b" / "interpreter.py"))
    monkeypatch.chdir(tmp_path)
    said = refused(find_interpreter)
    assert str(tmp_path / ".vllm" / "bin" / "python") in said
    assert "make vllm" in said
    (tmp_path / "vllm.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert find_interpreter() == sys.executable
