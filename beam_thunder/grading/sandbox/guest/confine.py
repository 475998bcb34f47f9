"""What a process gives up before it runs text from outside.

Each step is a system call that Python 3.11 has no function for, made through ctypes.
Numbers are those of the Linux headers named beside them.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import resource
import signal
import struct
from typing import Any

Limits = dict[str, Any]
"""The fields of the host's `Limits`, and `uid`: whom to become, or None for nobody else."""

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000  # sched.h
CLONE_THREAD = 0x00010000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 16384, 1 << 18  # mount.h
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 1, 24, 38, 22
CAPABILITY_VERSION_3 = 0x20080522  # capability.h
LAST_CAPABILITY = 40
RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE = 11, 12  # resource.h

PENDING_SIGNALS = 256
"""Also the number of timers that a process may have."""

SCRATCH = "/tmp"

CHANNEL = 3
"""The file descriptor of the answer's process that leads to the checker."""

# Of x86_64 (unistd_64.h) and of aarch64 (asm-generic/unistd.h), where it has them.
# Those from 424 on have the same number everywhere.
DENIED = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "socket": (41, 198), "bind": (49, 200), "connect": (42, 203), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "shmget": (29, 194), "shmat": (30, 196),
    "shmctl": (31, 195), "semget": (64, 190), "semctl": (66, 191), "semop": (65, 193),
    "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "bpf": (321, 280), "perf_event_open": (298, 241),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "swapon": (167, 224),
    "swapoff": (168, 225), "reboot": (169, 142), "sethostname": (170, 161),
    "setdomainname": (171, 162), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "acct": (163, 89),
    "quotactl": (179, 60), "syslog": (103, 116), "personality": (135, 92),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262), "inotify_init": (253, None), "inotify_init1": (294, 26),
    "setpriority": (141, 140), "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119), "sched_setattr": (314, 274), "ioprio_set": (251, 30),
    "move_pages": (279, 239), "migrate_pages": (256, 238), "vmsplice": (278, 75),
}  # fmt: skip
CLONE = (56, 220)
CLONE3 = 435
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # audit.h

# Of filter.h and seccomp.h: load a word, jump if equal, at least, any bit set; return.
_LOAD, _EQUAL, _LEAST, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data

_libc = ctypes.CDLL(None, use_errno=True)
# Looked up once, here, and not in every process that is forked.
_FUNCTIONS = {n: getattr(_libc, n) for n in ("capset", "mount", "prctl", "setns", "unshare")}


def call(name: str, *arguments: Any) -> None:
    """Calls a function of the C library.

    Raises:
      OSError: it failed; names the function.
    """
    if _FUNCTIONS[name](*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def own_process_numbers() -> None:
    """The next process forked is alone in a PID namespace, as its first process."""
    call("unshare", CLONE_NEWPID)


def parents_process_numbers(myself: int) -> None:
    """The next process forked is again where this one is; `myself` is its pidfd."""
    call("setns", myself, CLONE_NEWPID)


def own_scratch(limits: Limits) -> None:
    """A small empty folder in memory, which goes when the process does."""
    call("unshare", CLONE_NEWNS)
    call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    size, files = limits["disk_bytes"], limits["disk_files"]
    options = f"size={size},nr_inodes={files},mode=0777".encode()
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    call("mount", b"tmpfs", SCRATCH.encode(), b"tmpfs", flags, options)
    os.chdir(SCRATCH)


def keep_only(channel: int) -> None:
    """Closes all files but the channel, which becomes `CHANNEL`; 0, 1 and 2 lead nowhere."""
    os.dup2(channel, CHANNEL)
    lead_nowhere()
    os.closerange(CHANNEL + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def lead_nowhere() -> None:
    """Standard input is empty, and what is printed is gone."""
    nowhere = os.open("/dev/null", os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.close(nowhere)


def set_limits(limits: Limits, cpu_seconds: int) -> None:
    """Limits of the kernel on this process; it cannot raise them again."""
    for kind, most in (
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["disk_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_NPROC, limits["threads"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (RLIMIT_SIGPENDING, PENDING_SIGNALS),
        (RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def bound_capabilities() -> None:
    """No program that this process or its children execute has any capability."""
    for capability in range(LAST_CAPABILITY + 1):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for what the kernel lacks


def drop_privileges(limits: Limits) -> None:
    """No capability, no way to get one, and only the system calls that programs need."""
    if limits["uid"] is not None:
        os.setgroups([])
        os.setresgid(*[limits["uid"]] * 3)
        os.setresuid(*[limits["uid"]] * 3)
    header = ctypes.create_string_buffer(struct.pack("Ii", CAPABILITY_VERSION_3, 0))
    call("capset", header, ctypes.create_string_buffer(24))
    call("prctl", PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _filter_calls()


def _filter_calls() -> None:
    machine = os.uname().machine
    if machine not in MACHINES:
        raise OSError(errno.ENOSYS, f"no filter of system calls for {machine}")
    program = filter_program(machine)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    call("prctl", PR_SET_SECCOMP, 2, ctypes.create_string_buffer(header), 0, 0)


@functools.cache  # the forker's, so that its children have it
def filter_program(machine: str) -> bytes:
    """The filter for seccomp, in instructions of 8 bytes.

    Other processes cannot be started, so none can be left behind; threads can.
    """
    column, architecture = MACHINES[machine]
    refuse = _ERRNO | errno.EPERM
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_LEAST, 0, 1, 0x40000000),  # the x32 numbers of the same calls
        (_RETURN, 0, 0, _KILL),
        (_EQUAL, 0, 1, CLONE3),  # its flags are out of reach; the C library then uses clone
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    for numbers in DENIED.values():
        if (number := numbers[column]) is not None:
            steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, refuse)]
    steps += [
        (_EQUAL, 0, 3, CLONE[column]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_BITS, 1, 0, CLONE_THREAD),
        (_RETURN, 0, 0, refuse),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
