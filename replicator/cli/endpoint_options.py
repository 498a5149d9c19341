"""Options of commands that talk to a worker's REST API; given before or after the subcommand."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from replicator.cli.connect_client import DEFAULT_URL, ConnectClient, Endpoint

F = TypeVar("F", bound=Callable[..., Any])
NAMES = ("url", "user", "token", "ca", "cert", "insecure", "timeout")


def _options(*, environment: bool) -> list[Callable[[F], F]]:
    def env(name: str) -> str | None:
        return f"REPLICATOR_CONNECT_{name}" if environment else None

    shown = f"REST address of a worker, or several with commas. [{DEFAULT_URL}]"
    return [
        click.option("--url", envvar=env("URL"), help=shown),
        click.option("--user", envvar=env("USER"), metavar="NAME:PASSWORD", help="Basic authentication."),
        click.option("--token", envvar=env("TOKEN"), help="Bearer token."),
        click.option("--ca", envvar=env("CA"), metavar="FILE", help="Certificates to trust."),
        click.option("--cert", envvar=env("CERT"), metavar="CERT[,KEY]", help="Client certificate."),
        click.option("--insecure", is_flag=True, default=None, help="Accept any certificate."),
        click.option("--timeout", type=float, help="Seconds to wait for an answer. [90]"),
    ]


def group_options(function: F) -> F:
    """Decorator for a group: the options, which environment variables `REPLICATOR_CONNECT_*` may give, too."""
    for option in reversed(_options(environment=True)):
        function = option(function)
    return function


def remember(context: click.Context, given: dict[str, Any]) -> None:
    """Keep what a group was given for its subcommands."""
    context.obj = {**(context.obj or {}), **{n: v for n, v in given.items() if v is not None}}


def endpoint(context: click.Context, given: dict[str, Any]) -> Endpoint:
    """The endpoint: the subcommand's options first, then the group's."""
    chosen = {**(context.obj or {}), **{n: v for n, v in given.items() if v is not None}}
    return Endpoint(**chosen)


def with_client(function: F) -> F:
    """Decorator: add the options, and pass a `ConnectClient` as the first argument."""

    @click.pass_context
    @functools.wraps(function)
    def run(context: click.Context, /, **options: Any) -> Any:
        given = {name: options.pop(name) for name in NAMES}
        client = ConnectClient(endpoint(context, given))
        try:
            return function(client, **options)
        finally:
            client.close()

    decorated: Any = run
    for option in reversed(_options(environment=False)):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]
