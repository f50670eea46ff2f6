"""Peers: shops of the same trade and place whose newest month of sales is the same, so that a bad season is not read as a bad shop.

Shops are described by one row each: for each measure (`m`) its value `m`, and what its peers share: `m moment` (the newest
month, in months ago, and what else is never given up), `m trade`, `m near` (-1: unknown). What is found of them is one row
per `measure`, `moment`, `trade` and `near` there is: `median`, and the number of `shops` it is of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any

import narwhals as nw
import polars as pl

from features.formula import PeerMedian, Value, find_peer_medians

FEWEST_PEERS = 20  # in a trade and place; with fewer, the trade in the whole country speaks, then all shops
FEWEST_SHOPS = 5  # of all trades and places; with fewer, nobody speaks
_UNKNOWN = -1
_KEYS = ("moment", "trade", "near")


def list_peer_medians(values: Iterable[Value]) -> list[PeerMedian]:
    """List the peer medians that some values stand on, by name."""
    return sorted(frozenset().union(*map(find_peer_medians, values)), key=lambda median: median.name)


def describe_shops(wide: nw.LazyFrame[Any], medians: Sequence[PeerMedian]) -> nw.LazyFrame[Any]:
    """Describe the shops whose leaves are filled and of whom anything is known to compare: one row per borrower."""
    described = wide.select(
        "borrower_id",
        *(median.value.expr().cast(nw.Float64).alias(median.measure) for median in medians),
        *(side for median in medians for side in _describe(median, f"{median.measure} ")),
    )
    return described.filter(reduce(or_, (~nw.col(median.measure).is_null() for median in medians)))


def _describe(median: PeerMedian, prefix: str = "") -> list[nw.Expr]:
    sides, unknown = (median.moment, median.trade, median.near), nw.lit(_UNKNOWN, nw.Int32)
    return [nw.coalesce(side.expr().cast(nw.Int32), unknown).alias(prefix + name) for name, side in zip(_KEYS, sides, strict=True)]


def measure_peers(shops: pl.LazyFrame) -> pl.LazyFrame:
    """Measure what is usual among peers: one row per measure, moment, trade and place of the shops, in no promised order.

    `median` is that of the trade and place where at least `FEWEST_PEERS` shops are known there, else of the trade in the
    whole country, else of all shops; `shops` is how many it is of. Null where even these are fewer than `FEWEST_SHOPS`.

    >>> cafes = pl.LazyFrame({"borrower_id": map(str, range(30)), "yoy": [-0.3] * 20 + [0.1] * 10, "yoy moment": [1] * 30,
    ...     "yoy trade": [56] * 30, "yoy near": [11] * 20 + [51] * 10})
    >>> measure_peers(cafes).sort("near").select("measure", "near", "median", "shops").collect().rows()
    [('yoy', 11, -0.3, 20), ('yoy', 51, -0.3, 30)]
    """
    rows: nw.LazyFrame[Any] = nw.from_native(shops)
    measures = [name.removesuffix(" moment") for name in rows.collect_schema().names() if name.endswith(" moment")]
    measured: pl.LazyFrame = nw.concat([_measure(rows, measure) for measure in measures]).to_native()
    return measured


def _measure(shops: nw.LazyFrame[Any], measure: str) -> nw.LazyFrame[Any]:
    rows = shops.select(*(nw.col(f"{measure} {key}").alias(key) for key in _KEYS), value=nw.col(measure)).filter(~nw.col("value").is_null())
    found = rows.select(*_KEYS).unique()
    for width in (3, 2, 1):
        usual = nw.col("value").median().alias(f"median_{width}"), nw.col("value").count().alias(f"shops_{width}")
        found = found.join(rows.group_by(*_KEYS[:width]).agg(*usual), on=list(_KEYS[:width]), how="left")
    has_trade, has_place = nw.col("trade") != _UNKNOWN, nw.col("near") != _UNKNOWN
    tells = {
        3: (nw.col("shops_3") >= FEWEST_PEERS) & has_trade & has_place,
        2: (nw.col("shops_2") >= FEWEST_PEERS) & has_trade,
        1: nw.col("shops_1") >= FEWEST_SHOPS,
    }
    median, number = (
        nw.coalesce(*(nw.when(told).then(nw.col(f"{of}_{width}")) for width, told in tells.items())) for of in ("median", "shops")
    )
    return found.select(nw.lit(measure).alias("measure"), *_KEYS, median=median, shops=number)


def compare_with_peers(wide: nw.LazyFrame[Any], medians: Sequence[PeerMedian], peers: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Say what each borrower is compared with: one row per borrower and `measure`, with their `own` value, the `median` and its `shops`.

    Null where one of these is unknown.
    """
    sides = [
        wide.select("borrower_id", *_describe(median), measure=nw.lit(median.measure), own=median.value.expr().cast(nw.Float64))
        for median in medians
    ]
    compared = nw.concat(sides).join(peers, on=["measure", *_KEYS], how="left")
    return compared.select("borrower_id", "measure", "own", "median", nw.col("shops").cast(nw.Int64))


def join_peers(wide: nw.LazyFrame[Any], medians: Sequence[PeerMedian], peers: nw.LazyFrame[Any] | None) -> nw.LazyFrame[Any]:
    """Add to each borrower what is usual among their peers: one column per median."""
    if peers is None:
        return wide
    for median in medians:
        usual = peers.filter(nw.col("measure") == median.measure).select(*_KEYS, nw.col("median").alias(median.name))
        wide = wide.with_columns(*_describe(median)).join(usual, on=list(_KEYS), how="left")
    return wide
