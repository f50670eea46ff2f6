"""Facts about the shop, and about what happened to the borrower."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from guidance.told_facts import read_whole
from signals.tables.signs import DEFAULT_KINDS

ADJUSTMENT_KINDS = ("early_adjustment", "workout", "rehabilitation")
# No table says when an adjustment ends. Ten years is the longest the pre-delinquency workout runs (FACTS §2.4, P33).
ADJUSTMENT_LASTS = "-10y"
OWN_COLUMNS = ("region_code", "district_code", "industry_code", "employees", "annual_sales_krw")
_HAS_PLACE = pl.col("region_code").is_not_null() | pl.col("district_code").is_not_null()  # one place, so both codes of one row
STATUS_OF_EVENT = {"suspension": "suspended", "closure": "closed", "reopening": "trading"}


def find_event_facts(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.LazyFrame:
    """Find what happened: one row per borrower_id with any event; a default within twelve months, an adjustment that still runs.

    Null: no such event is known, which means no only where the events of this borrower are covered.
    """
    rows = read_whole(tables, "events").filter(pl.col("happened_on") <= as_of)
    recent = pl.col("happened_on") > pl.lit(as_of).dt.offset_by("-12mo")
    running = pl.col("happened_on") > pl.lit(as_of).dt.offset_by(ADJUSTMENT_LASTS)
    return rows.group_by("borrower_id").agg(
        has_default_event=_true_or_unknown(pl.col("kind").is_in(DEFAULT_KINDS) & recent),
        is_in_adjustment=_true_or_unknown(pl.col("kind").is_in(ADJUSTMENT_KINDS) & running),
    )


def _true_or_unknown(is_seen: pl.Expr) -> pl.Expr:
    return pl.when(is_seen.any()).then(True)


def find_shop_facts(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.LazyFrame:
    """Find the state of the shop: one row per borrower_id; trading status, days it opened, closed and was suspended, place, trade.

    Business records count before the borrower's own columns; a stop or reopening known later than the records counts before them.
    """
    own = read_whole(tables, "borrowers").select("borrower_id", *OWN_COLUMNS, own_opened_on="opened_on")
    whole = own.join(_read_businesses(tables, as_of), on="borrower_id", how="left").join(
        _read_stops(tables, as_of), on="borrower_id", how="left"
    )
    is_later = (pl.col("stop_known_on") > pl.col("shop_known_on")).fill_null(pl.col("shop_status").is_null())
    return whole.select(
        "borrower_id", "employees", "annual_sales_krw", "suspended_on",
        *(pl.when(_HAS_PLACE).then(code).otherwise(f"shop_{code}").alias(code) for code in ("region_code", "district_code")),
        industry_code=pl.coalesce("industry_code", "shop_industry_code"),
        opened_on=pl.coalesce("shop_opened_on", "own_opened_on"),
        trading_status=pl.when(is_later).then(pl.coalesce("stop_status", "shop_status")).otherwise(pl.coalesce("shop_status", "stop_status")),
        closed_on=pl.when(is_later).then(pl.coalesce("stop_closed_on", "shop_closed_on"))
        .otherwise(pl.coalesce("shop_closed_on", "stop_closed_on")),
    )  # fmt: skip


def _read_businesses(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.LazyFrame:
    ended = pl.when(pl.col("closed_on") <= as_of).then(pl.lit("closed"))
    rows = read_whole(tables, "businesses").filter(pl.col("is_representative").fill_null(value=True))
    rows = rows.with_columns(status=pl.coalesce("trading_status", ended)).sort("business_id")
    status, is_live = pl.col("status"), (pl.col("status") != "closed").fill_null(value=True)
    return rows.group_by("borrower_id", maintain_order=True).agg(
        shop_status=pl.when((status == "trading").any()).then(pl.lit("trading"))
        .when(status.is_null().any()).then(None)
        .when((status == "suspended").any()).then(pl.lit("suspended"))
        .otherwise(pl.lit("closed")),
        shop_opened_on=pl.coalesce(pl.col("opened_on").filter(is_live).min(), pl.col("opened_on").min()),
        shop_closed_on=pl.col("closed_on").max(),
        shop_known_on=pl.col("known_on").max(),
        shop_region_code=pl.col("region_code").filter(_HAS_PLACE).first(),
        shop_district_code=pl.col("district_code").filter(_HAS_PLACE).first(),
        shop_industry_code=pl.col("industry_code").drop_nulls().first(),
    )  # fmt: skip


def _read_stops(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.LazyFrame:
    rows = read_whole(tables, "events").filter(pl.col("happened_on") <= as_of, pl.col("kind").is_in(list(STATUS_OF_EVENT)))
    kind, happened = pl.col("kind"), pl.col("happened_on")
    # On one day a reopening counts before a suspension, and a closure before both: the rank is the last digit of the moment.
    rank = kind.replace_strict({"suspension": 0, "reopening": 1, "closure": 2}, return_dtype=pl.Int64)
    moment = happened.to_physical().cast(pl.Int64) * 10 + rank
    return rows.group_by("borrower_id").agg(
        stop_status=kind.max_by(moment).replace_strict(STATUS_OF_EVENT, return_dtype=pl.String),
        stop_closed_on=happened.filter(kind == "closure").max(),
        suspended_on=happened.filter(kind == "suspension").max(),
        stop_known_on=pl.col("known_on").max(),
    )
