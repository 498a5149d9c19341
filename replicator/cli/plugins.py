"""`replicator plugins ...`: what is installed, and the reference of options of every plugin."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import Any

import click

from replicator.api.config import ConfigDef, ConfigKey, describe
from replicator.api.errors import BadRequestError, NotFoundError
from replicator.api.option_types import to_text
from replicator.cli.endpoint_options import endpoint, group_options, remember
from replicator.cli.output import fails_with, say
from replicator.plugins.discovery import KINDS

_FORMS = ("text", "markdown", "json")


@click.group(name="plugins")
@group_options
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Connectors, transformations, predicates and converters: those installed here, or a worker's (--url)."""
    remember(context, given)


@command.command(name="list")
@click.option("--kind", type=click.Choice(sorted(KINDS)), help="Only this kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@fails_with(1)
@click.pass_context
def list_(context: click.Context, /, kind: str | None, as_json: bool) -> None:
    """All plugins, by kind."""
    found = _of_worker(context) if "url" in (context.obj or {}) else _installed()
    found = [p for p in found if kind in (None, p["type"])]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for each in dict.fromkeys(p["type"] for p in found):
        click.secho(each.replace("_", " "), bold=True)
        for plugin in found:
            if plugin["type"] == each:
                version = f" {plugin['version']}" if plugin.get("version") else ""
                short = f"  ({plugin['name']})" if plugin.get("name") else ""
                say(f"  {plugin['class']}{version}{short}")


@command.command(name="describe")
@click.argument("plugin")
@click.option("--format", "form", type=click.Choice(_FORMS), default="text", help="How to print. [text]")
@click.option("--common", is_flag=True, help="Of connectors also the options that every one has.")
@fails_with(1)
@click.pass_context
def describe_(context: click.Context, /, plugin: str, form: str, common: bool) -> None:
    """The options of a PLUGIN, named by its class, Java's class, or its short name; `worker` is a worker itself."""
    if "url" in (context.obj or {}):
        _print_remote(context, plugin, form)
        return
    config_def = _definition(plugin, common=common)
    if form == "markdown":
        click.echo(describe(config_def))
    elif form == "json":
        from replicator.herder.config_infos import key_info

        click.echo(json.dumps([key_info(k) for k in config_def.keys.values()], indent=2))
    else:
        _print_text(list(config_def.keys.values()))


def _definition(plugin: str, *, common: bool) -> ConfigDef:
    from replicator.config.connector import SINK_DEF, SOURCE_DEF
    from replicator.config.worker import WORKER_DEF
    from replicator.plugins.registry import Registry

    if plugin == "worker":
        return WORKER_DEF
    registry = Registry()
    for kind in KINDS:
        cls = registry.find(kind, plugin)
        if cls is not None:
            own: ConfigDef = cls.config_def()
            if common and kind in ("source", "sink"):
                own = own.merged(SOURCE_DEF if kind == "source" else SINK_DEF)
            return own
    raise NotFoundError(f"There is no plugin {plugin}.", hint="replicator plugins list shows what there is.")


def _installed() -> list[dict[str, Any]]:
    from replicator.plugins.registry import Registry

    registry = Registry()
    found = []
    for kind, name, cls in registry.all():
        shown = next((a for a in cls.aliases if "." in a), name)
        plugin = {"class": shown, "type": kind, "version": registry.version(kind, name, cls)}
        found.append(plugin | ({"name": name} if name != shown else {}))
    for name, why in registry.broken.items():
        click.secho(f"{name} cannot be imported: {why}", fg="red", err=True)
    return found


def _of_worker(context: click.Context) -> list[dict[str, Any]]:
    from replicator.cli.connect_client import ConnectClient

    client = ConnectClient(endpoint(context, {}))
    try:
        found: list[dict[str, Any]] = client.get("connector-plugins", connectorsOnly="false")
    finally:
        client.close()
    return found


def _print_remote(context: click.Context, plugin: str, form: str) -> None:
    from replicator.cli.connect_client import ConnectClient

    if form == "markdown":
        raise BadRequestError("--format markdown describes installed plugins only.")
    client = ConnectClient(endpoint(context, {}))
    try:
        infos: list[dict[str, Any]] = client.get("connector-plugins", plugin, "config")
    finally:
        client.close()
    if form == "json":
        click.echo(json.dumps(infos, indent=2))
        return
    for info in infos:
        default = "required" if info["required"] else info["default_value"]
        _print_option(info["name"], info["type"], info["importance"], default, info["documentation"])


def _print_text(keys: Sequence[ConfigKey]) -> None:
    if not keys:
        say("It has no options.")
    group: str | None = None
    for k in keys:
        if k.group and k.group != group:
            group = k.group
            click.secho(f"\n{group}", bold=True)
        default = "required" if k.required else to_text(k.default, k.type)
        _print_option(k.name, k.type.value, k.importance.value, default, k.doc)


def _print_option(name: str, type_: str, importance: str, default: Any, text: str) -> None:
    shown = "required" if default == "required" else f"default {default!r}" if default else "no default"
    click.secho(name, fg="cyan", nl=False)
    say(f"  {type_.lower()}, {shown}, {importance.lower()}")
    for line in textwrap.wrap(" ".join(text.split()), 96):
        say(f"    {line}")
