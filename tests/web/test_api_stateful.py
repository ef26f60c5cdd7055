"""Whatever programs of two therapists ask in whatever order, none reads or changes what is the other's, and a token
that was removed is worth nothing. ATTUNEMENT_STEPS sets how many steps are tried."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from cast import copied, seen
from guest import building
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from program import BODIES, Program, bearing

from attunement.practice import Scope
from attunement.web.api import ENDPOINTS

STEPS = int(os.environ.get("ATTUNEMENT_STEPS", "200"))
LENGTH = 50
THERAPISTS = st.sampled_from(["T-1", "T-2"])
OWN = {"T-1": "K-mine-1", "T-2": "K-mine-2"}
QUICK = [each for each in ENDPOINTS if not each.waits]


class Programs(RuleBasedStateMachine):
    """Two therapists with a client each, and their programs."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="attunement-"))
        self.cast = copied(self.folder / "practice")
        self.house = building(self.cast)
        self.tokens: list[tuple[str, str, frozenset[Scope], Program]] = []
        self.gone: list[Program] = []
        self.sessions = dict.fromkeys(OWN, 1)
        for therapist, code in OWN.items():
            seen(self.cast.of(therapist), code, 1)

    @rule(therapist=THERAPISTS, scopes=st.frozensets(st.sampled_from(list(Scope)), min_size=1))
    def make(self, therapist: str, scopes: frozenset[Scope]) -> None:
        if sum(owner == therapist for owner, *_ in self.tokens) >= 20:
            return
        made = self.cast.of(therapist).add_token("a", scopes)
        self.tokens.append((therapist, made.token.id, scopes, bearing(self.house, made.secret)))

    @precondition(lambda self: self.tokens)
    @rule(which=st.integers(0, 50), endpoint=st.sampled_from(QUICK), whose=THERAPISTS)
    def ask(self, which: int, endpoint: object, whose: str) -> None:
        owner, _, scopes, who = self.tokens[which % len(self.tokens)]
        each = next(each for each in ENDPOINTS if each is endpoint)
        path = each.path.replace("{code}", OWN[whose]).replace("{number}", "1")
        answer = who.send(each.method, path, BODIES.get(each.path))
        other = OWN["T-2" if owner == "T-1" else "T-1"]
        assert other.encode() not in answer.content
        if each.scope is not None and each.scope not in scopes:
            assert answer.status_code == 403
        elif "{code}" in each.path and whose != owner:
            assert answer.status_code == 404
        elif each.path == "/exports/deidentified":
            assert answer.status_code == 422
        else:
            assert answer.status_code == each.status, answer.text
            if (each.method, each.path) == ("POST", "/clients/{code}/sessions"):
                self.sessions[owner] += 1

    @precondition(lambda self: self.tokens)
    @rule(which=st.integers(0, 50), by=THERAPISTS)
    def remove(self, which: int, by: str) -> None:
        place = which % len(self.tokens)
        owner, token, _, who = self.tokens[place]
        guest = self.house.guest(by)
        answer = guest.post(f"/account/tokens/{token}/remove")
        if by == owner:
            assert answer.status_code == 303
            self.tokens.pop(place)
            self.gone.append(who)
        else:
            assert answer.status_code == 404

    @precondition(lambda self: self.gone)
    @rule(which=st.integers(0, 50))
    def come_again(self, which: int) -> None:
        answer = self.gone[which % len(self.gone)].get("/token")
        assert answer.status_code in {401, 429}

    @invariant()
    def each_has_the_sessions_that_were_logged_for_them(self) -> None:
        for therapist, code in OWN.items():
            assert len(self.cast.of(therapist).sessions(code)) == self.sessions[therapist]

    def teardown(self) -> None:
        assert self.cast.first.verify()["record"].whole
        self.cast.close()
        shutil.rmtree(self.folder)


def test_no_program_reads_or_changes_what_is_another_therapists() -> None:
    run_state_machine_as_test(
        Programs,
        settings=settings(
            max_examples=max(1, STEPS // LENGTH), stateful_step_count=LENGTH, deadline=None,
            suppress_health_check=list(HealthCheck), database=None,
        ),
    )  # fmt: skip
