"""Whatever is done in whatever order: nobody but the owner reads a reflection, withdrawn consent stops new use at once,
and two therapists never see each other's clients. ATTUNEMENT_STEPS sets how many steps are tried."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from cast import ANSWERS, BEGAN, PHRASES, Box, Cast, copied
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from attunement.errors import AttunementError, Gone, Refused
from attunement.sessions import ABOUT, REPAIRED, Purpose, Reflection

STEPS = int(os.environ.get("ATTUNEMENT_STEPS", "500"))
LENGTH = 100
THERAPISTS = st.sampled_from(["T-1", "T-2"])
CLIENTS = st.sampled_from(["K-1", "K-2", "K-3"])
ANYBODY = st.sampled_from(["T-1", "T-2", "S-1", "A-1", "client"])
PURPOSES = st.sampled_from(list(Purpose))
Dyad = tuple[str, str]


class Weeks(RuleBasedStateMachine):
    """A practice, and a model of what each may see."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="attunement-"))
        self.cast: Cast = copied(self.folder / "practice")
        self.agreed: dict[Dyad, set[Purpose]] = {}
        self.sessions: dict[Dyad, int] = {}
        self.check_ins: dict[Dyad, int] = {}
        self.written: dict[tuple[str, str, int], str] = {}
        self.links: list[tuple[Dyad, str]] = []
        self.shared: dict[str, tuple[Dyad, str]] = {}
        self.steps_taken = 0
        self.cast.supervisor.unlock(PHRASES["S-1"])
        for therapist in ("T-1", "T-2"):
            who = self.cast.of(therapist)
            who.unlock(PHRASES[therapist])
            who.pin("S-1", who.fingerprint("S-1"))
            self.cast.supervisor.pin(therapist, who.fingerprint(therapist))

    def teardown(self) -> None:
        verdicts = self.cast.admin.verify()
        self.cast.close()
        shutil.rmtree(self.folder)
        assert all(verdict.whole for verdict in verdicts.values()), verdicts

    # -- what happens

    @rule(therapist=THERAPISTS, client=CLIENTS, agreed=st.sets(PURPOSES))
    def take_on(self, therapist: str, client: str, agreed: set[Purpose]) -> None:
        if (therapist, client) not in self.agreed:
            self.cast.of(therapist).take_on(client, agreed=agreed)
            self.agreed[therapist, client] = set(agreed)
            self.sessions[therapist, client] = self.check_ins[therapist, client] = 0

    @rule(therapist=THERAPISTS, client=CLIENTS)
    def log_session(self, therapist: str, client: str) -> None:
        if (therapist, client) in self.agreed:
            self.cast.of(therapist).log_session(client, BEGAN)
            self.sessions[therapist, client] += 1

    @rule(therapist=THERAPISTS, client=CLIENTS, purpose=PURPOSES, given=st.booleans())
    def change_consent(self, therapist: str, client: str, purpose: Purpose, *, given: bool) -> None:
        if (agreed := self.agreed.get((therapist, client))) is None:
            return
        if given:
            self.cast.of(therapist).give_consent(client, purpose)
            agreed.add(purpose)
        elif purpose in agreed:
            self.cast.of(therapist).withdraw_consent(client, purpose)
            agreed.discard(purpose)
            if purpose is Purpose.SUPERVISION:
                self.shared = {
                    key: kept for key, kept in self.shared.items() if kept[0] != (therapist, client)
                }

    @rule(therapist=THERAPISTS, client=CLIENTS)
    def invite(self, therapist: str, client: str) -> None:
        if not self.sessions.get((therapist, client)):
            return
        allowed = Purpose.CHECK_INS in self.agreed[therapist, client]
        try:
            self.links.append(((therapist, client), self.cast.of(therapist).invite(client, 1).token))
        except Refused:
            assert not allowed
        else:
            assert allowed

    @rule(place=st.integers(0, 50), sending=st.sampled_from(["one-sending", "another-sending"]))
    def receive(self, place: int, sending: str) -> None:
        if not self.links:
            return
        dyad, token = self.links[place % len(self.links)]
        fresh = Purpose.CHECK_INS in self.agreed.get(dyad, set())
        before = self.check_ins.get(dyad, 0)
        try:
            self.cast.client.receive(token, ANSWERS, sending)
        except Gone:
            return
        now = len(self.cast.of(dyad[0]).check_ins(dyad[1]))
        assert now == before or (fresh and now == before + 1)
        self.check_ins[dyad] = now

    @rule(therapist=THERAPISTS, client=CLIENTS, words=st.integers(0, 10**6))
    def reflect(self, therapist: str, client: str, words: int) -> None:
        if self.sessions.get((therapist, client)):
            said = f"private-{therapist}-{words}"
            self.cast.of(therapist).reflect(client, 1, Reflection(words=said))
            self.written[therapist, client, 1] = said

    @rule(therapist=THERAPISTS, client=CLIENTS, about=st.sampled_from([None, *ABOUT]))
    def choose_step(self, therapist: str, client: str, about: str | None) -> None:
        if (therapist, client) in self.agreed:
            self.cast.of(therapist).choose_step(client, f"step-{therapist}", about)

    @rule(therapist=THERAPISTS, place=st.integers(0, 50), repaired=st.sampled_from([None, *REPAIRED]))
    def close_and_reopen_step(self, therapist: str, place: int, repaired: str | None) -> None:
        who = self.cast.of(therapist)
        if found := who.steps():
            step = found[place % len(found)]
            assert refused(lambda: self.cast.of("T-1" if therapist == "T-2" else "T-2").drop_step(step.id))
            assert who.close_step(step.id, "done", repaired).repaired == repaired
            assert who.reopen_step(step.id).outcome is None

    @rule(therapist=THERAPISTS, agreed=st.booleans())
    def remind(self, therapist: str, *, agreed: bool) -> None:
        """Nothing goes to whom it concerns no more: nobody here can be reached, so nothing goes at all."""
        box = Box()
        self.cast.of(therapist).remind(box, "https://practice.example" if agreed else "")
        assert box.mails == []

    @rule(therapist=THERAPISTS, client=CLIENTS, days=st.integers(1, 5))
    def share(self, therapist: str, client: str, days: int) -> None:
        if (therapist, client, 1) not in self.written:
            return
        who = self.cast.of(therapist)
        allowed = Purpose.SUPERVISION in self.agreed[therapist, client]
        until = self.cast.hands.wall() + timedelta(days=days)
        try:
            shared = who.share(client, 1, "S-1", until=until)
        except Refused:
            assert not allowed
        else:
            assert allowed
            self.shared[shared.id] = ((therapist, client), self.written[therapist, client, 1])

    @rule(place=st.integers(0, 50))
    def revoke(self, place: int) -> None:
        if self.shared:
            key = sorted(self.shared)[place % len(self.shared)]
            (therapist, _), _ = self.shared.pop(key)
            self.cast.of(therapist).revoke(key)
            assert refused(lambda: self.cast.supervisor.open_share(key))

    @rule()
    def open_shares(self) -> None:
        still = {each.id for each in self.cast.supervisor.shares()}
        assert still <= set(self.shared)
        for key in self.shared:
            if key in still:
                assert self.cast.supervisor.open_share(key).words == self.shared[key][1]
            else:
                assert refused(lambda key=key: self.cast.supervisor.open_share(key))

    @rule(who=ANYBODY, client=CLIENTS)
    def pry(self, who: str, client: str) -> None:
        """Somebody asks for what is not theirs."""
        asking = self.cast.client if who == "client" else self.cast.of(who)
        own = (who, client) in self.agreed
        for read in (asking.sessions, asking.check_ins, asking.consents, asking.reflections, asking.steps):
            try:
                found = read(client)
            except AttunementError:
                assert not own
                continue
            assert own
            for each in found:
                words = getattr(getattr(each, "reflection", None), "words", "")
                assert not words or words.startswith(f"private-{who}-")
                assert getattr(each, "what", f"step-{who}") == f"step-{who}"
        for key in self.shared:
            if who != "S-1":
                assert refused(lambda key=key: asking.open_share(key))

    @rule(therapist=THERAPISTS, client=CLIENTS)
    def erase(self, therapist: str, client: str) -> None:
        dyad = (therapist, client)
        if self.agreed.pop(dyad, None) is None:
            return
        self.cast.of(therapist).erase(client)
        self.sessions.pop(dyad)
        self.check_ins.pop(dyad)
        self.written.pop((*dyad, 1), None)
        self.links = [(of, token) for of, token in self.links if of != dyad]
        self.shared = {key: kept for key, kept in self.shared.items() if kept[0] != dyad}

    @rule(hours=st.integers(1, 20))
    def pass_by(self, hours: int) -> None:
        self.cast.hands.pass_by(timedelta(hours=hours))
        for account in ("T-1", "T-2", "S-1"):
            assert not self.cast.of(account).unlocked
            self.cast.of(account).unlock(PHRASES[account])

    # -- what always holds

    @invariant()
    def each_sees_their_own_clients(self) -> None:
        self.steps_taken += 1
        for therapist in ("T-1", "T-2"):
            codes = {dyad.client.code for dyad in self.cast.of(therapist).clients()}
            assert codes == {client for whose, client in self.agreed if whose == therapist}


