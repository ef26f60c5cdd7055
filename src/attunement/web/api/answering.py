"""Who answers each endpoint: a verb of the practice, and what goes out of what it gives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import Depends, Header, Path, Query
from starlette.requests import Request  # noqa: TC002 - read by FastAPI
from starlette.responses import JSONResponse, Response

from attunement.errors import InputError, Refused
from attunement.exchange.formats import FORMATS
from attunement.exchange.outgoing import write
from attunement.practice import Practice
from attunement.practice.rated import CHECK_IN
from attunement.practice.release import DEIDENTIFIED, as_csv
from attunement.sessions import UNDATED
from attunement.web.api import models
from attunement.web.api.negotiating import CSV, JSON, MOST, PARQUET, USUAL, chosen, paged
from attunement.web.api.telling import course, courses, measure
from attunement.web.words import language_of

if TYPE_CHECKING:
    import polars as pl

    from attunement.sessions import CheckIn, Session
    from attunement.web.rooms import Rooms

AGAIN: Final = 2  # seconds until what is being worked out is asked for again
ZIP: Final = "application/zip"
FHIR: Final = FORMATS["fhir"][0]
_COLUMNS: Final = ("therapist", "client", "session", "time", "score")


def practice_of(request: Request) -> Practice:
    """Return the practice, as the program stands before it."""
    found: Practice = request.state.practice
    return found


Asking = Annotated[Practice, Depends(practice_of)]
Of = Annotated[str, Path(description="The client's code.", examples=["K-07"])]
Which = Annotated[int, Path(ge=1, le=100_000, description="Which session: 1, 2, …")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
After = Annotated[str | None, Query(max_length=200, description="Where to go on: `next` of the page before.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="Of your choice, for this one sending: sent again with the same key, it is done once.",
    ),
]
Spoken = Annotated[
    Literal["en", "es"] | None,
    Query(description="Of the sentences; else what `Accept-Language` prefers."),
]
Measure = Annotated[
    str, Query(max_length=64, description="Which measure, by its id; the check-ins if left out.")
]


def token(practice: Asking) -> models.TokenOut:
    """Say whose token this is, and what it opens."""
    return models.TokenOut(account=practice.who.code, scopes=sorted(practice.who.scopes or ()))


# -- clients and sessions


def clients(practice: Asking, limit: Limit = USUAL, after: After = None) -> models.Clients:
    """List your clients."""
    found, following = paged(practice.clients(), lambda each: each.client.code, limit, after)
    items = [
        models.ClientOut(code=each.client.code, since=each.client.since, ended=each.ended) for each in found
    ]
    return models.Clients(items=items, next=following)


def sessions(practice: Asking, code: Of, limit: Limit = USUAL, after: After = None) -> models.Sessions:
    """List the sessions with a client."""
    found, following = paged(practice.sessions(code), lambda each: str(each.number), limit, after)
    return models.Sessions(items=[_session(each) for each in found], next=following)


def log_session(
    practice: Asking, code: Of, sent: models.SessionIn, response: Response, key: Key = None
) -> models.SessionOut:
    """Log a session, or plan one.

    With an `Idempotency-Key` it can be sent again after a broken connection: it is one session all the same.
    """
    logged = practice.log_session(
        code, sent.began, attendance=sent.attendance, lateness=sent.lateness, number=sent.number, key=key or ""
    )  # fmt: skip
    response.headers["location"] = f"sessions/{logged.number}"
    return _session(logged)


def change_session(
    practice: Asking, code: Of, number: Which, sent: models.SessionChange
) -> models.SessionOut:
    """Say how a session went, or move it."""
    if not sent.model_fields_set:
        raise InputError("A change names at least one of began, attendance and lateness; nothing was done.")
    changed = practice.change_session(
        code, number, attendance=sent.attendance, began=sent.began, lateness=sent.lateness
    )
    return _session(changed)


# -- check-ins


def check_ins(practice: Asking, code: Of, limit: Limit = USUAL, after: After = None) -> models.CheckIns:
    """List what a client answered."""
    found, following = paged(practice.check_ins(code), lambda each: each.id, limit, after)
    return models.CheckIns(items=[_check_in(each) for each in found], next=following)


def invite(
    request: Request, practice: Asking, code: Of, sent: models.InvitationIn, key: Key = None
) -> models.InvitationOut:
    """Make a link by which the client can answer once.

    The client must have agreed to check-ins; where they have not, or no longer do, it reads as if they were not there.
    With an `Idempotency-Key` it can be sent again after a broken connection: it is the same link all the same.
    """
    from datetime import timedelta  # noqa: PLC0415 - for this alone

    invited = practice.invite(
        code, sent.session, instrument=sent.instrument, open_for=timedelta(hours=sent.hours),
        token=_link_token(request.state.secret, code, key) if key else "",
    )  # fmt: skip
    made = invited.invitation
    return models.InvitationOut(
        **models.out(made, "id", "client", "session", "instrument", "expires", "used"),
        link=f"{_origin(request)}/c/{invited.token}",
    )


def steps(practice: Asking, code: Of, limit: Limit = USUAL, after: After = None) -> models.Steps:
    """List what was tried with a client, and what came of it."""
    found, following = paged(practice.steps(code), lambda each: each.id, limit, after)
    items = [
        models.StepOut(**models.out(each, "id", "client", "chosen", "what", "outcome")) for each in found
    ]
    return models.Steps(items=items, next=following)


# -- findings and ratings


def findings(
    request: Request, practice: Asking, language: Spoken = None, limit: Limit = USUAL, after: After = None
) -> Response:
    """Tell what the ratings say of the connection with each client.

    It is what the pages show, worked out once for both. While it is being worked out for the first time the answer is
    202: ask again after the seconds of `Retry-After`. `fresh` is false while a rating of the last seconds is being
    worked in. With `If-None-Match` the answer is 304 where nothing changed.
    """
    return _findings(request, practice, None, language, limit, after)


def client_findings(request: Request, practice: Asking, code: Of, language: Spoken = None) -> Response:
    """Tell what the ratings say of the connection with one client; empty where no session was rated.

    As `/findings` does.
    """
    return _findings(request, practice, code, language, MOST, None)


def ratings(
    request: Request, practice: Asking, measure: Measure = CHECK_IN, limit: Limit = USUAL, after: After = None
) -> Response:
    """Give the table of rated sessions, as the library reads it.

    It goes right into `attunement.trajectories`. As JSON in pages; as CSV or Parquet, by `Accept`, the whole.
    """
    kind = chosen(request.headers.get("accept", ""), JSON, CSV, PARQUET)
    table = _ratings(practice, measure)
    if kind == CSV:
        return _file(as_csv(table.to_dicts(), _COLUMNS).encode(), CSV, "ratings.csv")
    if kind == PARQUET:
        packed = io.BytesIO()
        table.write_parquet(packed)
        return _file(packed.getvalue(), PARQUET, "ratings.parquet")
    found, following = paged(table.to_dicts(), lambda row: f"{row['client']}/{row['session']}", limit, after)
    items = [models.RatingOut(**row) for row in found]
    return _json(models.Ratings(items=items, next=following))


# -- exports


def export(request: Request, practice: Asking, code: Of) -> Response:
    """Give a client's record, for their right of access: a ZIP of tables, without psychotherapy notes.

    As `application/fhir+json`, by `Accept`, a Bundle for another system. 409 while anybody's reflections are open: what
    makes an export has no key to them.
    """
    if chosen(request.headers.get("accept", ""), ZIP, FHIR) == FHIR:
        out, shelf = io.BytesIO(), practice.shelf()
        write(practice.entries(code), shelf, out, "fhir")
        return _file(out.getvalue(), FHIR, "record.json")
    return _file(practice.export(code), ZIP, "record.zip")


def deidentified(request: Request, practice: Asking) -> Response:
    """Give your sessions with scores, of the clients who agreed to research, without what identifies.

    As JSON or CSV, by `Accept`. 422 where fewer than five clients have agreed: so few are known again.
    """
    kind = chosen(request.headers.get("accept", ""), JSON, CSV)
    rows = practice.deidentify()
    if kind == CSV:
        return _file(as_csv(rows, DEIDENTIFIED).encode(), CSV, "deidentified.csv")
    return _json(models.Deidentified(items=[models.DeidentifiedOut(**row) for row in rows]))


# -- inside


def _session(each: Session) -> models.SessionOut:
    named = models.out(each, "id", "client", "number", "attendance", "lateness")
    return models.SessionOut(**named, began=models.dated(each.began))


def _check_in(each: CheckIn) -> models.CheckInOut:
    scales = each.score.scales if each.score else ()
    return models.CheckInOut(
        **models.out(each, "id", "client", "session", "at", "instrument", "version"),
        answers=dict(each.answers),
        scores={scale.scale: scale.value for scale in scales},
    )


def _link_token(secret: str, code: str, key: str) -> str:
    """Make the token of a link out of the program's own and its key: the same again for the same, and nobody else's.

    So a sending that is repeated after a broken connection gets the link of the first, though it is kept nowhere.
    """
    made = hmac.new(secret.encode(), f"{code}\n{key}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _origin(request: Request) -> str:
    rooms: Rooms = request.app.state.rooms
    scheme = "https" if rooms.names.secure else request.url.scheme
    return rooms.url or f"{scheme}://{request.headers['host']}"


def _findings(
    request: Request, practice: Practice, client: str | None, language: Literal["en", "es"] | None, limit: int,
    after: str | None,
) -> Response:  # fmt: skip
    rooms: Rooms = request.app.state.rooms
    spoken = language or language_of("", request.headers.get("accept-language", ""))
    worked = rooms.in_language[spoken].of(practice, practice.rated_stamp(client))
    if worked is None:
        return _json(models.Waiting(status="being worked out"), 202, {"retry-after": str(AGAIN)})
    mine = [(board, each) for board, each in courses(worked) if client is None or each.client == client]
    found, following = paged(mine, lambda pair: f"{pair[0].id}/{pair[1].client}", limit, after)
    boards = worked.boards if client is None else {board.id: board for board, _ in mine}.values()
    told = models.Findings(
        fresh=worked.fresh,
        language=spoken,
        measures=[measure(board) for board in boards],
        items=[course(board, each) for board, each in found],
        next=following,
    )
    return _unless_known(request, told)


def _unless_known(request: Request, told: models.Findings) -> Response:
    """Send it, or say that it is what the program has already."""
    response = _json(told, headers={"vary": "Accept-Language, Authorization"})
    tag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    response.headers["etag"] = tag
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers={"etag": tag, "vary": response.headers["vary"]})
    return response


def _ratings(practice: Practice, measure: str) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415 - a tenth of a second, for this alone

    if measure == CHECK_IN:
        table = practice.ratings()
    else:
        found = next((each for each in practice.rated() if each.id == measure), None)
        if found is None:
            raise Refused("no such measure")
        table = found.ratings
    undated = pl.col("time") == pl.lit(UNDATED.replace(tzinfo=None))
    return table.with_columns(pl.when(undated).then(None).otherwise(pl.col("time")).alias("time")).sort(
        "client", "session"
    )


def _json(model: Any, status: int = 200, headers: dict[str, str] | None = None) -> JSONResponse:  # noqa: ANN401
    return JSONResponse(model.model_dump(mode="json"), status, headers=headers)


def _file(content: bytes, kind: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "vary": "Accept, Authorization"}
    return Response(content, media_type=kind, headers=headers)
