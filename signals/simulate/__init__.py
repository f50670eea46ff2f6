"""A made-up town: its signals as the holders would report them, and apart from them the truth."""

from __future__ import annotations

from signals.simulate.folder import truth_path, write_town, write_town_folder
from signals.simulate.town import Town, simulate_town

__all__ = ["Town", "simulate_town", "truth_path", "write_town", "write_town_folder"]
