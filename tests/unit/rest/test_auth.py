"""Accounts: passwords, tokens, roles; the file is read again; Java Connect's extension."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from replicator.api.errors import ConfigError
from replicator.rest.accounts import BASIC_EXTENSION, Accounts, AccountSource, hashed, parse_accounts
from replicator.rest.app import create_app
from replicator.rest.auth import needed_role
from replicator.rest.headers import HeaderRule, parse_headers
from tests.unit.rest.fakes import FakeHerder

WORKER = {
    "rest.auth.users.anna.password": "a-1",
    "rest.auth.users.anna.role": "admin",
    "rest.auth.users.olaf.password": hashed("o-1", b"0123456789abcdef"),
    "rest.auth.users.olaf.role": "operate",
    "rest.auth.users.rita.password": "r:1",
    "rest.auth.tokens.ci.token": "t-1",
    "rest.auth.tokens.ci.role": "operate",
}
ANNA, OLAF, RITA = ("anna", "a-1"), ("olaf", "o-1"), ("rita", "r:1")


def client(worker: Mapping[str, str] = WORKER, **options: object) -> TestClient:
    herder = FakeHerder()
    herder.configs["x"] = {"name": "x", "connector.class": "C"}
    accounts = AccountSource.of_worker(worker)
    app = create_app(herder, accounts=accounts, public=["/health"], **options)  # type: ignore[arg-type]
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic YW5uYQ=="},
        {"Authorization": "Basic YW5uYTp3cm9uZw=="},
        {"Authorization": "Basic bm9ib2R5OmEtMQ=="},
        {"Authorization": "Basic /w=="},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Digest x"},
        {"Authorization": "t-1"},
    ],
)
def test_nobody_known(headers: dict[str, str]) -> None:
    for path in ("/connectors", "/", "/metrics", "/docs", "/nothing", "/admin/loggers"):
        answer = client().get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.json() == {"error_code": 401, "message": "User cannot access the resource."}
        assert "Basic realm=" in answer.headers["www-authenticate"]
    assert client().get("/health", headers=headers).status_code == 200
    assert client().post("/health", headers=headers).status_code == 401


def test_roles() -> None:
    calls = [("GET", "/connectors/x"), ("PUT", "/connectors/x/pause"), ("DELETE", "/connectors/x")]
    found = {
        user: [client().request(m, p, auth=auth).status_code for m, p in calls]
        for user, auth in (("anna", ANNA), ("olaf", OLAF), ("rita", RITA))
    }
    assert found == {"anna": [200, 202, 204], "olaf": [200, 202, 403], "rita": [200, 403, 403]}
    token = {"Authorization": "Bearer t-1"}
    assert [client().request(m, p, headers=token).status_code for m, p in calls] == [200, 202, 403]
    answer = client().delete("/connectors/x", auth=RITA)
    assert answer.json() == {"error_code": 403, "message": "Role read may not do this; it needs role admin."}


@pytest.mark.parametrize("path", ["/connectors/x%2Fpause", "/connectors/x/pause/..", "/connectors/y/../x"])
def test_paths_are_judged_as_routes_see_them(path: str) -> None:
    assert client().delete(path, auth=OLAF).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/connectors", "read"),
        ("HEAD", "/connectors/x/config", "read"),
        ("PUT", "/connector-plugins/P/config/validate", "read"),
        ("POST", "/subjects/s", "read"),
        ("POST", "/connectors/x/restart", "operate"),
        ("POST", "/connectors/x/tasks/0/restart", "operate"),
        ("PUT", "/connectors/x/stop", "operate"),
        ("PUT", "/connectors/x/topics/reset", "operate"),
        ("POST", "/replicator/connectors/x/signal", "operate"),
        ("POST", "/replicator/dlq/q/replay", "operate"),
        ("POST", "/replicator/dlq/q/purge", "admin"),
        ("POST", "/connectors", "admin"),
        ("PUT", "/connectors/x/config", "admin"),
        ("PATCH", "/connectors/x/config", "admin"),
        ("PATCH", "/connectors/x/offsets", "admin"),
        ("DELETE", "/connectors/x/offsets", "admin"),
        ("PUT", "/admin/loggers/root", "admin"),
        ("POST", "/subjects/s/versions", "admin"),
        ("DELETE", "/subjects/s", "admin"),
        ("PUT", "/anything/else", "admin"),
    ],
)
def test_needed_roles(method: str, path: str, role: str) -> None:
    assert needed_role(method, path) == role


def test_workers_sign_instead() -> None:
    answers = [
        client().post("/connectors/x/tasks", json=[]),
        client().put("/connectors/x/fence", json=[]),
    ]
    assert [a.status_code for a in answers] == [500, 500]
    assert "standalone" in answers[0].json()["message"]


def test_a_preflight_needs_no_account() -> None:
    asked = {"Origin": "http://o", "Access-Control-Request-Method": "PUT"}
    answer = client(allow_origin="http://o", allow_methods="GET,PUT").options("/connectors", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "http://o")


def test_the_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    file.write_text("users.eva.password=e-1\nusers.eva.role=operate\ntokens.bot.token=b-1\n")
    source = AccountSource.of_worker({"rest.auth.file": str(file), "rest.auth.users.fix.password": "f"})
    assert source is not None
    assert source.now().role_of_user("eva", "e-1") == "operate"
    assert source.now().role_of_token("b-1") == "read"
    file.write_text("users.eva.password=changed\n")
    os.utime(file, ns=(1, 1))
    assert source.now().role_of_user("eva", "e-1") is None
    assert source.now().role_of_user("eva", "changed") == "read"
    assert source.now().role_of_user("fix", "f") == "read"
    file.unlink()
    with pytest.raises(ConfigError, match="Cannot read the accounts"):
        source.now()


def jaas(tmp_path: Path, users: str, entry: str = "KafkaConnect") -> dict[str, str]:
    (tmp_path / "users").write_text(users)
    (tmp_path / "jaas").write_text(
        f"// who may\n{entry} {{\n"
        "  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required\n"
        f'  file="{tmp_path}/users";\n}};\n'
    )
    return {"rest.extension.classes": BASIC_EXTENSION, "rest.auth.jaas.file": str(tmp_path / "jaas")}


def test_connects_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = jaas(tmp_path, "fred=letmein\n")
    assert client(worker).get("/connectors", auth=("fred", "letmein")).status_code == 200
    assert client(worker).delete("/connectors/x", auth=("fred", "letmein")).status_code == 204
    assert client(worker).get("/connectors", auth=("fred", "wrong")).status_code == 401
    monkeypatch.setenv(
        "KAFKA_OPTS", f"-Xmx1g -Djava.security.auth.login.config={worker.pop('rest.auth.jaas.file')}"
    )
    assert client(worker).get("/connectors", auth=("fred", "letmein")).status_code == 200


WRONG: list[tuple[dict[str, str], str]] = [
    ({"rest.auth.users.a.role": "admin"}, "needs a password"),
    ({"rest.auth.users.a.password": "x", "rest.auth.users.a.role": "king"}, "read, operate, admin"),
    ({"rest.auth.tokens.a.role": "read"}, "needs a token"),
    ({"rest.auth.users.a.password": "pbkdf2-sha256$1$zz$00"}, "hexadecimal"),
    ({"rest.auth.file": "/nowhere"}, "Cannot read"),
    ({"rest.extension.classes": "com.example.Other"}, "not known"),
    ({"rest.extension.classes": BASIC_EXTENSION}, "needs a JAAS file"),
    ({"rest.extension.classes": BASIC_EXTENSION, "rest.auth.jaas.file": "/nowhere"}, "Cannot read"),
]


@pytest.mark.parametrize(("worker", "message"), WRONG)
def test_wrong_options(worker: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_OPTS", raising=False)
    with pytest.raises(ConfigError, match=message):
        AccountSource.of_worker(worker)


def test_an_empty_file_lets_nobody_in(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is none"):
        AccountSource.of_worker(jaas(tmp_path, ""))
    with pytest.raises(ConfigError, match="KafkaConnect"):
        AccountSource.of_worker(jaas(tmp_path, "a=b", entry="Other"))


def test_secrets_are_not_shown() -> None:
    accounts = parse_accounts({"users.a.password": "p-1", "tokens.b.token": "t-1"}, "")
    assert isinstance(accounts, Accounts)
    assert "p-1" not in repr(accounts)
    assert "t-1" not in repr(accounts)


def test_headers_of_every_answer() -> None:
    text = 'add X-Frame-Options: DENY, set X-One: two words, "add Cache-Control: no-cache, no-store"'
    text += ", setDate Expires: 0"
    rules = parse_headers(text)
    assert rules[:3] == [
        HeaderRule("add", "X-Frame-Options", "DENY"),
        HeaderRule("set", "X-One", "two words"),
        HeaderRule("add", "Cache-Control", "no-cache, no-store"),
    ]
    for path in ("/connectors", "/nothing", "/health"):
        answer = client(headers=rules).get(path)
        assert answer.headers["x-one"] == "two words"
        assert answer.headers["cache-control"] == "no-cache, no-store"
        assert answer.headers["expires"].endswith("GMT")
    assert parse_headers("") == []


@pytest.mark.parametrize("text", ["X: y", "put X: y", "add X", "add : y", "add X Y: z", "setDate X: soon"])
def test_wrong_headers(text: str) -> None:
    with pytest.raises(ConfigError, match=r"response\.http\.headers\.config"):
        parse_headers(text)


def test_slow_hashes_are_paid_for_once() -> None:
    stored = hashed("p-1")
    accounts = Accounts({"a": (stored, "read")})
    assert accounts.role_of_user("a", "p-1") == "read"
    began = time.monotonic()
    assert [accounts.role_of_user("a", "p-1") for _ in range(50)] == ["read"] * 50
    assert time.monotonic() - began < 0.5
    assert accounts.role_of_user("a", "p-2") is None
