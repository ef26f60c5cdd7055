"""The notebooks of `examples/` are run, cell by cell, and say what stands in them.

ATTUNEMENT_NOTEBOOKS=yes writes it.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "examples").glob("*.ipynb"))
WRITE = bool(os.environ.get("ATTUNEMENT_NOTEBOOKS"))


def run(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a cell in the names of those before it; returns what a notebook shows under it."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    said, value = io.StringIO(), None
    with contextlib.redirect_stdout(said):
        exec(compile(tree, "<cell>", "exec"), names)  # noqa: S102 - our own notebook
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)  # noqa: S307 - see above
    outputs: list[dict[str, Any]] = []
    if said.getvalue():
        outputs.append(
            {"name": "stdout", "output_type": "stream", "text": said.getvalue().splitlines(keepends=True)}
        )
    if value is not None:
        shown = {"text/plain": repr(value).splitlines(keepends=True)}
        outputs.append(
            {"data": shown, "execution_count": None, "metadata": {}, "output_type": "execute_result"}
        )
    return outputs


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_says_what_its_cells_say_when_they_are_run(path: Path) -> None:
    notebook = json.loads(path.read_text("utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    codes = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    fresh: list[list[dict[str, Any]]] = []
    try:
        fresh += [run("".join(cell["source"]), names) for cell in codes]
    finally:
        server = names.get("server")
        if server is not None and server.poll() is None:
            server.terminate()
            server.wait(timeout=30)
        if server is not None and server.stdout is not None:
            server.stdout.close()
    if WRITE:
        for number, (cell, outputs) in enumerate(zip(codes, fresh, strict=True), 1):
            cell["execution_count"] = number
            cell["outputs"] = [
                {**each, "execution_count": number} if "data" in each else each for each in outputs
            ]
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for cell, outputs in zip(codes, fresh, strict=True):
        kept = [{**each, "execution_count": None} if "data" in each else each for each in cell["outputs"]]
        assert kept == outputs


def test_there_is_a_notebook() -> None:
    assert "a_practice_from_python.ipynb" in {path.name for path in NOTEBOOKS}
