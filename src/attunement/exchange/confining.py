"""What a process gives up for good before it reads what somebody sent: memory, time, the network, the disk.

Each of these holds alone; the kernel's hold against a reader that was taken over, Python's on every system.

=====================  ==========================================  =======================
what                   by what                                     where
=====================  ==========================================  =======================
memory, time, files    ``setrlimit``                               Linux; macOS in part
the network            a namespace of its own, without one         Linux, where permitted
the disk, programs     Landlock, from Linux 5.13 on                Linux
all that a reader      a hook on what Python does (PEP 578),       everywhere, Windows too
has no use for         which ends the process
=====================  ==========================================  =======================
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FORBIDDEN: Final = 86
"""The exit code of a process that did what it had given up."""
_FILES, _THREADS = 64, 64  # at once
_NEW_USER, _NEW_NETWORK, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000
_NO_NEW_PRIVILEGES: Final = 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_BENEATH: Final = 1
_WRITE, _READ, _LIST = 1 << 1, 1 << 2, 1 << 3
_ALL: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
"""By version of Landlock: all that can be done with a file; from the second on moving it, from the third cutting it."""

_REFUSED: Final = frozenset(
    [
        "ctypes",
        "fcntl",
        "ftplib",
        "glob",
        "http",
        "imaplib",
        "msvcrt",
        "nntplib",
        "pickle",
        "poplib",
        "pty",
        "resource",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "sqlite3",
        "subprocess",
        "syslog",
        "telnetlib",
        "tempfile",
        "urllib",
        "webbrowser",
        "winreg",
    ]
)
"""Of these, nothing is needed once everything is imported."""
_OF_THE_SYSTEM: Final = frozenset(
    [
        "add_dll_directory",
        "chdir",
        "chflags",
        "chmod",
        "chown",
        "exec",
        "fork",
        "forkpty",
        "kill",
        "killpg",
        "link",
        "lockf",
        "mkdir",
        "posix_spawn",
        "putenv",
        "remove",
        "removexattr",
        "rename",
        "rmdir",
        "setxattr",
        "spawn",
        "startfile",
        "startfile/2",
        "symlink",
        "system",
        "truncate",
        "unsetenv",
        "utime",
    ]
)
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def leave_the_network() -> bool:
    """Go where there is no network; before any thread has begun. Whether that is permitted here."""
    if sys.platform != "linux":
        return False
    import ctypes  # noqa: PLC0415 - refused later on

    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        both = _NEW_NETWORK | _NEW_IPC
        return bool(library.unshare(_NEW_USER | both) == 0 or library.unshare(both) == 0)
    return False


def leave_the_disk(folders: Iterable[str]) -> bool:
    """Give up all but the files of these folders, to be read, and running programs. Whether the kernel keeps to it."""
    if sys.platform != "linux":
        return False
    import ctypes  # noqa: PLC0415 - refused later on

    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        version = library.syscall(_CREATE_RULESET, None, 0, 1)
        if version < 1 or library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        rights = struct.pack("=Q", _ALL[min(version, 3)])
        rules = library.syscall(_CREATE_RULESET, rights, len(rights), 0)
        for path, may in ((os.devnull, _READ | _WRITE), *((each, _READ | _LIST) for each in folders)):
            with contextlib.suppress(OSError):
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
                rule = may if stat.S_ISDIR(os.fstat(place).st_mode) else may & ~_LIST
                library.syscall(_ADD_RULE, rules, _BENEATH, struct.pack("=Qi", rule, place), 0)
                os.close(place)
        return bool(library.syscall(_RESTRICT_SELF, rules, 0) == 0)
    return False


def narrow(memory: int, seconds: float, *, alone: bool) -> None:
    """Take limits on: bytes of addresses, seconds of the processor from now on; and no byte to any file.

    Parameters
    ----------
    memory, seconds
        How much in all, and how much from now on.
    alone
        Whether `leave_the_network` succeeded: only then are its threads counted apart from the user's other processes,
        and can be limited.
    """
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    until = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) + seconds) + 1
    limits = {"AS": memory, "CPU": until, "FSIZE": 0, "CORE": 0, "NOFILE": _FILES}
    if alone:
        limits["NPROC"] = _THREADS
    for name, most in limits.items():
        with contextlib.suppress(OSError, ValueError, AttributeError):  # macOS has not all of them
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def give_up(folders: Iterable[str], end: Callable[[int], Any] = os._exit) -> None:
    """End the process as soon as Python does what a reader has no use for.

    Parameters
    ----------
    folders
        Where modules may still be read from; nothing else is opened any more.
    end
        What ends it.
    """
    within = tuple(each.rstrip(os.sep) + os.sep for each in folders if each)

    def allowed(event: str, given: tuple[Any, ...]) -> bool:
        family, _, act = event.partition(".")
        if event == "open":
            return _only_reads(given, within)
        if family == "os":
            return act not in _OF_THE_SYSTEM
        return family not in _REFUSED

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if not allowed(event, given):
            end(FORBIDDEN)

    sys.addaudithook(hook)


def _only_reads(given: tuple[Any, ...], within: tuple[str, ...]) -> bool:
    """Whether what is opened is a handle that is open already, nowhere, or a module, to be read."""
    path, _, flags = given
    if isinstance(path, int):
        return True
    named = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
    if named == os.devnull:
        return True
    return not (flags or 0) & _WRITING and os.path.normpath(named).startswith(within)
