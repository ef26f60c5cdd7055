"""What a child process did to its files, and what a power cut could have left of them."""

import os
import random
import shutil
import struct
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

SECTOR = 512  # bytes that a disk writes whole or not at all
GARBAGE_SHARE = 0.2  # of the cuts leave a garbage -shm file
GARBAGE_SIZE = 32768  # bytes, the size of SQLite's first piece of shared memory
DATABASE_ENDINGS = (".db", ".vault")
HEADER = struct.Struct("=cHqI")  # disk.c's struct header: kind, size of path, offset, size of data


class Kind(StrEnum):
    """What an operation did. The letters are disk.c's."""

    ACKNOWLEDGE = "A"
    CREATE = "C"
    LINK = "L"
    RENAME = "R"
    SYNC = "S"
    TRUNCATE = "T"
    UNLINK = "U"
    WRITE = "W"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the child did to a file, in the order in which it took effect.

    Attributes
    ----------
    kind
        What was done.
    path
        The file, relative to the watched folder.
    offset
        Where a write began, or the size after a truncation.
    data
        What was written, or the new name of a renamed or linked file.
    """

    kind: Kind
    path: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A power cut whose remains are in the folder.

    Attributes
    ----------
    place
        How many operations were done before it.
    acknowledged
        The lines the child had written to its ack files by then, in order.
    seed
        What its losses were drawn from, which `Recording.cut` needs to make it again.
    """

    place: int
    acknowledged: tuple[str, ...]
    seed: int


