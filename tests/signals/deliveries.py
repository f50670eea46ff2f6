"""What the made-up holders of the shipped examples send: the cast of named shops, written as a bank and a card network would."""

import gzip
from pathlib import Path
from shutil import copy

import polars as pl

import signals.sources
from tests.cast import CAST_AS_OF, cast_tables

EXAMPLES = Path(signals.sources.__file__).parent / "examples"
DAY = f"{CAST_AS_OF:%Y%m%d}"
_FLAG = {True: "Y", False: "N"}


def write_world(folder: Path) -> Path:
    """Write the shipped source files, and beside them what their sources send: loans, repayments, sales and the registers."""
    for file in EXAMPLES.glob("*.toml"):
        copy(file, folder)
    tables = cast_tables()
    bank = folder / "drops" / "hanbit_bank" / DAY
    bank.mkdir(parents=True)
    for name, frame in (("loans", write_loans(tables["loans"])), ("repayments", write_repayments(tables["repayments"]))):
        (bank / f"{name}_001.csv.gz").write_bytes(gzip.compress(frame.write_csv(line_terminator="\r\n").encode("cp949")))
    cards = folder / "drops" / "card_network"
    cards.mkdir()
    write_sales(tables["sales"]).write_csv(cards / f"sales_{DAY}.csv", separator="|", include_bom=True)
    (folder / "registers").mkdir()
    for name in ("borrowers", "businesses", "coverage", "lenders"):
        tables[name].write_parquet(folder / "registers" / f"{name}.parquet")
    return folder


def write_loans(loans: pl.DataFrame) -> pl.DataFrame:
    """Write loans under the bank's own headers."""
    return loans.select(
        pl.col("loan_id").alias("대출번호"),
        pl.col("borrower_id").alias("고객식별값"),
        pl.lit("01").alias("상품구분"),
        _won("principal_krw", "대출금액"),
        pl.col("annual_rate_pct").alias("적용금리"),
        _day("opened_on", "취급일자"),
        _day("matures_on", "만기일자").fill_null("00000000"),
        _flag("is_guaranteed", "보증여부"),
        _flag("is_secured", "담보여부"),
        pl.lit("운전").alias("자금용도"),
        pl.lit("N").alias("취소여부"),
        pl.lit("강남지점").alias("취급점명"),
    )


def write_repayments(repayments: pl.DataFrame) -> pl.DataFrame:
    """Write repayments under the bank's own headers."""
    return repayments.select(
        pl.col("loan_id").alias("대출번호"),
        pl.col("borrower_id").alias("고객식별값"),
        _day("due_month", "기준년월", "%Y%m"),
        _day("due_on", "납입기일"),
        _won("due_krw", "납입예정액"),
        _won("paid_krw", "납입액"),
        _won("balance_krw", "대출잔액"),
        _won("limit_krw", "한도금액"),
        pl.col("days_past_due").alias("연체일수"),
        _day("known_on", "작성일자"),
        pl.lit("N").alias("취소여부"),
        pl.lit('통화, "부재"').alias("비고"),
    )


def write_sales(sales: pl.DataFrame) -> pl.DataFrame:
    """Write sales under the card network's own headers, in thousands of won."""
    return sales.select(
        pl.col("borrower_id").alias("가맹점주식별값"),
        _day("sales_month", "매출년월", "%Y-%m"),
        (pl.col("card_sales_krw") / 1000).alias("카드매출액(천원)"),
        pl.col("card_sales_count").alias("카드매출건수"),
        pl.lit("음식점").alias("업종명"),
    )


def _day(name: str, theirs: str, form: str = "%Y%m%d") -> pl.Expr:
    return pl.col(name).dt.to_string(form).alias(theirs)


def _flag(name: str, theirs: str) -> pl.Expr:
    return pl.col(name).replace_strict(_FLAG, return_dtype=pl.String).alias(theirs)


def _won(name: str, theirs: str) -> pl.Expr:
    return pl.col(name).map_elements("{:,}".format, return_dtype=pl.String).alias(theirs)
