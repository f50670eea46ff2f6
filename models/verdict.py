"""Whether the model is worth its trouble: said before anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.bootstrap import Drawn, find_interval

JUDGED_BY = ("auc", "average_precision")
FLAGS = "f2_of_own"
AHEAD, LEVEL, BEHIND, UNTOLD = "ahead", "not told apart", "behind", "too few to tell"


def judge_contenders(
    figures: Mapping[str, Mapping[str, Any]], drawn: Mapping[str, Drawn], baselines: Sequence[str], *, is_scorecard: bool
) -> dict[str, Any]:
    """Judge the model against each baseline by their differences on the same resamples.

    Ahead: the interval of the difference in AUC lies above nought, and that in average precision not below it. Behind: one of
    the two lies below. `is_ahead` is whether it is ahead of all (null: too few defaults to tell, or no model could be fitted).
    Beside them the F2 of whom each would flag by its own risk (`f2_of_own`): `flags_worse_than` names the baselines whose
    flags are better, the interval lying below nought. `text_ko` and `text_en` say all this.
    """
    against = {name: _compare(figures, drawn, name) for name in baselines}
    standings = [one["standing"] for one in against.values()]
    is_ahead = None if is_scorecard or UNTOLD in standings else all(standing == AHEAD for standing in standings)
    worse = [name for name, one in against.items() if (one["f2_of_own_interval"] or [0.0, 0.0])[1] < 0]
    words = _word(is_ahead, against, is_scorecard=is_scorecard)
    if worse and not is_scorecard:
        words = {text: f"{words[text]} {said}" for text, said in _word_flags(worse).items()}
    return {"is_ahead": is_ahead, **words, "flags_worse_than": worse, "against": against}


def _compare(figures: Mapping[str, Mapping[str, Any]], drawn: Mapping[str, Drawn], baseline: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name in (*JUDGED_BY, FLAGS):
        ours, theirs = figures["model"].get(name), figures[baseline].get(name)
        point = None if ours is None or theirs is None else ours - theirs
        told[name] = point
        told[f"{name}_interval"] = find_interval(point, drawn["model"][name] - drawn[baseline][name]) if name in drawn["model"] else None
    auc, precision = (told[f"{name}_interval"] for name in JUDGED_BY)
    if auc is None or precision is None:
        return {"standing": UNTOLD, **told}
    if auc[1] < 0 or precision[1] < 0:
        return {"standing": BEHIND, **told}
    return {"standing": AHEAD if auc[0] > 0 else LEVEL, **told}


NAMES_KO = {"days_past_due": "연체일수", "logistic": "로지스틱 평점", "scorecard": "공식 기준 평점"}
NAMES_EN = {"days_past_due": "days past due", "logistic": "the logistic scorecard", "scorecard": "the official rules"}


def _word_flags(worse: Sequence[str]) -> dict[str, str]:
    ko, en = (", ".join(names.get(name, name) for name in worse) for names in (NAMES_KO, NAMES_EN))
    return {
        "text_ko": f"주의 선별(F2)은 다음 기준보다 못합니다: {ko}.",
        "text_en": f"Its flags at caution (F2) are WORSE than those of {en}.",
    }


def _word(is_ahead: bool | None, against: Mapping[str, Mapping[str, Any]], *, is_scorecard: bool) -> dict[str, str]:
    if is_scorecard:
        return {
            "text_ko": "학습할 채무불이행이 부족하여 공식 기준 평점이 모형을 대신했습니다.",
            "text_en": "Too few defaults were known to learn from: the official rules stood in for the model.",
        }
    if is_ahead is None:
        return {
            "text_ko": "채무불이행이 너무 적어 모형이 기준보다 나은지 알 수 없습니다.",
            "text_en": "Too few defaults came to tell whether the model is ahead.",
        }
    if is_ahead:
        return {
            "text_ko": "모형이 연체일수, 로지스틱 평점, 공식 기준 평점보다 모두 앞섭니다.",
            "text_en": "The model is ahead of days past due, the logistic scorecard and the official rules.",
        }
    missed = [name for name, one in against.items() if one["standing"] != AHEAD]
    ko, en = (", ".join(names.get(name, name) for name in missed) for names in (NAMES_KO, NAMES_EN))
    return {"text_ko": f"모형이 다음 기준보다 앞서지 못합니다: {ko}", "text_en": f"The model is NOT ahead of {en}."}
