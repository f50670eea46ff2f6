"""A small sketch of many values: how many lie in each cell of one fixed grid, so that any two nights can be laid side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.ranking import Numbers

Cells = NDArray[np.int64]

WIDTH, SMALLEST = float(np.log(1.02)), 1e-3
UNKNOWN = -1_000_000  # the cell of those of whom a feature is not known
RISK = "risk"  # the name under which the champion's risk stands beside the features
SKETCH = {"feature": pl.String, "cell": pl.Int64, "rows": pl.Int64}


def find_cells(values: Numbers) -> Cells:
    """Say in which cell each value lies: every cell is 2 % wide, nought and what is nearer to it than 0.001 share one.

    >>> find_cells(np.array([0.0, 100.0, 101.0, -100.0, float("nan")])).tolist()
    [0, 582, 582, -582, -1000000]
    """
    size = np.maximum(np.abs(values) / SMALLEST, 1.0)
    cells = np.sign(values) * np.where(size > 1.0, np.floor(np.log(size) / WIDTH) + 1, 0.0)
    return np.asarray(np.nan_to_num(cells, nan=UNKNOWN).astype(np.int64))


def sketch_values(values: Mapping[str, Numbers]) -> pl.DataFrame:
    """Sketch named values (NaN: unknown): one row per `feature` and `cell` that holds any, with how many `rows`, sorted."""
    parts = [_count(name, *np.unique_counts(find_cells(numbers))) for name, numbers in values.items()]
    return pl.concat([pl.DataFrame(schema=SKETCH), *parts]).sort("feature", "cell")


def sketch_features(rows: pl.DataFrame) -> pl.DataFrame:
    """Sketch every numeric column of some rows, as of `sketch_values`."""
    columns = rows.select(pl.selectors.numeric().cast(pl.Float64).fill_null(float("nan")))
    return sketch_values({column.name: column.to_numpy() for column in columns})


def keep_large(sketch: pl.DataFrame, least_rows: int) -> pl.DataFrame:
    """Keep the features of which a sketch holds so many rows: of a few it would tell nothing of the whole, and too much of each.

    >>> keep_large(read_sketch({"x": "0:3 7:1", "y": "0:3"}), 4)["feature"].to_list()
    ['x', 'x']
    """
    return sketch.filter(pl.col("rows").sum().over("feature") >= least_rows)


def write_sketch(sketch: pl.DataFrame) -> dict[str, str]:
    """Write a sketch as one short line per feature, to be kept with a model."""
    lines = sketch.sort("feature", "cell").group_by("feature", maintain_order=True)
    return dict(lines.agg(pl.format("{}:{}", "cell", "rows").str.join(" ")).iter_rows())


def read_sketch(lines: Mapping[str, str]) -> pl.DataFrame:
    """Read a sketch from what `write_sketch` wrote; none from nothing.

    >>> read_sketch({"x": "0:3 7:1"}).rows()
    [('x', 0, 3), ('x', 7, 1)]
    """
    cells = [(name, *map(int, cell.split(":"))) for name, line in lines.items() for cell in line.split()]
    return pl.DataFrame(cells, schema=SKETCH, orient="row")


def _count(name: str, cells: Cells, rows: NDArray[np.intp]) -> pl.DataFrame:
    return pl.DataFrame({"feature": [name] * len(cells), "cell": cells, "rows": rows}, schema=SKETCH)