def refused(call: object) -> bool:
    try:
        call()  # type: ignore[operator]
    except AttunementError:
        return True
    return False


def test_whatever_is_done_in_whatever_order_privacy_holds() -> None:
    run_state_machine_as_test(
        Weeks,
        settings=settings(
            max_examples=max(1, STEPS // LENGTH), stateful_step_count=LENGTH, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck), print_blob=True,
        ),
    )  # fmt: skip


@pytest.mark.parametrize("purpose", [Purpose.SUPERVISION])
def test_withdrawn_consent_closes_what_was_shared_before(cast: Cast, purpose: Purpose) -> None:
    cast.first.take_on("K-1", agreed=[purpose])
    cast.first.log_session("K-1", BEGAN)
    for account in ("T-1", "S-1"):
        cast.of(account).unlock(PHRASES[account])
    cast.first.pin("S-1", cast.first.fingerprint("S-1"))
    cast.supervisor.pin("T-1", cast.first.fingerprint("T-1"))
    cast.first.reflect("K-1", 1, Reflection(words="mine"))
    shared = cast.first.share("K-1", 1, "S-1", until=cast.hands.wall() + timedelta(days=3))
    assert cast.supervisor.open_share(shared.id).words == "mine"
    cast.first.withdraw_consent("K-1", purpose)
    with pytest.raises(Gone):
        cast.supervisor.open_share(shared.id)
