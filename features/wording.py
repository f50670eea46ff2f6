"""Reasons in words: each feature's own sentence with the value filled in."""

from __future__ import annotations

import polars as pl

from features.catalogue import BY_NAME
from signals.errors import InputError

# Who is in crisis is a fact, not a feature; it is still the first thing a caseworker must read.
IN_CRISIS = "is_in_crisis"
_SAYS_IN_CRISIS = (
    "최근 12개월 안에 채무불이행 사실이 확인되었거나 90일 이상 연체 중입니다.",
    "A default within the last twelve months is on record, or a loan is 90 days or more past due.",
)

_SAYS_CHANGED = (
    ("text_ko", "지난번 이후 위험을 높인 사실은 없습니다. 판단 기준이 달라졌습니다.", "새로 확인됨: ", "지난번: ", " 지금: "),
    ("text_en", "No fact has raised the risk since before; it is judged in another way.", "Newly known: ", "Before: ", " Now: "),
)


def name_features() -> dict[str, tuple[str, str]]:
    """Name every declared feature in Korean and English, by its column.

    >>> name_features()["days_past_due"][1]
    'The number of days past due'
    """
    return {name: (feature.label_ko, feature.label_en) for name, feature in BY_NAME.items()}


def word_reasons(reasons: pl.DataFrame) -> pl.DataFrame:
    """Add text_ko and text_en to reasons: what a caseworker reads.

    One row per row of `reasons`, in its order; `feature` and `value` (Float64) are read, all columns are kept. A null
    value is worded as unknown (or as the feature says), never as zero; the fact `is_in_crisis`
    has a sentence of its own. Raises `InputError` for an undeclared feature.

    >>> told = word_reasons(pl.DataFrame({"feature": ["days_past_due", "credit_score"], "value": [41.0, None]}))
    >>> told["text_ko"].to_list()
    ['현재 연체일수는 41일입니다(가장 오래 연체된 대출 기준).', '신용점수는 확인되지 않습니다.']
    >>> told["text_en"].to_list()
    ['The loan furthest behind is 41 days past due.', 'The credit score is not known.']
    """
    read = reasons.with_columns(pl.col("value").cast(pl.Float64).fill_nan(None))
    distinct = read.select("feature", "value").unique(maintain_order=True)
    _refuse_undeclared(distinct)
    said = [_SAYS_IN_CRISIS if feature == IN_CRISIS else BY_NAME[feature].say(value) for feature, value in distinct.iter_rows()]
    words = distinct.with_columns(
        text_ko=pl.Series([in_ko for in_ko, _ in said], dtype=pl.String),
        text_en=pl.Series([in_en for _, in_en in said], dtype=pl.String),
    )
    kept = read.drop("text_ko", "text_en", strict=False)
    return kept.join(words, on=["feature", "value"], how="left", nulls_equal=True, maintain_order="left")


def word_changes(changes: pl.DataFrame) -> pl.DataFrame:
    """Add text_ko and text_en to what changed since the night before: the feature's sentence then, and now.

    One row per row of `changes`, in its order; feature (null: none), value_before and value are read.

    >>> told = word_changes(pl.DataFrame({"feature": ["loans_count"], "value_before": [1.0], "value": [2.0]}))
    >>> told["text_en"].item()
    'Before: The borrower has 1 loan open. Now: The borrower has 2 loans open.'
    """
    nothing = changes["feature"].is_null()
    named = changes.with_columns(pl.col("feature").fill_null(IN_CRISIS))
    now = word_reasons(named.select("feature", "value"))
    before = word_reasons(named.select("feature", value="value_before"))
    said = {
        text: pl.when(nothing)
        .then(pl.lit(none))
        .when(changes["feature"] == IN_CRISIS)
        .then(pl.lit(newly) + now[text])
        .otherwise(pl.lit(then) + before[text] + pl.lit(since) + now[text])
        for text, none, newly, then, since in _SAYS_CHANGED
    }
    return changes.with_columns(**said)


def _refuse_undeclared(reasons: pl.DataFrame) -> None:
    strange = sorted(set(reasons["feature"].to_list()) - {*BY_NAME, IN_CRISIS})
    if strange:
        raise InputError(
            f"reason for an undeclared feature {strange[0]!r}",
            "reasons",
            "nobody could read it",
            "declare the feature, or train the model anew",
        )
