"""Further headers of every answer (`response.http.headers.config`), in the form of Jetty's header filter."""

from __future__ import annotations

import csv
import time
from email.utils import formatdate
from typing import Final, NamedTuple

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replicator.api.errors import ConfigError

OPTION: Final = "response.http.headers.config"
_ACTIONS: Final = ("set", "add", "setDate", "addDate")


class HeaderRule(NamedTuple):
    """What to do with a header; dates are given in milliseconds from now."""

    action: str
    name: str
    value: str


def parse_headers(text: str) -> list[HeaderRule]:
    """`[action] [name]:[value]`, comma-separated; a rule with commas in its value stands in double quotes.

    Raises:
        ConfigError: a rule has another form.
    """
    rules = []
    for entry in next(csv.reader([text], skipinitialspace=True), []):
        if not entry.strip():
            continue
        action, _, header = entry.strip().partition(" ")
        name, colon, value = header.partition(":")
        if (
            action not in _ACTIONS
            or not colon
            or not name.strip()
            or not value.strip()
            or " " in name.strip()
        ):
            raise ConfigError(
                f"Invalid value {entry} for configuration {OPTION}: must be [action] [header name]:[header value],"
                f" where the action is one of {', '.join(_ACTIONS)}",
                option=OPTION,
            )
        if action.endswith("Date") and not value.strip().lstrip("-").isdigit():
            raise ConfigError(f"Invalid value {entry} for configuration {OPTION}: a date is a number of ms.",
                              option=OPTION)  # fmt: skip
        rules.append(HeaderRule(action, name.strip(), value.strip()))
    return rules


class ResponseHeaders:
    """ASGI middleware: applies the rules to every answer."""

    def __init__(self, app: ASGIApp, rules: list[HeaderRule]) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for rule in self._rules:
                    self._apply(headers, rule)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)

    def _apply(self, headers: MutableHeaders, rule: HeaderRule) -> None:
        value = rule.value
        if rule.action.endswith("Date"):
            value = formatdate(time.time() + int(value) / 1000, usegmt=True)
        if rule.action.startswith("set"):
            headers[rule.name] = value
        else:
            headers.append(rule.name, value)
