"""How tables come in and go out: one small module a format, all of one shape.

`read_ratings` takes a CSV or Parquet file as people have it, with a mapping of columns, and says what it understood,
assumed and left out. `write_files` writes all of them or none. What comes from outside is read by `apart`, in a process
that has given up all but the file.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attunement.exchange.columns import KEYS, parse_mapping
    from attunement.exchange.files import name_of
    from attunement.exchange.ratings import Reading, read_ratings
    from attunement.exchange.write import refuse_places, write_files

__all__ = ["KEYS", "Reading", "name_of", "parse_mapping", "read_ratings", "refuse_places", "write_files"]

_AT = {
    "KEYS": "columns", "parse_mapping": "columns", "name_of": "files", "Reading": "ratings",
    "read_ratings": "ratings", "refuse_places": "write", "write_files": "write",
}  # fmt: skip


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Load a module when it is asked for: a process that reads apart leaves the network before any thread begins."""
    if name in _AT:
        from importlib import import_module  # noqa: PLC0415 - see above

        return getattr(import_module(f"{__name__}.{_AT[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
