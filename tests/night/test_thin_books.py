"""Books as thin as they come: the night goes on, and says what it does not know."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

import nightly
from signals.errors import InputError
from signals.night import Night
from signals.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("two_buckets")]

AS_OF = date(2020, 4, 30)


def make_book(shops: int = 5, months: int = 4) -> dict[str, pl.DataFrame]:
    names = [f"shop {number}" for number in range(shops)]
    opened = date(2020, 1, 1)
    rows = [
        (f"L-{name}", name, date(2020, month, 1), 20 * number, date(2020, month, 28))
        for number, name in enumerate(names)
        for month in range(1, months + 1)
    ]
    loan = {"lender_id": "L", "product": "term", "principal_krw": 1_000_000, "known_on": opened}
    return {
        "borrowers": pl.DataFrame({"borrower_id": names, "known_on": [opened] * shops}),
        "loans": pl.DataFrame([{"loan_id": f"L-{name}", "borrower_id": name, **loan} for name in names]),
        "repayments": pl.DataFrame(rows, schema=["loan_id", "borrower_id", "due_month", "days_past_due", "known_on"], orient="row"),
    }


def run(tmp_path: Path, book: dict[str, pl.DataFrame], as_of: date = AS_OF) -> pl.DataFrame:
    return run_night(tmp_path, book, as_of).read("scores").collect()


def run_night(tmp_path: Path, book: dict[str, pl.DataFrame], as_of: date = AS_OF) -> Night:
    folder = tmp_path / "book"
    folder.mkdir(exist_ok=True)
    for name, frame in book.items():
        frame.write_parquet(folder / f"{name}.parquet")
    night = Night(as_of, Settings(home=tmp_path / "home", sources=(str(folder),)))
    nightly.run_night(night, on_stage=lambda _: None)
    return night


def test_five_shops_and_four_months_are_enough_for_a_night(tmp_path: Path) -> None:
    scores = run(tmp_path, make_book())
    assert dict(scores.select("borrower_id", "level").sort("borrower_id").rows()) == {
        "shop 0": "none",
        "shop 1": "caution",
        "shop 2": "alert",
        "shop 3": "alert",
        "shop 4": "alert",
    }


def test_outdated_codes_find_their_office_and_unknown_ones_the_catch_all_and_the_summary_counts_them(tmp_path: Path) -> None:
    book = make_book()
    codes = pl.DataFrame({"region_code": ["42", "51", "21", None, "47"], "district_code": ["42110", None, "21010", None, "47720"]})
    night = run_night(tmp_path, book | {"borrowers": book["borrowers"].hstack(codes)})
    offices = dict(night.read("scores").select("borrower_id", "office").collect().rows())
    assert [offices[f"shop {number}"] for number in range(5)] == ["gangwon", "gangwon", "head-office", "head-office", "daegyeong"]
    summary = nightly.read_summary(night)
    assert [(row["column"], row["unknown"], row["kostat"]) for row in summary["unknown_codes"]] == [
        ("region_code", 1, 1),
        ("district_code", 1, 1),
    ]
    assert [(row["region_code"], row["borrowers"]) for row in summary["regions"]] == [("42", 2), ("47", 1), ("?", 2)]


def test_a_table_of_no_rows_is_a_table_all_the_same(tmp_path: Path) -> None:
    book = make_book()
    assert run(tmp_path, book | {"repayments": book["repayments"].clear()}).height == 5
    assert nightly.read_summary(Night(AS_OF, Settings(home=tmp_path / "home")))["levels"]["none"] == 5


def test_a_book_of_no_rows_at_all_is_a_night_of_nobody(tmp_path: Path) -> None:
    assert run(tmp_path, {name: frame.clear() for name, frame in make_book().items()}).is_empty()


def test_a_borrower_named_by_loans_alone_is_scored_and_goes_to_the_catch_all(tmp_path: Path) -> None:
    book = make_book()
    scores = run(tmp_path, book | {"borrowers": book["borrowers"].head(1)})
    assert scores.height == 5
    assert scores["office"].unique().to_list() == ["head-office"]
    assert scores["owner_state"].null_count() == 0


def test_rows_without_the_day_they_became_known_are_set_aside_and_the_rest_counts(tmp_path: Path) -> None:
    book = make_book()
    blind = pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise("known_on").alias("known_on")
    run(tmp_path, book | {"repayments": book["repayments"].with_columns(blind)})
    aside = pl.read_parquet(tmp_path / "home" / "quarantine" / f"as_of={AS_OF}" / "book" / "repayments.parquet")
    assert aside["rules"].to_list() == ["known_on|nullability"] * 3


def test_a_delivery_that_mostly_breaks_the_rules_is_refused_with_the_rule(tmp_path: Path) -> None:
    book = make_book()
    with pytest.raises(InputError, match=r"the gate refused the delivery: repayments: of all rows sent 0\.0 % pass the row rules"):
        run(tmp_path, book | {"repayments": book["repayments"].with_columns(days_past_due=pl.lit(-5))})


def test_the_day_after_a_broken_delivery_the_night_goes_on_with_what_was_known(tmp_path: Path) -> None:
    before = run(tmp_path, make_book())
    broken = make_book() | {"loans": make_book()["loans"].with_columns(colour=pl.lit("red"))}
    after = run(tmp_path, broken, date(2020, 5, 1))
    assert after.height == before.height
    assert "unknown column 'colour'" in (tmp_path / "home" / "docs" / "nights" / "2020-05-01.md").read_text()
