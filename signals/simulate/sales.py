"""Sales: the first to feel stress, with seasons and festivals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from signals.simulate import rates
from signals.simulate.months import Calendar
from signals.simulate.people import Floats, People
from signals.simulate.reports import as_dates, correct, delay, lose_some, make_table
from signals.simulate.streams import draw_chances, draw_normals, open_stream
from signals.simulate.stress import TRADING, Course, is_here

PLATFORM_USERS = 0.4  # of those in a trade that sells through platforms
GROWTH_SIGMA = 0.04  # a year, lasting
CASH_SHARE = 0.10
RECEIPT_KRW = 22_000  # an average card sale


@dataclass(frozen=True)
class Trade:
    """What each shop sold, and through what: `total` won per borrower and month, shares per borrower."""

    total: Floats
    card_share: Floats
    platform_share: Floats


def ring_tills(seed: int, block: int, people: People, course: Course, calendar: Calendar) -> Trade:
    """Compute what each shop sells each month: its size, the season, growth, stress and noise."""
    rng = open_stream(seed, block, "sales")
    feeling = np.float32(rates.SALES_PER_STRESS) * course.passing()
    noise = draw_normals(rng, people.count, calendar.length) * np.float32(rates.SALES_NOISE)
    growth = draw_normals(rng, people.count)[:, None] * GROWTH_SIGMA * (np.arange(calendar.length) - calendar.length / 2) / 12
    level = np.log(people.annual_sales / 12)[:, None] + feeling + noise + growth.astype(np.float32)
    is_open = (course.shop == TRADING) & (calendar.ends >= people.opened[:, None])
    on_platform = draw_chances(rng, people.count) < PLATFORM_USERS
    return Trade(
        np.exp(level) * season_of(people, calendar) * is_open,
        np.clip(people.industry_values("card_share") + 0.08 * draw_normals(rng, people.count), 0.03, 0.97),
        people.industry_values("platform_share") * on_platform,
    )


def season_of(people: People, calendar: Calendar) -> Floats:
    """Give each borrower's seasonal factor per month, festivals in it."""
    usual = np.array([rates.SEASONS[kind.season] for kind in rates.INDUSTRIES], dtype=np.float32)
    festival = np.array([rates.FESTIVAL[kind.season] for kind in rates.INDUSTRIES], dtype=np.float32)
    by_month = usual[:, calendar.month_of_year()] * np.where(calendar.is_festival(), festival[:, None], np.float32(1))
    return np.asarray(by_month[people.industry])


def report_sales(seed: int, block: int, people: People, trade: Trade, calendar: Calendar) -> pl.DataFrame:
    """Make the table `sales`: known about ten days after the month ends."""
    rng, first = open_stream(seed, block, "sales reports"), calendar.first
    reported = lose_some(rng, (is_here(people, calendar) & people.covered["sales"][:, None])[:, first:])
    who, when = np.nonzero(reported)
    total = trade.total[:, first:][reported].astype(np.float64)
    card = np.rint(total * trade.card_share[who])
    uses_platform = trade.platform_share > 0
    frame = pl.DataFrame(
        {
            "borrower_id": people.ids.gather(who),
            "sales_month": as_dates(calendar.starts[first:][when]),
            "known_on": as_dates(delay(rng, calendar.ends[first:][when], 7, 15)),
            "card_sales_krw": card.astype(np.int64),
            "card_sales_count": np.rint(card / RECEIPT_KRW).astype(np.int64),
            "platform_sales_krw": pl.Series(np.rint(total * trade.platform_share[who]).astype(np.int64)),
            "cash_receipt_krw": np.rint(total * CASH_SHARE * (1 - trade.card_share[who])).astype(np.int64),
        }
    ).with_columns(pl.when(pl.Series(uses_platform[who])).then("platform_sales_krw").alias("platform_sales_krw"))
    some = pl.col("card_sales_krw") * 4 // 5
    return make_table("sales", correct(rng, frame, {"card_sales_krw": some}).to_dict(), calendar)
