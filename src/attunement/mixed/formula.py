"""lme4's formulas, read: a response, fixed terms, random terms ``(1 + x | group)``, and two for series.

>>> formula = parse("score ~ log2(session) + (1 + log2(session) | client) + (1 | therapist)")
>>> formula.response, formula.fixed
('score', 'log2(session)')
>>> [str(term) for term in formula.random]
['(1 + log2(session) | client)', '(1 | therapist)']

``(1 | a/b)`` is ``(1 | a) + (1 | b:a)``, and ``(1 + x || g)`` is ``(1 | g) + (0 + x | g)``, as in lme4.
``drift(session | dyad)`` is a random walk over sessions within each dyad: what moves a connection besides its
own curve. lme4 has no word for it. ``ar1(session | dyad)`` is an autocorrelated residual (nlme's ``corCAR1``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from attunement.errors import ModelProblem


@dataclass(frozen=True, slots=True)
class RandomTerm:
    """``(columns | group)``; `group` names one or more columns whose values together make a level."""

    columns: str
    group: tuple[str, ...]

    @property
    def name(self) -> str:
        """The grouping factor as lme4 writes it: ``a:b``."""
        return ":".join(self.group)

    def __str__(self) -> str:
        return f"({self.columns} | {self.name})"


@dataclass(frozen=True, slots=True)
class InSeries:
    """``drift(position | group)`` or ``ar1(position | group)``: what ties the rows of each level of `group`.

    A drift is a random walk along `position`, started anew in each level; ar1 is an autocorrelated residual.
    """

    kind: str
    position: str
    group: tuple[str, ...]

    @property
    def distinct(self) -> bool:
        """Whether a position may stand only once in a series."""
        return self.kind == "ar1"

    def __str__(self) -> str:
        return f"{self.kind}({self.position} | {':'.join(self.group)})"


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula; `text` is what was written."""

    text: str
    response: str
    fixed: str
    random: tuple[RandomTerm, ...]
    drift: InSeries | None = None
    autocorrelation: InSeries | None = None


def parse(text: str) -> Formula:
    """Read a formula.

    Raises
    ------
    ModelProblem
        When it is no formula that the engine can take; says which part.
    """
    response, tilde, right = text.partition("~")
    if not tilde or not response.strip() or not right.strip():
        raise ModelProblem(f"{text!r} is not a formula; 'score ~ log2(session) + (1 | client)' is one.")
    fixed: list[str] = []
    random: list[RandomTerm] = []
    series: list[InSeries] = []
    for part in _summands(right, text):
        if re.match(r"(drift|ar1)\s*\(", part):
            series.append(_in_series(part, text))
        elif part.startswith("(") and "|" in part:
            random.extend(_random(part, text))
        elif "|" in part:
            raise ModelProblem(f"{part!r} in {text!r} needs parentheses: ({part}).")
        else:
            fixed.append(part)
    if len(series) > 1:
        raise ModelProblem(f"{text!r} has {len(series)} of drift and ar1; a model has at most one.")
    drift = next((each for each in series if each.kind == "drift"), None)
    correlated = next((each for each in series if each.kind == "ar1"), None)
    return Formula(text, response.strip(), " + ".join(fixed) or "1", tuple(random), drift, correlated)


def _summands(right: str, text: str) -> list[str]:
    """Split at the plus signs that stand outside of all parentheses."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(right):
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            break
        if sign == "+" and depth == 0:
            parts.append(right[start:place])
            start = place + 1
    if depth != 0:
        raise ModelProblem(f"The parentheses of {text!r} do not match.")
    parts.append(right[start:])
    if not all(part.strip() for part in parts):
        raise ModelProblem(f"{text!r} has a plus sign with nothing beside it.")
    return [part.strip() for part in parts]


def _random(part: str, text: str) -> list[RandomTerm]:
    columns, bar, group = part[1:-1].partition("|")
    independent = group.startswith("|")
    groups = _groups(group.removeprefix("|"), part, text)
    if not bar or not columns.strip():
        raise ModelProblem(f"{part!r} in {text!r} has nothing before its bar; (1 | {groups[0][0]}) would do.")
    pieces = _independent(columns) if independent else [columns.strip()]
    return [RandomTerm(piece, each) for each in groups for piece in pieces]


def _independent(columns: str) -> list[str]:
    """``1 + x + z`` under a double bar: each on its own, uncorrelated."""
    pieces = [piece.strip() for piece in columns.split("+")]
    own = [f"0 + {piece}" for piece in pieces if piece not in {"0", "1"}]
    return own if "0" in pieces else ["1", *own]


def _groups(group: str, part: str, text: str) -> list[tuple[str, ...]]:
    names = [name.strip() for name in re.split(r"[/:]", group)]
    if not all(re.fullmatch(r"\w+", name) for name in names):
        raise ModelProblem(
            f"{part!r} in {text!r}: behind the bar stands a column's name, or a/b, or a:b, not {group.strip()!r}."
        )
    if "/" in group:
        return [tuple(names[depth::-1]) for depth in range(len(names))]
    return [tuple(names)]


def _in_series(part: str, text: str) -> InSeries:
    kind, _, inside = part.partition("(")
    position, bar, group = inside.removesuffix(")").partition("|")
    if not part.endswith(")") or not bar or not re.fullmatch(r"\w+", position.strip()):
        raise ModelProblem(
            f"{part!r} in {text!r} is not a {kind.strip()}; {kind.strip()}(session | dyad) is one."
        )
    (only,) = _groups(group.replace("/", ":"), part, text)
    return InSeries(kind.strip(), position.strip(), only)
