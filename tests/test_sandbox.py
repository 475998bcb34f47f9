"""What the sandbox gives honest programs, how it says why others fail, and its own failures."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from beam_thunder.errors import UserError
from beam_thunder.grading.sandbox import Limits, Outcome, Sandbox, bubblewrap
from beam_thunder.grading.sandbox.guest.confine import DENIED, filter_program
from beam_thunder.grading.sandbox.guest.wire import Proxy, Unplain, Wire

pytestmark = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="no bubblewrap (apt-get install bubblewrap)"
)

DOUBLE = "def double(x):\n    return 2 * x\n"
TESTS = "assert double(4) == 8"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(Limits(cpu_seconds=2, wall_seconds=10)) as sandbox:
        yield sandbox


def test_tests_pass(sandbox):
    assert sandbox.run("", DOUBLE, TESTS) == Outcome("tests_passed")


@pytest.mark.parametrize(
    ("answer", "rule", "detail"),
    [
        ("def double(x):\n    return 3 * x", "assertion", "AssertionError"),
        ("def double(x)\n    return 2 * x", "syntax", "expected ':'"),
        ("def double(x):\n    return y", "exception", "NameError: name 'y' is not defined"),
        ("def twice(x):\n    return 2 * x", "exception", "name 'double' is not defined"),
        ("raise ValueError('at once')", "exception", "ValueError: at once"),
        ("class E(Exception): pass\nraise E('own')", "exception", "E: own"),
        ("while True: pass", "timeout", "2 s of CPU time are up"),
        ("x = [0] * 10**9", "memory", "MemoryError"),
        ("def double(x): return 'x' * 20_000_000", "output", "allowed are 16,777,216"),
        ("import os\nos._exit(3)", "exited", "exit code 3"),
        ("import ctypes\nctypes.string_at(0)", "killed", "signal 11"),
        ("print(input())", "exception", "EOFError"),
    ],
)
def test_why_tests_do_not_pass(sandbox, answer, rule, detail):
    outcome = sandbox.run("", answer, TESTS)
    assert outcome.rule == rule
    assert detail in outcome.detail


@pytest.mark.parametrize(
    "value",
    [
        "None", "True", "3", "-(10 ** 5000)", "2.5", "float('inf')", "'가\\ud800'", "b'\\xff'",
        "[1, [2]]", "(1, (2,))", "{1, 2}", "frozenset([1])", "{(1, 2): [3]}", "1 + 2j",
        "range(3)", "deque([1, 2])", "Decimal('1.50')", "Fraction(1, 3)", "date(2024, 2, 29)",
        "timedelta(1, 2, 3)", "int", "Counter('aab')", "OrderedDict(a=1)", "bytearray(b'x')",
    ],
)  # fmt: skip
def test_values_arrive_as_they_are(sandbox, value):
    before = (
        "from collections import *\nfrom datetime import *\n"
        "from decimal import Decimal\nfrom fractions import Fraction\n"
    )
    answer = f"def give(): return {value}\ndef same(x): return x == {value}\n"
    tests = f"assert give() == {value}\nassert same({value}) is True\n"
    assert sandbox.run(before, answer, tests) == Outcome("tests_passed")


def test_a_tuple_is_no_list(sandbox):
    outcome = sandbox.run("", "def give(): return (1, 2)", "assert give() == [1, 2]")
    assert outcome.rule == "assertion"


LIST_NODE = """
class ListNode:
    def __init__(self, val=0, next=None):
        self.val = val
        self.next = next
def list_node(values):
    head = None
    for value in reversed(values):
        head = ListNode(value, head)
    return head
def values(node):
    found = []
    while node:
        found.append(node.val)
        node = node.next
    return found
"""
REVERSE = """
class Solution:
    def reverse(self, head):
        done = None
        while head:
            done, head.next, head = head, done, head.next
        return done
"""


def test_objects_of_classes_that_the_question_gives(sandbox):
    tests = "assert values(Solution().reverse(list_node([1, 2, 3]))) == [3, 2, 1]"
    assert sandbox.run(LIST_NODE, REVERSE, tests) == Outcome("tests_passed")


def test_long_lists_of_objects_do_not_recurse(sandbox):
    tests = "n = list(range(20000))\nassert values(Solution().reverse(list_node(n))) == n[::-1]"
    assert sandbox.run(LIST_NODE, REVERSE, tests) == Outcome("tests_passed")


def test_an_answer_that_defines_the_given_class_again(sandbox):
    again = "class ListNode:\n    def __init__(self, val=0, next=None):\n"
    again += "        self.val, self.next = val, next\n"
    tests = "assert values(Solution().reverse(list_node([1, 2]))) == [2, 1]"
    assert sandbox.run(LIST_NODE, again + REVERSE, tests) == Outcome("tests_passed")


def test_objects_of_classes_of_the_answer(sandbox):
    answer = """
class Node:
    def __init__(self, data):
        self.data, self.left = data, None
