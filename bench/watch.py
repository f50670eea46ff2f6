"""How often the watch cries wolf: a made-up town in which nothing happens is looked at night after night, and each alarm is a false one.

Every night is laid beside what would be usual for it (the same days of the month before it), as the night itself does.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import polars as pl

from features import build_features
from models.bars import Bars, load_bars
from models.drift import measure_drift
from models.labels import find_in_crisis
from models.seasons import choose_usual, go_back
from models.sketch import sketch_features
from models.watch import judge_drift, sum_up_break
from signals.settled import settle_known
from signals.simulate.town import simulate_town

UNTIL = date(2026, 9, 30)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--borrowers", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--months", type=int, default=3, help="how many months before are usual")
    given = parser.parse_args()
    tables = make_town(given.borrowers, given.seed)
    nights = [UNTIL - timedelta(days=back) for back in range(given.nights)][::-1]
    sketches = {day: sketch_day(tables, day) for day in list_days(nights, given.months)}
    for name, figure in tell_alarms(watch_nights(sketches, nights, load_bars())).items():
        print(f"{name:<48}{figure}")


def make_town(borrowers: int, seed: int) -> dict[str, pl.DataFrame]:
    """Make the tables of a town, all versions."""
    return dict(simulate_town(borrowers=borrowers, months=36, seed=seed, until=UNTIL).tables)


def list_days(nights: Sequence[date], months: int) -> list[date]:
    """List the nights, and those that are usual for them in so many months before."""
    near = [timedelta(days=days) for days in (-1, 0, 1)]
    return sorted({*nights, *(go_back(night, back) + by for night in nights for back in range(1, months + 1) for by in near)})


def sketch_day(tables: Mapping[str, pl.DataFrame], day: date) -> pl.DataFrame:
    """Sketch the features of all who were not in crisis, by what was known on a day."""
    known = {name: settle_known(frame.lazy(), name, day) for name, frame in tables.items()}
    in_crisis = find_in_crisis(known, day).collect()
    return sketch_features(build_features(known, day).collect().join(in_crisis, on="borrower_id", how="anti").drop("borrower_id"))


def watch_nights(sketches: Mapping[date, pl.DataFrame], nights: Sequence[date], bars: Bars) -> list[tuple[date, pl.DataFrame]]:
    """Watch nights one after the other: the product drift of each, the newest first; every feature counts as the champion's."""
    watched: list[tuple[date, pl.DataFrame]] = []
    for night in nights:
        usual, like = choose_usual(night, [day for day in sketches if day.month != UNTIL.month or day in nights])
        moved = measure_drift(sketches[night], pl.concat([sketches[day] for day in like]), bars.least_rows)
        watched.insert(0, (night, judge_drift(moved, usual, moved["feature"].to_list(), watched, night, bars)))
    return watched


def tell_alarms(watched: Sequence[tuple[date, pl.DataFrame]]) -> dict[str, str]:
    """Count the alarms, by feature and night, and how near the nights came to shock mode."""
    bars, rows = load_bars(), pl.concat([drift.with_columns(night=pl.lit(night)) for night, drift in watched])
    alarms, over = rows.filter("is_alarm"), rows.filter("is_over")
    broken = max(sum_up_break(drift, bars)["share"] for _, drift in watched)
    return {
        "nights": f"{len(watched)}",
        "features on nights": f"{rows.height:,}",
        "over a bar": f"{over.height:,} ({over.height / rows.height:.2%})",
        "alarms: the false-alarm rate": f"{alarms.height:,} ({alarms.height / rows.height:.2%})",
        "nights with any alarm": f"{alarms['night'].n_unique():,}",
        "who cried": ", ".join(f"{name} {count}" for name, count in Counter(alarms["feature"]).most_common(6)) or "–",
        "nearest to shock mode: share broken away": f"{broken:.1%}, {bars.shock.share:.0%} on {bars.shock.nights} nights running breaks it",
    }


if __name__ == "__main__":
    main()
