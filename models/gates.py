"""The gates of promotion: what a challenger's trial must show before it may serve. There is no way round them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.rivals import SAME
from signals.errors import SettingsError

FIGURES = {"auc": "AUC", "average_precision": "average precision"}
_LONGER = "train on a longer history or a later day"
_RECIPE = "find out what changed in the sources, features or recipe, then train again"
_AGAIN = "train again, so that both stand the same trial"


@dataclass(frozen=True)
class Gates:
    """The bounds under `[gates]` in `recipe.toml`, by the names they have there (whose comments say what each means)."""

    defaults: int
    ahead_of: list[str]
    calibration_error: float
    auc_fall: float
    average_precision_fall: float


@dataclass(frozen=True)
class Passed:
    """Whether one gate was passed: `figure` is what was measured (null: nothing), `words` say it and what was asked."""

    gate: str
    is_passed: bool
    figure: float | None
    words: str
    next_step: str = ""

    def to_json(self) -> dict[str, Any]:
        """What is kept of it with a promotion."""
        return {"gate": self.gate, "is_passed": self.is_passed, "figure": self.figure, "words": self.words}


def load_gates(path: Path | None = None) -> Gates:
    """Read the gates of a recipe; without a path, the one beside this module.

    Raises `SettingsError` when the file is not TOML, has no gates, or names too much or too little.
    """
    path = path or Path(__file__).with_name("recipe.toml")
    try:
        return Gates(**tomllib.loads(path.read_text(encoding="utf-8"))["gates"])
    except (OSError, tomllib.TOMLDecodeError, TypeError, KeyError) as error:
        raise SettingsError(f"no gates: {error}", str(path), "nobody can say what may serve", "mend [gates] there") from error


def judge_gates(trial: Mapping[str, Any], beside: Mapping[str, Any] | None, champion: str | None, gates: Gates) -> list[Passed]:
    """Judge a challenger by its trial (`about["evaluation"]` of its `model.json`), gate by gate.

    `beside` is how a champion did on the same trial (as of `rivals.try_champion`), `champion` who is champion now (null: nobody).
    """
    figure = trial.get("calibration_error")
    return [
        *_judge_trial(trial, gates),
        *(_judge_lead(trial, name, baseline) for baseline in gates.ahead_of for name in FIGURES),
        _bound("calibration_error", figure, gates.calibration_error, f"calibration error {_say(figure)}", _RECIPE),
        *([] if champion is None else _judge_beside(trial, beside, champion, gates)),
    ]


def _judge_trial(trial: Mapping[str, Any], gates: Gates) -> list[Passed]:
    is_honest, is_tried, defaults = trial.get("is_out_of_time") is True, trial.get("is_scorecard") is False, trial.get("defaults") or 0
    when = f"its trial was {'' if is_honest else 'not '}out of time"
    who = f"{'the model itself' if is_tried else 'the scorecard, not the model,'} stood its trial"
    many = f"{defaults:,} defaults in its trial, at least {gates.defaults:,} asked"
    return [
        Passed("out_of_time", is_honest, None, when, _LONGER),
        Passed("tried", is_tried, None, who, _LONGER),
        Passed("defaults", defaults >= gates.defaults, defaults, many, _LONGER),
    ]


def _judge_lead(trial: Mapping[str, Any], name: str, baseline: str) -> Passed:
    ours, theirs = trial.get(name), trial.get("baselines", {}).get(baseline, {}).get(name)
    is_ahead = ours is not None and theirs is not None and ours > theirs
    words = f"{FIGURES[name]} {_say(ours)}, more than {_say(theirs)} of {baseline} asked"
    return Passed(f"{name}_ahead_of_{baseline}", is_ahead, ours, words, f"{_RECIPE}; until then let the champion or the scorecard serve")


def _judge_beside(trial: Mapping[str, Any], beside: Mapping[str, Any] | None, champion: str, gates: Gates) -> list[Passed]:
    """A champion that can't be tried can't score a night either: it bars nobody."""
    if beside is None or beside.get("version") != champion:
        return [Passed("tried_beside_champion", is_passed=False, figure=None, words=f"not tried beside {champion}", next_step=_AGAIN)]
    if beside.get("why"):
        return [Passed("tried_beside_champion", is_passed=True, figure=None, words=f"the champion can't be tried: {beside['why']}")]
    if beside["way"] == SAME:
        words = f"by the recipe and from the features of {champion}: only what was known differs"
        return [Passed("tried_beside_champion", is_passed=True, figure=None, words=words)]
    falls = {"auc": gates.auc_fall, "average_precision": gates.average_precision_fall}
    return [
        Passed("tried_beside_champion", is_passed=True, figure=None, words=f"tried beside {champion} ({beside['way']})"),
        *(_judge_fall(trial.get(name), beside.get(name), name, most) for name, most in falls.items()),
    ]


def _judge_fall(ours: float | None, theirs: float | None, name: str, most: float) -> Passed:
    fall = None if ours is None or theirs is None else theirs - ours
    words = f"{FIGURES[name]} {_say(ours)} beside {_say(theirs)} of the champion, a fall of {_say(fall)}"
    return _bound(f"{name}_beside_champion", fall, most, words, f"{_RECIPE}; until then let the champion serve")


def _bound(gate: str, figure: float | None, most: float, words: str, next_step: str) -> Passed:
    return Passed(gate, figure is not None and figure <= most, figure, f"{words}, at most {most:.4f} asked", next_step)


def _say(figure: float | None) -> str:
    return "not measured" if figure is None else f"{figure:.4f}"
