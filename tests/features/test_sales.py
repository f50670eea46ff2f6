"""Sales, worked by hand: months that are alike, channels that are reported, rests, festivals, peers and opening cohorts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from features import build_features
from features.catalogue import BY_NAME
from features.festivals import list_festivals
from features.formula import find_peer_medians
from signals.tables import TABLES

AS_OF = date(2026, 6, 30)
MAN = 10_000
SALES = [feature for feature in BY_NAME.values() if feature.theme == "sales"]
ALONE = [feature for feature in SALES if not find_peer_medians(feature.value)]

Months = Sequence[int | None] | Callable[[int], int | None]


def month(back: int, as_of: date = AS_OF) -> date:
    index = as_of.year * 12 + as_of.month - 1 - back
    return date(index // 12, index % 12 + 1, 1)


def sell(shop: str, card: Months, as_of: date = AS_OF, **others: Months) -> list[dict[str, Any]]:
    """The months of a shop, newest first (in won), a channel each; None: not reported."""
    channels = {"card_sales_krw": card, **others}
    count = next((len(months) for months in channels.values() if not callable(months)), 27)

    def of(months: Months, back: int) -> int | None:
        return months(back) if callable(months) else months[back]

    return [
        {"borrower_id": shop, "sales_month": month(back, as_of), **{name: of(months, back) for name, months in channels.items()}}
        for back in range(count)
    ]


def frame(table: str, rows: Sequence[Mapping[str, Any]]) -> pl.LazyFrame:
    schema = {name: kind for name, kind in TABLES[table].polars_schema.items() if name != "is_retracted"}
    return pl.LazyFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def tell(
    sales: list[dict[str, Any]], as_of: date = AS_OF, features: Sequence[Any] = ALONE, **tables: list[dict[str, Any]]
) -> dict[str, dict[str, float | None]]:
    """The features of each shop, by its name."""
    shops = [{"borrower_id": shop} for shop in dict.fromkeys(row["borrower_id"] for row in sales)]
    given = {"borrowers": shops, "sales": sales, **tables}
    built = build_features({name: frame(name, rows) for name, rows in given.items()}, as_of, features).collect()
    return {row.pop("borrower_id"): row for row in built.to_dicts()}


def test_each_shape_of_a_year_is_what_a_person_would_count() -> None:
    """Newest first: 60, 80, 90 thousand, then 100 in each month; half of it through platforms, 20 receipts a month, 25 before."""
    won = [60_000, 80_000, 90_000, *[100_000] * 24]
    half = [part // 2 for part in won]
    counts = [20] * 3 + [25] * 24
    shop = tell(sell("cafe", half, platform_sales_krw=half, card_sales_count=counts))["cafe"]
    assert shop == {
        "sales_12m_krw": 1_130_000,
        "sales_3m_monthly_krw": pytest.approx(230_000 / 3),
        "sales_change_yoy": pytest.approx(-70 / 300),
        "sales_change_3m": pytest.approx(-70 / 300),
        "sales_trend_3m_12m": pytest.approx((230 / 3) / (1130 / 12) - 1),
        "sales_change_6m": pytest.approx(-70 / 600),
        "sales_falls_in_a_row": 3,
        "zero_sales_months_6m": 0,
        "zero_sales_months_12m": 0,
        "months_since_sale": 0,
        "worst_month_share_12m": pytest.approx(60 / (1130 / 12)),
        "sales_volatility_12m": pytest.approx(2 * 40 / (140 + 170 + 190 + 8 * 200)),
        "sales_volatility_change": pytest.approx(2 * 40 / (140 + 170 + 190 + 2 * 200) - 2 * 40 / (140 + 170 + 190 + 8 * 200)),
        "platform_share_6m": 0.5,
        "platform_share_change_6m": 0,
        "card_sales_count_3m": 60,
        "average_ticket_change": pytest.approx((115_000 / 60) / 2_000 - 1),
    }


def test_a_year_on_year_needs_all_six_months() -> None:
    fourteen, fifteen = (tell(sell("cafe", [9 * MAN] * months))["cafe"]["sales_change_yoy"] for months in (14, 15))
    assert (fourteen, fifteen) == (None, 0)


def test_a_delivery_shop_is_not_dead_because_its_cards_are() -> None:
    shop = tell(
        sell("kitchen", lambda back: 0 if back < 3 else 100 * MAN, platform_sales_krw=lambda back: 120 * MAN if back < 3 else 20 * MAN)
    )["kitchen"]
    assert (shop["sales_change_yoy"], shop["zero_sales_months_6m"], shop["months_since_sale"]) == (0, 0, 0)
    assert shop["platform_share_6m"] == pytest.approx(420 / 720)
    assert shop["platform_share_change_6m"] == pytest.approx(420 / 720 - 1 / 6)


def test_a_shop_that_moved_from_cards_to_cash_receipts_is_not_dead() -> None:
    shop = tell(sell("stall", lambda back: 0 if back < 3 else 80 * MAN, cash_receipt_krw=lambda back: 100 * MAN if back < 3 else 20 * MAN))
    names = ("sales_12m_krw", "sales_change_yoy", "sales_change_3m", "zero_sales_months_6m")
    assert [shop["stall"][name] for name in names] == [12 * 100 * MAN, 0, 0, 0]


def test_a_shop_whose_platforms_are_reported_only_since_this_year_has_not_grown() -> None:
    small, large = ({"platform_sales_krw": lambda back, won=won: won if back < 6 else None} for won in (40 * MAN, 300 * MAN))
    rows = tell([*sell("some", lambda _: 100 * MAN, **small), *sell("most", lambda _: 100 * MAN, **large)])
    assert rows["some"]["sales_change_yoy"] == 0
    assert rows["most"]["sales_change_yoy"] is None  # cards alone would say little of it
    assert rows["most"]["sales_change_3m"] == 0
    assert rows["some"]["sales_volatility_12m"] is None


def test_a_shop_whose_platform_source_ended_is_not_dead() -> None:
    """The holder goes on to write nothing or nought; coverage says that it no longer knows."""
    sales = sell("kitchen", lambda _: 60 * MAN, platform_sales_krw=lambda back: (0 if back else None) if back < 3 else 40 * MAN)
    covered = {"borrower_id": "kitchen", "source_id": "platform", "subject": "platform_sales", "from_on": date(2023, 1, 1)}
    ended = tell(sales, coverage=[{**covered, "until_on": date(2026, 3, 31)}])["kitchen"]
    lasting = tell(sales, coverage=[covered])["kitchen"]
    assert (ended["sales_change_yoy"], ended["sales_change_3m"], ended["platform_share_6m"]) == (0, 0, None)
    assert (lasting["sales_change_yoy"], lasting["platform_share_6m"]) == (pytest.approx(-0.4), pytest.approx(120 / 480))


def test_nothing_written_before_a_channel_is_covered_is_no_report() -> None:
    sales = sell("kitchen", lambda _: 60 * MAN, platform_sales_krw=lambda back: 50 * MAN if back < 6 else 0)
    covered = {"borrower_id": "kitchen", "source_id": "platform", "subject": "platform_sales", "from_on": date(2026, 1, 1)}
    assert tell(sales)["kitchen"]["sales_change_6m"] == pytest.approx(5 / 6)
    assert tell(sales, coverage=[covered])["kitchen"]["sales_change_6m"] == 0


@pytest.mark.parametrize("from_on", [date(2026, 1, 1), date(2009, 5, 2), date(1, 1, 1)])
def test_coverage_may_have_begun_long_ago_and_end_at_the_end_of_time(from_on: date) -> None:
    covered = {"borrower_id": "cafe", "source_id": "cards", "subject": "card_sales", "from_on": from_on, "until_on": date(9999, 12, 31)}
    assert tell(sell("cafe", lambda _: 60 * MAN), coverage=[covered])["cafe"]["sales_change_yoy"] == 0


@pytest.mark.parametrize(
    ("from_on", "until_on", "share"),
    [(date(2026, 1, 1), date(2026, 6, 30), 0.25), (date(2026, 1, 2), date(2026, 6, 30), None), (date(2026, 1, 1), date(2026, 6, 29), None)],
)
def test_only_whole_months_are_covered(from_on: date, until_on: date, share: float | None) -> None:
    sales = sell("cafe", lambda _: 30 * MAN, platform_sales_krw=lambda back: 12 * MAN if back < 5 else 0)
    row = {"borrower_id": "cafe", "source_id": "platform", "subject": "platform_sales", "from_on": from_on, "until_on": until_on}
    assert tell(sales, coverage=[row])["cafe"]["platform_share_6m"] == share


def test_card_sales_are_no_longer_counted_once_cards_are_no_longer_covered() -> None:
    sales = sell("cafe", lambda _: 0, card_sales_count=lambda _: 0, platform_sales_krw=lambda _: 60 * MAN)
    row = {"borrower_id": "cafe", "source_id": "cards", "subject": "card_sales", "from_on": date(2023, 1, 1), "until_on": date(2026, 3, 31)}
    assert [tell(sales, coverage=rows)["cafe"]["card_sales_count_3m"] for rows in ([], [row])] == [0, None]


def test_zeros_after_the_sales_themselves_are_no_longer_covered_are_unknown() -> None:
    sales = sell("cafe", lambda back: 0 if back < 2 else 60 * MAN)
    row = {"borrower_id": "cafe", "source_id": "cards", "subject": "sales", "from_on": date(2023, 1, 1), "until_on": date(2026, 4, 30)}
    assert [
        tell(sales, coverage=rows)["cafe"]["zero_sales_months_6m"]
        for rows in ([], [row], [row, {**row, "source_id": "other", "until_on": None}])
    ] == [2, 0, 2]


def test_a_seasonal_shop_is_not_dead_in_its_off_season_and_a_dead_one_is() -> None:
    """The café on the beach sells from May to October, whatever the winter; the other one sold until last October."""
    as_of = date(2026, 3, 31)

    def in_summer(back: int) -> int:
        return 90 * MAN if 5 <= month(back, as_of).month <= 10 else 0

    def until_october(back: int) -> int:
        return 90 * MAN if month(back, as_of) <= date(2025, 10, 1) else 0

    rows = tell([*sell("beach", in_summer, as_of), *sell("gone", until_october, as_of), *sell("long gone", [0] * 27, as_of)], as_of)
    names = ("zero_sales_months_12m", "months_since_sale", "sales_change_3m", "sales_falls_in_a_row", "sales_volatility_12m")
    assert [rows["beach"][name] for name in names] == [0, 0, None, None, None]
    assert rows["beach"]["sales_12m_krw"] == 6 * 90 * MAN  # not scaled up to twelve summers
    assert [rows["gone"][name] for name in names[:3]] == [5, 5, -1]
    assert [rows["long gone"][name] for name in names[:2]] == [12, 12]


def test_months_of_suspension_are_no_months_without_sales() -> None:
    def resting(back: int) -> int:
        return 0 if 1 <= back <= 4 else 90 * MAN

    kinds = {"suspension": date(2026, 2, 10), "reopening": date(2026, 6, 1)}
    events = [{"borrower_id": "cafe", "kind": kind, "happened_on": day} for kind, day in kinds.items()]
    names = ("zero_sales_months_6m", "sales_volatility_12m", "sales_change_3m", "worst_month_share_12m")
    with_events, without = (tell(sell("cafe", resting), events=told)["cafe"] for told in (events, []))
    assert [with_events[name] for name in names] == [0, 0, None, 1]
    assert [without[name] for name in names] == [4, pytest.approx(4 / 14), 0, 0]


@pytest.mark.parametrize(("day", "is_whole"), [(1, True), (2, False)])
def test_a_shop_that_reopens_on_the_first_has_the_whole_month(day: int, is_whole: bool) -> None:
    kinds = {"suspension": date(2026, 1, 10), "reopening": date(2026, 4, day)}
    events = [{"borrower_id": "cafe", "kind": kind, "happened_on": when} for kind, when in kinds.items()]
    assert (tell(sell("cafe", lambda _: MAN), events=events)["cafe"]["sales_3m_monthly_krw"] == MAN) == is_whole


@pytest.mark.parametrize(("day", "newest"), [(date(2026, 6, 30), 30 * MAN), (date(2026, 6, 29), 60 * MAN)])
def test_a_month_counts_once_it_is_over(day: date, newest: int) -> None:
    shop = tell(sell("cafe", [30 * MAN, *[60 * MAN] * 26]), day)["cafe"]
    assert shop["sales_3m_monthly_krw"] == (newest + 120 * MAN) / 3


def test_a_suspension_last_year_is_no_off_season_of_this_one() -> None:
    """The café was rebuilt from February to June of last year, and has sold nothing since this February."""
    kinds = {"suspension": date(2025, 2, 1), "reopening": date(2025, 7, 1)}
    events = [{"borrower_id": "cafe", "kind": kind, "happened_on": day} for kind, day in kinds.items()]
    shop = tell(sell("cafe", lambda back: 0 if back < 5 or 12 <= back <= 16 else 90 * MAN), events=events)["cafe"]
    assert [shop[name] for name in ("zero_sales_months_6m", "months_since_sale", "sales_change_3m")] == [5, 5, -1]


def test_a_shop_that_the_register_calls_suspended_has_no_months_without_sales() -> None:
    sales = sell("cafe", lambda back: 0 if back < 5 else 90 * MAN)
    status = {"business_id": "s", "borrower_id": "cafe", "trading_status": "suspended"}
    assert [
        tell(sales, businesses=rows)["cafe"]["zero_sales_months_6m"]
        for rows in ([status], [status, {**status, "business_id": "t", "trading_status": "trading"}])
    ] == [0, 5]


def test_both_festivals_of_every_year_are_known_in_a_month_they_can_fall_into() -> None:
    for year in range(1990, 2060):
        festivals = list_festivals(year)
        assert festivals["seollal"].month in (1, 2)
        assert festivals["chuseok"].month in (9, 10)


@pytest.mark.parametrize(
    ("as_of", "change"), [(date(2026, 9, 30), 0.0), (date(2026, 10, 31), 0.0), (date(2026, 8, 31), 0.0), (date(2026, 1, 31), -0.1)]
)
def test_a_festival_that_moved_to_another_month_is_no_growth_and_no_fall(as_of: date, change: float) -> None:
    """Chuseok was shopped for in October 2025 and in September 2026, Seollal in January 2025 and in February 2026; each doubles a month."""

    def festive(back: int) -> int:
        this = month(back, as_of)
        usual = 100 * MAN if this < date(2026, 1, 1) or change == 0 else 70 * MAN  # January 2026 is left out: the fall shows elsewhere
        usual = 90 * MAN if change and back < 3 else usual
        return usual * (2 if this in list_festivals(this.year).values() else 1)

    assert tell(sell("grocer", festive, as_of), as_of)["grocer"]["sales_change_yoy"] == pytest.approx(change)


def _neighbours(fall: Callable[[int], float]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Sixty cafés: 25 on the coast and 35 in the capital; `fall` says what each sells in the newest three months."""
    sales, shops = [], []
    for number in range(60):
        usual = (50 + number) * MAN
        sales += sell(f"c{number}", lambda back, usual=usual, number=number: round(usual * fall(number)) if back < 3 else usual)
        region, code = ("51", "I56221") if number < 25 and number % 2 else ("42", "56221") if number < 25 else ("11", "I56")
        shops.append({"borrower_id": f"c{number}", "region_code": region, "industry_code": code, "opened_on": date(2015, 1, 1)})
    return sales, shops


