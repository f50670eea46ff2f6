"""From where a night's values count as moved, and the gates of shock mode: `[watch]` of `recipe.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

from signals.errors import SettingsError

_COUNTS = {"nights", "of_nights", "least_rows", "outcome_nights", "least_crises"}
_SHARES = {"unknown", "share"}


@dataclass(frozen=True)
class ShockGates:
    """The bounds under `[watch.shock]`, by the names they have there (whose comments say what each means)."""

    nights: int
    psi: float
    share: float
    risk_psi: float
    unknown: float
    least_crises: int
    most_ratio: float


@dataclass(frozen=True)
class Bars:
    """The bounds under `[watch]`, by the names they have there (whose comments say what each means)."""

    psi: float
    distance: float
    unknown: float
    nights: int
    of_nights: int
    least_rows: int
    outcome_nights: int
    shock: ShockGates


def load_bars(path: Path | None = None) -> Bars:
    """Read what a recipe says of watching; without a path, the recipe beside this module.

    Raises `SettingsError` when the file is not TOML, says nothing of it, names too much or too little, or a bound that can't be one.
    """
    path = path or Path(__file__).with_name("recipe.toml")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))["watch"]
        bars = Bars(**{**values, "shock": ShockGates(**values["shock"])})
        _refuse_impossible(bars)
    except (OSError, tomllib.TOMLDecodeError, TypeError, KeyError, ValueError) as error:
        where = f"{path}, [watch]"
        raise SettingsError(
            f"nothing to watch by: {error}", where, "a shift would go unseen", "mend or remove the named setting"
        ) from error
    return bars


def _refuse_impossible(bars: Bars) -> None:
    for section in (asdict(bars), asdict(bars.shock)):
        for name, value in section.items():
            if name in _COUNTS and not (type(value) is int and value >= 1):
                raise ValueError(f"{name} must be a whole number from 1 on")
            if name in _SHARES and not 0 < value <= 1:
                raise ValueError(f"{name} must be a share above 0, and at most 1")
            if name != "shock" and not value > 0:
                raise ValueError(f"{name} must be above 0")
    if bars.nights > bars.of_nights:
        raise ValueError(f"{bars.nights} nights of the last {bars.of_nights} never come")
    if bars.shock.most_ratio <= 1:
        raise ValueError("most_ratio must be above 1")
