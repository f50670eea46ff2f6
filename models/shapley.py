"""Exact Shapley values of small trees, looked up: a tree asks few questions, so its answers are few and known beforehand.

Path-dependent, as LightGBM's `pred_contrib` (Lundberg et al. 2018, algorithm 1). The leaves of a tree are grouped by subtree so
that a group hangs on at most `MOST_SPLITS` splits; for each pattern of their answers the values of each feature are tabulated once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import factorial
from typing import Any

import numpy as np

from models.evaluate import Numbers

MOST_SPLITS = 11  # 2,048 patterns of a group: its tables stay in the cache
_ENDLESS = 1e300  # so LightGBM spells the infinite threshold that parts known from unknown, for JSON has no word for it
ROWS_AT_ONCE = 16_384


@dataclass(frozen=True)
class Split:
    """One question of a tree: whether the value is at most the threshold; an unknown one goes left or not."""

    feature: int
    threshold: float
    takes_unknown: bool


@dataclass(frozen=True)
class Group:
    """Leaves that hang on the same few splits: of each of `features` its values by pattern, the first split the highest bit."""

    splits: tuple[Split, ...]
    features: tuple[int, ...]
    values: Numbers


@dataclass(frozen=True)
class _Step:
    """One step from the root to a leaf: which split it answers, which way, and the share of training rows that went there."""

    node: int
    is_left: bool
    share: float


def tabulate_trees(booster: Any) -> list[Group]:
    """Tabulate the Shapley values of a LightGBM booster's trees.

    Raises `NotImplementedError` where a tree asks what this module does not read: categories, zeros as unknown, a path too long.
    """
    groups: list[Group] = []
    for tree in booster.dump_model()["tree_info"]:
        groups += _group_leaves(tree["tree_structure"], ())
    return groups


def look_up(groups: list[Group], matrix: Numbers) -> Numbers:
    """Look up the values of each row: rows × columns of `matrix`, whose unknown values are NaN; each row for itself."""
    found = np.empty(matrix.shape)
    for start in range(0, len(matrix), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        found[rows] = _look_up_block(groups, np.ascontiguousarray(matrix[rows].T)).T
    return found


def _look_up_block(groups: list[Group], columns: Numbers) -> Numbers:
    unknown, found = np.isnan(columns), np.zeros(columns.shape)
    part = np.empty(columns.shape[1])
    for group in groups:
        pattern = np.zeros(columns.shape[1], dtype=np.intp)
        for split in group.splits:
            is_left = columns[split.feature] <= split.threshold
            if split.takes_unknown:
                is_left |= unknown[split.feature]
            pattern += pattern
            pattern += is_left
        for feature, values in zip(group.features, group.values, strict=True):
            found[feature] += values.take(pattern, out=part, mode="clip")
    return found


def _group_leaves(node: dict[str, Any], above: tuple[tuple[dict[str, Any], bool], ...]) -> Iterator[Group]:
    splits = [*(split for split, _ in above), *_list_splits(node)]
    if len(splits) <= MOST_SPLITS:
        if splits:
            yield _tabulate(splits, list(_walk(node, above)))
        return
    if "split_index" not in node:
        said = f"a path of more than {MOST_SPLITS} splits"
        raise NotImplementedError(said)
    for side in ("left", "right"):
        yield from _group_leaves(node[f"{side}_child"], (*above, (node, side == "left")))


def _list_splits(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *_list_splits(node["left_child"]), *_list_splits(node["right_child"])] if "split_index" in node else []


def _walk(node: dict[str, Any], path: tuple[tuple[dict[str, Any], bool], ...]) -> Iterator[tuple[float, list[_Step]]]:
    """Every leaf below a node: its value, and the steps from the root."""
    if "split_index" in node:
        for side in ("left", "right"):
            yield from _walk(node[f"{side}_child"], (*path, (node, side == "left")))
        return
    counts = [split["internal_count"] for split, _ in path] + [node["leaf_count"]]
    shares = [after / before for before, after in pairwise(counts)]
    yield node["leaf_value"], [_Step(split["split_index"], is_left, share) for (split, is_left), share in zip(path, shares, strict=True)]


def _tabulate(nodes: list[dict[str, Any]], leaves: list[tuple[float, list[_Step]]]) -> Group:
    splits = {node["split_index"]: _read_split(node) for node in nodes}
    bit = {node: len(splits) - 1 - place for place, node in enumerate(splits)}
    features = sorted({splits[step.node].feature for _, steps in leaves for step in steps})
    patterns = np.arange(1 << len(splits))
    values = np.zeros((len(features), len(patterns)))
    for value, steps in leaves:
        on_path: dict[int, list[_Step]] = {}
        for step in steps:
            on_path.setdefault(splits[step.node].feature, []).append(step)
        kept = np.array([np.prod([step.share for step in own]) for own in on_path.values()])
        parts = value * _weigh(kept)
        which = np.zeros(len(patterns), dtype=np.intp)
        for own in on_path.values():
            mask = sum(1 << bit[step.node] for step in own)
            wanted = sum(1 << bit[step.node] for step in own if step.is_left)
            which = 2 * which + ((patterns & mask) == wanted)
        for feature, part in zip(on_path, parts, strict=True):
            values[features.index(feature)] += part[which]
    return Group(tuple(splits.values()), tuple(features), values)


def _weigh(kept: Numbers) -> Numbers:
    """The Shapley values of a leaf of value one: features × patterns of which features lead to it, the first the highest bit.

    `kept`: of each feature the share of rows that its own splits let through to the leaf. Of all orders in which features become
    known, those not yet known let through their share.
    """
    size = len(kept)
    leads = (np.arange(1 << size) >> np.arange(size - 1, -1, -1)[:, np.newaxis]) & 1
    known = np.zeros((size, 1 << size, size))  # by feature, pattern, and how many of the others are known
    known[:, :, 0] = 1.0
    for other in range(size):
        rest = np.arange(size) != other
        grown = known[rest] * kept[other]
        grown[:, :, 1:] += known[rest][:, :, :-1] * leads[other][np.newaxis, :, np.newaxis]
        known[rest] = grown
    weights = np.array([factorial(count) * factorial(size - 1 - count) / factorial(size) for count in range(size)])
    values: Numbers = (known @ weights) * (leads - kept[:, np.newaxis])
    return values


def _read_split(node: dict[str, Any]) -> Split:
    if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
        said = f"a split of the kind {node['decision_type']} with {node['missing_type']} as unknown"
        raise NotImplementedError(said)
    takes_unknown = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
    threshold = node["threshold"] if node["threshold"] < _ENDLESS else np.inf
    return Split(node["split_feature"], threshold, bool(takes_unknown))
