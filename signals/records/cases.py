"""Cases: the flagged borrowers an office works on."""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import Connection, bindparam, delete, insert, select

from signals.records.schema import CASES


def read_open_cases(connection: Connection, as_of: date) -> pl.DataFrame:
    """Read the cases opened before the night of `as_of` and still open: borrower_id, office, opened_for."""
    wanted = select(CASES.c.borrower_id, CASES.c.office, CASES.c.opened_for).where(CASES.c.status == "open", CASES.c.opened_for < as_of)
    rows = connection.execute(wanted.order_by(CASES.c.case_id)).all()
    return pl.DataFrame(
        [tuple(row) for row in rows], schema={"borrower_id": pl.String, "office": pl.String, "opened_for": pl.Date}, orient="row"
    )


def open_cases(connection: Connection, listed: pl.DataFrame, as_of: date) -> int:
    """Open a case for each borrower listed tonight who has none open, within the caller's transaction; say how many.

    `listed`: borrower_id, office, level. Running the same night again opens nothing twice and takes back the open
    cases of this very night that it no longer lists.
    """
    earlier = read_open_cases(connection, as_of)
    wanted = listed.join(earlier, on="borrower_id", how="anti").sort("borrower_id")
    mine = select(CASES.c.borrower_id).where(CASES.c.opened_for == as_of)
    kept = set(connection.execute(mine).scalars())
    gone = kept - set(wanted["borrower_id"])
    if gone:
        connection.execute(
            delete(CASES).where(CASES.c.opened_for == as_of, CASES.c.status == "open", CASES.c.borrower_id == bindparam("borrower")),
            [{"borrower": borrower} for borrower in sorted(gone)],
        )
    new = wanted.filter(~pl.col("borrower_id").is_in(list(kept)))
    if not new.is_empty():
        rows = new.select("borrower_id", "office", "level").to_dicts()
        connection.execute(insert(CASES), [{**row, "opened_for": as_of, "status": "open"} for row in rows])
    return wanted.height
