"""What is said of trust: each sentence from `wording/trust.toml`, with its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from attunement.wording import in_hundred, number, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.findings import Estimate
    from attunement.instruments.description import Language
    from attunement.trajectories import Measure
    from attunement.trust.courses import Course
    from attunement.trust.keeping import Kept
    from attunement.trust.order import Order

_PER_POINT: Final = 2  # decimals of a slope, and of a difference
_ABOUT: Final = {
    "empathy": "trust_about_empathy",
    "non_judgment": "trust_about_non_judgment",
    "openness": "trust_about_openness",
    "consistency": "trust_about_consistency",
}
_ABOUT_ALL: Final = {
    "empathy": "trust_about_empathy_all",
    "non_judgment": "trust_about_non_judgment_all",
    "openness": "trust_about_openness_all",
    "consistency": "trust_about_consistency_all",
}
_NOW: Final = {
    "empathy": "trust_empathy_now",
    "non_judgment": "trust_non_judgment_now",
    "openness": "trust_openness_now",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """The sentences, in one language and on one scale."""

    measure: Measure
    language: Language

    def say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        """One sentence."""
        return say(name, self.language, **values)

    def about(self, line: str, client: str | None) -> str:
        """The heading of a line, with a client or with all."""
        return self.say(_ABOUT_ALL[line]) if client is None else self.say(_ABOUT[line], name=client)

    def course(self, line: str, course: Course) -> str:
        """Where a line stands, and whether it has changed."""
        level = self._held(course.level)
        now = self.say(
            _NOW[line],
            level=level["value"],
            top=f"{self.measure.high:g}",
            low=level["low"],
            high=level["high"],
        )
        name = {1: "trust_rising", -1: "trust_falling"}.get(side(course.change), "trust_unclear")
        return f"{now} {self._signed(name, 'change', course.change, self.measure.digits)}"

    def link(self, found: Estimate | None) -> str:
        """How the rest goes along with a line, where that can be told."""
        return self._sided("trust_link_more", "trust_link_less", found, _PER_POINT)

    def broken(self, found: Estimate | None) -> str:
        """How the connection is where a session was not kept as planned, where that can be told."""
        return self._sided("trust_broken_more", "trust_broken_less", found, _PER_POINT)

    def kept(self, kept: Kept, *, several: bool) -> str:
        """How sessions came about."""
        held = kept.planned - kept.called_off
        off = "trust_off_all" if several else "trust_off"
        said = [
            self.say("trust_kept", planned=kept.planned, held=held, **_hundreds(kept.share, "share")),
            self.say(off, therapist=kept.called_off, client=kept.by_client),
            self.say("trust_late", held=held, late=kept.late, **_hundreds(kept.late_share, "share")),
        ]
        return " ".join([*said, *self._changed(kept), *self._regular(kept)])

    def ordered(self, found: Order) -> str:
        """The order, told."""
        values: dict[str, str] = {}
        for name, step in (("openness", found.to_openness), ("depth", found.to_depth)):
            if step.forward is not None:
                ends = {"": step.forward.value, "_low": step.forward.low, "_high": step.forward.high}
                values |= {
                    f"{name}{end}": number(each, _PER_POINT, self.language) for end, each in ends.items()
                }
        return self.say("trust_order_told", **values)

    def answered(self, sessions: int) -> str:
        """In how many sessions something was answered, where these are too few."""
        if sessions == 0:
            return self.say("trust_none")
        return self.say("trust_one") if sessions == 1 else self.say("trust_some", sessions=sessions)

    def top(self, share: float) -> str:
        """That answers pile up at the top."""
        return self.say("trust_limit_top", share=in_hundred(share))

    def _changed(self, kept: Kept) -> list[str]:
        if kept.change is None:
            return []
        name = {1: "trust_kept_more", -1: "trust_kept_less"}.get(side(kept.change), "trust_kept_unclear")
        turned = name == "trust_kept_less"
        return [self.say(name, **_hundreds(kept.change, "change", turned=turned, signed=True))]

    def _regular(self, kept: Kept) -> list[str]:
        if kept.interval is None or kept.spread is None:
            return []
        ends = {"spread": kept.spread.value, "low": kept.spread.low, "high": kept.spread.high}
        told = {name: number(value, 0, self.language) for name, value in ends.items()}
        return [self.say("trust_regular", interval=number(kept.interval, 0, self.language), **told)]

    def _sided(self, more: str, less: str, found: Estimate | None, digits: int) -> str:
        """A sentence only where the interval excludes zero."""
        if found is None or not side(found):
            return ""
        return self._signed(more if side(found) > 0 else less, "points", found, digits)

    def _signed(self, name: str, what: str, found: Estimate, digits: int) -> str:
        """A number with its ends, turned over where the sentence says down."""
        turned = name.endswith(("_falling", "_less"))
        ends = (-found.value, -found.high, -found.low) if turned else (found.value, found.low, found.high)
        told = [number(each, digits, self.language) for each in ends]
        return self.say(name, **dict(zip((what, "low", "high"), told, strict=True)))

    def _held(self, found: Estimate) -> dict[str, str]:
        """A number with its ends, held to the scale."""
        ends = {"value": found.value, "low": found.low, "high": found.high}
        low, high = self.measure.low, self.measure.high
        return {
            name: number(min(max(each, low), high), self.measure.digits, self.language)
            for name, each in ends.items()
        }


def side(estimate: Estimate) -> int:
    """1 above zero, -1 below it, 0 where the interval holds it."""
    return (estimate.low > 0) - (estimate.high < 0)


def evidence(parts: Mapping[str, Estimate | None]) -> pl.DataFrame:
    """``part, value, low, high, unit``; what is not there is left out."""
    return pl.DataFrame(
        [
            {"part": name, "value": each.value, "low": each.low, "high": each.high, "unit": each.unit}
            for name, each in parts.items()
            if each is not None
        ]
    )


def _hundreds(share: Estimate, what: str, *, turned: bool = False, signed: bool = False) -> dict[str, str]:
    ends = (share.value, share.low, share.high)
    ends = (-ends[0], -ends[2], -ends[1]) if turned else ends
    told = [number(100 * each, 0) if signed else in_hundred(each) for each in ends]
    return dict(zip((what, "low", "high"), told, strict=True))
