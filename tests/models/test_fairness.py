from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from models.fairness import KINDS, RATES, measure_fairness, measure_selection
from models.recipe import Recipe
from models.report import tell_unfair, write_report
from models.segments import join_segments
from models.trial import summarise_trial
from tests.models.conftest import make_trial

JAN = date(2026, 1, 31)


def name_people(tried: pl.DataFrame) -> pl.DataFrame:
    """Women are B00000 to B00199, men the rest; born 1990 and 1960; everything else is unknown."""
    is_woman = pl.col("borrower_id") < "B00200"
    register = tried.lazy().select(
        "borrower_id",
        owner_sex=pl.when(is_woman).then(pl.lit("F")).otherwise(pl.lit("M")),
        owner_birth_year=pl.when(is_woman).then(1990).otherwise(1960),
    )
    return join_segments(tried, {"borrowers": register.unique()}, JAN)


def test_the_rates_of_a_group_are_those_of_its_rows_and_everyone_comes_first(recipe: Recipe) -> None:
    tried = name_people(make_trial(1, origins=(JAN,)))
    told = measure_fairness(tried, recipe)
    assert [(one["kind"], one["group"]) for one in told] == [
        ("everyone", "all"), ("owner_age", "30-39"), ("owner_age", "60+"), ("owner_sex", "F"), ("owner_sex", "M")
    ]  # fmt: skip
    women, flag = tried.filter(owner_sex="F"), pl.col("model_level") != "none"
    one = told[3]
    assert (one["borrowers"], one["defaults"]) == (200, women["is_default"].sum())
    assert one["selection_rate"] == pytest.approx(women.select(flag.mean()).item())
    assert one["recall"] == pytest.approx(women.filter("is_default").select(flag.mean()).item())
    assert one["precision"] == pytest.approx(women.filter(flag)["is_default"].mean())
    assert one["calibration_in_the_large"] == pytest.approx(women.select(pl.col("model_risk").mean() - pl.col("is_default").mean()).item())
    for rate in RATES:
        low, high = one[f"{rate}_interval"]
        assert low <= one[rate] <= high
        assert high - low > 0


def test_a_group_whose_crises_are_missed_is_warned_of_and_no_other(recipe: Recipe) -> None:
    tried = name_people(make_trial(1, borrowers=2000, origins=(JAN,)))
    blind = tried.with_columns(model_level=pl.when(owner_sex="F").then(pl.lit("none")).otherwise("model_level"))
    warned = {one["group"]: one["warns"] for one in measure_fairness(blind, recipe) if one["kind"] == "owner_sex"}
    assert warned["F"] == ["selection_rate", "recall"]
    assert not {"recall", "selection_rate"} & set(warned["M"])
    assert not [one for one in measure_fairness(tried, recipe) if one["kind"] == "owner_sex" and "recall" in one["warns"]]


def test_the_report_marks_the_rate_and_tells_it_in_a_line(recipe: Recipe) -> None:
    tried = name_people(make_trial(1, borrowers=2000, origins=(JAN,)))
    groups = measure_fairness(tried.with_columns(model_level=pl.lit("none")), recipe)
    assert tell_unfair(groups) == []  # everybody is missed alike
    blind = tried.with_columns(model_level=pl.when(owner_sex="F").then(pl.lit("none")).otherwise("model_level"))
    told = tell_unfair(measure_fairness(blind, recipe))
    assert any(line.startswith("공정성 · fairness: 대표자 성별 · owner's sex F: 재현율 · recall 0.000") for line in told)
    figures = summarise_trial([blind], {JAN: {"excluded_in_crisis": 0, "excluded_already_in_default": 0}}, recipe)
    page = write_report(figures | {"is_out_of_time": True, "horizon_days": 180, "fairness": measure_fairness(blind, recipe)})
    assert "## 공정성 · Fairness of the flags" in page
    assert "0.000 [0.000, " in page
    assert " ⚠ |" in page


def test_several_rows_of_one_borrower_make_a_figure_no_surer(recipe: Recipe) -> None:
    once = name_people(make_trial(1, origins=(JAN,)))
    thrice = pl.concat([once.with_columns(origin=pl.lit(date(2026, month, 28))) for month in (3, 4, 5)])
    assert measure_fairness(thrice, recipe)[0]["recall_interval"] == pytest.approx(measure_fairness(once, recipe)[0]["recall_interval"])


def test_too_few_crises_in_a_group_give_a_figure_without_an_interval_and_no_warning(recipe: Recipe) -> None:
    tried = name_people(make_trial(1, borrowers=204, origins=(JAN,)))
    men = measure_fairness(tried, recipe)[-1]
    assert (men["group"], men["borrowers"]) == ("M", 4)
    assert (men["recall_interval"], men["warns"]) == (None, [])


def test_of_a_night_the_share_chosen_is_told_by_group() -> None:
    people = name_people(make_trial(1, borrowers=400, origins=(JAN,))).with_columns(is_helped=pl.col("borrower_id") < "B00050")
    told = {(one["kind"], one["group"]): one for one in measure_selection(people, "is_helped")}
    assert told["everyone", "all"] == {"kind": "everyone", "group": "all", "borrowers": 400, "selection_rate": 0.125}
    assert told["owner_sex", "F"]["selection_rate"] == 0.25
    assert told["owner_sex", "M"]["selection_rate"] == 0.0
    assert told["capital", "unknown"]["borrowers"] == 400
    assert {kind for kind, _ in told} == {"everyone", *KINDS}
