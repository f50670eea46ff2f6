"""The file registry: a folder per model, one champion, one challenger."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from models.calibration import Calibration
from models.card import write_card
from models.levels import Thresholds
from models.model import Model
from models.scorecard import SCORECARD_VERSION
from signals.errors import SettingsError

CHAMPION = "champion.json"
CHALLENGER = "challenger.json"


def register_model(folder: Path, model: Model) -> tuple[str, bool]:
    """Keep a model under its version, and point to it: the first becomes champion, any later one challenger.

    Gives the version and whether it is the champion. The version is the knowledge date and a hash of the content:
    registering the same model again changes nothing. A kill at any moment leaves whole models only.
    """
    text = model.booster.model_to_string()
    content = describe_model(model, text)
    version = f"{model.known_by.isoformat()}-{_hash_content(content)[:8]}"
    named = {"version": version, **content}
    if not (folder / version).is_dir():
        _write_whole(folder, version, {"model.txt": text, "model.json": _to_text(named), "card.md": write_card(named)})
    if not (folder / CHAMPION).is_file():
        _point(folder / CHAMPION, version, "the first model registered")
    is_champion = _read(folder / CHAMPION)["version"] == version
    if not is_champion:
        _point(folder / CHALLENGER, version, "the newest model registered")
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
    """Load the champion for a night, or say why the scorecard must serve.

    Gives the model and an empty text; or null and the reason: there is no champion, or it was trained on knowledge
    later than `as_of`. Raises `SettingsError` when the champion's files are damaged.
    """
    if not (folder / CHAMPION).is_file():
        return None, "no model is registered"
    model = load_model(folder, str(_read(folder / CHAMPION)["version"]))
    if model.known_by > as_of:
        return None, f"the champion {model.version} was trained on knowledge up to {model.known_by}, later than {as_of}"
    return model, ""


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
        content = _read(place / "model.json")
        if content["model_hash"] != _hash(text):
            raise _damaged(place, "model.txt is not what model.json names")
        return replace(_restore(content, lightgbm.Booster(model_str=text)), version=version)
    except (OSError, KeyError, TypeError, ValueError, lightgbm.basic.LightGBMError) as error:
        raise _damaged(place, str(error)) from error


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


def _damaged(place: Path, what: str) -> SettingsError:
    return SettingsError(
        f"damaged model: {what}",
        str(place),
        "no night can be scored by it",
        "restore the folder, or point champion.json to another version",
    )


def _write_whole(folder: Path, version: str, files: dict[str, str]) -> None:
    partial = folder / f".{version}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, text in files.items():
        (partial / name).write_text(text, encoding="utf-8")
    partial.rename(folder / version)


def _point(pointer: Path, version: str, because: str) -> None:
    partial = pointer.with_suffix(".partial")
    partial.write_text(_to_text({"version": version, "because": because}), encoding="utf-8")
    os.replace(partial, pointer)  # noqa: PTH105 (says that it is atomic)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(values, dict):
        raise _damaged(path, "not a table of values")
    return values


def _hash_content(content: dict[str, Any]) -> str:
    """What was measured of a model is no part of what it is."""
    about = {name: value for name, value in content["about"].items() if name != "evaluation"}
    return _hash(json.dumps({**content, "about": about}, sort_keys=True))


def _to_text(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
