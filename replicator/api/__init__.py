"""The plugin contract: all that connectors, transforms and converters may import."""

from replicator.api.change import ChangeOrigin, ChangeRecord, ChangeSinkRecord, Particulars
from replicator.api.config import ConfigDef, ConfigKey, ConfigValue, Importance, Width
from replicator.api.converter import Converter, HeaderConverter, SchemaAndValue
from replicator.api.database import (
    ColumnInfo,
    Problem,
    SourceDatabase,
    TableInfo,
    TablePair,
    TargetDatabase,
)
from replicator.api.errors import (
    AlreadyExistsError,
    BadRequestError,
    BrokerError,
    ConfigError,
    ConnectError,
    DataError,
    DiskFullError,
    FencedError,
    IllegalStateError,
    NotFoundError,
    PositionLostError,
    RetriableError,
    SchemaError,
    StructuralError,
)
from replicator.api.option_types import Secret, Type
from replicator.api.position import SourcePosition, decode_position
from replicator.api.provider import ConfigProvider, ProvidedValue
from replicator.api.record import ConnectRecord, Header, SinkRecord, SourceRecord, TopicPartition, offset_only
from replicator.api.schema import Field, Schema, SchemaType
from replicator.api.sink import (
    ErrantRecordReporter,
    OffsetAndMetadata,
    SinkConnector,
    SinkTask,
    SinkTaskContext,
)
from replicator.api.source import Connector, SourceConnector, SourceTask, SourceTaskContext
from replicator.api.struct import Struct
from replicator.api.transform import Predicate, Transformation
from replicator.api.unread import UnreadEnvelope

__all__ = [
    "AlreadyExistsError",
    "BadRequestError",
    "BrokerError",
    "ChangeOrigin",
    "ChangeRecord",
    "ChangeSinkRecord",
    "ColumnInfo",
    "ConfigDef",
    "ConfigError",
    "ConfigKey",
    "ConfigProvider",
    "ConfigValue",
    "ConnectError",
    "ConnectRecord",
    "Connector",
    "Converter",
    "DataError",
    "DiskFullError",
    "ErrantRecordReporter",
    "FencedError",
    "Field",
    "Header",
    "HeaderConverter",
    "IllegalStateError",
    "Importance",
    "NotFoundError",
    "OffsetAndMetadata",
    "Particulars",
    "PositionLostError",
    "Predicate",
    "Problem",
    "ProvidedValue",
    "RetriableError",
    "Schema",
    "SchemaAndValue",
    "SchemaError",
    "SchemaType",
    "Secret",
    "SinkConnector",
    "SinkRecord",
    "SinkTask",
    "SinkTaskContext",
    "SourceConnector",
    "SourceDatabase",
    "SourcePosition",
    "SourceRecord",
    "SourceTask",
    "SourceTaskContext",
    "Struct",
    "StructuralError",
    "TableInfo",
    "TablePair",
    "TargetDatabase",
    "TopicPartition",
    "Transformation",
    "Type",
    "UnreadEnvelope",
    "Width",
    "decode_position",
    "offset_only",
]
