from __future__ import annotations

import polars as pl
import pytest

from models.model import Model
from models.score import score_risk
from models.scorecard import ALERT_POINTS, CAUTION_POINTS, SIGNS, score_signs

NOBODY = pl.DataFrame({"borrower_id": []}, schema={"borrower_id": pl.String})


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: sign.name)
def test_a_sign_shows_from_its_bound_on_and_never_for_the_unknown(sign) -> None:
    beyond = sign.bound - 0.001 if not sign.is_at_most else sign.bound + 0.001
    shown = score_signs(pl.DataFrame({"borrower_id": ["at", "short", "unknown"], sign.feature: [float(sign.bound), beyond, None]}))
    assert shown[sign.name].to_list() == [True, False, False]
    assert shown.filter(pl.col("borrower_id") == "unknown").select("points", "has_sign").row(0) == (0, False)


def test_the_official_signs_are_those_of_the_house_plan() -> None:
    bounds = {(sign.feature, sign.bound) for sign in SIGNS}
    assert {("days_past_due", 7), ("days_past_due", 15), ("days_past_due", 31), ("days_past_due", 90)} <= bounds
    assert {("credit_score_change_12m", -100), ("credit_score", 839), ("credit_score", 744)} <= bounds
    assert {("lenders_count", 2), ("lenders_count", 3), ("sales_change_yoy", -0.10), ("tax_arrears_krw", 5_000_000)} <= bounds
    assert all(sign.words_ko and sign.words_en and sign.source and sign.points > 0 for sign in SIGNS)


def test_fifteen_days_have_the_points_of_caution_and_thirty_one_those_of_alert() -> None:
    points = score_signs(pl.DataFrame({"borrower_id": ["A", "B"], "days_past_due": [15.0, 31.0]}))["points"]
    assert points.to_list() == [CAUTION_POINTS, ALERT_POINTS]


def test_every_borrower_has_one_row_and_the_distressed_have_no_risk(rows: pl.DataFrame, model: Model) -> None:
    features = rows.filter(pl.col("origin") == pl.col("origin").max())
    crisis = features.select("borrower_id").head(3)
    scored = score_risk(features, crisis, model)
    assert scored["borrower_id"].to_list() == features["borrower_id"].to_list()
    assert scored.head(3).select("risk", "raw_score", "level_tonight").rows() == [(None, None, "distressed")] * 3
    assert scored["risk"].null_count() == scored["raw_score"].null_count() == 3
    assert scored["risk"].is_between(0, 1).sum() == len(features) - 3
    ranked = scored.drop_nulls().sort("raw_score")
    assert ranked["risk"].is_sorted()


def test_a_part_of_the_borrowers_scores_as_the_whole_does(rows: pl.DataFrame, model: Model) -> None:
    features = rows.filter(pl.col("origin") == pl.col("origin").max())
    crisis = features.select("borrower_id").head(5)
    whole = score_risk(features, crisis, model)
    parts = pl.concat([score_risk(features.slice(start, 400), crisis, model) for start in range(0, len(features), 400)])
    assert parts.equals(whole)
    assert score_risk(features.clear(), crisis, model).schema == whole.schema


def test_a_night_without_a_champion_scores_by_the_scorecard() -> None:
    features = pl.DataFrame({"borrower_id": ["A", "B", "C"], "days_past_due": [31.0, None, 3.0], "credit_score": [700.0, 700.0, None]})
    scored = score_risk(features, NOBODY, None)
    assert scored.select("risk", "raw_score", "level_tonight", "model_version").rows() == [
        (None, 65.0, "alert", "scorecard"),
        (None, 15.0, "watch", "scorecard"),
        (None, 0.0, "none", "scorecard"),
    ]
