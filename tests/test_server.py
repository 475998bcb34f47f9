import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from beam_thunder.errors import UserError
from beam_thunder.generation import server as module
from beam_thunder.generation.server import (
    VllmServer,
    check_interpreter,
    check_served,
    find_interpreter,
    flags,
)

HERE = Path(__file__).parent
KEY = "key-onlyForTheseTests"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    # Nothing is there, so nothing that is sent to it arrives.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    (tmp_path / "logs").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "logs"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # of the processes that tests start


@pytest.fixture
def python(tmp_path: Path) -> str:
    """An interpreter that has a vLLM: the one that tests/fake_vllm.py plays."""
    packages = tmp_path / "packages"
    package = packages / "vllm" / "entrypoints" / "openai"
    package.mkdir(parents=True)
    for folder in (package, package.parent, package.parent.parent):
        (folder / "__init__.py").touch()
    shutil.copy(HERE / "fake_vllm.py", package / "api_server.py")
    (packages / "torch.py").touch()
    return script(tmp_path / "python", f'PYTHONPATH={packages} exec {sys.executable} "$@"')


def script(path: Path, line: str) -> str:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def start(python: str) -> Iterator[Callable[..., VllmServer]]:
    with contextlib.ExitStack() as stack:

        def started(model: str, **fields: object) -> VllmServer:
            server = VllmServer(python, model, **fields)
            stack.callback(server.stop)
            server.start()
            return server

        yield started


def ask(server: VllmServer, path: str) -> object:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(server.url + path, timeout=10) as answer:
        return json.load(answer)


