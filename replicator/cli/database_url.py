"""The type of SOURCE_URL and TARGET_URL: a URL whose secrets may be placeholders, so that no process list shows them.

`postgresql://replicator:${file:/etc/replicator/secrets.properties:postgres}@db1/shop`, with the placeholders of
connector configurations (`env`, `file`, `dir`). A value is percent-encoded on its way into the URL.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

import click

from replicator.api.errors import ConfigError
from replicator.config.providers import Resolver

_PLACEHOLDER: Final = re.compile(r"\$\{[^}]*\}")


class DatabaseUrl(click.ParamType):  # type: ignore[type-arg]  # generic in some versions of click only
    """Replaces placeholders; anything else stays as it is."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The URL with its secrets; a placeholder that cannot be resolved is a wrong argument."""
        try:
            return resolved(str(value))
        except ConfigError as error:
            self.fail(str(error), param, ctx)


def resolved(url: str) -> str:
    """A URL with placeholders replaced. One that is a placeholder as a whole is taken as it was stored.

    Raises:
        ConfigError: a provider is not known, or does not find what is asked for.
    """
    whole = _PLACEHOLDER.fullmatch(url)
    return _value(url) if whole else _PLACEHOLDER.sub(lambda match: quote(_value(match[0]), safe=""), url)


def _value(placeholder: str) -> str:
    text = str(Resolver().resolve({"url": placeholder})["url"])
    if text == placeholder:
        raise ConfigError(
            f"{placeholder} cannot be resolved.",
            hint="Known are ${env:NAME}, ${file:PATH:KEY} and ${dir:PATH:FILE}.",
        )
    # Files of one secret mostly end with a line break, which is no part of it.
    return text.removesuffix("\n").removesuffix("\r")
