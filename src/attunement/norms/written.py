"""Norms as JSON: written so that a reader sees at once that nothing but sums is in it, and read strictly.

The digest of each part finds damage, and a number changed by hand; it is no signature, and proves nobody's word.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any, Final, NoReturn

from attunement.errors import InputError
from attunement.norms.designs import LEAST_CLIENTS, LEAST_THERAPISTS, Design
from attunement.norms.norms import About, Norms, Part, in_order, named, refuse_twice
from attunement.norms.sums import Sums

VERSION: Final = 1
FORMULA: Final = "strength ~ 1 + (1 | therapist) + (1 | therapist:client)"
LONGEST: Final = 4_000_000
"""Characters of a file: some thousand sites."""
_MOST: Final = 1_000_000_000  # therapists, clients or reflections of a design
_ROUNDING: Final = 1e-6


def dump(norms: Norms) -> str:
    """Write norms as JSON."""
    about = _about_to_plain(norms.about)
    plain = {
        "attunement_norms": VERSION,
        "about": about,
        "formula": FORMULA,
        "least": {"therapists": LEAST_THERAPISTS, "clients": LEAST_CLIENTS},
        "sites": [_part_to_plain(part, about) for part in norms.parts],
    }
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def load(text: str) -> Norms:
    """Read norms that `dump` has written.

    Raises
    ------
    InputError
        In one sentence, with the place, for anything else.
    """
    if len(text) > LONGEST:
        raise InputError(f"The norms are longer than {LONGEST:,} characters; that is no file of norms.")
    try:
        plain = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise InputError("The norms are nested too deeply; that is no file of norms.") from None
    except ValueError as problem:
        reason = str(problem).partition(":")[0]
        raise InputError(f"The norms are no JSON that can be read ({reason}).") from None
    whole = _keys(plain, "norms", "attunement_norms", "about", "formula", "least", "sites")
    if whole["attunement_norms"] != VERSION or isinstance(whole["attunement_norms"], bool):
        raise InputError(f"attunement_norms: this program reads version {VERSION} of such files alone.")
    if whole["formula"] != FORMULA:
        raise InputError(f"formula: norms of {FORMULA!r} alone can be read.")
    _least(whole["least"])
    about = _about(whole["about"])
    sites = _list(whole["sites"], "sites")
    if not sites:
        raise InputError("sites: there is none.")
    parts = tuple(_part(each, f"sites[{place}]", about) for place, each in enumerate(sites))
    refuse_twice(parts)
    return Norms(about, parts)


# -- writing


def _about_to_plain(about: About) -> dict[str, Any]:
    return {
        "name": about.name,
        "version": about.version,
        "low": about.low,
        "high": about.high,
        "positive": list(about.positive),
        "negative": list(about.negative),
    }


def _part_to_plain(part: Part, about: dict[str, Any]) -> dict[str, Any]:
    plain = {
        "site": part.site,
        "since": part.since.isoformat(),
        "until": part.until.isoformat(),
        "sums": {
            measure: [_sums_to_plain(each) for each in sums] for measure, sums in sorted(part.sums.items())
        },
    }
    return plain | {"sha256": _digest(plain, about)}


def _sums_to_plain(sums: Sums) -> dict[str, Any]:
    return {
        "clients_each": sums.design.clients,
        "reflections_each": sums.design.reflections,
        "therapists": sums.therapists,
        "total": sums.total,
        "squares": sums.squares,
        "between_clients": sums.clients,
        "between_hours": sums.hours,
    }


def _digest(part: dict[str, Any], about: dict[str, Any]) -> str:
    told = json.dumps({"about": about, "formula": FORMULA, "part": part}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


# -- reading


def _about(plain: Any) -> About:  # noqa: ANN401 - whatever JSON has
    each = _keys(plain, "about", "name", "version", "low", "high", "positive", "negative")
    low, high = (_number(each[name], f"about.{name}") for name in ("low", "high"))
    if low >= high:
        raise InputError("about.high: the top of a scale lies above its bottom.")
    words = {
        kind: tuple(_text(word, f"about.{kind}") for word in _list(each[kind], f"about.{kind}"))
        for kind in ("positive", "negative")
    }
    name, version = _text(each["name"], "about.name"), _text(each["version"], "about.version")
    return About(name, version, low, high, **words)


def _part(plain: Any, place: str, about: About) -> Part:  # noqa: ANN401
    each = _keys(plain, place, "site", "since", "until", "sums", "sha256")
    site = _text(each["site"], f"{place}.site")
    since, until = (_day(each[name], f"{place}.{name}") for name in ("since", "until"))
    in_order(since, until)
    if not isinstance(each["sums"], dict) or not each["sums"]:
        raise InputError(f"{place}.sums: sums by feeling are meant.")
    found = {
        _text(measure, f"{place}.sums"): _of_measure(sums, f"{place}.sums.{measure}", about)
        for measure, sums in each["sums"].items()
    }
    part = Part(site, since, until, found)
    if each["sha256"] != _part_to_plain(part, _about_to_plain(about))["sha256"]:
        raise InputError(
            f"{place}.sha256: the numbers of {site} are not those it was made for; get the file again."
        )
    return part


def _of_measure(plain: Any, place: str, about: About) -> tuple[Sums, ...]:  # noqa: ANN401
    found = [_sums(each, f"{place}[{at}]", about) for at, each in enumerate(_list(plain, place))]
    designs = [each.design for each in found]
    if not found or designs != sorted(set(designs)):
        raise InputError(f"{place}: a design is there twice, out of order, or none is.")
    return tuple(found)


def _sums(plain: Any, place: str, about: About) -> Sums:  # noqa: ANN401
    counts = ("clients_each", "reflections_each", "therapists")
    numbers = ("total", "squares", "between_clients", "between_hours")
    each = _keys(plain, place, *counts, *numbers)
    clients, reflections, therapists = (_count(each[name], f"{place}.{name}") for name in counts)
    if clients < 2 or reflections < 2:
        raise InputError(f"{place}: a design has two clients and two reflections each, or more.")
    if therapists < LEAST_THERAPISTS or therapists * clients < LEAST_CLIENTS:
        raise InputError(
            f"{place}: behind each number are {LEAST_THERAPISTS} therapists and {LEAST_CLIENTS} clients or more."
        )
    values = [_number(each[name], f"{place}.{name}") for name in numbers]
    found = Sums(Design(clients, reflections), therapists, *values)
    _refuse_what_cannot_be(found, place, (about.high - about.low) / 2.0)
    return found


def _refuse_what_cannot_be(sums: Sums, place: str, reach: float) -> None:
    """No values between the ends of the scale have such sums: `reach` is half the scale."""
    means, clients = sums.therapists, sums.therapists * sums.design.clients
    hours, room = clients * sums.design.reflections, 1.0 + _ROUNDING
    possible = (
        abs(sums.total) <= room * reach * means
        and sums.total**2 <= room * means * sums.squares
        and 0.0 <= sums.squares <= room * reach**2 * means
        and 0.0 < sums.clients <= room * reach**2 * clients
        and 0.0 < sums.hours <= room * reach**2 * hours
    )
    if not possible or sums.tells_on_all:
        raise InputError(f"{place}: no answers on this scale have such sums.")


def _least(plain: Any) -> None:  # noqa: ANN401
    each = _keys(plain, "least", "therapists", "clients")
    if (
        _count(each["therapists"], "least.therapists") < LEAST_THERAPISTS
        or _count(each["clients"], "least.clients") < LEAST_CLIENTS
    ):
        raise InputError(
            f"least: {LEAST_THERAPISTS} therapists and {LEAST_CLIENTS} clients behind each number are the fewest."
        )


def _keys(plain: Any, place: str, *names: str) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(plain, dict):
        raise InputError(f"{place}: an object with {', '.join(names)} is meant.")
    for name in names:
        if name not in plain:
            raise InputError(f"{place}: {name} is missing.")
    further = sorted(set(plain) - set(names))
    if further:
        raise InputError(f"{place}: {further[0][:40]!r} has no place in norms.")
    return plain


def _list(plain: Any, place: str) -> list[Any]:  # noqa: ANN401
    if not isinstance(plain, list):
        raise InputError(f"{place}: a list is meant.")
    return plain


def _text(plain: Any, place: str) -> str:  # noqa: ANN401
    if not isinstance(plain, str):
        raise InputError(f"{place}: a text is meant.")
    named(plain, place)
    return plain


def _number(plain: Any, place: str) -> float:  # noqa: ANN401
    if isinstance(plain, bool) or not isinstance(plain, int | float) or not abs(plain) <= 1e300:
        raise InputError(f"{place}: a number is meant.")
    return float(plain)


def _count(plain: Any, place: str) -> int:  # noqa: ANN401
    if isinstance(plain, bool) or not isinstance(plain, int) or not 1 <= plain <= _MOST:
        raise InputError(f"{place}: a count from 1 to {_MOST:,} is meant.")
    return plain


def _day(plain: Any, place: str) -> date:  # noqa: ANN401
    try:
        return date.fromisoformat(plain)
    except (TypeError, ValueError):
        raise InputError(f"{place}: a day such as 2026-03-31 is meant.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name[:40]!r} is there twice: keep one")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
