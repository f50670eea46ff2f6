"""What we compute about each borrower: every feature declared once, built in one pass."""

from __future__ import annotations

from features.build import build_features, build_peer_values, find_peers
from features.catalogue import FEATURES, directions, feature_names, themes
from features.describe import describe_features
from features.feature import THEMES, Feature
from features.peers import measure_peers
from features.reading import READS
from features.wording import name_features, word_changes, word_reasons

__all__ = [
    "FEATURES",
    "READS",
    "THEMES",
    "Feature",
    "build_features",
    "build_peer_values",
    "describe_features",
    "directions",
    "feature_names",
    "find_peers",
    "measure_peers",
    "name_features",
    "themes",
    "word_changes",
    "word_reasons",
]
