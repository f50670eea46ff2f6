"""Peers: shops of the same trade and place whose newest month of sales is the same, so that a bad season is not read as a bad shop.

Shops are described by one row each: for each measure (`m`) its value `m`, and in one number (`m key`) what its peers share: the
moment (the newest month, in months ago, and what else is never given up), the trade, the place. What is found of them is one
row per `measure` and `key` there is: the `median`, and the number of `shops` it is of.
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
_STEP = 1_000  # room for a trade, and for a place, in a key: a join by one number takes half the time of one by three
_WIDTHS = {"place": 1, "trade": _STEP, "all": _STEP * _STEP}  # what a key is divided by, to be shared by more shops


def list_peer_medians(values: Iterable[Value]) -> list[PeerMedian]:
    """List the peer medians that some values stand on, by name."""
    return sorted(frozenset().union(*map(find_peer_medians, values)), key=lambda median: median.name)


def describe_shops(wide: nw.LazyFrame[Any], medians: Sequence[PeerMedian]) -> nw.LazyFrame[Any]:
    """Describe the shops whose leaves are filled and of whom anything is known to compare: one row per borrower."""
    described = wide.select(
        "borrower_id",
        *(median.value.expr().cast(nw.Float64).alias(median.measure) for median in medians),
        *(_key(median).alias(f"{median.measure} key") for median in medians),
    )
    return described.filter(reduce(or_, (~nw.col(median.measure).is_null() for median in medians)))


def _key(median: PeerMedian) -> nw.Expr:
    # 0 stands for the unknown
    moment, trade, near = (
        nw.coalesce(side.expr().cast(nw.Int64) + 1, nw.lit(0, nw.Int64)) for side in (median.moment, median.trade, median.near)
    )
    return (moment * _STEP + trade) * _STEP + near


def measure_peers(shops: pl.LazyFrame) -> pl.LazyFrame:
    """Measure what is usual among peers: one row per measure and key of the shops, in no promised order.

    `median` is that of the trade and place where at least `FEWEST_PEERS` shops are known there, else of the trade in the
    whole country, else of all shops; `shops` is how many it is of. Null where even these are fewer than `FEWEST_SHOPS`.

    >>> cafes = pl.LazyFrame({"yoy": [-0.3] * 20 + [0.1] * 10, "yoy key": [2_057_012] * 20 + [2_057_052] * 10})
    >>> measure_peers(cafes).sort("key").collect().rows()
    [('yoy', 2057012, -0.3, 20), ('yoy', 2057052, -0.3, 30)]
    """
    rows: nw.LazyFrame[Any] = nw.from_native(shops)
    measures = [name.removesuffix(" key") for name in rows.collect_schema().names() if name.endswith(" key")]
    measured: pl.LazyFrame = nw.concat([_measure(rows, measure) for measure in measures]).to_native()
    return measured


def _measure(shops: nw.LazyFrame[Any], measure: str) -> nw.LazyFrame[Any]:
    rows = shops.select(key=nw.col(f"{measure} key"), value=nw.col(measure)).filter(~nw.col("value").is_null())
    found = rows.select("key").unique()
    for name, divisor in _WIDTHS.items():
        wider = nw.col("key") // divisor
        usual = nw.col("value").median().alias(f"median_{name}"), nw.col("value").count().alias(f"shops_{name}")
        medians = rows.select(wider.alias(name), "value").group_by(name).agg(*usual)
        found = found.with_columns(wider.alias(name)).join(medians, on=name, how="left")
    has_trade, has_place = nw.col("trade") % _STEP != 0, nw.col("place") % _STEP != 0
    tells = {
        "place": (nw.col("shops_place") >= FEWEST_PEERS) & has_trade & has_place,
        "trade": (nw.col("shops_trade") >= FEWEST_PEERS) & has_trade,
        "all": nw.col("shops_all") >= FEWEST_SHOPS,
    }
    median, number = (
        nw.coalesce(*(nw.when(told).then(nw.col(f"{of}_{name}")) for name, told in tells.items())) for of in ("median", "shops")
    )
    return found.select(nw.lit(measure).alias("measure"), "key", median=median, shops=number)


def compare_with_peers(wide: nw.LazyFrame[Any], medians: Sequence[PeerMedian], peers: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Say what each borrower is compared with: one row per borrower and `measure`, with their `own` value, the `median` and its `shops`.

    Null where one of these is unknown.
    """
    sides = [
        wide.select("borrower_id", measure=nw.lit(median.measure), key=_key(median), own=median.value.expr().cast(nw.Float64))
        for median in medians
    ]
    compared = nw.concat(sides).join(peers, on=["measure", "key"], how="left")
    return compared.select("borrower_id", "measure", "own", "median", nw.col("shops").cast(nw.Int64))


def join_peers(wide: nw.LazyFrame[Any], medians: Sequence[PeerMedian], peers: nw.LazyFrame[Any] | None) -> nw.LazyFrame[Any]:
    """Add to each borrower what is usual among their peers: one column per median."""
    if peers is None:
        return wide
    for median in medians:
        usual = peers.filter(nw.col("measure") == median.measure).select("key", nw.col("median").alias(median.name))
        wide = wide.with_columns(key=_key(median)).join(usual, on="key", how="left").drop("key")
    return wide
