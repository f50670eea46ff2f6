"""What we compute about each borrower: every feature declared once, built in one pass."""

from __future__ import annotations

from features.build import build_features
from features.catalogue import FEATURES, directions, feature_names, themes
from features.describe import describe_features
from features.feature import THEMES, Feature
from features.reading import READS
from features.wording import word_reasons

__all__ = [
    "FEATURES", "READS", "THEMES", "Feature", "build_features", "describe_features", "directions", "feature_names", "themes", "word_reasons",
]  # fmt: skip
