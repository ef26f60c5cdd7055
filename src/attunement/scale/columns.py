"""A formula's columns as expressions that any engine can work out.

formulaic names the columns, as for a frame, so that names and order are the same; each name is then read as a
product of numbers, columns, functions and categories.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import polars as pl
from formulaic import Formula as Columns
from formulaic.errors import FormulaicError

from attunement.errors import ModelProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from formulaic import ModelSpec
    from ibis.expr.types import Table

_LEVELS = 200  # categories of one column, beyond which it is taken for a mistake


def _where(allowed: Any, value: Any) -> Any:  # noqa: ANN401 - Ibis has no one type of numbers
    """Nothing where a function has no value; engines disagree on what else to do there."""
    return ibis.ifelse(allowed, value, ibis.null("float64"))


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "log": lambda x: _where(x > 0, x).ln(),
    "log2": lambda x: _where(x > 0, x).ln() / float(np.log(2.0)),
    "log10": lambda x: _where(x > 0, x).ln() / float(np.log(10.0)),
    "exp": lambda x: x.exp(),
    "I": lambda x: x,
}
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / _where(b != 0, b),
    ast.Pow: lambda a, b: a**b,
}


@dataclass(frozen=True, slots=True)
class Written:
    """The columns of one part of a formula: their names, expressions and formulaic's way to make them."""

    names: tuple[str, ...]
    expressions: tuple[Any, ...]
    spec: ModelSpec


class Writer:
    """Writes columns of one table.

    Parameters
    ----------
    table
        An Ibis table.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._categories: dict[str, list[str]] = {}

    def write(self, text: str, formula: str) -> Written:
        """Write the columns that `text` asks for.

        Raises
        ------
        ModelProblem
            Where no engine could work them out from one row alone.
        """
        try:
            spec = Columns(text).get_model_matrix(self._example(text), output="numpy").model_spec
        except (FormulaicError, SyntaxError, TypeError, ValueError, NameError) as problem:
            reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
            raise ModelProblem(f"{text!r} in {formula!r} cannot be worked out: {reason}") from None
        names = tuple(str(name) for name in spec.column_names)
        return Written(names, tuple(self._column(name, formula) for name in names), spec)

    def _example(self, text: str) -> pl.DataFrame:
        """Build a table with every category, for formulaic to name the columns by."""
        types = self.table.schema()
        made: dict[str, list[Any]] = {}
        names = sorted(str(name) for name in Columns(text).required_variables)
        held = {name: self._levels(name) for name in names if not types[name].is_numeric()}
        height = max([3, *(len(levels) for levels in held.values())])
        for name in names:
            levels = held.get(name)
            values = [2.0, 3.0, 5.0] if levels is None else levels
            made[name] = list(islice((value for _ in range(height) for value in values), height))
        return pl.DataFrame(made)

    def _levels(self, name: str) -> list[str]:
        if name not in self._categories:
            column = self.table[name]
            if self.table.schema()[name].is_boolean():
                self._categories[name] = ["False", "True"]
                return self._categories[name]
            if not self.table.schema()[name].is_string():
                kind = self.table.schema()[name]
                raise ModelProblem(f"{name!r} is a {kind}; a formula takes numbers, texts and yes or no.")
            found = (
                self.table.filter(column.notnull()).select(name).distinct().limit(_LEVELS + 1).to_pyarrow()
            )
            levels = sorted(found[name].to_pylist())
            if len(levels) > _LEVELS:
                raise ModelProblem(f"{name!r} has more than {_LEVELS} categories; is it meant as a column?")
            self._categories[name] = levels
        return self._categories[name]

    def _column(self, name: str, formula: str) -> Any:  # noqa: ANN401 - Ibis has no one type of numbers
        product = None
        for factor in _factors(name):
            expression = self._factor(factor, formula)
            product = expression if product is None else product * expression
        return product

    def _factor(self, text: str, formula: str) -> Any:  # noqa: ANN401
        if text in {"Intercept", "1"}:
            return ibis.literal(1).cast("float64")  # 1.0 would be a decimal in PostgreSQL
        base, bracket, level = text.partition("[")
        if bracket:
            return self._category(base, level.removesuffix("]").removeprefix("T."))
        return self._work_out(ast.parse(text, mode="eval").body, formula)

    def _category(self, base: str, level: str) -> Any:  # noqa: ANN401
        name = base.removeprefix("C(").removesuffix(")").strip()
        column = self.table[name]
        wanted = (level == "True") if self.table.schema()[name].is_boolean() else level
        return ibis.ifelse(column == wanted, 1, 0).cast("float64")  # PostgreSQL casts no truth to it

    def _work_out(self, node: ast.AST, formula: str) -> Any:  # noqa: ANN401
        match node:
            case ast.Name(id=name):
                return self.table[name].cast("float64")
            case ast.Constant(value=int() | float() as value):
                return ibis.literal(float(value))
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self._work_out(inner, formula)
            case ast.BinOp(left=left, op=how, right=right) if type(how) in _OPERATORS:
                return _OPERATORS[type(how)](self._work_out(left, formula), self._work_out(right, formula))
            case ast.Call(func=ast.Name(id=name), args=[inner]) if name in _FUNCTIONS:
                return _FUNCTIONS[name](self._work_out(inner, formula))
            case _:
                raise ModelProblem(
                    f"{ast.unparse(node)!r} in {formula!r} cannot be worked out by a database; numbers, + - * / **, "
                    f"{', '.join(name for name in _FUNCTIONS if name != 'I')} can."
                )


def _factors(name: str) -> list[str]:
    """Split an interaction's name at the colons that stand outside of brackets."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(name):
        depth += (sign in "([") - (sign in ")]")
        if sign == ":" and depth == 0:
            parts.append(name[start:place])
            start = place + 1
    return [*parts, name[start:]]


def required(texts: list[str], known: Mapping[str, Any], formula: str, besides: list[str]) -> list[str]:
    """Name the table's columns that the texts are made of; `besides` are needed too.

    Raises
    ------
    ModelProblem
        For one that is not there.
    """
    names: set[str] = set()
    for text in texts:
        try:
            names |= {str(name) for name in Columns(text).required_variables}
        except (FormulaicError, SyntaxError):
            raise ModelProblem(f"{text!r} in {formula!r} cannot be read as columns.") from None
    unknown = sorted((names | set(besides)) - set(known))
    if unknown:
        raise ModelProblem(f"{formula!r} asks for {', '.join(unknown)}; the table has {', '.join(known)}.")
    return sorted(names)
