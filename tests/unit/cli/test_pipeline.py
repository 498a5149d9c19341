"""Names, folders and ports of pipelines (C27)."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from replicator.api.errors import ConfigError
from replicator.cli.databases import source_database
from replicator.cli.pipeline import Pipeline, choose_port, find_all, load, pipeline_name, without_secrets
from replicator.cli.plan import split_patterns


def test_the_name_does_not_depend_on_the_password() -> None:
    one = pipeline_name("postgresql://u:a@h:5432/d", "mysql://u:b@h/t", None)
    other = pipeline_name("postgresql://u:c@h:5432/d", "mysql://u:d@h/t", None)
    assert one == other
    assert one != pipeline_name("postgresql://u:a@h:5432/d2", "mysql://u:b@h/t", None)


def test_a_name_that_cannot_be_a_slot_is_refused() -> None:
    with pytest.raises(ConfigError, match="a-z, 0-9 and _"):
        pipeline_name("postgresql://h/d", "mysql://h/t", "My-Pipeline")


def test_a_url_without_secrets_has_no_password_and_no_options() -> None:
    assert without_secrets("postgresql://bob:s3cret@h:5/d?sslpassword=x") == "postgresql://bob@h:5/d"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:pa/ss@h:5432/d",
        "postgresql://u:12/ss@h:5432/d",
        "postgresql://u:12?ss@h/d",
        "postgresql://u:12#ss@h/d",
        "postgresql://u:x#ss@h/d",
        "mysql://u:p@h1:3306,h2:3306/d",
    ],
)
def test_a_password_that_is_not_encoded_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        pipeline_name(url, "mysql://h/t", None)
    assert "ss@" not in str(caught.value)
    assert "percent-encode" in str(caught.value)


def test_what_is_no_url_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        source_database("host=h password=s3cret dbname=d")
    assert "s3cret" not in str(caught.value)


def test_a_pipeline_is_found_by_its_folder_and_known_to_run(tmp_path: Path) -> None:
    made = Pipeline("a1", "postgresql://h/d", "mysql://h/t", ["public.*"], [], folder=str(tmp_path / "a1"))
    made.mark_running(8083)
    found = list(find_all(tmp_path))
    assert [p.name for p in found] == ["a1"]
    made.mark_stopped()
    again = load(tmp_path / "a1")
    assert again is not None
    assert not again.running()


def test_a_broken_state_file_is_no_pipeline(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "pipeline.json").write_text("{")
    assert list(find_all(tmp_path)) == []


def test_ports() -> None:
    assert choose_port("off") is None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="taken"):
            choose_port(str(taken.getsockname()[1]))
    with pytest.raises(ConfigError, match="neither a port nor"):
        choose_port("http")
    assert choose_port(None) is not None


def test_patterns_without_a_schema_mean_public() -> None:
    assert split_patterns("orders, shop.*") == ["public.orders", "shop.*"]
