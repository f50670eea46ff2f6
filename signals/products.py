"""The tables a night makes: Delta tables under `nights/`, each row with its `as_of`."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

LEVELS = ("none", "watch", "caution", "alert", "distressed")
FLAGGED = ("caution", "alert", "distressed")
THEMES: dict[str, str] = {
    "repayment behaviour": "상환 행태",
    "debt burden": "부채 부담",
    "sales": "매출",
    "arrears of tax, insurance and utilities": "체납·미납",
    "credit standing": "신용 상태",
    "business profile": "사업 현황",
}
STATES = ("healthy", "watch", "early_arrears", "arrears_31_89", "arrears_90", "closing", "closed", "in_adjustment")


@dataclass(frozen=True)
class Product:
    """One product table: its key (beside `as_of`), its columns with types, and what a row is.

    A product with open columns (features) declares only its key.
    """

    name: str
    key: tuple[str, ...]
    columns: dict[str, pl.DataType | type[pl.DataType]]
    meaning: str


_TEXT, _NUMBER, _FLAG = pl.String, pl.Float64, pl.Boolean

PRODUCTS: dict[str, Product] = {
    product.name: product
    for product in (
        Product("features", ("borrower_id",), {"borrower_id": _TEXT}, "One row per known borrower: one column per declared feature."),
        Product(
            "scores",
            ("borrower_id",),
            {
                "borrower_id": _TEXT,
                "risk": _NUMBER,
                "raw_score": _NUMBER,
                "closure_risk": _NUMBER,
                "level": _TEXT,
                "owner_state": _TEXT,
                "rank": pl.Int64,
                "office": _TEXT,
                "is_listed": _FLAG,
                "model_version": _TEXT,
                "is_stale": _FLAG,
                "stale_days": pl.Int64,
            },
            "One row per known borrower who is not left out (decision 0007): calibrated probability of default, level, place in need, office.",
        ),
        Product(
            "levels",
            ("borrower_id",),
            {"borrower_id": _TEXT, "level_tonight": _TEXT},
            "One row per known borrower who is not left out (decision 0007): the level of this night alone, before a level is held for three nights.",
        ),
        Product(
            "challenger_scores",
            ("borrower_id",),
            {
                "borrower_id": _TEXT,
                "risk": _NUMBER,
                "raw_score": _NUMBER,
                "level": _TEXT,
                "is_listed": _FLAG,
                "model_version": _TEXT,
            },
            "One row per row of scores on a night with a challenger (else none): what tonight would say if it were champion. For whoever decides on "
            "promotion; no list, pack or page of a case shows it.",
        ),
        Product(
            "sketches",
            ("feature", "cell"),
            {"feature": _TEXT, "cell": pl.Int64, "rows": pl.Int64},
            "One row per feature (or risk, by the champion) and cell of its grid that holds any of the borrowers looked at: how many (decision 0035).",
        ),
        Product(
            "drift",
            ("feature",),
            {
                "feature": _TEXT,
                "psi": _NUMBER,
                "distance": _NUMBER,
                "unknown": _NUMBER,
                "unknown_usual": _NUMBER,
                "usual": _TEXT,
                "is_read": _FLAG,
                "is_over": _FLAG,
                "is_alarm": _FLAG,
                "since": pl.Date,
            },
            "One row per feature (or risk) that could be compared: how far it lies from what is usual, whether the champion reads it, whether it passes "
            "a bar tonight, and whether that lasts, since which night (decision 0035).",
        ),
        Product(
            "shock",
            ("since",),
            {"since": pl.Date, "because_ko": _TEXT, "because_en": _TEXT},
            "One row on a night in shock mode (else none): since which night, and why, the scorecard scores until a person resumes (decision 0035).",
        ),
        Product(
            "reasons",
            ("borrower_id", "position"),
            {
                "borrower_id": _TEXT,
                "position": pl.Int64,
                "feature": _TEXT,
                "theme": _TEXT,
                "contribution": _NUMBER,
                "value": _NUMBER,
                "text_ko": _TEXT,
                "text_en": _TEXT,
            },
            "One row per borrower with a level and reason, the strongest first.",
        ),
        Product(
            "theme_totals",
            ("borrower_id", "theme"),
            {"borrower_id": _TEXT, "theme": _TEXT, "contribution": _NUMBER},
            "One row per borrower with a level and theme: what all its features add to the risk, also those that are not among the reasons "
            "(log-odds; points where the scorecard explains).",
        ),
        Product(
            "changes",
            ("borrower_id", "position"),
            {
                "borrower_id": _TEXT,
                "position": pl.Int64,
                "feature": _TEXT,
                "theme": _TEXT,
                "contribution": _NUMBER,
                "value_before": _NUMBER,
                "value": _NUMBER,
                "text_ko": _TEXT,
                "text_en": _TEXT,
            },
            "One row per borrower whose level rose since the night published before, and feature that raised the risk since then, the strongest "
            "first; one row without a feature where none did (another model, or another rule, sees the same facts otherwise).",
        ),
        Product(
            "verdicts",
            ("borrower_id", "programme_id"),
            {"borrower_id": _TEXT, "programme_id": _TEXT, "is_eligible": _FLAG, "unmet": pl.List(_TEXT), "questions": pl.List(_TEXT)},
            "One row per borrower and programme judged; null eligibility: unknown, with the questions to ask.",
        ),
        Product(
            "assignments",
            ("borrower_id", "programme_id"),
            {"borrower_id": _TEXT, "programme_id": _TEXT, "amount_krw": pl.Int64, "place": _TEXT, "because": _TEXT},
            "One row per borrower and programme offered tonight: open (guided), reserved (a place taken), held (a place from before).",
        ),
        Product(
            "opening",
            ("programme_id", "borrower_id"),
            {"programme_id": _TEXT, "borrower_id": _TEXT, "state": _TEXT, "is_inside": _FLAG, "amount_krw": pl.Int64},
            "One row per place taken before this night: the ledger's opening state, for the audit.",
        ),
    )
}


def make_empty(name: str) -> pl.DataFrame:
    """Make the frame of a product that has no row."""
    return pl.DataFrame(schema=dict(PRODUCTS[name].columns))


def conform_product(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Give a product's frame its declared columns, order and types, sorted by its key.

    Raises `polars.exceptions.ColumnNotFoundError` when a declared column is missing.
    """
    product = PRODUCTS[name]
    declared = [pl.col(column).cast(kind) for column, kind in product.columns.items()]
    rest = [column for column in frame.columns if column not in product.columns] if len(product.columns) == len(product.key) else []
    return frame.select(*declared, *rest).sort(product.key)
