"""What every page loads: one style, and scripts that no page needs."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from attunement.drawing import PALETTE

STATIC: Final = ("check-in.js", "reflection.js", "passkey.js", "mark.svg")


def environment() -> Environment:
    """Return where templates are filled; a value that is missing is an error, and each is escaped."""
    return Environment(
        loader=PackageLoader("attunement", "web/templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def css() -> str:
    """The style of all pages: one palette, light and dark."""
    return environment().get_template("rooms.css").render(palette=PALETTE)


@cache
def static(name: str) -> tuple[str, str]:
    """Return a static file's content and its kind."""
    if name == "rooms.css":
        return css(), "text/css"
    if name not in STATIC:
        raise KeyError(name)
    kind = "image/svg+xml" if name.endswith(".svg") else "text/javascript"
    return (files("attunement") / "web" / "static" / name).read_text("utf-8"), kind


@cache
def static_url(name: str) -> str:
    """Return where a static file is; another content is another place."""
    digest = hashlib.sha256(static(name)[0].encode()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
