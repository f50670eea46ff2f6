"""Scores on Spark: each executor gets the model once and scores what it holds, through Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from models.model import Model
from models.score import score_rows

_SCORED = {"borrower_id": "string", "raw_score": "double", "points": "bigint", "has_sign": "boolean"}
_TOLD = {"days_past_due": "double", "is_in_adjustment": "double"}


def score_frame(features: Any, model: Model | None, share: Callable[[Model | None], Callable[[], Model | None]]) -> Any:
    """Score each borrower of a Spark frame of features: a Spark frame of the same rows and columns as `score_rows`.

    `share` hands the model to all executors and gives what is called there to have it. Raises `InputError` when a feature the
    model was trained on is not there.
    """
    if model is not None:  # said here, where it is one line
        model.arrange(pl.DataFrame(schema=dict.fromkeys(features.columns, pl.Float64)))
    told = share(model)

    def score_batches(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        kinds = {"string": pa.string(), "double": pa.float64(), "bigint": pa.int64(), "boolean": pa.bool_()}
        schema = pa.schema({name: kinds[kind] for name, kind in (_SCORED | _TOLD).items()})
        for batch in batches:
            yield from score_rows(pl.DataFrame(batch), told()).to_arrow().cast(schema).to_batches()

    return features.mapInArrow(score_batches, ", ".join(f"{name} {kind}" for name, kind in (_SCORED | _TOLD).items()))
