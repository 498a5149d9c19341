"""Filter and ContentBasedRouter: records kept or routed by an expression. Task thread.

The expression language is our own and safe (see `expression`): it reads the record and nothing else, so the risk of
running a script engine inside a worker, for which Debezium ships these transforms apart, does not arise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from connectors.cdc.expression import compile_expression
from connectors.cdc.expression_closures import Run
from connectors.cdc.expression_lexer import SyntaxProblem
from connectors.cdc.expression_values import EvaluationProblem, HeaderValue, text
from connectors.cdc.smt_options import option, pattern, refused, require
from replicator.api.config import ConfigDef, Importance, Width
from replicator.api.errors import ConfigError, DataError
from replicator.api.option_types import Type
from replicator.api.record import ConnectRecord
from replicator.api.transform import Transformation

_PREFIX: Final = "jsr223."
_LANGUAGES: Final = ("groovy", "js", "javascript", "ecmascript", "graal.js", "nashorn")
_NULLS: Final = ("keep", "drop", "evaluate")


class ScriptingTransformation(Transformation):
    """What both share: options, variables, evaluation."""

    expression_option: ClassVar[str]
    expression_shown: ClassVar[str]
    expression_doc: ClassVar[str]
    result_type: ClassVar[type]
    result_name: ClassVar[str]

    @classmethod
    def config_def(cls) -> ConfigDef:
        high, medium = Importance.HIGH, Width.MEDIUM
        return ConfigDef(
            option(
                "topic.regex",
                Type.STRING,
                None,
                "Topic regex",
                "Pattern of the topics whose records are looked at; others pass.",
            ),
            option(
                "language",
                Type.STRING,
                None,
                "Expression language",
                "Notation of the expression: jsr223.groovy, jsr223.graal.js or jsr223.js. Both are read by the "
                "built-in evaluator, which knows what expressions need.",
                importance=high,
                width=medium,
            ),
            option(
                cls.expression_option,
                Type.STRING,
                None,
                cls.expression_shown,
                cls.expression_doc,
                importance=high,
                width=medium,
            ),
            option(
                "null.handling.mode",
                Type.STRING,
                "keep",
                "Handle null records",
                "What becomes of records without value: keep, drop or evaluate.",
                width=Width.SHORT,
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        require(options, "language", self.expression_option)
        _check_language(options["language"])
        self._nulls = str(options["null.handling.mode"]).lower()
        if self._nulls not in _NULLS:
            why = f"Value must be one of {', '.join(_NULLS)}"
            raise refused("null.handling.mode", options["null.handling.mode"], why)
        self._topics: re.Pattern[str] | None = (
            pattern(options, "topic.regex") if options["topic.regex"] else None
        )
        self._source: str = options[self.expression_option]
        try:
            self._run: Run = compile_expression(self._source)
        except SyntaxProblem as problem:
            raise ConfigError(
                f"Failed to parse expression '{self._source}'",
                option=self.expression_option,
                hint=f"Problem: {problem}.",
            ) from None

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if self._topics is not None and self._topics.fullmatch(record.topic) is None:
            return record
        if record.value is None and self._nulls != "evaluate":
            return record if self._nulls == "keep" else None
        return self.decide(record, self._evaluate(record))

    def decide(self, record: ConnectRecord, result: Any) -> ConnectRecord | None:
        """What becomes of a record by the expression's value."""
        raise NotImplementedError

    def _evaluate(self, record: ConnectRecord) -> Any:
        scope = {
            "value": record.value,
            "key": record.key,
            "valueSchema": record.value_schema,
            "keySchema": record.key_schema,
            "topic": record.topic,
            "header": {h.key: HeaderValue(h.value, h.schema) for h in record.headers or ()},
        }
        try:
            result = self._run(scope)
        except (EvaluationProblem, DataError) as problem:
            raise self._failed(record, str(problem)) from None
        except RecursionError:
            raise self._failed(record, "the expression is too long") from None
        if result is not None and not isinstance(result, self.result_type):
            raise self._failed(
                record, f"Value '{text(result)}' returned by the expression is not a {self.result_name}"
            )
        return result

    def _failed(self, record: ConnectRecord, why: str) -> DataError:
        return DataError(
            f"Error while evaluating expression '{self._source}' for record of topic '{record.topic}': {why}"
        )


class Filter(ScriptingTransformation):
    """Keeps the records for which the condition is true."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.Filter",)
    expression_option = "condition"
    expression_shown = "Filtering condition"
    expression_doc = (
        "The condition, over value, key, valueSchema, keySchema, topic and header. "
        "Records for which it holds stay."
    )
    result_type = bool
    result_name = "Boolean"

    def decide(self, record: ConnectRecord, result: Any) -> ConnectRecord | None:
        if result is None:
            raise self._failed(record, "the condition is neither true nor false")
        return record if result else None


class ContentBasedRouter(ScriptingTransformation):
    """Sends records to the topic that the expression gives; null leaves them where they are."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.ContentBasedRouter",)
    expression_option = "topic.expression"
    expression_shown = "Topic name expression"
    expression_doc = (
        "The new topic, over value, key, valueSchema, keySchema, topic and header; null keeps the old one."
    )
    result_type = str
    result_name = "String"

    def decide(self, record: ConnectRecord, result: Any) -> ConnectRecord | None:
        if result is None or result == record.topic:
            return record
        if not result:
            raise self._failed(record, "the topic is empty")
        return record.evolve(topic=result)


def _check_language(language: str) -> None:
    if not language.startswith(_PREFIX):
        raise ConfigError(
            "Value for option 'language' must begin with 'jsr223.' or 'wasm', e.g. 'jsr223.groovy'",
            option="language",
        )
    if language.removeprefix(_PREFIX).lower() not in _LANGUAGES:
        raise ConfigError(
            f"Implementation of language '{language.removeprefix(_PREFIX)}' not found on the classpath",
            option="language",
            hint=f"Known: {', '.join(_PREFIX + name for name in _LANGUAGES)}.",
        )
