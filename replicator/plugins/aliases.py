"""Java class names of what is built in -> entry point name, so that looking one up imports nothing else."""

from __future__ import annotations

from typing import Final

_TRANSFORMS = "org.apache.kafka.connect.transforms."
_CONVERTERS = "org.apache.kafka.connect.converters."

BUILT_IN: Final[dict[str, str]] = {
    "io.debezium.connector.postgresql.PostgresConnector": "PostgresConnector",
    "io.debezium.connector.postgresql.PostgresSourceConnector": "PostgresConnector",
    "io.debezium.connector.mysql.MySqlConnector": "MySqlConnector",
    "io.debezium.connector.mariadb.MariaDbConnector": "MariaDbConnector",
    "io.debezium.connector.jdbc.JdbcSinkConnector": "DebeziumJdbcSinkConnector",
    "io.confluent.connect.jdbc.JdbcSinkConnector": "ConfluentJdbcSinkConnector",
    "io.confluent.connect.jdbc.JdbcSourceConnector": "ConfluentJdbcSourceConnector",
    "org.apache.kafka.connect.file.FileStreamSourceConnector": "FileStreamSourceConnector",
    "org.apache.kafka.connect.file.FileStreamSinkConnector": "FileStreamSinkConnector",
    "io.confluent.connect.s3.S3SinkConnector": "S3SinkConnector",
    "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector": "ElasticsearchSinkConnector",
    "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent": (
        "DecodeLogicalDecodingMessageContent"
    ),
    "io.debezium.transforms.Filter": "DebeziumFilter",
    **{
        f"io.debezium.transforms.{name}": name.rpartition(".")[2]
        for name in (
            "ByLogicalTableRouter",
            "ContentBasedRouter",
            "ExtractChangedRecordState",
            "ExtractNewRecordState",
            "ExtractSchemaToNewRecord",
            "HeaderToValue",
            "SchemaChangeEventFilter",
            "TimezoneConverter",
            "ToLogicalTopicRouter",
            "VectorToJsonConverter",
            "outbox.EventRouter",
            "partitions.PartitionRouting",
        )
    },
    "io.confluent.connect.avro.AvroConverter": "AvroConverter",
    "io.confluent.connect.json.JsonSchemaConverter": "JsonSchemaConverter",
    "io.confluent.connect.protobuf.ProtobufConverter": "ProtobufConverter",
    "org.apache.kafka.connect.json.JsonConverter": "JsonConverter",
    "org.apache.kafka.connect.storage.StringConverter": "StringConverter",
    "org.apache.kafka.connect.storage.SimpleHeaderConverter": "SimpleHeaderConverter",
    **{
        f"{_CONVERTERS}{name}": name
        for name in (
            "ByteArrayConverter",
            "BooleanConverter",
            "ShortConverter",
            "IntegerConverter",
            "LongConverter",
            "FloatConverter",
            "DoubleConverter",
        )
    },
    **{
        f"{_TRANSFORMS}predicates.{name}": name
        for name in ("RecordIsTombstone", "TopicNameMatches", "HasHeaderKey")
    },
    **{
        f"{_TRANSFORMS}{name}${part}": f"{name}{part}"
        for name in (
            "Cast",
            "ExtractField",
            "Flatten",
            "HeaderFrom",
            "HoistField",
            "InsertField",
            "MaskField",
            "ReplaceField",
            "SetSchemaMetadata",
            "TimestampConverter",
        )
        for part in ("Key", "Value")
    },
    **{
        f"{_TRANSFORMS}{name}": name
        for name in (
            "DropHeaders",
            "Filter",
            "InsertHeader",
            "RegexRouter",
            "TimestampRouter",
            "ValueToKey",
        )
    },
}
