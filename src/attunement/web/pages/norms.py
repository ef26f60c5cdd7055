"""Norms: those of others that a habit is told against, what one gives oneself, and what all who gave tell together."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from attunement.countertransference.feelings import FACTORS, called
from attunement.errors import InputError, Locked
from attunement.practice.policy import Role
from attunement.web.answers import Told
from attunement.web.words import word

if TYPE_CHECKING:
    from attunement.norms import Contribution
    from attunement.practice import InForce, Pooled, SignedOut
    from attunement.web.page import Ask

HERE: Final = "/norms"
_KEPT: Final = "to sign out"


@dataclass(frozen=True, slots=True)
class _Held:
    """Norms in force, as the page lists them: by feeling, how many sites and therapists."""

    id: str
    of: InForce
    feelings: tuple[tuple[str, int, int], ...]


def norms(ask: Ask) -> Response:
    """Show what is in force, what one could give, and what all who gave tell together."""
    return _page(ask)


def load(ask: Ask) -> Response:
    """Take a file of norms into force."""
    ask.form.know()
    if ask.upload is None or not ask.upload[1]:
        return _page(ask, word("norms_said_file", ask.language), 400)
    try:
        ask.practice.load_norm(ask.upload[1])
    except InputError as problem:
        return _page(ask, str(problem), 400)
    return ask.go(HERE, word("norms_said_loaded", ask.language))


def retire(ask: Ask) -> Response:
    """Hold nobody against norms any longer; or begin the practice's own anew."""
    ask.form.know()
    ask.practice.retire_norm(ask.request.path_params["norm"])
    return ask.go(HERE, word("norms_said_retired", ask.language))


def sign(ask: Ask) -> Response:
    """Give the numbers that were shown, of the feelings that were ticked."""
    form = ask.form.know("shown", "measure")
    wanted = set(form.several("measure", *FACTORS)) - _waiting(ask.practice.signed_out())
    shown, numbers = _offered(ask)
    given = [each for each in numbers if each.measure in wanted]
    if form.text("shown", most=64) != shown or not given:
        return ask.go(HERE, word("norms_said_again", ask.language))
    ask.practice.sign_out(given)
    return ask.go(HERE, word("norms_said_signed", ask.language))


def take_back(ask: Ask) -> Response:
    """Take back what one has given, as long as it was not added."""
    ask.form.know()
    ask.practice.take_back_signed(ask.request.path_params["signed"])
    return ask.go(HERE, word("norms_said_back", ask.language))


def publish(ask: Ask) -> Response:
    """Add what five therapists or more have given."""
    form = ask.form.know("site")
    try:
        ask.practice.publish_norm(form.text("site", most=80, least=1, called="The name"))
    except InputError as problem:
        return _page(ask, str(problem), 400)
    return ask.go(HERE, word("norms_said_added", ask.language))


def download(ask: Ask) -> Response:
    """Hand over the practice's own norms as a file."""
    from attunement.norms import dump  # noqa: PLC0415 - most of a second, for this alone

    found = ask.practice.pooled().norms
    if found is None:
        return ask.go(HERE, word("norms_said_none", ask.language))
    named = {"content-disposition": 'attachment; filename="norms.json"'}
    return Response(dump(found), media_type="application/json", headers=named)


# -- inside


def _page(ask: Ask, said: str = "", status: int = 200) -> Response:
    roles, language = ask.signed_in.roles, ask.language
    signed = ask.practice.signed_out() if Role.THERAPIST in roles else ()
    waiting = _waiting(signed)
    shown, numbers = _offered(ask) if Role.THERAPIST in roles else ("", ())
    pooled = ask.practice.pooled(language) if Role.ADMIN in roles else None
    return ask.page(
        "norms.html", status, language=language, said=said,
        held=[_held(each, ask) for each in ask.practice.norms_in_force()],
        signed=signed, shown=shown, offered=[each for each in numbers if each.measure not in waiting],
        feelings={each: called(each, language) for each in FACTORS}, pooled=pooled, together=_together(pooled),
        site=pooled.norms.parts[0].site if pooled and pooled.norms else "",
    )  # fmt: skip


def _waiting(signed: tuple[SignedOut, ...]) -> set[str]:
    """Of what one has given numbers that are not added yet."""
    return {each.measure for each in signed if each.numbers is not None}


def _held(each: InForce, ask: Ask) -> _Held:
    norms = each.norms
    rows = tuple(
        (called(name, ask.language), norms.sites(name), norms.therapists(name)) for name in norms.measures
    )
    return _Held(each.id, each, rows)


def _together(pooled: Pooled | None) -> list[Told]:
    return [Told("norms", each) for each in pooled.findings] if pooled else []


def _offered(ask: Ask) -> tuple[str, tuple[Contribution, ...]]:
    """What one could give, the same at every look while nothing changes; kept with the opened reflections alone."""
    opened = ask.signed_in.opened if ask.signed_in.unlocked else None
    if opened is None:
        return "", ()
    place = (_KEPT, ask.practice.version)
    kept: tuple[str, tuple[Contribution, ...]] | None = opened.kept(place)
    if kept is None:
        kept = ("", ())
        with suppress(Locked):
            kept = (token_hex(16), ask.practice.to_sign_out())
            opened.keep(place, kept)
    return kept
