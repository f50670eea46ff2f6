"""Where an owner stands: the state that decides which ladder of support they climb."""

from __future__ import annotations

import polars as pl

from signals.products import LEVELS

EARLY_DAYS, INTERIM_DAYS, DEFAULT_DAYS = 1, 31, 90
STATE_KO = {
    "healthy": "정상", "watch": "관심", "early_arrears": "연체 1~30일", "arrears_31_89": "연체 31~89일", "arrears_90": "연체 90일 이상",
    "closing": "폐업 예정", "closed": "폐업", "in_adjustment": "채무조정 중",
}  # fmt: skip
LEVEL_KO = {"none": "해당 없음", "watch": "관심", "caution": "주의", "alert": "경보", "distressed": "부실"}


def name_states(facts: pl.DataFrame, levels: pl.DataFrame) -> pl.DataFrame:
    """Name each borrower's state: one row per borrower_id of `facts`, `owner_state` never null.

    The first that holds, because it decides what can still be offered: closed; closing (the owner means to); in_adjustment
    (no new agreement while one runs); arrears_90, or distressed by an event, for a debt that the guarantor paid reads no days
    overdue; arrears_31_89; early_arrears (1 to 30); watch (level watch or above, nothing overdue); healthy. An unknown fact
    does not hold.

    >>> facts = pl.DataFrame({"borrower_id": ["a", "b"], "trading_status": ["trading", "closed"], "plans_to_close": [None, True],
    ...     "is_in_adjustment": [False, None], "days_past_due": [12, 95]})
    >>> levels = pl.DataFrame({"borrower_id": ["a", "b"], "level": ["caution", "distressed"]})
    >>> name_states(facts, levels)["owner_state"].to_list()
    ['early_arrears', 'closed']
    """
    days, level = pl.col("days_past_due"), pl.col("level")
    state = (
        pl.when(pl.col("trading_status") == "closed").then(pl.lit("closed"))
        .when(pl.col("plans_to_close")).then(pl.lit("closing"))
        .when(pl.col("is_in_adjustment")).then(pl.lit("in_adjustment"))
        .when((days >= DEFAULT_DAYS) | (level == "distressed")).then(pl.lit("arrears_90"))
        .when(days >= INTERIM_DAYS).then(pl.lit("arrears_31_89"))
        .when(days >= EARLY_DAYS).then(pl.lit("early_arrears"))
        .when(level.is_in(LEVELS[1:])).then(pl.lit("watch"))
        .otherwise(pl.lit("healthy"))
    )  # fmt: skip
    joined = facts.select("borrower_id", "trading_status", "plans_to_close", "is_in_adjustment", "days_past_due").join(
        levels.select("borrower_id", "level"), on="borrower_id", how="left", maintain_order="left"
    )
    return joined.select("borrower_id", owner_state=state)
