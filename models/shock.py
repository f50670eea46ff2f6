"""Shock mode: when what the model learned no longer holds, the official signs score until a person decides otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from models.bars import Bars
from models.watch import sum_up_break
from signals.products import PRODUCTS


@dataclass(frozen=True)
class Shock:
    """Since which night the scorecard scores, and why, in Korean and English."""

    since: date
    because_ko: str
    because_en: str


_WORDS = {
    "share": ("운영 모형이 읽는 항목의 {figure:.0%}가 평소 범위를 크게 벗어났습니다", "{figure:.0%} of what the champion reads has broken away from what is usual"),
    "unknown": ("운영 모형이 읽는 값 중 확인되지 않는 비율이 평소보다 {figure:.0%}p 늘었습니다", "of what the champion reads {figure:.0%} more than usual is not known"),
    "risk_psi": ("위험도 분포가 평소와 크게 다릅니다(PSI {figure:.2f})", "the risks lie far from what is usual (PSI {figure:.2f})"),
}  # fmt: skip
_OUTCOMES = (
    "예측한 위기 {foretold:,.0f}건에 실제 위기 {came:,}건으로, 허용 범위를 벗어났습니다",
    "{foretold:,.0f} crises were foretold and {came:,} came, which is out of bounds",
)


def find_shock(
    as_of: date,
    standing: Shock | None,
    resumed_from: date | None,
    drifts: Sequence[tuple[date, pl.DataFrame]],
    outcomes: Mapping[str, Any] | None,
    bars: Bars,
) -> Shock | None:
    """Find whether the scorecard scores on `as_of`: because of a shock that still stands, or because the gates break tonight.

    `standing` is the shock of the night before, unless a person ended it; `resumed_from` the first night of the newest such
    decision: the gates look at no night before it. `drifts` are the product drift of tonight and of the nights before, the newest
    first, each with its night; `outcomes` the newest measure of what came of the present champion's nights (as of `measure_outcomes`;
    null: none that counts tonight).
    """
    if standing:
        return standing
    recent = [drift for night, drift in drifts[: bars.shock.nights] if resumed_from is None or night >= resumed_from]
    broken = _find_lasting(recent, bars) if len(recent) == bars.shock.nights else []
    said = [tuple(word.format(figure=figure) for word in _WORDS[name]) for name, figure in broken]
    if outcomes and is_out_of_bounds(outcomes, bars):
        said += [tuple(word.format(**outcomes) for word in _OUTCOMES)]
    return Shock(as_of, *("; ".join(words) for words in zip(*said, strict=True))) if said else None


def _find_lasting(drifts: Sequence[pl.DataFrame], bars: Bars) -> list[tuple[str, float]]:
    nights = [sum_up_break(drift, bars) for drift in drifts]
    gates = {"share": bars.shock.share, "unknown": bars.shock.unknown, "risk_psi": bars.shock.risk_psi}
    return [(name, nights[0][name]) for name, gate in gates.items() if all(night.get(name, 0.0) >= gate for night in nights)]


def is_out_of_bounds(outcomes: Mapping[str, Any], bars: Bars) -> bool:
    """Say whether far more, or far fewer, crises came than were foretold; never where both were few.

    >>> from models.bars import load_bars
    >>> [is_out_of_bounds({"foretold": 40.0, "came": came}, load_bars()) for came in (15, 40, 81)]
    [True, False, True]
    """
    foretold, came = outcomes["foretold"], outcomes["came"]
    if foretold is None or max(foretold, came) < bars.shock.least_crises:
        return False
    return bool(came > bars.shock.most_ratio * foretold or foretold > bars.shock.most_ratio * came)


def to_rows(shock: Shock | None) -> pl.DataFrame:
    """The shock of a night as its product."""
    return pl.DataFrame([shock.__dict__] if shock else [], schema=dict(PRODUCTS["shock"].columns))


def from_rows(rows: pl.DataFrame) -> Shock | None:
    """The shock of a night from its product; null on a night without."""
    return Shock(*rows.select(*PRODUCTS["shock"].columns).row(0)) if rows.height else None
