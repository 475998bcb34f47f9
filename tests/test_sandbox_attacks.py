"""No attack escapes or passes, and the next honest program is graded as if it had not been.

One sandbox runs them all, one after the other.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beam_thunder.grading.code import grade_program
from beam_thunder.grading.sandbox import Limits, Sandbox

sys.path.insert(0, str(Path(__file__).parent / "attacks"))
from programs import ATTACKS

pytestmark = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="no bubblewrap (apt-get install bubblewrap)"
)

LIMITS = Limits(cpu_seconds=1, wall_seconds=3, memory_bytes=256 << 20)
SLACK_SECONDS = 12  # of the machine, which may be busy

HONEST = "def f(x):\n    return 271828 if x == 1 else 314159\n"
HONEST_TESTS = "assert f(1) == 271828\nassert f(2) == 314159\n"


@pytest.fixture(scope="module")
def sandbox():
    os.environ["BEAM_THUNDER_MARKER"] = "secret"
    with Sandbox(LIMITS) as sandbox:
        yield sandbox
    del os.environ["BEAM_THUNDER_MARKER"]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """What attacks aim at, and must leave as it is."""
    home = tmp_path_factory.mktemp("home")
    (home / "secret").write_text("secret")
    victim = subprocess.Popen(["sleep", "1000"])
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as named,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        server.setblocking(False)
        named.bind(str(home / "socket"))
        named.listen()
        name = f"beam-thunder-{os.getpid()}"
        abstract.bind("\0" + name)
        abstract.listen()
        yield {
            "HOME": str(home),
            "PORT": str(server.getsockname()[1]),
            "SOCKET": str(home / "socket"),
            "ABSTRACT": name,
            "VICTIM": str(victim.pid),
            "server": server,
            "victim": victim,
        }
    victim.kill()
    victim.wait()


def processes(sandbox):
    """Numbers of all processes of the sandbox: bubblewrap and its descendants."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(after_name[1])
    found = {sandbox._guest._process.pid}
    while more := {p for p, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def test_there_are_enough_attacks_with_names_of_their_own():
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 40


@pytest.mark.long
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack_fails(attack, sandbox, host):
    answer = attack.answer
    for name in ("HOME", "PORT", "SOCKET", "ABSTRACT", "VICTIM"):
        answer = answer.replace(name, host[name])
    running = processes(sandbox)
    start = time.monotonic()
    grade = grade_program(sandbox, answer, "", attack.after)
    seconds = time.monotonic() - start
    assert grade.verdict == attack.verdict, grade
    assert seconds < LIMITS.wall_seconds + SLACK_SECONDS
    assert processes(sandbox) == running, "something was left behind, or had to be restarted"
    assert host["victim"].poll() is None
    with pytest.raises(BlockingIOError):
        host["server"].accept()
    assert sorted(path.name for path in Path(host["HOME"]).iterdir()) == ["secret", "socket"]
    honest = grade_program(sandbox, HONEST, "", HONEST_TESTS)
    assert honest.verdict == "correct", honest