def test_a_bad_season_is_not_read_as_a_bad_shop() -> None:
    """Everybody on the coast sells 30 % less, under the region's old code or its new one; one shop there sells 65 % less."""
    sales, shops = _neighbours(lambda number: 0.35 if number == 3 else 0.7 if number < 25 else 1.0)
    rows = tell(sales, features=SALES, borrowers=shops)
    assert rows["c0"]["sales_change_yoy"] == pytest.approx(-0.3)
    for name in ("sales_change_vs_peers_3m", "sales_yoy_vs_peers"):
        assert [rows[shop][name] for shop in ("c0", "c1", "c3", "c40")] == pytest.approx([0, 0, -0.5, 0], abs=1e-6)


def test_with_few_neighbours_the_whole_trade_speaks_and_with_none_nobody_does() -> None:
    """Nineteen on the coast are too few: the median of all sixty cafés is that of the capital. Four shops have no peers at all."""
    sales, shops = _neighbours(lambda number: 0.7 if number < 25 else 1.0)
    moved = [{**shop, "region_code": "26"} if int(shop["borrower_id"][1:]) in range(6) else shop for shop in shops]
    rows = tell(sales, features=SALES, borrowers=moved)
    assert rows["c10"]["sales_change_vs_peers_3m"] == pytest.approx(-0.3)
    four = tell(sales[: 4 * 27], features=SALES, borrowers=shops[:4])
    assert {row["sales_change_vs_peers_3m"] for row in four.values()} == {None}


