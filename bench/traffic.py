"""What thirty lenders send, made up at any size: the history, then a month-end night, then a normal one."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

LENDERS, LOANS_PER_BORROWER = 30, 1.6
CORRECTED, BROKEN = 0.01, 0.001  # of a night's rows
CHANGED_LOANS, NEW_LOANS = 0.24, 0.01  # of all loans, on a month-end night
CHANGED_TODAY, NEW_TODAY = 0.08, 0.002  # of all loans, on a normal night
LAST_MONTH = date(2026, 8, 1)
FIRST_LOAD, MONTH_END, NORMAL = date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 6)
NIGHTS = {"first load": FIRST_LOAD, "month-end": MONTH_END, "normal": NORMAL}
_SEED = 3
_PER_LENDER = np.arange(4, 4 + LENDERS)[::-1] / np.arange(4, 4 + LENDERS).sum()  # the largest has seven times the loans of the smallest


@dataclass(frozen=True)
class Lender:
    """One lender's book: by loan its number, its borrower's number and the sum lent."""

    name: str
    loans: np.ndarray
    borrowers: np.ndarray
    sums: np.ndarray

    def cut(self, most: int) -> Lender:
        """The book without the loans that come only later."""
        return Lender(self.name, self.loans[:most], self.borrowers[:most], self.sums[:most])

    def pick(self, rng: np.random.Generator, share: float) -> Lender:
        """Some of its loans, in their order."""
        these = np.flatnonzero(rng.random(len(self.loans)) < share)
        return Lender(self.name, self.loans[these], self.borrowers[these], self.sums[these])


def make_traffic(folder: Path, borrowers: int, months: int, form: str) -> dict[str, int]:
    """Write all files below `folder`, one folder a night and one a lender inside it; rows by night."""
    write = _write_parquet if form == "parquet" else _write_csv
    rows = dict.fromkeys(NIGHTS, 0)
    register = pl.DataFrame({"borrower_id": _name_borrowers(np.arange(borrowers)), "known_on": _month_end(_back(months))})
    rows["first load"] += _write_parquet(register, folder / "first load" / "register" / "borrowers.parquet")
    for number, lender in enumerate(_list_lenders(borrowers)):
        rng = np.random.default_rng([_SEED, number])
        for night, name, frame in _send(lender, rng, months):
            rows[night] += write(frame, folder / night / lender.name / f"{name}.parquet")
    return rows


def write_mapping(folder: Path, lender: str, place: Path) -> Path:
    """Write the source file of a lender that sends CSV in CP949 with headers and codes of its own."""
    file = folder / f"{lender}.toml"
    file.write_text(_MAPPING.format(lender=lender, place=place), encoding="utf-8")
    return file


def _list_lenders(borrowers: int) -> Iterator[Lender]:
    """The lenders' books, with the loans at their ends that come later."""
    rng = np.random.default_rng(_SEED)
    for number, share in enumerate(_PER_LENDER, start=1):
        size = max(int(borrowers * LOANS_PER_BORROWER * share * (1 + NEW_LOANS + NEW_TODAY)), 1)
        yield Lender(f"l{number:02}", np.arange(size), rng.integers(borrowers, size=size), rng.integers(1, 300, size=size) * 1_000_000)


def _send(lender: Lender, rng: np.random.Generator, months: int) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Give night, name of the file and rows of all that a lender sends."""
    size = len(lender.loans)
    old, grown = int(size / (1 + NEW_LOANS + NEW_TODAY)), int(size * (1 + NEW_LOANS) / (1 + NEW_LOANS + NEW_TODAY))
    book, later = lender.cut(old), lender.cut(grown)
    oldest = _back(months)
    yield "first load", "loans/0", _list_loans(book, _month_end(oldest), 0)
    for back in range(months, 0, -1):
        month = _back(back)
        yield "first load", f"repayments/{month}", _with_corrections(book, rng, month, _month_end(month), has_earlier=back < months)
    changed, new = book.pick(rng, CHANGED_LOANS), Lender(lender.name, later.loans[old:], later.borrowers[old:], later.sums[old:])
    yield "month-end", f"loans/{MONTH_END}", pl.concat([_list_loans(changed, MONTH_END, 1), _list_loans(new, MONTH_END, 0)])
    yield "month-end", f"repayments/{MONTH_END}", _with_corrections(later, rng, MONTH_END.replace(day=1), MONTH_END, has_earlier=True)
    newest = Lender(lender.name, lender.loans[grown:], lender.borrowers[grown:], lender.sums[grown:])
    yield "normal", f"loans/{NORMAL}", _list_loans(newest, NORMAL, 0)
    moved = later.pick(rng, CHANGED_TODAY)
    yield "normal", f"repayments/{NORMAL}", _with_corrections(moved, rng, MONTH_END.replace(day=1), NORMAL, has_earlier=True)


def _with_corrections(book: Lender, rng: np.random.Generator, month: date, known_on: date, *, has_earlier: bool) -> pl.DataFrame:
    """A month's statuses, a few of the month before said anew, and a few rows that break a rule."""
    parts = [_list_repayments(book, rng, month, known_on)]
    if has_earlier:
        before = (month - timedelta(days=1)).replace(day=1)
        parts.append(_list_repayments(book.pick(rng, CORRECTED), rng, before, known_on))
    rows = pl.concat(parts)
    is_broken = pl.Series(rng.random(rows.height) < BROKEN)
    return rows.with_columns(days_past_due=pl.when(is_broken).then(pl.lit(-1)).otherwise("days_past_due"))


