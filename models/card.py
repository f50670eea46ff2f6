"""The model's card: what a person should know before they trust it."""

from __future__ import annotations

from typing import Any

_FIGURES = (
    "auc", "average_precision", "brier", "calibration_error", "precision_at_5pct", "recall_at_5pct", "lead_days_median",
)  # fmt: skip


def write_card(model: dict[str, Any]) -> str:
    """Write the card of a model from what `model.json` holds, as Markdown; every figure in it comes from there."""
    about, levels = model["about"], model["thresholds"]
    trial = about.get("evaluation", {})
    lines = [
        f"# Model {model['version']}",
        "",
        f"It foretells a default within {model['horizon_days']} days. Known by {model['known_by']}.",
        f"Origins {model['origins'][0]} to {model['origins'][-1]} ({len(model['origins'])}).",
        f"{about['rows']:,} rows, {about['borrowers']:,} borrowers, {about['defaults']:,} of them with a default.",
        f"Base rate at the latest origins {about['base_rate']:.4f}. {_describe_trees(about)}",
        f"Levels from a calibrated risk ({model['calibration']['kind']}) of: watch {levels['watch']:.4f}, caution {levels['caution']:.4f}, alert {levels['alert']:.4f}.",
        "",
        *_describe_trial(trial),
        "## Features and the direction in which risk may only rise",
        "",
        *(f"- {name}: {'up' if way > 0 else 'down' if way < 0 else 'either'}" for name, way in model["features"].items()),
        "",
        "## Limits",
        "",
        "It ranks borrowers for help by people. It never decides, and never reaches lending, guarantee, rate or recovery.",
    ]
    return "\n".join(lines) + "\n"


def _describe_trees(about: dict[str, Any]) -> str:
    shape = "Additive: the simpler shape serves where data is thin. " if about["is_thin"] else ""
    return f"{shape}{about['rounds']} trees.{tell_lot(about)}"


def tell_lot(about: dict[str, Any]) -> str:
    """Tell of how many it learned, where not of all, and how the base rate stood; a model that does not say is not told of."""
    lot, share = about.get("lot"), about.get("negatives_share", 1.0)
    some = f" Learned from a lot of {lot['borrowers']:,} of {lot['of']:,} borrowers." if lot and lot["borrowers"] < lot["of"] else ""
    left = f" {lot['rows_left_out']:,} rows of older origins were left out before." if lot and lot["rows_left_out"] else ""
    if share >= 1.0:
        return some
    return f"{some} Trees grew on every default and {share:.1%} of the others; the calibration, on rows that were not thinned, puts the base rate right.{left}"


def _describe_trial(trial: dict[str, Any]) -> list[str]:
    if not trial:
        return []
    contenders = {"model": trial, **trial["baselines"]}
    when = "out of time and borrower-disjoint" if trial["is_out_of_time"] else "borrower-disjoint, **not out of time**"
    stand_in = ["Too few defaults were known before it: the scorecard stood in for the model."] if trial["is_scorecard"] else []
    ahead = [name for name, figures in trial["baselines"].items() if (figures["auc"] or 0) >= (trial["auc"] or 0)]
    return [
        f"## Trial at {', '.join(trial['origins'])}: {when}",
        "",
        *([f"**Not ahead of {', '.join(ahead)}.**", ""] if ahead else []),
        *stand_in,
        f"| | {' | '.join(contenders)} |",
        f"|---|{'---|' * len(contenders)}",
        *(f"| {figure} | {' | '.join(_say(figures.get(figure)) for figures in contenders.values())} |" for figure in _FIGURES),
        "",
        f"{trial['borrowers']:,} borrowers, {trial['defaults']:,} defaults; {trial['excluded_in_crisis']:,} already in crisis were left out, and {trial['excluded_already_in_default']:,} whose default came to light later.",
        "",
    ]


def _say(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.4f}"
