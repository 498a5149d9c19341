"""Topics that several tables share, as `SchemaRegexTopicNamingStrategy` has it; task's thread.

A regular expression makes a table's usual topic another one. Rows of different tables may then have equal keys, so
every key gets a field that tells the tables apart, unless the user wants none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.cdc.naming import TopicNaming
from connectors.cdc.smt_options import pattern, require
from replicator.api.java_regex import replacement


class LogicalTopicNaming(TopicNaming):
    """Names by `topic.regex` and `topic.replacement`.

    Raises:
        ConfigError: an expression is missing or wrong.
    """

    def __init__(self, prefix: str, options: Mapping[str, Any], **usual: Any) -> None:
        require(options, "topic.regex", "topic.replacement")
        super().__init__(prefix, **usual)
        self._origin = (prefix, usual.get("delimiter", "."))
        self._route = _rule(options, "topic.regex", "topic.replacement")
        self._key_field: str = options["topic.key.field.name"]
        self._unique: bool = options["topic.key.enforce.uniqueness"]
        self._key_rule = None
        if options["topic.key.field.regex"]:
            require(options, "topic.key.field.replacement")
            self._key_rule = _rule(options, "topic.key.field.regex", "topic.key.field.replacement")

    def table(self, schema: str, name: str) -> str:
        """Topic of a table, which others may share."""
        usual = self._name(self._origin[0], schema, name)
        return _replaced(usual, self._route) or usual

    def identifier(self, schema: str, name: str) -> tuple[str, str] | None:
        """Name and value of the key's further field."""
        if not self._unique:
            return None
        topic = self._origin[1].join((self._origin[0], schema, name))
        return self._key_field, topic if self._key_rule is None else _replaced(topic, self._key_rule)


_Rule = tuple[re.Pattern[str], Any]


def _rule(options: Mapping[str, Any], regex: str, new: str) -> _Rule:
    found = pattern(options, regex)
    return found, replacement(options[new], found)


def _replaced(text: str, rule: _Rule) -> str:
    found, new = rule
    return found.sub(new, text, count=1) if found.fullmatch(text) is not None else text
