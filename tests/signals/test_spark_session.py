"""What is said where Spark can't run here, before anything is read: no Spark and no Java is needed for this."""

from pathlib import Path
from typing import Any

import pytest

from signals.errors import SettingsError
from signals.settings import Settings
from signals.spark_session import find_java, find_reason_against, refuse_without_spark


def settings(**given: Any) -> Settings:
    return Settings(engine="spark", **given)


def put_java(folder: Path, says: str) -> None:
    """A `java` of which nothing is wanted but its version."""
    java = folder / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{says}\" 2025-01-01' >&2\n")
    java.chmod(0o755)


@pytest.fixture
def has_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signals.spark_session.find_spec", lambda name: object())


@pytest.mark.parametrize(("says", "found"), [("1.8.0_392", 8), ("11.0.2", 11), ("17.0.15", 17), ("21", 21)])
def test_the_java_that_spark_would_start_is_asked_for_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, found: int
) -> None:
    put_java(tmp_path, says)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java() == found


def test_without_java_it_is_said_how_to_mend_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_pyspark: None) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "Java is not installed" in str(find_reason_against(settings()))
    put_java(tmp_path, "11.0.2")
    with pytest.raises(SettingsError, match="Java 11 is too old for Spark"):
        refuse_without_spark(settings())
    refuse_without_spark(Settings(engine="polars"))


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signals.spark_session.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"PySpark is not installed .* pip install 'deungdae\[spark\]'"):
        refuse_without_spark(settings())


def test_connect_needs_no_java_but_what_speaks_to_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr("signals.spark_session.find_spec", lambda name: None if name == "grpc" else object())
    assert "Spark Connect needs grpc" in str(find_reason_against(settings(spark_remote="sc://spark:15002")))
    monkeypatch.setattr("signals.spark_session.find_spec", lambda name: object())
    assert find_reason_against(settings(spark_remote="sc://spark:15002")) is None
