"""The command line over HTTPS, with certificates and accounts; what it says when it is not let in."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from replicator.cli.main import cli
from tests.support.certificates import Authority
from tests.unit.rest.https_server import AUTHORITY, options, serving

ACCOUNTS = {"rest.auth.users.rita.password": "r:1", "rest.auth.tokens.ci.token": "t-1"}


def run(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(cli, ["connectors", *arguments, "list"])
    return found.exit_code, found.output


def test_certificates(tmp_path: Path) -> None:
    authority, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    authority.write_text(AUTHORITY.own.pem())
    other.write_text(Authority("Else").own.pem())
    client = AUTHORITY.issue("operator")
    (tmp_path / "cert.pem").write_text(client.pem())
    (tmp_path / "key.pem").write_text(client.key_pem())
    own = f"{tmp_path}/cert.pem,{tmp_path}/key.pem"
    worker = options(
        AUTHORITY.issue("127.0.0.1"),
        ssl__client__auth="required",
        ssl__truststore__certificates=AUTHORITY.own.pem(),
    )
    with serving(worker) as server:
        where = ["--url", server.url]
        assert run(*where, "--ca", str(authority), "--cert", own)[0] == 0
        assert run(*where, "--insecure", "--cert", own)[0] == 0
        for wrong in ([], ["--ca", str(other)]):
            code, said = run(*where, *wrong, "--cert", own)
            assert (code, "is not trusted" in said, "--ca FILE" in said) == (1, True, True), said
        assert run(*where, "--ca", str(authority))[0] == 1
        code, said = run(*where, "--ca", str(tmp_path / "missing.pem"))
        assert (code, "cannot be used for TLS" in said) == (1, True)
        code, said = run("--url", server.url.replace("https", "http"))
        assert (code, "scheme" in said) == (1, True), said


def test_accounts(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(AUTHORITY.own.pem())
    with serving(options(AUTHORITY.issue("127.0.0.1")) | ACCOUNTS) as server:
        where = ["--url", server.url, "--ca", str(authority)]
        assert run(*where, "--user", "rita:r:1")[0] == 0
        assert run(*where, "--token", "t-1")[0] == 0
        code, said = run(*where)
        assert (code, "User cannot access the resource" in said, "--user NAME:PASSWORD" in said) == (
            1,
            True,
            True,
        )
        refused = CliRunner().invoke(
            cli, ["connectors", *where, "--user", "rita:r:1", "delete", "x", "--yes"]
        )
        assert refused.exit_code == 1
        assert "may not do that" in refused.output
