# ruff: noqa: E501, RUF005 - programs stay on one line where they would hide the list
"""Answers that attack the sandbox or the grading, each with what must become of it.

A probe tries and tells honestly what it got; it is contained if `f(1)` gives what its
tests expect, which is nothing. Everything else tries to pass tests that it cannot know,
or to break something, and must be `wrong`.

HOME, PORT, SOCKET, ABSTRACT and VICTIM are replaced by things of the host.
"""

from dataclasses import dataclass

UNKNOWN = "assert f(1) == 271828\nassert f(2) == 314159\n"


@dataclass(frozen=True)
class Attack:
    """An answer, and the verdict that says it failed."""

    name: str
    answer: str
    verdict: str = "wrong"
    after: str = UNKNOWN


def forge(name, answer, after=UNKNOWN):
    return Attack(name, answer, "wrong", after)


def probe(name, tries, nothing="[]"):
    """Runs each expression and gives the results of those that do not raise."""
    body = f"""
import ctypes, os, resource, signal, socket, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def syscall(*arguments):
    result = libc.syscall(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result
def read(path):
    with open(path, errors="replace") as file:
        return file.read(200)
def write(path):
    with open(path, "w") as file:
        file.write("escaped")
    return "wrote " + path
def f(x):
    got = []
    for attempt in [{", ".join("lambda: " + each for each in tries)}]:
        try:
            got.append(repr(attempt()))
        except (OSError, ValueError, LookupError, MemoryError, RuntimeError, ImportError):
            pass
    return got
"""
    return Attack(name, body, "correct", f"assert f(1) == {nothing}, f(1)\n")


