"""Promotion and roll-back: who serves at night is changed by a person, with a reason, in the open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.acts import PROMOTE, ROLL_BACK, Act, find_before, read_acts, record_act
from models.files import read_values
from models.gates import Gates, Passed, judge_gates
from models.registry import load_model, read_challenger
from signals.errors import SettingsError

_SCORES = "the champion scores every night from now on"


def promote_challenger(folder: Path, version: str, because: str, at: str, gates: Gates) -> Act:
    """Make the challenger champion, and keep with the act why, when, the gates it passed and the thresholds of its levels.

    Raises `SettingsError`, and changes nothing, when `version` is not the challenger, is damaged or fails a gate, when no
    reason is given, or when another act was recorded meanwhile.
    """
    acts, challenger = read_acts(folder), read_challenger(folder)
    champion = acts[-1].version if acts else None
    _refuse_unnamed(folder, version, challenger, champion)
    _refuse_silence(because)
    model = load_model(folder, version)  # whole, or there is no promotion
    passed = judge_gates(model.about.get("evaluation", {}), (challenger or {}).get("champion"), champion, gates)
    _refuse_failed(version, passed)
    kept = {"at": at, "thresholds": model.thresholds.to_json(), "gates": [one.to_json() for one in passed]}
    return record_act(folder, acts, PROMOTE, version, because.strip(), **kept)


def roll_back(folder: Path, because: str, at: str) -> Act:
    """Make the champion before the present one champion again, with the thresholds it had.

    Raises `SettingsError`, and changes nothing, when there was none before, when it is damaged, when no reason is given, or
    when another act was recorded meanwhile.
    """
    acts = read_acts(folder)
    before = find_before(acts)
    _refuse_silence(because)
    if before is None:
        raise SettingsError(
            "there is no champion to go back to",
            str(folder),
            _SCORES,
            "train, and promote what passes the gates; see `deungdae models list`",
        )
    load_model(folder, before.version)
    return record_act(folder, acts, ROLL_BACK, before.version, because.strip(), at=at, thresholds=before.thresholds)


def list_models(folder: Path) -> list[dict[str, Any]]:
    """List the registered models, the newest knowledge first: version, role, what its trial found, and the acts that made it champion.

    `role` is champion, challenger, earlier (it was champion) or passed over. Raises `SettingsError` where a file is damaged.
    """
    acts, challenger = read_acts(folder), read_challenger(folder)
    places = sorted((file.parent for file in folder.glob("[0-9]*/model.json")), reverse=True)
    return [
        _describe(place, [act for act in acts if act.version == place.name], _name_role(place.name, acts, challenger)) for place in places
    ]


def _describe(place: Path, acts: Sequence[Act], role: str) -> dict[str, Any]:
    content = read_values(place / "model.json")
    trial = content["about"].get("evaluation", {})
    figures = {name: trial.get(name) for name in ("auc", "average_precision", "calibration_error", "is_out_of_time")}
    return {"version": place.name, "role": role, "known_by": content["known_by"], **figures, "acts": acts, "card": place / "card.html"}


def _name_role(version: str, acts: Sequence[Act], challenger: dict[str, Any] | None) -> str:
    if acts and acts[-1].version == version:
        return "champion"
    if challenger and challenger["version"] == version:
        return "challenger"
    return "earlier" if version in {act.version for act in acts} else "passed over"


def _refuse_unnamed(folder: Path, version: str, challenger: dict[str, Any] | None, champion: str | None) -> None:
    if version == champion:
        raise SettingsError(f"{version} is champion already", str(folder), "there is nothing to promote", "look at `deungdae models list`")
    if challenger is None or challenger["version"] != version:
        now = f"the challenger is {challenger['version']}" if challenger else "there is no challenger"
        raise SettingsError(
            f"{version} is not the challenger: {now}",
            str(folder),
            "only what stood beside the champion at night may replace it",
            "name the challenger (`deungdae models list`), or `deungdae models rollback` for a champion of before",
        )


def _refuse_silence(because: str) -> None:
    if not because.strip():
        raise SettingsError("no reason given", "--because", "nobody could say later why the champion changed", "say why, in a sentence")


def _refuse_failed(version: str, passed: Sequence[Passed]) -> None:
    failed = [one for one in passed if not one.is_passed]
    if failed:
        raise SettingsError(
            f"{version} fails {len(failed)} of {len(passed)} gates: {'; '.join(f'{one.gate}: {one.words}' for one in failed)}",
            "its trial, and [gates] in models/recipe.toml",
            _SCORES,
            "; ".join(dict.fromkeys(one.next_step for one in failed)),
        )