def runs(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be noticed does not."""
    try:
        stat_line = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat_line.rpartition(")")[2].split()[0] not in "ZX"


def soon(what: Callable[[], bool], seconds: float = 15.0) -> bool:
    last = time.monotonic() + seconds
    while not what():
        if time.monotonic() > last:
            return False
        time.sleep(0.02)
    return True


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        call()
    return str(caught.value)


# A server that is started


def test_a_server_answers_when_start_returns(start):
    server = start("ready")
    assert server.alive()
    check_served(server.url, "ready")


def test_the_command_line_has_model_address_and_arguments(start):
    server = start("ready", name="tiny", arguments={"dtype": "float32", "enforce_eager": True})
    assert ask(server, "/argv") == [
        *("--model", "ready", "--served-model-name", "tiny", "--host", "127.0.0.1"),
        *("--port", server.url.rpartition(":")[2], "--dtype=float32", "--enforce-eager"),
    ]


def test_a_key_comes_by_the_environment_and_stays_off_the_command_line(start, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    server = start("ready")  # which needs the key to list its models
    assert ask(server, "/key") == KEY
    assert KEY not in str(ask(server, "/argv"))
    for pid in ask(server, "/pids"):
        assert KEY.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_packages_of_this_interpreter_stay_out_of_the_server(start, monkeypatch, tmp_path):
    # Python would look there first, and end with the error.
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert start("ready").alive()


@pytest.mark.parametrize("model", ["ready", "child", "stubborn-child"])
def test_stop_leaves_no_process_and_no_file(start, model, tmp_path):
    server = start(model, grace_seconds=0.5)
    pids = ask(server, "/pids")
    assert len(pids) == 2 + ("child" in model)
    assert all(map(runs, pids))
    server.stop()
    assert not any(map(runs, pids))
    assert not server.alive()
    assert list((tmp_path / "logs").iterdir()) == []


def test_memory_that_a_killed_server_shared_is_given_back(start):
    server = start("stubborn-shares", grace_seconds=0.1)
    memory = Path("/dev/shm", ask(server, "/shared"))
    assert memory.exists()
    server.stop()
    assert not memory.exists()


def test_a_server_that_ends_by_itself_takes_its_children_along(start):
    server = start("crashes-child")
    pids = ask(server, "/pids")
    assert soon(lambda: not server.alive())
    assert soon(lambda: not any(map(runs, pids)))
    assert server.log_end(1) == "line 99"


def test_an_end_is_seen_before_what_is_left_is_cleared_away(start):
    server = start("child", grace_seconds=15)
    _, own, child = ask(server, "/pids")
    os.kill(child, signal.SIGSTOP)  # so that it does not heed SIGTERM
    os.kill(own, signal.SIGKILL)
    assert soon(lambda: not server.alive(), seconds=2)
    assert runs(child)
    server.stop()
    assert not runs(child)


def test_a_server_that_died_starts_again_at_the_same_address(start):
    server = start("ready")
    before, pids = server.url, ask(server, "/pids")
    os.kill(pids[1], signal.SIGKILL)
    assert soon(lambda: not server.alive())
    server.restart()
    assert server.url == before
    assert not set(ask(server, "/pids")) & set(pids)


def test_a_server_that_runs_is_restarted_too(start):
    server = start("child")
    pids = ask(server, "/pids")
    server.restart()
    assert not any(map(runs, pids))
    check_served(server.url, "child")


def test_stop_may_come_twice_or_without_a_start(python):
    server = VllmServer(python, "ready")
    server.stop()
    server.stop()
    assert not server.alive()


# The end of the process that started it

OWNER = """
import json, os, sys, time, urllib.request
from beam_thunder.generation.server import VllmServer
server = VllmServer(sys.argv[1], sys.argv[2], grace_seconds=0.5)
server.start()
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
pids = json.load(opener.open(server.url + "/pids"))
if "fork" in sys.argv and os.fork() == 0:
    time.sleep(30)  # with a copy of every pipe
    os._exit(0)
print(pids, flush=True)
if "ends" not in sys.argv:
    time.sleep(300)
"""


def owner(python: str, *argv: str) -> tuple[subprocess.Popen[str], list[int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, python, *argv], stdout=subprocess.PIPE, text=True
    )
    pids = json.loads(process.stdout.readline())
    return process, pids


@pytest.mark.parametrize("how", [[], ["fork"]])
def test_no_process_outlives_an_owner_that_is_killed(python, how):
    process, pids = owner(python, "child", *how)
    assert all(map(runs, pids))
    process.kill()
    process.wait()
    # Before the forked process ends, which has a copy of the pipe.
    assert soon(lambda: not any(map(runs, pids)), seconds=20)


def test_a_server_that_ignores_being_told_is_killed_after_its_owner(python):
    process, pids = owner(python, "stubborn-child")
    process.kill()
    process.wait()
    assert soon(lambda: not any(map(runs, pids)), seconds=15)


def test_no_process_outlives_an_owner_that_forgets_it(python):
    process, pids = owner(python, "child", "ends")
    assert process.wait() == 0
    assert soon(lambda: not any(map(runs, pids)))


def test_a_supervisor_that_is_ended_ends_the_server(start):
    server = start("child")
    pids = ask(server, "/pids")
    os.kill(pids[0], signal.SIGTERM)
    assert soon(lambda: not any(map(runs, pids)))


# Servers that do not come up


def test_a_server_that_dies_is_told_at_once_with_the_end_of_its_log(start):
    before = time.monotonic()
    said = refused(lambda: start("dies"))
    assert time.monotonic() - before < 30  # of the hour that it would have
    assert "'dies' ended with status 1" in said
    assert "ValueError: no room for the weights" in said
    assert "line 71\nline 72" in said
    assert "line 70\n" not in said  # thirty lines, and not all
    assert "`server` arguments" in said


def test_the_log_of_a_server_that_died_is_where_the_error_says(python):
    server = VllmServer(python, "dies")
    said = refused(server.start)
    path = Path(said.partition("its log is ")[2].partition(". ")[0])
    assert path.read_text().startswith("line 0\n")
    server.stop()
    assert not path.exists()


def test_a_server_that_never_comes_up_is_stopped(python):
    server = VllmServer(python, "never-child")
    server.launch()
    said = refused(lambda: server.wait_until_ready(1.0))
    assert "'never-child' was not ready within 1 s" in said
    assert said.endswith("line 99")
    assert not server.alive()
    server.stop()


def test_a_port_in_use(python):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(VllmServer(python, "ready", port=port).start)
    assert f"port {port} of 127.0.0.1" in said
    assert "Address already in use" in said
    assert "--vllm-url" in said


def test_a_port_that_is_free_is_taken(start):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert start("ready", port=port).url == f"http://127.0.0.1:{port}"


def test_a_start_without_vllm_says_so_before_any_process(tmp_path):
    said = refused(VllmServer(sys.executable, "ready").start)
    assert "has no vllm" in said
    assert list((tmp_path / "logs").iterdir()) == []


# Arguments


def test_flags():
    arguments = {
        "tensor-parallel-size": 4,
        "max_model_len": 8192,
        "gpu-memory-utilization": 0.9,
        "quantization": "awq",
        "hf-overrides": '{"a": 1}',
        "enforce-eager": True,
        "trust_remote_code": False,
    }
    assert flags(arguments) == [
        "--tensor-parallel-size=4",
        "--max-model-len=8192",
        "--gpu-memory-utilization=0.9",
        "--quantization=awq",
        '--hf-overrides={"a": 1}',
        "--enforce-eager",
    ]


def test_one_and_zero_are_numbers():
    assert flags({"seed": 1, "swap-space": 0}) == ["--seed=1", "--swap-space=0"]


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("model", "`hub`"),
        ("port", "a free one is chosen"),
        ("host", "127.0.0.1"),
        ("served_model_name", "`hub`"),
        ("--api-key", "VLLM_API_KEY"),
        ("enable-log-requests", "prompts are not logged"),
    ],
)
def test_arguments_that_are_not_the_recipes(name, cure):
    said = refused(lambda: VllmServer("python", "m", {name: KEY}))
    assert repr(name) in said
    assert cure in said
    assert KEY not in said


def test_an_argument_given_twice():
    said = refused(lambda: flags({"max-model-len": 1, "max_model_len": 2}))
    assert "'max_model_len' is given twice" in said


def test_an_argument_that_is_a_list():
    assert "as JSON" in refused(lambda: flags({"lora-modules": ["a"]}))


# Interpreters


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
    monkeypatch.setattr(module, "__file__", str(tmp_path / "a" / "b" / "server.py"))
    monkeypatch.chdir(tmp_path)
    said = refused(find_interpreter)
    assert str(tmp_path / ".vllm" / "bin" / "python") in said
    assert "make vllm" in said
    (tmp_path / "vllm.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert find_interpreter() == sys.executable


# Servers that run already


@pytest.fixture
def answering() -> Iterator[Callable[[dict[str, tuple[int, bytes]]], str]]:
    """A server that gives an answer per path; gives its address."""
    answers: dict[str, tuple[int, bytes]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[self.path]
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()

        def answer(given: dict[str, tuple[int, bytes]]) -> str:
            answers.update({"/health": (200, b""), **given})
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield answer
        server.shutdown()


def models(*names: str) -> tuple[int, bytes]:
    return 200, json.dumps({"data": [{"id": name} for name in names]}).encode()


def test_a_model_that_is_served(answering):
    check_served(answering({"/v1/models": models("a", "b")}) + "/", "b")


def test_a_model_that_is_not_served(answering):
    url = answering({"/v1/models": models("a", "b")})
    said = refused(lambda: check_served(url, "c"))
    assert said.startswith(f"{url} serves 'a', 'b', not 'c'; ")
    assert "--served-model-name c" in said


def test_a_server_that_is_not_well(answering):
    url = answering({"/health": (503, b"")})
    assert f"{url}/health answered 503" in refused(lambda: check_served(url, "a"))


def test_a_server_that_is_not_there():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    said = refused(lambda: check_served(url, "a"))
    assert f"{url} does not answer" in said
    assert "Connection refused" in said
    assert "start the server" in said


def test_a_server_that_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "timed out" in refused(lambda: check_served(url, "a", timeout=0.2))


@pytest.mark.parametrize(
    "answer", [(404, b"{}"), (200, b"<html>"), (200, b'{"data": 1}'), (302, b"")]
)
def test_what_is_no_vllm_server(answering, answer):
    url = answering({"/v1/models": answer, "/elsewhere": models("a")})
    assert "no vLLM server" in refused(lambda: check_served(url, "a"))


def test_a_key_that_is_refused_is_not_shown(start, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    server = start("ready")
    monkeypatch.setenv("VLLM_API_KEY", "another-key")
    said = refused(lambda: check_served(server.url, "ready"))
    assert "refuses the key (401); set VLLM_API_KEY" in said
    assert "another-key" not in said


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("localhost:8000", "http://HOST:8000"),
        ("ftp://gpu/", "http://HOST:8000"),
        ("http://gpu:8000/v1", "so http://gpu:8000"),
        ("http://gpu:8000/v1/", "so http://gpu:8000"),
        (f"http://me:{KEY}@gpu:8000", "VLLM_API_KEY"),
    ],
)
def test_addresses_that_are_none(url, cure):
    said = refused(lambda: check_served(url, "a"))
    assert cure in said
    assert KEY not in said
