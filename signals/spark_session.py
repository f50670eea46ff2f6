"""Apache Spark, the second engine: how it is reached, what it is handed, and what is said where it fails.

Only `signals/` knows Spark by name; whoever else works on a Spark frame does so through narwhals or the frame's own words.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from signals.errors import NightError, SettingsError
from signals.settings import Settings

OLDEST_JAVA = 17
_WHY = "features and scores can't be built on it"
_CONNECT_NEEDS = ("grpc", "grpc_status", "zstandard")
# What the night says of every session: dates without a zone, arithmetic as polars does it, batches large enough for the booster.
_SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
}
# Of each expression Spark would note the line of Python it stands on: half of the time until a plan is sent.
_MASTER = {"spark.python.sql.dataFrameDebugging.enabled": "false"}
# On one machine nothing listens beyond it: Spark's own page shows plans to whoever can reach the port.
_LOCAL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}


def open_spark(settings: Settings) -> Any:
    """Open the Spark session of this process, by Connect where a server is named, else on the master; the same one again when asked again.

    Raises `SettingsError` where PySpark or Java is missing, or Spark does not start as it was told to; `NightError` where it is gone.
    """
    refuse_without_spark(settings)
    # nothing of ours goes through pandas there
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    from pyspark.sql import SparkSession

    with worded_spark():
        active = SparkSession.getActiveSession()
    if active is not None:
        return active
    where = "DEUNGDAE_SPARK_REMOTE" if settings.spark_remote else "DEUNGDAE_SPARK_MASTER"
    try:
        session = _start(SparkSession, settings)
    except Exception as error:  # noqa: BLE001, py4j, gRPC and Spark each have their own; their words may show a token
        next_step = "check them; `spark-submit --version` and Spark's own lines above say more, or use --engine polars"
        raise SettingsError(f"Spark does not start ({type(error).__name__})", f"{where}, DEUNGDAE_SPARK_CONF", _WHY, next_step) from None
    atexit.register(_stop, session)  # else a cluster counts the night as broken off
    return session


def refuse_without_spark(settings: Settings) -> None:
    """Refuse, where the engine is Spark and it can't run here, before anything is read: raises `SettingsError`."""
    reason = find_reason_against(settings) if settings.engine == "spark" else None
    if reason:
        raise reason


def find_reason_against(settings: Settings) -> SettingsError | None:
    """Find why Spark can't run here: PySpark, what Connect needs, or Java is missing or too old; None where all is there."""
    where = "--engine spark, or DEUNGDAE_ENGINE"
    polars = ", or use --engine polars"
    if find_spec("pyspark") is None:
        return SettingsError("PySpark is not installed", where, _WHY, f"pip install 'deungdae[spark]'{polars}")
    if settings.spark_remote:
        missing = [name for name in _CONNECT_NEEDS if find_spec(name) is None]
        what = f"Spark Connect needs {', '.join(missing)}"
        return SettingsError(what, "DEUNGDAE_SPARK_REMOTE", _WHY, f"pip install 'pyspark[connect]'{polars}") if missing else None
    version = find_java()
    if version is None:
        return SettingsError("Java is not installed", "JAVA_HOME and PATH", _WHY, f"install Java {OLDEST_JAVA} or newer{polars}")
    if version < OLDEST_JAVA:
        return SettingsError(f"Java {version} is too old for Spark", "JAVA_HOME and PATH", _WHY, f"install Java {OLDEST_JAVA}{polars}")
    return None


def find_java() -> int | None:
    """Find the version of the Java that Spark would start; None where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")
    if java is None:
        return None
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603, what Spark itself would start
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr)
    return int(found[1]) if found else None


@contextmanager
def worded_spark() -> Iterator[None]:
    """Word what fails on Spark inside the block as one line, without its own words: they may show values."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, ConnectionError, EOFError) as error:  # the last two: its Java is gone, killed for its memory, say
        raise NightError(
            f"Spark fails ({_name_failure(error)})",
            "--engine spark",
            "the stage is not finished; nothing half-done is read by anybody",
            "see Spark's own log (docs/spark.md), then run the night again, or use --engine polars",
        ) from None


def _name_failure(error: Any) -> str:
    condition = getattr(error, "getCondition", lambda: None)()
    return str(condition or type(error).__name__)


def _stop(session: Any) -> None:
    with suppress(Exception):  # of a Spark that is gone nothing is left to stop
        session.stop()


def _start(session: Any, settings: Settings) -> Any:
    if settings.spark_remote:
        told = _SESSION | settings.spark_conf
        return _tell(session.builder.remote(settings.spark_remote), told).getOrCreate()
    is_here = settings.spark_master.startswith("local")
    if is_here:  # executors elsewhere have a Python of their own
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    told = {**_SESSION, **_MASTER, **(_LOCAL | _place_code() if is_here else {}), **settings.spark_conf}
    return _tell(session.builder.master(settings.spark_master).appName("deungdae"), told).getOrCreate()


def _tell(builder: Any, told: dict[str, str]) -> Any:
    for name, value in told.items():
        builder = builder.config(name, value)
    return builder


def _place_code() -> dict[str, str]:
    """Where Spark's Python workers on this machine find this code, be it installed or not."""
    return {"spark.executorEnv.PYTHONPATH": str(Path(__file__).resolve().parents[1])}