def depth(node):
    return 1 + depth(node.left) if node else 0
"""
    tests = (
        "root = Node(1)\nroot.left = Node(2)\nassert depth(root) == 2 and root.left.data == 2"
    )
    assert sandbox.run("", answer, tests) == Outcome("tests_passed")


def test_arguments_changed_in_place(sandbox):
    answer = "def rotate(items, counts):\n    items.append(items.pop(0)); counts[0] = 1\n"
    tests = "a, b = [1, 2, 3], {}\nassert rotate(a, counts=b) is None\n"
    tests += "assert (a, b) == ([2, 3, 1], {0: 1})"
    assert sandbox.run("", answer, tests) == Outcome("tests_passed")


def test_functions_of_the_tests_as_arguments(sandbox):
    answer = "def apply(function, items): return [function(item) for item in items]"
    tests = "assert apply(lambda x: x + 1, [1, 2]) == [2, 3]"
    assert sandbox.run("", answer, tests) == Outcome("tests_passed")


def test_generators(sandbox):
    answer = "def count():\n    n = 0\n    while True:\n        yield n\n        n += 1\n"
    tests = "g = count()\nassert [next(g), next(g)] == [0, 1]\n"
    tests += "assert list(zip(g, 'ab')) == [(2, 'a'), (3, 'b')]"
    assert sandbox.run("", answer, tests) == Outcome("tests_passed")


def test_exceptions_that_tests_expect(sandbox):
    answer = "def root(x):\n    if x < 0: raise ValueError('negative')\n    return x ** .5\n"
    tests = (
        "try:\n    root(-1)\n    assert False\nexcept ValueError as error:\n"
        "    assert str(error) == 'negative'\nassert root(4) == 2\n"
    )
    assert sandbox.run("", answer, tests) == Outcome("tests_passed")


def test_a_function_named_like_a_built_in_one(sandbox):
    answer = "def sum(a, b): return a * b"
    assert sandbox.run("", answer, "assert sum(3, 5) == 15") == Outcome("tests_passed")


def test_modules_that_tests_use_without_importing_them(sandbox):
    answer = "import sys\ndef size(x): return sys.getsizeof(x)"
    tests = "assert size((1, 2)) == sys.getsizeof((1, 2))"
    assert sandbox.run("", answer, tests) == Outcome("tests_passed")


def test_the_same_random_numbers_every_time(sandbox):
    answer = "import random\ndef number(): return random.random()"
    first = sandbox.run("", answer, "assert number() == 0, number()").detail
    assert first == sandbox.run("", answer, "assert number() == 0, number()").detail


def test_the_main_part_of_an_answer_does_not_run(sandbox):
    answer = DOUBLE + "if __name__ == '__main__':\n    print(double(int(input())))\n"
    assert sandbox.run("", answer, TESTS) == Outcome("tests_passed")


def test_nothing_stays_in_the_scratch_folder(sandbox):
    answer = "import os\nopen('x', 'w').write('1')\ndef f(): return os.listdir()"
    for _ in range(2):
        assert sandbox.run("", answer, "assert f() == ['x']") == Outcome("tests_passed")


def test_dataclasses_threads_and_coroutines(sandbox):
    answer = """
import asyncio, dataclasses, threading
@dataclasses.dataclass
class Point:
    x: "int"
def f():
    found = []
    thread = threading.Thread(target=found.append, args=(Point(3).x,))
    thread.start()
    thread.join()
    async def last():
        await asyncio.sleep(0)
        return found[0]
    return asyncio.run(last())
