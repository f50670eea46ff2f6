"""The charts of a model's card: drawn once, as SVG without a script, a font or a picture from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from models.calibration import Calibration

_INK, _OURS, _THEIRS = "#33373d", "#1f5fa8", "#9aa3ad"
_LEVELS = {"watch": "관심 watch", "caution": "주의 caution", "alert": "경보 alert"}
_POINTS = 61


def can_draw() -> bool:
    """Whether the library that turns a Vega-Lite chart into SVG is installed."""
    return find_spec("vl_convert") is not None


def draw_contenders(named: Mapping[str, Mapping[str, Any]], figure: str, title: str) -> str:
    """Draw one figure of each contender of a trial as a dot, with its 95 % interval where there is one; the model first."""
    import altair as alt

    rows = [_tell_contender(name, one, figure) for name, one in named.items() if one.get(figure) is not None]
    at = alt.Y("name:N", sort=list(named), title=None)
    hue = alt.condition(alt.datum.name == next(iter(named)), alt.value(_OURS), alt.value(_THEIRS))
    base = alt.Chart(alt.InlineData(values=rows))
    line = base.mark_rule(strokeWidth=2).encode(
        y=at, x=alt.X("low:Q", title=title, scale=alt.Scale(zero=False, nice=True, padding=12)), x2="high:Q", color=hue
    )
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(y=at, x="figure:Q", color=hue)
    words = base.mark_text(dy=-11, fontSize=11).encode(y=at, x="figure:Q", text=alt.Text("figure:Q", format=".3f"))
    return _draw(alt.layer(line, dots, words).properties(width=420, height=alt.Step(34)))


def draw_calibration(calibration: Calibration, thresholds: Mapping[str, float]) -> str:
    """Draw the map from raw score to risk, with the risks from which each level holds."""
    import altair as alt

    raw = _spread(calibration)
    curve = [{"raw": round(float(x), 4), "risk": round(float(y), 6)} for x, y in zip(raw, calibration.apply(raw), strict=True)]
    bounds = [{"risk": round(risk, 6), "name": f"{_LEVELS.get(name, name)} {risk:.3f}"} for name, risk in thresholds.items()]
    line = alt.Chart(alt.InlineData(values=curve)).mark_line(color=_OURS).encode(
        x=alt.X("raw:Q", title="원점수 · raw score (log-odds)"), y=alt.Y("risk:Q", title="위험도 · risk")
    )  # fmt: skip
    rules = alt.Chart(alt.InlineData(values=bounds)).mark_rule(color=_THEIRS, strokeDash=[4, 3]).encode(y="risk:Q")
    words = alt.Chart(alt.InlineData(values=bounds)).mark_text(align="left", dx=3, dy=-5, fontSize=11).encode(
        y="risk:Q", x=alt.value(0), text="name:N"
    )  # fmt: skip
    return _draw(alt.layer(rules, line, words).properties(width=420, height=240))


def _tell_contender(name: str, one: Mapping[str, Any], figure: str) -> dict[str, Any]:
    low, high = one.get(f"{figure}_interval") or (one[figure], one[figure])
    return {"name": name, "figure": round(one[figure], 6), "low": round(low, 6), "high": round(high, 6)}


def _spread(calibration: Calibration) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Where the map is drawn: over its own points, or from a thousandth to near certainty."""
    if calibration.kind == "isotonic":
        return np.asarray(_thin(calibration.raw_at), dtype=np.float64)
    slope = max(calibration.slope, 1e-6)
    return (np.linspace(-7, 4, _POINTS) - calibration.intercept) / slope


def _thin(points: Sequence[float]) -> list[float]:
    chosen = np.unique(np.linspace(0, len(points) - 1, min(len(points), 4 * _POINTS)).round().astype(int))
    return [points[place] for place in chosen]


def _draw(chart: Any) -> str:
    """The chart's own words and shapes as SVG; the font is whatever the reader's machine has."""
    axis = {"labelColor": _INK, "titleColor": _INK, "titleFontWeight": "normal", "gridColor": "#e3e6ea"}
    return _render(chart.configure(background="transparent", view={"stroke": None}, axis=axis).to_json(indent=None))


@lru_cache(maxsize=16)
def _render(spec: str) -> str:
    return str(import_module("vl_convert").vegalite_to_svg(spec))