def test_a_new_shop_is_compared_with_those_that_opened_with_it() -> None:
    """Thirty shops opened in autumn 2025 and grew by half since; one grew by a fifth. Who opened in the spring grew more, who is older is not asked."""
    sales, shops = [], []
    for number in range(60):
        opened = date(2025, 9, 15) if number < 30 else date(2025, 4, 15)
        growth = 1.2 if number == 0 else 1.5 if number < 30 else 3.0
        months = (AS_OF.year - opened.year) * 12 + AS_OF.month - opened.month
        first = (40 + number) * MAN
        sales += sell(f"n{number}", [round(first * growth)] * 3 + [first] * (months - 3) + [first // 3])
        shops.append({"borrower_id": f"n{number}", "region_code": "11", "industry_code": "I56", "opened_on": opened})
    shops.append({"borrower_id": "old", "region_code": "11", "industry_code": "I56", "opened_on": date(2020, 1, 1)})
    rows = tell([*sales, *sell("old", [MAN] * 10)], features=SALES, borrowers=shops)
    found = [rows[shop]["sales_vs_opening_cohort"] for shop in ("n0", "n1", "n40", "old")]
    assert found[:3] == pytest.approx([-0.2, 0, 0])
    assert found[3] is None
    assert rows["n1"]["sales_change_yoy"] is None


def test_a_shop_somebody_else_represents_makes_nobody_older() -> None:
    opened = date(2025, 9, 15)
    shops = [{"borrower_id": f"n{number}", "industry_code": "I56", "opened_on": opened} for number in range(30)]
    sales = [row for shop in shops for row in sell(shop["borrower_id"], [50 * MAN] * 9)]
    old = {"business_id": "s", "borrower_id": "n0", "opened_on": date(2001, 1, 1)}
    told = [
        tell(sales, features=SALES, borrowers=shops, businesses=[{**old, "is_representative": own}])["n0"]["sales_vs_opening_cohort"]
        for own in (True, False)
    ]
    assert told == [None, 0]


def test_a_shop_too_young_to_look_back_has_no_cohort_yet() -> None:
    opened = AS_OF - timedelta(days=150)
    shops = [{"borrower_id": f"n{number}", "industry_code": "I56", "opened_on": opened} for number in range(30)]
    sales = [row for shop in shops for row in sell(shop["borrower_id"], [50 * MAN] * 5)]
    assert {row["sales_vs_opening_cohort"] for row in tell(sales, features=SALES, borrowers=shops).values()} == {None}
