"""The file registry: a folder per model, one champion, one challenger."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from models.acts import FIRST, find_champion, record_act
from models.calibration import Calibration
from models.card import write_card
from models.card_page import write_page
from models.files import name_damage, read_values, to_text, write_text
from models.levels import Thresholds
from models.model import Model
from models.scorecard import SCORECARD_VERSION
from signals.errors import SettingsError

CHALLENGER = "challenger.json"


def register_model(folder: Path, model: Model, beside: dict[str, Any] | None = None, *, may_lead: bool = True) -> tuple[str, bool]:
    """Keep a model under its version; the first becomes champion (unless it may not), any later one challenger.

    Gives the version and whether it is the champion. The version is the knowledge date and a hash of the content:
    registering the same model again changes nothing but what was measured of it. `beside` is how the champion does on its
    trial (as of `rivals.try_champion`). A kill at any moment leaves whole models only.
    """
    text = model.booster.model_to_string()
    content = describe_model(model, text)
    version = f"{model.known_by.isoformat()}-{_hash_content(content)[:8]}"
    named = {"version": version, **content}
    cards = {"card.md": write_card(named), "card.html": write_page(named)}
    _keep_whole(folder, version, {"model.txt": text, **cards, "model.json": to_text(named)})
    if may_lead and find_champion(folder) is None:
        with suppress(SettingsError):  # another training was first: this one is challenger
            record_act(folder, [], FIRST, version, "the first model registered", thresholds=content["thresholds"])
    champion = find_champion(folder)
    is_champion = champion is not None and champion.version == version
    if not is_champion:
        pointer = {"version": version, "because": "the newest model registered", "champion": beside}
        write_text(folder / CHALLENGER, to_text(pointer))
    return version, is_champion


def describe_model(model: Model, text: str) -> dict[str, Any]:
    """Say all that a model is, but for its trees, as plain values: what `model.json` holds."""
    return {
        "known_by": model.known_by.isoformat(),
        "horizon_days": model.horizon_days,
        "origins": [origin.isoformat() for origin in model.origins],
        "features": model.directions,
        "calibration": model.calibration.to_json(),
        "thresholds": model.thresholds.to_json(),
        "about": model.about,
        "model_hash": _hash(text),
    }


def load_champion(folder: Path, as_of: date) -> tuple[Model | None, str]:
    """Load the champion for a night, with the thresholds of its promotion, or say why the scorecard must serve.

    Gives the model and an empty text; or null and the reason: there is no champion, or it was trained on knowledge
    later than `as_of`. Raises `SettingsError` when the champion's files are damaged.
    """
    act = find_champion(folder)
    if act is None:
        return None, "no model was promoted yet" if (folder / CHALLENGER).is_file() else "no model is registered"
    model = load_model(folder, act.version)
    if model.known_by > as_of:
        return None, f"the champion {model.version} was trained on knowledge up to {model.known_by}, later than {as_of}"
    return (model if act.thresholds is None else replace(model, thresholds=Thresholds(**act.thresholds))), ""


def read_challenger(folder: Path) -> dict[str, Any] | None:
    """Read who is challenger: `version`, and under `champion` how the champion did on its trial; null where there is none.

    A challenger that became champion is none any more. Raises `SettingsError` when the file is damaged.
    """
    if not (folder / CHALLENGER).is_file():
        return None
    pointer, champion = read_values(folder / CHALLENGER), find_champion(folder)
    if not isinstance(pointer.get("version"), str):
        raise name_damage(folder / CHALLENGER, "it names no version")
    return None if champion and champion.version == pointer["version"] else pointer


def load_challenger(folder: Path, as_of: date, features: Collection[str]) -> tuple[Model | None, str]:
    """Load the challenger to stand beside the champion tonight, where `features` are computed, or say why it can't.

    Gives the model and an empty text; or null and the reason, which is empty where there is no challenger. It only looks
    on: what is wrong with it never stops a night.
    """
    try:
        pointer = read_challenger(folder)
        model = load_model(folder, pointer["version"]) if pointer else None
    except SettingsError as error:
        return None, error.what
    if model is None:
        return None, ""
    absent = sorted(set(model.features) - set(features))
    if model.known_by > as_of:
        return None, f"the challenger {model.version} was trained on knowledge up to {model.known_by}, later than {as_of}"
    return (None, f"the challenger {model.version} needs {absent[0]}, which is not computed") if absent else (model, "")


def load_scorer(folder: Path, version: str) -> Model | None:
    """Load the model that scored a night, be it champion still or not; null where that was the scorecard, or nobody was scored."""
    return load_model(folder, version) if version and version != SCORECARD_VERSION else None


def load_model(folder: Path, version: str) -> Model:
    """Load one registered model.

    Raises `SettingsError` when it is not there, not readable, or not the content its hash names.
    """
    import lightgbm

    place = folder / version
    try:
        text = (place / "model.txt").read_text(encoding="utf-8")
        content = read_values(place / "model.json")
        if content["model_hash"] != _hash(text):
            raise name_damage(place, "model.txt is not what model.json names")
        return replace(_restore(content, lightgbm.Booster(model_str=text)), version=version)
    except (OSError, KeyError, TypeError, ValueError, lightgbm.basic.LightGBMError) as error:
        raise name_damage(place, str(error)) from error


def _restore(content: dict[str, Any], booster: Any) -> Model:
    return Model(
        booster=booster,
        directions=content["features"],
        calibration=Calibration.from_json(content["calibration"]),
        thresholds=Thresholds(**content["thresholds"]),
        horizon_days=content["horizon_days"],
        known_by=date.fromisoformat(content["known_by"]),
        origins=tuple(date.fromisoformat(origin) for origin in content["origins"]),
        about=content["about"],
    )


def _keep_whole(folder: Path, version: str, files: dict[str, str]) -> None:
    if (folder / version).is_dir():
        for name, text in files.items():
            write_text(folder / version / name, text)
        return
    partial = folder / f".{version}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, text in files.items():
        (partial / name).write_text(text, encoding="utf-8")
    partial.rename(folder / version)


def _hash_content(content: dict[str, Any]) -> str:
    """What was measured of a model is no part of what it is."""
    about = {name: value for name, value in content["about"].items() if name != "evaluation"}
    return _hash(json.dumps({**content, "about": about}, sort_keys=True))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
