"""What only a real vLLM server can show: one on the CPU, with a model of random weights."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from beam_thunder.errors import UserError
from beam_thunder.generation.served import check_served
from beam_thunder.generation.server import VllmServer

PROJECT = Path(__file__).parent.parent
PYTHON = PROJECT / ".vllm" / "bin" / "python"

pytestmark = [
    pytest.mark.long,
    pytest.mark.vllm,
    pytest.mark.skipif(
        not (PROJECT / ".vllm" / ".installed").exists(),
        reason="no vLLM in .vllm: `make vllm` installs it",
    ),
]

ARGUMENTS = {"max-model-len": 1024, "dtype": "float32", "enforce-eager": True}
READY_SECONDS = 300  # about 35 on two cores


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of random weights."""
    folder = tmp_path_factory.mktemp("tiny-model")
    subprocess.run(
        [PYTHON, PROJECT / "tests" / "tiny_model.py", folder], check=True, capture_output=True
    )
    return folder


def started_by(pid: int) -> int:
    """The one process that another has started."""
    [child] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def processes(session: int) -> list[str]:
    """The command lines of a session's processes that run."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "sess=,stat=,args="],
        check=True,
        capture_output=True,
        text=True,
    )
    rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return [row[-1] for row in rows if row[0] == str(session) and row[1][0] not in "ZX"]


def shared_memory() -> set[Path]:
    return set(Path("/dev/shm").glob("psm_*"))


@pytest.fixture(scope="module")
def tiny_server(tiny_model: Path) -> Iterator[VllmServer]:
    """A server that serves it as `tiny`, at `tiny_server.url`; nothing of it may be left."""
    before = shared_memory()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB
        patch.delenv("VLLM_API_KEY", raising=False)
        server = VllmServer(
            str(PYTHON), str(tiny_model), ARGUMENTS, "tiny", ready_seconds=READY_SECONDS
        )
        try:
            server.start()
            session = started_by(server._process.pid)
            running, shared = processes(session), shared_memory() - before
            yield server
        finally:
            server.stop()
    assert any("api_server" in each for each in running)
    assert any("EngineCore" in each for each in running)
    assert processes(session) == []
    assert not shared & shared_memory()  # 0.4 GB, were it killed without more ado


def complete(url: str, **fields: object) -> dict:
    body = {"model": "tiny", "messages": [{"role": "user", "content": "3 + 4 = ?"}], **fields}
    request = urllib.request.Request(
        f"{url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return json.load(answer)


def test_a_chat_completion(tiny_server: VllmServer) -> None:
    answer = complete(tiny_server.url, max_tokens=8, seed=1, ignore_eos=True)
    assert answer["model"] == "tiny"
    assert answer["choices"][0]["message"]["content"]
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 8


def test_the_same_seed_gives_the_same_answer(tiny_server: VllmServer) -> None:
    texts = [
        complete(tiny_server.url, max_tokens=32, seed=seed)["choices"][0]["message"]["content"]
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_what_is_served(tiny_server: VllmServer) -> None:
    check_served(tiny_server.url, "tiny")
    with pytest.raises(UserError, match="serves 'tiny', not 'large'"):
        check_served(tiny_server.url, "large")
