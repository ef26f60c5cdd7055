"""The table of ways: every page there is, who may go there, and who answers. What is not here is not there.

The matrix of tests is made from this table, so that a new way cannot be forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from attunement.practice.policy import Role
from attunement.web.pages import (
    account,
    caseload,
    client,
    client_side,
    entering,
    handing_over,
    house,
    importing,
    instruments,
    library,
    norms,
    programs,
    reflecting,
    shared,
    steps,
    supervision,
    today,
    understanding,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from attunement.web.page import Ask

ANYBODY: Final = None
EVERYBODY: Final = frozenset(Role)
THERAPIST: Final = frozenset({Role.THERAPIST})
SUPERVISOR: Final = frozenset({Role.SUPERVISOR})
REFLECTS: Final = THERAPIST | SUPERVISOR
ADMIN: Final = frozenset({Role.ADMIN})
ASKS: Final = THERAPIST | ADMIN


@dataclass(frozen=True, slots=True)
class Way:
    """One way in.

    Parameters
    ----------
    method, path
        What is asked.
    admits
        The roles that are let in; None for whoever comes.
    handler
        Who answers.
    clients
        Whether it is the client's side, where a refusal carries the crisis line.
    upload
        Whether a file comes with it.
    """

    method: str
    path: str
    admits: frozenset[Role] | None
    handler: Callable[[Ask], Response]
    clients: bool = False
    upload: bool = False


CLIENT, SESSION = "/clients/{code}", "/clients/{code}/sessions/{number:session}"

WAYS: Final = (
    Way("GET", "/", ANYBODY, entering.start),
    Way("GET", "/health", ANYBODY, house.health),
    Way("GET", "/ready", ANYBODY, house.ready),
    Way("GET", "/static/{name}", ANYBODY, house.static_file),
    # the first run
    Way("GET", "/begin/{word}", ANYBODY, entering.begin),
    Way("POST", "/begin/{word}", ANYBODY, entering.begin_with),
    Way("POST", "/begin/{word}/confirm", ANYBODY, entering.confirm),
    Way("GET", "/first-clients", THERAPIST, entering.first_clients),
    Way("POST", "/first-clients", THERAPIST, entering.take_on_first),
    # the client
    Way("GET", "/c/{token}", ANYBODY, client_side.check_in, clients=True),
    Way("POST", "/c/{token}", ANYBODY, client_side.send, clients=True),
    Way("POST", "/c/{token}/curve", ANYBODY, client_side.own_curve, clients=True),
    Way("GET", "/thanks", ANYBODY, client_side.thanks, clients=True),
    Way("GET", "/leave", ANYBODY, client_side.leave, clients=True),
    # coming and going
    Way("GET", "/sign-in", ANYBODY, entering.sign_in),
    Way("POST", "/sign-in", ANYBODY, entering.sign_in_with),
    Way("POST", "/second-step", ANYBODY, entering.take_second_step),
    Way("POST", "/unlock", ANYBODY, entering.unlock),
    Way("POST", "/lock", EVERYBODY, entering.lock),
    Way("POST", "/sign-out", ANYBODY, entering.sign_out),
    # the therapist's day
    Way("GET", "/today", THERAPIST, today.today),
    Way("GET", "/caseload", THERAPIST, caseload.caseload),
    Way("POST", "/clients", THERAPIST, caseload.take_on),
    Way("GET", "/import", THERAPIST, importing.ask_for_table),
    Way("POST", "/import", THERAPIST, importing.preview, upload=True),
    Way("POST", "/import/again", THERAPIST, importing.preview_again),
    Way("POST", "/import/take", THERAPIST, importing.take),
    Way("POST", "/import/entries", THERAPIST, importing.take_entries),
    Way("GET", "/instruments", ASKS, instruments.instruments),
    Way("POST", "/instruments", ASKS, instruments.preview, upload=True),
    Way("POST", "/instruments/keep", ASKS, instruments.keep),
    Way("GET", "/instruments/{instrument}", ASKS, instruments.facts),
    Way("GET", "/instruments/{instrument}/words.toml", ASKS, instruments.words),
    Way("POST", "/instruments/{instrument}/retire", ASKS, instruments.retire),
    Way("GET", "/norms", ASKS, norms.norms),
    Way("POST", "/norms", ASKS, norms.load, upload=True),
    Way("POST", "/norms/signed", THERAPIST, norms.sign),
    Way("POST", "/norms/signed/{signed}/take-back", THERAPIST, norms.take_back),
    Way("POST", "/norms/publish", ADMIN, norms.publish),
    Way("GET", "/norms/practice.json", ADMIN, norms.download),
    Way("POST", "/norms/{norm}/retire", ASKS, norms.retire),
    # one client
    Way("GET", CLIENT, THERAPIST, client.client),
    Way("POST", f"{CLIENT}/sessions", THERAPIST, client.log_session),
    Way("POST", SESSION, THERAPIST, client.change_session),
    Way("POST", f"{CLIENT}/invite", THERAPIST, client.invite),
    Way("POST", f"{CLIENT}/invitations/{{invitation}}/withdraw", THERAPIST, client.withdraw),
    Way("POST", f"{CLIENT}/contacts", THERAPIST, client.log_contact),
    Way("POST", f"{CLIENT}/consents", THERAPIST, client.consent),
    Way("POST", f"{CLIENT}/curve", THERAPIST, client.show_curve),
    Way("POST", f"{CLIENT}/end", THERAPIST, client.end),
    Way("POST", f"{CLIENT}/resume", THERAPIST, client.resume),
    Way("GET", f"{CLIENT}/hand-over", THERAPIST, handing_over.hand_over),
    Way("POST", f"{CLIENT}/hand-over", THERAPIST, handing_over.offer),
    Way("GET", "/handovers", THERAPIST, handing_over.handovers),
    Way("POST", "/handovers/{handover}/accept", THERAPIST, handing_over.accept),
    Way("POST", "/handovers/{handover}/decline", THERAPIST, handing_over.decline),
    Way("POST", "/handovers/{handover}/withdraw", THERAPIST, handing_over.withdraw),
    Way("GET", "/steps", THERAPIST, steps.steps),
    Way("POST", f"{CLIENT}/steps", THERAPIST, steps.choose),
    Way("POST", f"{CLIENT}/steps/{{step}}", THERAPIST, steps.close),
    Way("POST", f"{CLIENT}/steps/{{step}}/reopen", THERAPIST, steps.reopen),
    Way("POST", f"{CLIENT}/steps/{{step}}/drop", THERAPIST, steps.drop),
    Way("POST", f"{CLIENT}/concerns", THERAPIST, client.raise_concern),
    Way("POST", f"{CLIENT}/concerns/{{concern}}", THERAPIST, client.close_concern),
    # what it means
    Way("GET", "/mirror", THERAPIST, understanding.mirror),
    Way("GET", f"{CLIENT}/mirror", THERAPIST, understanding.mirror_with),
    Way("GET", f"{CLIENT}/board", THERAPIST, understanding.board),
    Way("GET", f"{CLIENT}/card", THERAPIST, understanding.conversation),
    Way("GET", "/impact", THERAPIST, understanding.impact),
    Way("GET", f"{CLIENT}/impact", THERAPIST, understanding.impact_of),
    # reflections
    Way("GET", f"{SESSION}/reflection", THERAPIST, reflecting.reflection),
    Way("POST", f"{SESSION}/reflection", THERAPIST, reflecting.write),
    Way("POST", f"{SESSION}/reflection/draft", THERAPIST, reflecting.draft),
    Way("POST", "/reflections/unlock", REFLECTS, reflecting.unlock),
    Way("POST", "/reflections/lock", REFLECTS, reflecting.lock),
    # supervision, accounts, the practice
    Way("GET", "/supervision", THERAPIST, supervision.preparing),
    Way("GET", "/supervision/pins", REFLECTS, supervision.keys),
    Way("POST", "/supervision/pins", REFLECTS, supervision.pin),
    Way("GET", f"{CLIENT}/supervision", THERAPIST, supervision.choose),
    Way("POST", f"{CLIENT}/supervision", THERAPIST, supervision.preview),
    Way("POST", f"{CLIENT}/supervision/share", THERAPIST, supervision.share),
    Way("POST", f"{CLIENT}/supervision/pdf", THERAPIST, supervision.take_out),
    Way("POST", "/shares/{share}/revoke", THERAPIST, supervision.revoke),
    Way("GET", "/shared", SUPERVISOR, shared.shared),
    Way("GET", "/shared/{share}", SUPERVISOR, shared.open_shared),
    Way("GET", "/shared/{share}/report.pdf", SUPERVISOR, shared.report_pdf),
    Way("GET", "/library", EVERYBODY, library.library),
    Way("GET", "/library.bib", EVERYBODY, library.library_bib),
    Way("GET", "/account", EVERYBODY, account.account),
    Way("POST", "/account/passphrase", EVERYBODY, account.change_passphrase),
    Way("POST", "/account/email", EVERYBODY, account.set_email),
    Way("POST", "/account/code", EVERYBODY, account.offer_code),
    Way("POST", "/account/code/confirm", EVERYBODY, account.add_code),
    Way("POST", "/account/passkey", EVERYBODY, account.offer_passkey),
    Way("POST", "/account/passkey/confirm", EVERYBODY, account.add_passkey),
    Way("POST", "/account/factors/{factor}/remove", EVERYBODY, account.remove_factor),
    Way("POST", "/account/visits/{visit}/end", EVERYBODY, account.end_visit),
    Way("POST", "/account/tokens", THERAPIST, account.add_token),
    Way("POST", "/account/tokens/{token}/remove", THERAPIST, account.remove_token),
    # programs; what they ask is in a table of its own, see attunement.web.api
    Way("GET", "/api/v1/", ANYBODY, programs.programs),
    Way("GET", "/practice", ADMIN, house.practice),
    Way("POST", "/practice/protocol", ADMIN, house.set_protocol),
    Way("POST", "/practice/accounts", ADMIN, house.add_account),
    Way("POST", "/practice/accounts/{account}/end", ADMIN, house.end_account),
)