class Recording:
    """What a child did to its folder, and what power cuts could have left of it.

    Parameters
    ----------
    log
        The file that the child recorded to.
    start
        A copy of the folder as it was before the child ran, taken as wholly durable. None means that it was
        empty.

    Attributes
    ----------
    operations
        All that was recorded. A last record that a kill cut short is left out.
    acknowledged
        All lines written to ack files.
    counts
        How many operations of each kind there are.
    """

    def __init__(self, log: Path, start: Path | None = None) -> None:
        self.operations: tuple[Operation, ...] = tuple(_parse(log.read_bytes()))
        self.counts: Counter[Kind] = Counter(operation.kind for operation in self.operations)
        finished = list(_finished_lines(self.operations))
        self.acknowledged: tuple[str, ...] = tuple(line for _, line in finished)
        self._finished_at = [place for place, _ in finished]
        self._start = start

    def cuts(self, folder: Path, cuts: int, seed: int) -> Iterator[Cut]:
        """Cut the power at random places and rebuild what the disk could then hold.

        Synced writes stay. Of the later ones each file, by itself, loses all, keeps the first few, keeps some
        in any order, or keeps some torn at sectors. Made, removed and renamed names stay at once, which is
        kinder than POSIX promises and what file systems with a journal do.

        Parameters
        ----------
        folder
            Where to rebuild. Everything in it is deleted before each cut.
        cuts
            How many cuts to make. Half of them fall right after an acknowledgement, which is the moment when
            a promise has been made and least has been done since to keep it.
        seed
            What the places and the losses are drawn from. The same seed gives the same cuts.

        Yields
        ------
        Cut
            One for each cut, from the first place to the last, as the disk is only played forward.
        """
        draws = random.Random(seed)  # noqa: S311, repeatable draws are the point
        places = self._places(cuts, draws)
        yield from self._cuts_at([(place, draws.getrandbits(32)) for place in places], folder)

    def cut(self, folder: Path, place: int, seed: int) -> Cut:
        """Cut the power once, at a place of one's choice, such as where a cut has shown a fault before.

        Parameters
        ----------
        folder
            Where to rebuild. Everything in it is deleted before.
        place
            How many operations to do first.
        seed
            What the losses are drawn from.

        Returns
        -------
        Cut
            The same as `cuts` gave, if place and seed are of a cut of its.
        """
        return next(self._cuts_at([(place, seed)], folder))

    def _cuts_at(self, wanted: list[tuple[int, int]], folder: Path) -> Iterator[Cut]:
        """Cut at places in order, each with its seed, playing each operation once."""
        disk = _Disk(self._start)
        played = 0
        for place, seed in wanted:
            for operation in self.operations[played:place]:
                disk.play(operation)
            played = place
            _rebuild(disk, folder, random.Random(seed))  # noqa: S311, repeatable draws are the point
            yield Cut(place, self.acknowledged[: bisect_left(self._finished_at, place)], seed)

    def _places(self, cuts: int, draws: random.Random) -> list[int]:
        """Draw the places to cut at, in order. Those after acknowledgements need that there are any."""
        promises = [
            place for place, operation in enumerate(self.operations, 1) if operation.kind is Kind.ACKNOWLEDGE
        ]
        after_promises = draws.choices(promises, k=cuts // 2) if promises else []
        anywhere = draws.choices(range(len(self.operations) + 1), k=cuts - len(after_promises))
        return sorted(after_promises + anywhere)


def _parse(log: bytes) -> Iterator[Operation]:
    """Read records until the end, or until one that is cut short."""
    position = 0
    while position + HEADER.size <= len(log):
        letter, path_size, offset, data_size = HEADER.unpack_from(log, position)
        path_at = position + HEADER.size
        data_at = path_at + path_size
        position = data_at + data_size
        if position > len(log):
            return
        path = sys.intern(os.fsdecode(log[path_at:data_at]))
        yield Operation(Kind(letter.decode()), path, offset, log[data_at:position])


def _finished_lines(operations: tuple[Operation, ...]) -> Iterator[tuple[int, str]]:
    """Read the ack lines, each with the index of the operation that wrote its end.

    A line counts from its newline on, as a writer may write it in pieces.
    """
    begun: dict[str, bytes] = {}
    for index, operation in enumerate(operations):
        if operation.kind is Kind.ACKNOWLEDGE:
            *lines, rest = (begun.get(operation.path, b"") + operation.data).split(b"\n")
            begun[operation.path] = rest
            for line in lines:
                yield index, line.decode()


# ---- the disk as it is replayed ------------------------------------------------------------------------


@dataclass(slots=True)
class _File:
    """A file's synced content, and what was done to it since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Operation] = field(default_factory=list)

    def sync(self) -> None:
        for operation in self.pending:
            _apply(self.durable, operation)
        self.pending.clear()

    def after_cut(self, draws: random.Random) -> bytearray:
        if not self.pending:
            return self.durable  # saves a copy, as most files are at rest at most places
        image = bytearray(self.durable)
        for operation in _survivors(self.pending, draws):
            _apply(image, operation)
        return image


class _Disk:
    """The files of the watched folder by name. Linked names share a file."""

    def __init__(self, start: Path | None) -> None:
        self.files = {} if start is None else _read_folder(start)

    def play(self, operation: Operation) -> None:
        """Do one operation as the child did it."""
        match operation.kind:
            case Kind.WRITE | Kind.TRUNCATE:
                self._known(operation).pending.append(operation)
            case Kind.SYNC:
                self._sync(operation.path)
            case Kind.CREATE:
                self.files[operation.path] = _File()
            case Kind.UNLINK:
                self.files.pop(operation.path, None)
            case Kind.RENAME:
                self._rename(operation)
            case Kind.LINK:
                self.files[os.fsdecode(operation.data)] = self._known(operation)
            case Kind.ACKNOWLEDGE:
                pass  # a promise changes nothing on the disk

    def _known(self, operation: Operation) -> _File:
        try:
            return self.files[operation.path]
        except KeyError:
            raise ValueError(
                f"{operation.path} was there before the recording or came from outside: give the start folder"
            ) from None

    def _sync(self, path: str) -> None:
        file = self.files.get(path)
        if file is not None:  # a synced folder has no content of its own, as names are durable at once
            file.sync()

    def _rename(self, operation: Operation) -> None:
        old, new = operation.path, os.fsdecode(operation.data)
        inside = [path for path in self.files if path.startswith(f"{old}/")]
        if inside:
            for path in inside:
                self.files[new + path.removeprefix(old)] = self.files.pop(path)
        else:
            file = self._known(operation)
            del self.files[old]
            self.files[new] = file


def _read_folder(folder: Path) -> dict[str, _File]:
    """Read the files that a recording starts from. What the recorder ignores is left out here too."""
    return {
        str(path.relative_to(folder)): _File(bytearray(path.read_bytes()))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".ack" and "-shm" not in str(path.relative_to(folder))
    }


def _apply(content: bytearray, operation: Operation) -> None:
    if operation.kind is Kind.TRUNCATE:
        del content[operation.offset :]
    _fill(content, operation.offset)
    content[operation.offset : operation.offset + len(operation.data)] = operation.data


def _fill(content: bytearray, size: int) -> None:
    """Make a file that long with zeros, as a file system does for what was never written."""
    if len(content) < size:
        content.extend(bytes(size - len(content)))


def _survivors(pending: list[Operation], draws: random.Random) -> list[Operation]:
    """Draw what of a file's unsynced operations reached the disk, in the order in which it did."""
    match draws.randrange(4):
        case 0:
            return []
        case 1:
            return pending[: draws.randint(0, len(pending))]
        case 2:
            return draws.sample(pending, draws.randint(0, len(pending)))
        case _:
            return [piece for operation in pending for piece in _torn(operation, draws)]


def _torn(operation: Operation, draws: random.Random) -> list[Operation]:
    """Draw which of the sectors that a write touches reached the disk. A third of the writes stay whole."""
    if draws.randrange(3) == 0:
        return [operation]
    return [piece for piece in _sectors(operation) if draws.getrandbits(1)]


def _sectors(operation: Operation) -> Iterator[Operation]:
    """Split a write where the file's sectors end, which need not be where the write begins."""
    if operation.kind is Kind.TRUNCATE:
        yield operation
        return
    end = operation.offset + len(operation.data)
    begin = operation.offset
    while begin < end:
        until = min(end, begin - begin % SECTOR + SECTOR)
        data = operation.data[begin - operation.offset : until - operation.offset]
        yield Operation(operation.kind, operation.path, begin, data)
        begin = until


# ---- putting a disk into a folder ----------------------------------------------------------------------


def _rebuild(disk: _Disk, folder: Path, draws: random.Random) -> None:
    _empty(folder)
    for name, file in disk.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.after_cut(draws))
    if draws.random() < GARBAGE_SHARE:
        for name in _databases(disk.files):
            (folder / f"{name}-shm").write_bytes(draws.randbytes(GARBAGE_SIZE))


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                Path(entry.path).unlink()


def _databases(files: Mapping[str, _File]) -> list[str]:
    """Tell databases by their names or by their -wal file, as encrypted content tells nothing."""
    return [name for name in files if name.endswith(DATABASE_ENDINGS) or f"{name}-wal" in files]