def _list_repayments(book: Lender, rng: np.random.Generator, month: date, known_on: date) -> pl.DataFrame:
    size = len(book.loans)
    age = (LAST_MONTH.year - month.year) * 12 + LAST_MONTH.month - month.month
    late = np.where(rng.random(size) < 0.06, rng.integers(1, 120, size=size), 0)  # noqa: PLR2004
    due = book.sums // 60
    return pl.DataFrame(
        {
            "loan_id": _name_loans(book),
            "due_month": pl.repeat(month, size, dtype=pl.Date, eager=True),
            "borrower_id": _name_borrowers(book.borrowers),
            "due_on": pl.repeat(month.replace(day=25), size, dtype=pl.Date, eager=True),
            "due_krw": due,
            "paid_krw": np.where(late, 0, due),
            "balance_krw": book.sums // 100 * (40 + age),
            "days_past_due": late,
            "known_on": pl.repeat(known_on, size, dtype=pl.Date, eager=True),
        }
    )


def _list_loans(book: Lender, known_on: date, version: int) -> pl.DataFrame:
    size = len(book.loans)
    return pl.DataFrame(
        {
            "loan_id": _name_loans(book),
            "borrower_id": _name_borrowers(book.borrowers),
            "lender_id": pl.repeat(book.name, size, dtype=pl.String, eager=True),
            "product": pl.repeat("term", size, dtype=pl.String, eager=True),
            "principal_krw": book.sums,
            "annual_rate_pct": 3.0 + book.loans % 70 / 10 + version / 4,
            "opened_on": pl.repeat(date(2024, 1, 15), size, dtype=pl.Date, eager=True),
            "is_secured": book.loans % 3 == 0,
            "known_on": pl.repeat(known_on, size, dtype=pl.Date, eager=True),
        }
    )


def _name_loans(book: Lender) -> pl.Series:
    return pl.select(pl.format(f"{book.name}-{{}}", pl.lit(pl.Series(book.loans)).cast(pl.String).str.zfill(9))).to_series()


def _name_borrowers(numbers: np.ndarray) -> pl.Series:
    """Pseudonyms of sixteen letters that look like chance; multiplying by an odd number never gives one twice."""
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    letters = np.frombuffer(mixed.byteswap().tobytes().hex().encode(), dtype="S16")
    return pl.Series(letters.astype(str)) if len(letters) else pl.Series(dtype=pl.String)


def _back(months: int) -> date:
    """The first day of the month so many months back; 1 is the last of the history."""
    year, month = divmod(LAST_MONTH.year * 12 + LAST_MONTH.month - months, 12)
    return date(year, month + 1, 1)


def _month_end(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _write_parquet(frame: pl.DataFrame, place: Path) -> int:
    place.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(place, compression="zstd", compression_level=1)
    return frame.height


def _write_csv(frame: pl.DataFrame, place: Path) -> int:
    file = place.with_suffix(".csv.gz")
    file.parent.mkdir(parents=True, exist_ok=True)
    theirs: dict[str, Callable[[str], pl.Expr]] = {
        "due_month": lambda name: pl.col(name).dt.to_string("%Y%m"),
        "is_secured": lambda name: pl.when(name).then(pl.lit("Y")).otherwise(pl.lit("N")),
    }
    dates = {name: pl.col(name).dt.to_string("%Y%m%d") for name, kind in frame.schema.items() if kind == pl.Date}
    special = {name: make(name) for name, make in theirs.items() if name in frame.columns}
    text = frame.with_columns(**(dates | special)).rename(_HEADERS, strict=False).write_csv()
    with gzip.open(file, "wb", compresslevel=1) as opened:
        opened.write(text.encode("cp949"))
    return frame.height


_HEADERS = {
    "loan_id": "대출번호", "borrower_id": "고객식별값", "lender_id": "취급기관", "product": "상품구분", "principal_krw": "대출금액",
    "annual_rate_pct": "적용금리", "opened_on": "취급일자", "is_secured": "담보여부", "known_on": "작성일자", "due_month": "기준년월",
    "due_on": "납입기일", "due_krw": "납입예정액", "paid_krw": "납입액", "balance_krw": "대출잔액", "days_past_due": "연체일수",
}  # fmt: skip
_MAPPING = """
id = "{lender}"
place = "{place}"
basis = "consent"
legal_basis = "신용정보법 제32조"
purposes = ["score", "train"]
format = "csv"
encoding = "cp949"

[tables.loans]
files = "loans/*.csv.gz"
[tables.loans.columns]
"대출번호" = "loan_id"
"고객식별값" = "borrower_id"
"취급기관" = "lender_id"
"상품구분" = "product"
"대출금액" = "principal_krw"
"적용금리" = "annual_rate_pct"
"취급일자" = {{ to = "opened_on", date = "%Y%m%d" }}
"담보여부" = {{ to = "is_secured", true = ["Y"], false = ["N"] }}
"작성일자" = {{ to = "known_on", date = "%Y%m%d" }}

[tables.repayments]
files = "repayments/*.csv.gz"
[tables.repayments.columns]
"대출번호" = "loan_id"
"기준년월" = {{ to = "due_month", date = "%Y%m" }}
"고객식별값" = "borrower_id"
"납입기일" = {{ to = "due_on", date = "%Y%m%d" }}
"납입예정액" = "due_krw"
"납입액" = "paid_krw"
"대출잔액" = "balance_krw"
"연체일수" = "days_past_due"
"작성일자" = {{ to = "known_on", date = "%Y%m%d" }}
"""
