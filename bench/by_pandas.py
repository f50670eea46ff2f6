"""The features by pandas: written by hand for its way of grouping, from the same declarations, views and formulas.

Of each leaf the rows in its window are masked and grouped, one column after the other; what is done per borrower after that
is the declared arithmetic, through narwhals, on pandas frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any
from unittest.mock import patch

import narwhals as nw
import polars as pl

_FASTER = {"int32[pyarrow]": "Int32", "int64[pyarrow]": "Int64"}  # pandas' own numbers, which it groups without Arrow


def build_features(files: Mapping[str, list[str]], as_of: date, peers: pl.DataFrame) -> pl.DataFrame:
    """Compute every declared feature for every borrower the files name, as `features.build_features` does."""
    with _taught():
        return _build(files, as_of, peers)


def _build(files: Mapping[str, list[str]], as_of: date, peers: pl.DataFrame) -> pl.DataFrame:
    from features import FEATURES
    from features.feature import list_leaves
    from features.peers import join_peers, list_peer_medians
    from features.reading import Reading
    from features.views import VIEWS

    reading = Reading({table: nw.from_native(_read(table, names)).lazy() for table, names in files.items()}, as_of)
    needed = list_leaves(FEATURES)
    wide = _name_borrowers(reading)
    for view in sorted({leaf.view for leaf in needed}):
        if all(table in reading.tables for table in VIEWS[view].tables):
            leaves = [leaf for leaf in needed if leaf.view == view]
            wide = wide.merge(_aggregate(reading, view, leaves), on="borrower_id", how="left")
    for leaf in needed:
        if leaf.name not in wide:
            wide[leaf.name] = None
            wide[leaf.name] = wide[leaf.name].astype("Int32")
    values = [feature.value.expr().cast(nw.Float64).alias(feature.name) for feature in FEATURES]
    medians = list_peer_medians(feature.value for feature in FEATURES)
    joined = join_peers(nw.from_native(wide).lazy(), medians, nw.from_native(peers.to_pandas()).lazy())
    return pl.from_pandas(joined.select("borrower_id", *values).collect().to_native())


def _read(table: str, files: list[str]) -> Any:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from features.reading import READS

    columns = [name for name in READS[table] if name in pq.read_schema(files[0]).names]
    rows = pd.concat([pd.read_parquet(file, columns=columns, dtype_backend="numpy_nullable") for file in files], ignore_index=True)
    # of its own text, pandas makes no numbers where some are unknown; of Arrow's it does
    return rows.astype({name: pd.ArrowDtype(pa.string()) for name in columns if name.endswith("_code")})


def _aggregate(reading: Any, view: str, leaves: list[Any]) -> Any:
    import pandas as pd

    from features.formula import look_back
    from features.views import VIEWS

    rows = VIEWS[view].rows(reading, look_back(leaves)).collect().to_native().reset_index(drop=True)
    rows = rows.astype({name: _FASTER[str(rows[name].dtype)] for name in rows.columns if str(rows[name].dtype) in _FASTER})
    codes, names = pd.factorize(rows["borrower_id"])
    found = {"borrower_id": names}
    masks = {str(leaf.window): rows["months_back"].between(leaf.window.first, leaf.window.last) for leaf in leaves if leaf.window}
    for leaf in leaves:
        values = rows[leaf.of].where(masks[str(leaf.window)]) if leaf.window else rows[leaf.of]
        found[leaf.name] = getattr(values.groupby(codes), leaf.how)().array
    return pd.DataFrame(found)


def _name_borrowers(reading: Any) -> Any:
    import pandas as pd

    from signals.tables import HOLDERS

    named = [reading.rows(table).select("borrower_id").collect().to_native() for table in HOLDERS if table in reading.tables]
    return pd.concat(named).drop_duplicates(ignore_index=True)


@contextmanager
def _taught() -> Iterator[None]:
    """Teach pandas what the views ask for and it can't: the modulo of Arrow's numbers."""
    from pandas.core.arrays.arrow.array import ARROW_ARITHMETIC_FUNCS as ARITHMETIC

    def take_modulo(one: Any, other: Any) -> Any:
        return ARITHMETIC["sub"](one, ARITHMETIC["mul"](ARITHMETIC["floordiv"](one, other), other))

    with patch.dict(ARITHMETIC, mod=take_modulo):
        yield
