from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beam_thunder.generation.served import check_served
from beam_thunder.generation.server import VllmServer, flags
from tests.vllm_fixtures import (  # noqa: F401
    KEY,
    ask,
    own_environment,
    python,
    refused,
    runs,
    soon,
    start,
)

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