"""
    assert sandbox.run("", answer, "assert f() == 3") == Outcome("tests_passed")


def test_tests_that_do_not_end_are_interrupted():
    with Sandbox(Limits(cpu_seconds=1, wall_seconds=1)) as sandbox:
        outcome = sandbox.run("", DOUBLE, "while double(1):\n    pass\nassert True")
        assert outcome.rule == "timeout"
        assert sandbox.run("", DOUBLE, "while True:\n    pass\nassert True").rule == "timeout"
        assert sandbox.run("", DOUBLE, TESTS) == Outcome("tests_passed")


def test_a_sandbox_that_was_killed_is_started_again(sandbox):
    os.kill(sandbox._guest._process.pid, signal.SIGKILL)
    assert sandbox.run("", DOUBLE, TESTS) == Outcome("tests_passed")


def test_a_sandbox_that_keeps_failing_is_given_up(sandbox, monkeypatch):
    starts = []

    def start():
        starts.append(1)
        guest = Sandbox._start(sandbox)
        os.kill(guest._process.pid, signal.SIGKILL)
        guest._process.wait()
        return guest

    monkeypatch.setattr(sandbox, "_start", start)
    sandbox.close()
    assert sandbox.run("", DOUBLE, TESTS).rule == "sandbox"
    assert len(starts) == 2
    monkeypatch.undo()
    assert sandbox.run("", DOUBLE, TESTS) == Outcome("tests_passed")


def test_threads_take_turns_and_may_end_before_the_sandbox(sandbox):
    sandbox.close()
    outcomes = []

    def grade():
        outcomes.extend(sandbox.run("", DOUBLE, TESTS) for _ in range(5))

    for _ in range(2):  # the second time, the thread that started it is gone
        threads = [threading.Thread(target=grade) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes == [Outcome("tests_passed")] * 40


def test_the_sandbox_ends_with_the_process_that_started_it(tmp_path):
    script = (
        "import os, signal\nfrom beam_thunder.grading.sandbox import Sandbox\ns = Sandbox()\n"
        "print(s._guest._process.pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
    )
    pid = int(ended.stdout)
    for _ in range(100):
        if is_gone(pid):
            return
        time.sleep(0.1)
    pytest.fail(f"bwrap {pid} outlives the process that started it")


def is_gone(pid):
    """Whether nothing runs under this number; its parent may not have noticed yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_no_bubblewrap(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt-get install bubblewrap"):
        Sandbox()


def test_forbidden_namespaces(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(UserError, match=r"No permissions to create(.|\n)*unprivileged_userns"):
        Sandbox()


@pytest.mark.parametrize(
    ("name", "value"), [("cpu_seconds", 0), ("threads", 1.5), ("memory_bytes", 1 << 20)]
)
def test_limits_that_cannot_be(name, value):
    with pytest.raises(UserError, match=f"sandbox limit {name}: {value}"):
        Limits(**{name: value})


def test_an_ordinary_user_s_sandbox_maps_one_user():
    assert "--uid" in bubblewrap.command("{}", as_root=False)
    assert "CAP_SETUID" not in bubblewrap.command("{}", as_root=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_as_an_ordinary_user():
    system = [Path("/usr/bin/python3.11"), Path("/usr/bin/python3.13")]
    python = next((path for path in system if path.exists()), None)
    if python is None:
        pytest.skip("no interpreter that every user may run")
    here = str(Path(__file__).resolve().parent.parent)
    script = (
        "from beam_thunder.grading.sandbox import Sandbox\n"
        "sandbox = Sandbox()\n"
        "print(sandbox.run('', 'import os\\nf = os.getuid', 'assert f() == 1000'))\n"
        "print(sandbox.run('', 'import os\\nf = os.fork', 'assert f() == 1000'))\n"
    )
    ended = subprocess.run(
        [python, "-S", "-B", "-c", script],
        env={"PYTHONPATH": here, "PATH": "/usr/bin:/bin"},
        cwd="/",
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        text=True,
    )
    if "No module named 'beam_thunder'" in ended.stderr or "Permission" in ended.stderr:
        pytest.skip(f"other users may not read {here}")
    assert "rule='tests_passed'" in ended.stdout, ended.stderr
    assert "PermissionError" in ended.stdout, ended.stderr


# The values' format.


def wire(classes=()):
    made = Wire({kind.__name__: kind for kind in classes}, Proxy, lambda thing: True)
    made.classes = {kind.__name__ for kind in classes}
    return made


@pytest.mark.parametrize(
    "message",
    [
        b"", b"[", b"5", b"[]", b"[1]", b'[{"list": []}, []]', b'[{"type": "eval"}, []]',
        b'[{"type": "nothing"}, []]', b'[{"yours": 0}, []]', b'[{"object": 0}, []]',
        b'[{"mine": "x"}, []]', b'[{"object": 0}, [["Exception", {}]]]',
        b'[{"set": [[]]}, []]', b'[{"tuple": [], "set": []}, []]', b'[{"int": "x"}, []]',
        b'[{"value": ["Fraction", "1e9"]}, []]', b'[{"value": ["eval", "1"]}, []]',
        b'[{"value": []}, []]', b"\xff", b'[{"dict": [[1]]}, []]',
    ],
)  # fmt: skip
def test_messages_that_nobody_encoded(message):
    with pytest.raises(Unplain):
        wire().decode(message)


class Point:
    def same(self):
        return False


def test_an_object_cannot_bring_a_method():
    with pytest.raises(Unplain, match="'same' in place of its class's"):
        wire([Point]).decode(b'[{"object": 0}, [["Point", {"same": {"mine": 0}}]]]')


def test_objects_may_form_a_ring():
    point = Point()
    point.next = [point]
    side = wire([Point])
    copied = side.decode(side.encode(point))
    assert copied is not point
    assert copied.next[0] is copied


@pytest.mark.parametrize(("machine", "calls"), [("x86_64", 0), ("aarch64", 1)])
def test_each_denied_call_is_in_the_filter(machine, calls):
    program = filter_program(machine)
    steps = [program[place : place + 8] for place in range(0, len(program), 8)]
    compared = {int.from_bytes(step[4:], "little") for step in steps if step[0] == 0x15}
    assert {numbers[calls] for numbers in DENIED.values()} - {None} <= compared
