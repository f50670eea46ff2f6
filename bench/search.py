"""The hyper-parameters, searched once: by lot from a written space, out of time, on towns of several seeds and on real data together.

Each trial grows trees on two thirds of the borrowers (the second third says when to stop) and is judged by its log loss on the last
third, at an origin whose past was known by then; on data of one origin by borrowers alone. A data set counts by the ratio to the
standing recipe's loss, so that none counts more than another; each town counts once more as if only a part of it were known. The first trial is the standing recipe. The record names it all.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # the code that stands here, wherever the command is given

from models.evaluate import measure_auc, measure_average_precision  # noqa: E402
from models.folds import assign_folds  # noqa: E402
from models.lot import draw_lot  # noqa: E402
from models.recipe import Recipe, load_recipe  # noqa: E402
from models.train import KEYS, choose_features  # noqa: E402
from models.trees import fit_trees, set_up  # noqa: E402

SPACE: dict[str, tuple[Any, ...]] = {
    "learning_rate": (0.02, 0.03, 0.04, 0.06),
    "num_leaves": (4, 7, 15, 31),
    "max_depth": (3, 4, 6, 8),
    "min_data_in_leaf": (50, 100, 200, 400),
    "feature_fraction": (0.2, 0.3, 0.5, 0.8),
    "bagging_fraction": (0.5, 0.7, 0.9),
    "lambda_l2": (1.0, 10.0, 30.0, 100.0),
}
NEGATIVES = (5, 10, 20)
ORIGIN, HORIZON_DAYS, EVERY = date(2026, 3, 31), 180, 2
UNTIL = date(2026, 10, 1)
LAST_FOLD = 2
TOWN = "town "
ERRORS = 2.0  # of the mean ratio, below which a better point is luck


@dataclass(frozen=True)
class Book:
    """One data set: `past` to learn from and `present` to be judged on (where they are the same rows, there is one origin)."""

    name: str
    past: pl.DataFrame
    present: pl.DataFrame


def main() -> None:
    """Read the books, try every point, write the record."""
    arguments = _read_arguments()
    towns = [_read_town(arguments, seed) for seed in arguments.seeds]
    books = [*towns, *(_thin_out(town, arguments.thin) for town in towns)]
    books += [_read_real(place) for place in arguments.real]
    tried = []
    for number, point in enumerate(draw_points(load_recipe(), arguments.trials, arguments.seed)):
        start = time.perf_counter()
        tried.append((point, [judge_point(point, book) for book in books]))
        print(f"… trial {number} of {arguments.trials}, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    words = f"python bench/search.py --trials {arguments.trials} --seed {arguments.seed} --borrowers {arguments.borrowers} --months {arguments.months} --seeds {' '.join(map(str, arguments.seeds))} --thin {arguments.thin}"
    words += "".join(f" --real {Path(place).name}" for place in arguments.real)
    arguments.record.write_text(write_record(words, [book.name for book in books], tried), encoding="utf-8")
    print(f"the record: {arguments.record}")


def draw_points(standing: Recipe, trials: int, seed: int) -> list[Recipe]:
    """The standing recipe and, by lot, so many others."""
    rng, points = np.random.default_rng(seed), [standing]
    for _ in range(trials):
        drawn = {name: values[int(rng.integers(len(values)))] for name, values in SPACE.items()}
        points.append(
            replace(standing, trees={**standing.trees, **drawn}, negatives_per_default=NEGATIVES[int(rng.integers(len(NEGATIVES)))])
        )
    return points


def judge_point(recipe: Recipe, book: Book) -> dict[str, float]:
    """The log loss, AUC and average precision of trees by `recipe` on borrowers they did not see, at the present of a book."""
    is_one = book.past is book.present
    rows = book.past if is_one else pl.concat([book.past, book.present])
    is_past = np.ones(len(rows), dtype=bool) if is_one else np.arange(len(rows)) < len(book.past)
    folds = assign_folds(rows.select(KEYS), LAST_FOLD + 1, recipe.seed)
    chosen = choose_features(rows.filter(pl.Series(is_past)), _list_directions())
    setup = set_up(rows, chosen, recipe, is_additive=False)
    grown = fit_trees(setup, is_past & (folds == 0), recipe.rounds_max, is_past & (folds == 1))
    judged = (folds == LAST_FOLD) & (np.ones(len(rows), dtype=bool) if is_one else ~is_past)
    raw = grown.predict(setup.matrix[judged], raw_score=True, num_iteration=grown.best_iteration)
    label, said = setup.label[judged], raw - setup.shift
    auc, precision = measure_auc(label, raw), measure_average_precision(label, raw)
    loss = float((np.logaddexp(0.0, said) - label * said).mean())
    return {"loss": loss, "auc": auc or 0.0, "average_precision": precision or 0.0, "rounds": float(grown.best_iteration)}


def write_record(words: str, books: Sequence[str], tried: Sequence[tuple[Recipe, Sequence[Mapping[str, float]]]]) -> str:
    """Write what was tried, best first, as Markdown, and which point serves."""
    losses = [[one["loss"] for one in found] for _, found in tried]
    ranked = rank_points(losses)
    names = [*SPACE, "negatives_per_default"]
    head = ["trial", "mean ratio", "± error", *names, *(f"{book}: loss, AUC, AP, rounds" for book in books)]
    best, serves = ranked[0], choose_winner(losses, [TOWN not in book for book in books])
    lines = [
        "# The search for hyper-parameters",
        "",
        f"Written by `{words}`; do not edit. Trial 0 is the recipe that stood before. No class weights: they break calibration.",
        "",
        "The mean ratio is that of the log losses to those of trial 0, over the books; its error is the standard error over them. Another",
        f"point serves only when it is better by {ERRORS:.0f} errors (else the difference is luck) and loses on no real book; else what stands stays.",
        "",
        f"The best: trial {best[2]}, {_say_point(tried[best[2]][0], names)}: {best[0]:.4f} ± {best[1]:.4f}. **Serving: trial {serves}**, {_say_point(tried[serves][0], names)}.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    for ratio, error, number in ranked:
        point, found = tried[number]
        settings = [str(_read_setting(point, name)) for name in names]
        figures = [f"{one['loss']:.5f}, {one['auc']:.4f}, {one['average_precision']:.4f}, {one['rounds']:.0f}" for one in found]
        lines.append(f"| {' | '.join([str(number), f'{ratio:.4f}', f'{error:.4f}', *settings, *figures])} |")
    return "\n".join(lines) + "\n"


def rank_points(losses: Sequence[Sequence[float]]) -> list[tuple[float, float, int]]:
    """Rank the points, best first: the mean ratio to the first point's losses over the books, its standard error, the point's number."""
    ratios = np.array(losses) / np.array(losses[0])
    errors = ratios.std(axis=1, ddof=1) / np.sqrt(ratios.shape[1])
    return sorted((float(mean), float(error), number) for number, (mean, error) in enumerate(zip(ratios.mean(axis=1), errors, strict=True)))


def choose_winner(losses: Sequence[Sequence[float]], is_real: Sequence[bool]) -> int:
    """The best point that is better than what stands (0) by more than luck, and no worse on any real book; else what stands."""
    real = np.array(losses)[:, list(is_real)]
    no_worse = {number for number, found in enumerate(real) if (found <= real[0]).all()}
    return next((number for ratio, error, number in rank_points(losses) if ratio < 1 - ERRORS * error and number in no_worse), 0)


def _say_point(point: Recipe, names: Sequence[str]) -> str:
    return ", ".join(f"{name} {_read_setting(point, name)}" for name in names)


def _read_setting(point: Recipe, name: str) -> Any:
    return point.negatives_per_default if name == "negatives_per_default" else point.trees[name]


def _list_directions() -> dict[str, int]:
    from features import directions

    return directions()


def _read_town(arguments: argparse.Namespace, seed: int) -> Book:
    """A made-up town's rows, kept for the next run: the past at every second origin, and the present at `ORIGIN`."""
    from signals.simulate import write_town_folder
    from training import _open_book

    place = arguments.data / f"search-{arguments.borrowers}-{arguments.months}-{seed}"
    kept = [place.with_name(f"{place.name}-{part}.parquet") for part in ("past", "present")]
    if not all(file.exists() for file in kept):
        write_town_folder(place, arguments.borrowers, arguments.months, seed, UNTIL)
        book = _open_book([str(place)], HORIZON_DAYS, lambda said: print(f"… {said}", file=sys.stderr, flush=True))
        origins = book.list_origins(ORIGIN)[::-EVERY][::-1]
        book.read_rows(origins, ORIGIN).write_parquet(kept[0])
        book.read_rows([ORIGIN], book.span.last_known).write_parquet(kept[1])
    return Book(f"{TOWN}{seed}", *(pl.read_parquet(file) for file in kept))


def _thin_out(book: Book, share: float) -> Book:
    """The same book where only a part of the borrowers can be learned from: what serves the many must not fail the few."""
    lot = draw_lot(book.past["borrower_id"], seed=1)
    return Book(f"{share:.0%} of {book.name}", book.past.filter(pl.Series(lot < share)), book.present)


def _read_real(place: str) -> Book:
    """A source folder of one origin, the newest whose horizon of 31 days is known."""
    from training import _open_book

    book = _open_book([place], 31, lambda said: print(f"… {said}", file=sys.stderr, flush=True))
    rows = book.read_rows(book.list_origins(book.span.last_known)[-1:], book.span.last_known)
    return Book(Path(place).name, rows, rows)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=24, help="points drawn by lot, beside the standing recipe")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--borrowers", type=int, default=20_000)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103], help="of the towns")
    parser.add_argument("--thin", type=float, default=0.3, help="each town is also learned from by so many of its borrowers alone")
    parser.add_argument("--real", nargs="*", default=[], help="source folders of real data with one origin")
    parser.add_argument("--data", type=Path, default=HERE / ".data", help="the folder in which the made rows stay for the next run")
    parser.add_argument("--record", type=Path, default=HERE.parent / "docs" / "hyper-parameters.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
