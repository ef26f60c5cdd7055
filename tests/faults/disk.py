"""A disk that fails on purpose, to test what a program keeps through faults and power cuts.

``build`` compiles the library that watches a child process, ``environment`` tells the child to load it, and
``set_faults`` makes the child's writes and syncs fail while it runs.
"""

import os
import shutil
import subprocess
from pathlib import Path

FAULTS = ("sync", "write", "full")


class NoCompiler(RuntimeError):  # noqa: N818, it names what is missing
    """No C compiler is on the path, so the library cannot be built and its tests can only be skipped."""


# ---- running a child on the failing disk ---------------------------------------------------------------


def build(folder: Path) -> Path:
    """Compile the library that records and spoils a child's file operations.

    Parameters
    ----------
    folder
        Where to put it. Made if missing.

    Returns
    -------
    Path
        The library, to be given to `environment`.

    Raises
    ------
    NoCompiler
        If there is no gcc, which is a reason to skip a test and not to fail it.
    """
    compiler = shutil.which("gcc")
    if compiler is None:
        raise NoCompiler("gcc is not on the path")
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / "disk.so"
    source = Path(__file__).with_name("disk.c")
    flags = ["-shared", "-fPIC", "-O2"]
    command = [compiler, *flags, "-o", str(library), str(source), "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    return library


def environment(
    library: Path,
    under: Path,
    log: Path | None = None,
    faults: Path | None = None,
    seed: int = 1,
    skip_sync: bool = False,
) -> dict[str, str]:
    """Return the whole environment for a child that is to run on the failing disk.

    Parameters
    ----------
    library
        What `build` returned.
    under
        The folder whose files are watched.
    log
        Where to record operations. An old recording there is appended to, so give a new file for each run.
    faults
        The control file, to be written with `set_faults`. It may appear after the child has started.
    seed
        Where the pseudo-random draws of faults start. Every process starts there anew.
    skip_sync
        Record syncs without doing them. Right for recordings, which are replayed and never read back.

    Returns
    -------
    dict[str, str]
        This process's environment with the library's variables set.
    """
    settings = {name: value for name, value in os.environ.items() if not name.startswith("DISK_")}
    preloaded = [str(library.resolve()), *settings.get("LD_PRELOAD", "").split(":")]
    settings["LD_PRELOAD"] = ":".join(filter(None, preloaded))
    settings["DISK_UNDER"] = str(under.resolve())  # the library compares real paths
    settings["DISK_SEED"] = str(seed)
    settings["DISK_SKIP_SYNC"] = "1" if skip_sync else "0"
    if log is not None:
        settings["DISK_LOG"] = str(log.resolve())
    if faults is not None:
        settings["DISK_FAULTS"] = str(faults.resolve())
    return settings


def set_faults(control: Path, **probabilities: float) -> None:
    """Say which faults strike from now on. With no probabilities, none do.

    The file is replaced and never edited, so that a running child cannot read half of it.

    Parameters
    ----------
    control
        The control file that was given to `environment`.
    probabilities
        ``sync`` (EIO from fsync and fdatasync), ``write`` (EIO from writes), ``full`` (ENOSPC from writes).

    Raises
    ------
    ValueError
        If a fault is unknown, as the library would ignore it and the test would prove nothing.
    """
    unknown = probabilities.keys() - set(FAULTS)
    if unknown:
        raise ValueError(f"no such faults: {', '.join(sorted(unknown))}")
    new = control.with_name(control.name + ".new")
    new.write_text("".join(f"{fault} {share:.9f}\n" for fault, share in probabilities.items()))
    new.replace(control)
