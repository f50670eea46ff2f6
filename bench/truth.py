"""How many of the crises that the made-up town's own hazard catches the model catches too, at the same length of the list.

The town is made once and kept, of a seed nothing was tuned to. It is tried as `deungdae backtest` does: out of time, and every borrower
by a model that never saw them. The hazard is read only now: the simulator's probability, given the hidden state that nobody can see.
Who has no hazard (90 days overdue, which was not known yet) is left out of both lists.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # the code that stands here, wherever the command is given

from models.bootstrap import add_intervals, resample  # noqa: E402
from models.evaluate import measure_calibration_error  # noqa: E402
from models.figures import Figures  # noqa: E402
from models.ranking import Numbers, Ranking, rank_rows  # noqa: E402

SHARES = (1, 2, 5, 10)
HAZARD = "hazard_180d"
HORIZON_DAYS = 180
WANTED_CAPTURE, WANTED_ERROR = 0.9, 0.01


def main() -> None:
    """Make the town, try it, print, and write the JSON."""
    arguments = _read_arguments()
    place = arguments.data / f"truth-{arguments.borrowers}-{arguments.months}-{arguments.seed}"
    if not place.exists():
        _make_town(place, arguments)
    found = {
        **{name: getattr(arguments, name) for name in ("borrowers", "months", "seed")},
        **measure_against_truth(_try_town(place, arguments.origins), _read_truth(place, arguments.origins), arguments.resamples),
    }
    _show(found)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


def measure_against_truth(tried: pl.DataFrame, truth: pl.DataFrame, resamples: int) -> dict[str, Any]:
    """Measure each contender of a trial beside the hazard: `capture_at_…` is its recall over the hazard's, with its interval by borrower.

    `tried` as of `trial.try_models`; `truth` has borrower_id, as_of and hazard_180d. Null where the hazard itself catches nobody.
    """
    from models.trial import CONTENDERS

    both = tried.join(truth.rename({"as_of": "origin"}), on=["origin", "borrower_id"], how="left").sort("origin", "borrower_id")
    rows = both.filter(pl.col(HAZARD).is_not_null())
    label, hazard = rows["is_default"].to_numpy().astype(np.float64), rows[HAZARD].to_numpy()
    people = (rows["borrower_id"].rank("dense").cast(pl.Int64) - 1).to_numpy()
    by_hazard = _rank_by_origin(rows, label, hazard)
    measures = {name: _Captures(_rank_by_origin(rows, label, rows[f"{name}_risk"].to_numpy()), by_hazard).measure for name in CONTENDERS}
    drawn = resample(measures, people, resamples, seed=1)
    told = {name: add_intervals(measure(np.ones(len(rows))), drawn[name], {}) for name, measure in measures.items()}
    own = both["is_default"].to_numpy().astype(np.float64)
    error = measure_calibration_error(own, both["model_risk"].to_numpy())
    return {
        "rows": len(rows),
        "defaults": int(label.sum()),
        "without_hazard": len(both) - len(rows),
        "calibration_error": error,
        "calibration_error_of_hazard": measure_calibration_error(label, hazard),
        "contenders": told,
    }


class _Captures:
    """A contender's lists beside the hazard's, origin by origin."""

    def __init__(self, own: Sequence[tuple[slice, Ranking]], by_hazard: Sequence[tuple[slice, Ranking]]) -> None:
        self.own, self.by_hazard = own, by_hazard

    def measure(self, weights: Numbers) -> Figures:
        """The share of the hazard's catch at each length, each row counting as its weight."""
        told: Figures = {}
        for pct in SHARES:
            ours, best = (sum(_catch(ranking, weights[rows], pct) for rows, ranking in lists) for lists in (self.own, self.by_hazard))
            told[f"capture_at_{pct}pct"] = ours / best if best else None
            told[f"caught_at_{pct}pct"], told[f"caught_by_hazard_at_{pct}pct"] = ours, best
        return told


def _catch(ranking: Ranking, weights: Numbers, pct: int) -> float:
    reach = ranking.weigh(weights)
    return (reach.measure_at(pct / 100)[1] or 0.0) * float(reach.caught[-1])


def _rank_by_origin(rows: pl.DataFrame, label: Numbers, score: Numbers) -> list[tuple[slice, Ranking]]:
    """The rows of each origin (they stand together) by a score."""
    ends = np.cumsum(rows.group_by("origin", maintain_order=True).len()["len"].to_numpy())
    parts = [slice(int(start), int(end)) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    return [(part, rank_rows(label[part], score[part])) for part in parts]


def _try_town(place: Path, origins: Sequence[date]) -> pl.DataFrame:
    from training import _open_book, _try_origin

    book = _open_book([str(place)], HORIZON_DAYS, lambda said: print(f"… {said}", file=sys.stderr, flush=True))
    return pl.concat([_try_origin(book, origin, None, is_out_of_time=True) for origin in origins])


def _make_town(place: Path, arguments: argparse.Namespace) -> None:
    from signals.simulate import write_town_folder

    place.parent.mkdir(parents=True, exist_ok=True)
    write_town_folder(place, arguments.borrowers, arguments.months, arguments.seed, arguments.until)


def _read_truth(place: Path, origins: Sequence[date]) -> pl.DataFrame:
    from signals.simulate import truth_path

    files = truth_path(place)
    told = pl.scan_parquet(files / "*.parquet" if files.is_dir() else files).filter(pl.col("as_of").is_in(list(origins)))
    return told.select("borrower_id", "as_of", HAZARD).collect()


def _show(found: Mapping[str, Any]) -> None:
    title = f"{found['borrowers']:,} borrowers, {found['months']} months, seed {found['seed']}: {found['defaults']:,} of {found['rows']:,} came to a crisis"
    table = Table("caught, of what the hazard catches", *(f"{pct} %" for pct in SHARES), title=title)
    for name, one in found["contenders"].items():
        table.add_row(name, *(_say(one, f"capture_at_{pct}pct") for pct in SHARES))
    console = Console(width=120)
    console.print(table)
    held = found["contenders"]["model"]["capture_at_5pct"]
    is_held = held is not None and held >= WANTED_CAPTURE
    console.print(f"capture at 5 %: {held:.3f}, at least {WANTED_CAPTURE} asked: {'held' if is_held else 'MISSED'}")
    error = found["calibration_error"]
    console.print(f"calibration error: {error:.4f}, at most {WANTED_ERROR} asked: {'held' if error <= WANTED_ERROR else 'MISSED'}")


def _say(one: Mapping[str, Any], name: str) -> str:
    point, interval = one[name], one.get(f"{name}_interval")
    return "-" if point is None else f"{point:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--borrowers", type=int, default=60_000)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--seed", type=int, default=90_210)
    parser.add_argument("--until", type=date.fromisoformat, default=date(2026, 10, 1))
    parser.add_argument("--origins", type=date.fromisoformat, nargs="+", default=[date(2026, 3, 31)])
    parser.add_argument("--resamples", type=int, default=200, help="of borrowers, for the intervals")
    parser.add_argument("--data", type=Path, default=HERE / ".data", help="the folder in which the made town stays for the next run")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
