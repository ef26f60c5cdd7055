"""Which instrument was answered, by what a response and the Questionnaires in the same file say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.entries import asked_now, described
from attunement.exchange.fhir.alike import MOST_OF_IT, asked_share
from attunement.exchange.fhir.names import LOINC
from attunement.exchange.fhir.responses import names_of, own_instrument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from attunement.instruments import Instrument

_MOST: Final = 1_000
_Codes = dict[str, tuple[str, ...]]


class Taught:
    """The LOINC codes that Questionnaires of the file give to their linkIds; their own stand under ""."""

    def __init__(self, shelf: Mapping[str, Instrument]) -> None:
        self._shelf, self._now = shelf, asked_now(shelf)
        self._by_address: dict[str, _Codes] = {}

    def learn(self, questionnaire: Mapping[str, Any]) -> None:
        """Take a Questionnaire that passed the checks."""
        codes = {"": _loinc(questionnaire)}
        level = [questionnaire]
        while level:
            for item in level.pop().get("item", ()):
                codes[item["linkId"]] = _loinc(item)
                level.append(item)
        for address in (questionnaire.get("url"), f"Questionnaire/{questionnaire.get('id')}"):
            if address:
                self._by_address[address] = codes
        if len(self._by_address) > _MOST:
            raise InputError(
                f"there are more than {_MOST // 2} Questionnaires in the file; read them by themselves"
            )

    def codes_of(self, questionnaire: str) -> Mapping[str, tuple[str, ...]]:
        """Return the codes of the linkIds of a Questionnaire, as far as the file says them."""
        return self._by_address.get(questionnaire.partition("|")[0], {})

    def instrument_of(self, questionnaire: str, links: Iterable[str]) -> Instrument | None:
        """Return the instrument that was answered; None where it is none on the shelf.

        Raises
        ------
        InputError
            Where it is one of ours in another version; a clause.
        """
        own = own_instrument(questionnaire)
        if own is not None:
            found = described(self._shelf, *own)
            if found is None and (found := self._shelf.get(own[0])) is not None:
                raise InputError(
                    f"QuestionnaireResponse.questionnaire names version {own[1]} of {own[0]}, and the shelf has "
                    f"{found.version}; answers to two versions are not mixed"
                )
            return found
        url = questionnaire.partition("|")[0]
        taught = self.codes_of(questionnaire)
        codes = {*taught.get("", ()), url.removeprefix(f"{LOINC}/q/")}
        for each in self._now:
            if each.loinc in codes or (
                each.words == "loaded" and url and _is(each.source.split(" ")[0], url)
            ):
                return each
        return self._by_items(links, {code for link, said in taught.items() if link for code in said})

    def _by_items(self, links: Iterable[str], taught: set[str]) -> Instrument | None:
        """The one instrument whose items' LOINC codes stand in place of linkIds, or at its Questionnaire's items."""
        named = {name for link in links for name in names_of(link)}
        found = [each for each in self._now if named & {item.loinc for item in each.items if item.loinc}]
        if not found:
            found = [each for each in self._now if asked_share(each, taught) >= MOST_OF_IT]
        return found[0] if len(found) == 1 else None


def _is(address: str, url: str) -> bool:
    """Tell whether an address is another one, which may leave out its server."""
    return address == url or (url.startswith("Questionnaire/") and address.endswith(f"/{url}"))


def _loinc(element: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        each["code"] for each in element.get("code", ()) if each.get("system") == LOINC and "code" in each
    )