READING = [
    probe("home folder", ["os.listdir('HOME')", "read('HOME/secret')", "os.listdir('/root')"]),
    probe(
        "home by expanduser", ["os.listdir(os.path.expanduser('~root'))", "os.listdir('/home')"]
    ),
    probe(
        "environment",
        ["os.environ['BEAM_THUNDER_MARKER']", "ctypes.c_char_p.in_dll(libc, 'x')"]
        + ["{}[not ctypes.cast(libc.getenv(b'BEAM_THUNDER_MARKER'), ctypes.c_void_p).value]"],
    ),
    probe(
        "proc", ["os.listdir('/proc')", "read('/proc/1/environ')", "read('/proc/self/maps')"]
    ),
    probe("etc", ["read('/etc/passwd')", "read('/etc/shadow')", "os.listdir('/etc')"]),
    probe("sys and run", ["os.listdir('/sys')", "os.listdir('/run')", "os.listdir('/var')"]),
    probe("other device", ["os.listdir('/dev/shm')", "read('/dev/vda')", "read('/dev/kmsg')"]),
    probe("terminal", ["os.open('/dev/tty', os.O_RDWR)", "os.ttyname(0)"]),
    probe(
        "inherited files",
        ["[fd for fd in range(4, 64) if libc.fcntl(fd, 1) >= 0][0]", "os.read(0, 10)[0]"],
    ),
    probe(
        "parent folders of the scratch",
        ["{}[len(os.listdir('/tmp'))]", "os.listdir('/tmp/../../../../HOME')"],
    ),
]
NETWORK = [
    probe("TCP", ["socket.create_connection(('127.0.0.1', PORT), 1)"]),
    probe("TCP abroad", ["socket.create_connection(('192.0.2.1', 80), 1)"]),
    probe("UDP", ["socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"]),
    probe(
        "DNS", ["socket.getaddrinfo('example.com', 80)", "socket.gethostbyname('example.com')"]
    ),
    probe("Unix socket", ["socket.socket(socket.AF_UNIX).connect('SOCKET')"]),
    probe("abstract socket", ["socket.socket(socket.AF_UNIX).connect('\\0ABSTRACT')"]),
    probe("netlink and raw", ["socket.socket(16, 3, 0)", "socket.socket(2, 3, 1)"]),
    probe("system calls of sockets", ["syscall(41, 2, 1, 0)", "syscall(425, 8, 0)"]),
]
PRIVILEGES = [
    probe(
        "mount", ["syscall(165, b'none', b'/tmp', b'tmpfs', 0, 0)", "syscall(166, b'/tmp', 2)"]
    ),
    probe(
        "namespaces",
        ["syscall(272, 0x10000000)", "syscall(272, 0x20000)", "syscall(308, 3, 0)"],
    ),
    probe("chroot", ["os.chroot('/tmp')", "syscall(155, b'/tmp', b'/tmp')"]),
    probe("become root", ["os.setuid(0)", "os.setresuid(0, 0, 0)", "os.setgroups([0])"]),
    probe("ptrace", ["syscall(101, 16, 1, 0, 0)", "syscall(101, 0, 0, 0, 0)"]),
    probe(
        "memory of others",
        [
            "syscall(310, 2, 0, 0, 0, 0, 0)",
            "syscall(311, 2, 0, 0, 0, 0, 0)",
            "read('/proc/1/mem')",
        ],
    ),
    probe("execute", ["os.execv('/usr/bin/true', ['true'])", "{0: 'ran'}[os.system('true')]"]),
    probe(
        "raise limits",
        [
            "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
            "resource.setrlimit(resource.RLIMIT_CPU, (9999, 9999))",
            "resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999))",
            "resource.prlimit(1, resource.RLIMIT_NOFILE, (9999, 9999))",
        ],
    ),
    probe(
        "fork", ["os.fork()", "os.forkpty()", "os.posix_spawn('/usr/bin/true', ['true'], {})"]
    ),
    probe("kernel interfaces", ["syscall(321, 0, 0, 0)", "syscall(298, 0, 0, 0, 0, 0)"]),
    probe(
        "keyrings and shared memory", ["syscall(250, 0, -3)", "syscall(29, 7, 4096, 0o1666)"]
    ),
    probe("memory files", ["os.memfd_create('x')"]),
    probe("kill by number", ["os.kill(VICTIM, 9)", "os.kill(2, 9)", "os.killpg(VICTIM, 9)"]),
]
WRITING = [
    probe(
        "writing outside",
        ["write('/escaped')", "write('/usr/lib/escaped')", "write('/grader/guest/wire.py')"]
        + ["write('/python/lib/escaped')", "write('/tmp/../escaped')", "write('HOME/escaped')"],
    ),
    probe(
        "symbolic links",
        ["os.symlink('/usr/lib', '/tmp/a') or write('/tmp/a/escaped')"]
        + ["os.symlink('HOME', '/tmp/b') or write('/tmp/b/escaped')"],
    ),
    probe("hard links and devices", ["os.link('/usr/lib/os-release', '/tmp/c')"]
          + ["os.mknod('/tmp/d', 0o60600, 0)"]),
    probe("big file", ["{64 << 20: 'wrote'}[open('/tmp/e', 'wb').write(bytes(64 << 20))]"]
          + ["os.truncate(os.open('/tmp/g', 66, 384), 1 << 40)"]),
    probe(
        "many files",
        ["[os.close(os.open(f'/tmp/{n}', 66, 384)) for n in range(5000)] and 'all'"],
    ),
]  # fmt: skip
EXHAUSTING = [
    forge("endless loop", "while True:\n    pass\n"),
    forge("endless loop in the function", "def f(x):\n    while True:\n        pass\n"),
    forge("sleep", "import time\ntime.sleep(10000)\n"),
    forge("fork bomb", "import os\ndef f(x):\n    while True:\n        os.fork()\n"),
    forge(
        "thread bomb",
        "import threading, time\n"
        "threading.stack_size(32768)\n"
        "while True:\n    threading.Thread(target=time.sleep, args=(1000,)).start()\n",
    ),
    forge("memory", "x = []\nwhile True:\n    x.append(bytearray(1 << 20))\n"),
    forge("memory at once", "x = bytearray(1 << 40)\n"),
    forge("big integer", "x = 10 ** 10 ** 10\n"),
    forge("endless output", "while True:\n    print('x' * 100000, flush=True)\n"),
    forge(
        "endless output past Python",
        "import os\nwhile True:\n    os.write(1, b'x' * 65536), os.write(2, b'x' * 65536)\n",
    ),
    forge("huge result", "def f(x):\n    return 'x' * (1 << 27)\n"),
    forge("endless result", "def f(x):\n    while True:\n        yield 1\n", "assert list(f(1)) == 0"),
    forge("deep result", "def f(x):\n    a = []\n    for i in range(99999):\n        a = [a]\n    return a\n"),
    forge("ring", "def f(x):\n    a = []\n    a.append(a)\n    return a\n"),
    forge("deep recursion", "def f(x):\n    return f(x)\n"),
    forge(
        "recursion without limit",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(x):\n    return str(f(x))\n",
    ),
    forge("deep source", "x = " + "(" * 5000 + ")" * 5000 + "\n"),
    forge("null bytes", "x = 1\0\n"),
    forge("crash", "import ctypes\nctypes.string_at(0)\n"),
    forge("shared folder filled", "i = 0\nwhile True:\n    open(f'/tmp/{i}', 'w').write('x' * 9999); i += 1\n"),
]  # fmt: skip
SIGNALS = [
    forge("kill everything", "import os\nos.kill(-1, 9)\n"),
    forge("kill the own group", "import os\nos.killpg(0, 9)\nos.kill(0, 9)\n"),
    forge("kill the parent", "import os\nos.kill(os.getppid(), 9)\nos.kill(1, 9)\n"),
    forge("stop itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n"),
    forge(
        "ignore signals",
        "import signal\nfor n in range(1, 65):\n"
        "    try:\n        signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError):\n"
        "        pass\nwhile True:\n    pass\n",
    ),
    forge(
        "daemon",
        "import os\nos.setsid() if os.getpid() != os.getsid(0) else None\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        while True:\n            pass\n",
    ),
    forge(
        "threads that stay",
        "import threading\ndef spin():\n    while True:\n        pass\n"
        "for _ in range(4):\n    threading.Thread(target=spin).start()\ndef f(x):\n    return 0\n",
    ),
    forge(
        "timer",
        "import signal\nsignal.signal(14, lambda *a: None)\nsignal.setitimer(0, .001, .001)\n"
        "def f(x):\n    return 0\n",
    ),
]  # fmt: skip
EVERYTHING = "class Everything{base}:\n    def __eq__(self, other):\n        return True\n    __hash__ = None\n    __ne__ = __eq__\n"
FORGING = [
    forge("exit", "import sys\nsys.exit(0)\n"),
    forge("exit in the function", "import sys\ndef f(x):\n    sys.exit(0)\n"),
    forge("exit at once", "import os\nos._exit(0)\n"),
    forge("exit at once in the function", "import os\ndef f(x):\n    os._exit(0)\n"),
    forge("raise SystemExit", "def f(x):\n    raise SystemExit(0)\n"),
    forge("raise KeyboardInterrupt", "def f(x):\n    raise KeyboardInterrupt\n"),
    forge("raise StopIteration", "def f(x):\n    raise StopIteration\n"),
    forge(
        "AssertionError replaced",
        "import builtins\nclass Never(Exception):\n    pass\n"
        "builtins.AssertionError = AssertionError = Never\ndef f(x):\n    return 0\n",
    ),
    forge(
        "builtins replaced",
        "import builtins\nfor name in ('set', 'sorted', 'len', 'abs', 'str', 'repr', 'list'):\n"
        "    setattr(builtins, name, lambda *a: 0)\n    globals()[name] = lambda *a: 0\n"
        "def f(x):\n    return 5\n",
        "assert set(f(1)) == set([1, 2])\nassert sorted(f(1)) == [1, 2]\n",
    ),
    forge(
        "math.isclose replaced",
        "import math\nmath.isclose = lambda *a, **k: True\nclass math:\n"
        "    isclose = staticmethod(lambda *a, **k: True)\ndef f(x):\n    return 0.0\n",
        "assert math.isclose(f(1), 2.5)\n",
    ),
    forge(
        "helpers replaced",
        "def close(a, b):\n    return True\ndef f(x):\n    return 0\n",
        "def close(a, b):\n    return abs(a - b) < 1\nassert close(f(1), 7)\n",
    ),
    forge("equal to everything", EVERYTHING.format(base="") + "def f(x):\n    return Everything()\n"),
    forge("integer equal to everything", EVERYTHING.format(base="(int)") + "def f(x):\n    return Everything(3)\n"),
    forge("text equal to everything", EVERYTHING.format(base="(str)") + "def f(x):\n    return Everything('a')\n"),
    forge("list equal to everything", EVERYTHING.format(base="(list)") + "def f(x):\n    return [Everything()]\n", "assert f(1) == [5]\n"),
    forge("list subclass equal to everything", EVERYTHING.format(base="(list)") + "def f(x):\n    return Everything([1])\n", "assert f(1) == [5]\n"),
    forge("hash and equality", "class A:\n    def __eq__(self, o):\n        return True\n    def __hash__(self):\n        return hash(5)\ndef f(x):\n    return A()\n", "assert f(1) in {5}\nassert f(1) == 5\n"),
    forge("compared from the other side", EVERYTHING.format(base="") + "def f(x):\n    return Everything()\n", "assert 5 == f(1)\n"),
    forge("not unequal", EVERYTHING.format(base="") + "def f(x):\n    return Everything()\n", "assert not f(1) != 5\n"),
    forge("a class of its own for the tests' class", "def f(x):\n    class Node:\n        same = lambda *a: True\n    n = Node()\n    n.same = lambda *a: True\n    return n\n",
          "assert f(1).same(5) and f(1) == 5\n"),
    forge("an import hook", "import builtins, sys\nbuiltins.__import__ = lambda *a, **k: sys\nsys.modules['math'] = sys\ndef f(x):\n    return 0\n", "import math\nassert math.floor(f(1)) == 5\n"),
    forge("trace", "import sys\nsys.settrace(lambda *a: sys.exit(0))\nsys.setprofile(lambda *a: None)\ndef f(x):\n    return 0\n"),
    forge("at exit", "import atexit, os\natexit.register(os._exit, 0)\ndef f(x):\n    return 0\n"),
    forge("excepthook", "import os, sys\nsys.excepthook = lambda *a: os._exit(0)\nraise ValueError\n"),
    forge(
        "search the memory",
        "import gc, sys\ndef numbers():\n    seen = set()\n"
        "    for o in gc.get_objects():\n        for r in gc.get_referents(o):\n"
        "            if type(r) is int and 100000 < r < 999999:\n                seen.add(r)\n"
        "    return seen\ndef f(x):\n    return 271828 if 271828 * 1 in numbers() - {271828} else 0\n",
    ),
    forge(
        "search the frames",
        "import re, sys\ndef f(x):\n    frame = sys._getframe()\n    while frame:\n"
        "        for value in [*frame.f_locals.values(), *frame.f_globals.values()]:\n"
        "            if found := re.search(r'f.1. == (\\d{6})', str(value)):\n"
        "                return int(found[1])\n"
        "        frame = frame.f_back\n    return 0\n",
    ),
    forge(
        "search the source",
        "import inspect, linecache, re\ndef f(x):\n"
        "    text = str(linecache.cache) + inspect.getsource(inspect.currentframe().f_back)\n"
        "    found = re.search(r'f.1. == (\\d{6})', text)\n"
        "    return int(found[1]) if found else 0\n",
    ),
    forge(
        "a fraction that takes forever",
        "import sys\nwire = sys.modules['guest.wire']\n"
        "wire.Wire.encode = lambda *a: b'[{\"value\": [\"Fraction\", \"1e999999999\"]}, []]'\n",
    ),
    forge("say passed to everything", "import os\ndef f(x):\n    for fd in range(64):\n        try:\n            os.write(fd, b'{\"rule\": \"tests_passed\", \"detail\": \"\"}\\n')\n        except OSError:\n            pass\n    return 0\n"),
    forge("say passed in frames", "import json, os\nreply = json.dumps({'rule': 'tests_passed', 'detail': ''}).encode()\nfor fd in range(64):\n    try:\n        os.write(fd, len(reply).to_bytes(4, 'big') + reply)\n    except OSError:\n        pass\ndef f(x):\n    return 0\n"),
    forge("say it cannot start", "import os\nos.write(3, (6).to_bytes(4, 'big') + b'=[1,2]')\nos.write(3, b'\\xff' * 5000)\n"),
    forge("close the channel", "import os\nos.closerange(0, 64)\nwhile True:\n    pass\n"),
    forge("replace the channel", "import os, socket\na, b = socket.socketpair()\nos.dup2(a.fileno(), 3)\ndef f(x):\n    return 0\n"),
    forge("read the questions of the checker", "import os\nwhile True:\n    os.read(3, 100)\n"),
    forge("replace the grader's code", "import sys\nfor name, module in list(sys.modules.items()):\n    if name.startswith('guest'):\n        for thing in list(vars(module)):\n            setattr(module, thing, lambda *a, **k: True)\n"),
    forge("a reply of another kind", "import sys\nwire = sys.modules['guest.wire']\nwire.Wire.encode = lambda self, v: b'[{\"mine\": -1}, []]'\ndef f(x):\n    return 0\n"),
    forge("a reply with an unknown class", "import sys\nwire = sys.modules['guest.wire']\nwire.Wire.encode = lambda self, v: b'[{\"object\": 0}, [[\"Exception\", {\"a\": 1}]]]'\ndef f(x):\n    return 0\n"),
    forge("change directory and mask", "import os\nos.chdir('/')\nos.umask(0o777)\ndef f(x):\n    return 0\n"),
    forge("delete the interpreter", "import shutil\nshutil.rmtree('/', ignore_errors=True)\ndef f(x):\n    return 0\n"),
]  # fmt: skip

ATTACKS = [*READING, *NETWORK, *PRIVILEGES, *WRITING, *EXHAUSTING, *SIGNALS, *FORGING]
