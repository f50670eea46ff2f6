"""Horizons and folds that nobody can mean."""

from __future__ import annotations

from signals.errors import SettingsError

# Ten years; and a model is fitted anew for each fold.
HORIZON_DAYS_MAX, FOLDS_MAX = 3_650, 50


def refuse_extremes(horizon_days: int, folds: int | None) -> None:
    """Refuse a horizon of no day or of more than ten years, and fewer than two folds or too many: raises `SettingsError`."""
    if not 1 <= horizon_days <= HORIZON_DAYS_MAX:
        raise SettingsError(
            f"a horizon of {horizon_days} days",
            "--horizon-days",
            "no history tells what came of a borrower within it",
            f"choose from 1 to {HORIZON_DAYS_MAX} days",
        )
    if folds is not None and not 2 <= folds <= FOLDS_MAX:  # noqa: PLR2004
        raise SettingsError(
            f"a backtest needs two folds or more, and {FOLDS_MAX} at most, not {folds}",
            "--folds",
            "nobody would be left to test on, or it would run for days",
            "give --folds 5",
        )
