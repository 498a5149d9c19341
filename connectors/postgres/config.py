"""Options of the Postgres source connector: Debezium's names and defaults, and a few of our own.

Deviations for safety, each documented with its option: pgoutput is the only plugin, `all_tables` means
`filtered` unless the publication exists already (C4), and a stored position that does not fit the slot fails.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from connectors.postgres.definition import DebeziumDef
from connectors.postgres.snapshot_mode import CONFIGURED, DATA, STREAM
from replicator.api.config import ConfigDef, ConfigKey, Importance, key
from replicator.api.listed import listed
from replicator.api.option_types import Type
from replicator.api.validators import at_least, between, matches, non_empty, one_of

PUBLICATION_MODES: Final = ("all_tables", "disabled", "filtered", "no_tables")
SNAPSHOT_MODES: Final = ("initial", "initial_only", "always", "no_data", "when_needed", CONFIGURED)
MISMATCH_STRATEGIES: Final = ("fail", "no_validation", "trust_offset", "trust_slot", "trust_greater_lsn")
PLAIN_NAMES: Final = "io.debezium.schema.SchemaTopicNamingStrategy"
LOGICAL_NAMES: Final = "io.debezium.schema.SchemaRegexTopicNamingStrategy"
UNICODE_NAMES: Final = "io.debezium.schema.SchemaUnicodeTopicNamingStrategy"
SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_CONNECTION: Final[tuple[ConfigKey, ...]] = (
    key(
        "topic.prefix",
        Type.STRING,
        None,
        needed=True,
        validator=matches(r"[A-Za-z0-9._-]+"),
        doc="Logical name of the source: first part of every topic name, and the key of its stored offsets.",
    ),
    key(
        "database.hostname",
        Type.STRING,
        None,
        needed=True,
        validator=non_empty,
        doc="Host name or address of the database server.",
    ),
    key(
        "database.port",
        Type.INT,
        5432,
        validator=between(1, 65535),
        doc="Port of the database server.",
    ),
    key(
        "database.user",
        Type.STRING,
        None,
        needed=True,
        doc="Role to connect as; needs REPLICATION, and SELECT on the captured tables.",
    ),
    key("database.password", Type.PASSWORD, None, doc="Password of the role."),
    key(
        "database.dbname",
        Type.STRING,
        None,
        needed=True,
        validator=non_empty,
        doc="Database to capture.",
    ),
    key("database.sslmode", Type.STRING, "prefer", validator=one_of(*SSL_MODES), doc="libpq's sslmode."),
    key("database.sslcert", Type.STRING, None, doc="File with the client's certificate."),
    key("database.sslkey", Type.STRING, None, doc="File with the client's private key."),
    key("database.sslpassword", Type.PASSWORD, None, doc="Password of the client's private key."),
    key("database.sslrootcert", Type.STRING, None, doc="File with the root certificates."),
    key("database.tcpKeepAlive", Type.BOOLEAN, True, doc="Whether TCP keepalives are on."),
    key(
        "database.initial.statements",
        Type.STRING,
        None,
        doc="Statements run on each plain connection, separated by `;` (`;;` is a literal semicolon).",
    ),
    key(
        "connect.timeout.ms",
        Type.INT,
        10000,
        validator=at_least(1000),
        importance=Importance.LOW,
        doc="How long one attempt to connect may take.",
    ),
)

_SELECTION: Final[tuple[ConfigKey, ...]] = (
    key(
        "schema.include.list",
        Type.STRING,
        None,
        dependents=("table.include.list",),
        doc="Regular expressions of schemas to capture.",
    ),
    key(
        "schema.exclude.list",
        Type.STRING,
        None,
        visible=lambda _name, _config: False,
        doc="Regular expressions of schemas to leave out. Programs that show options leave it out, as Debezium says.",
    ),
    key("table.include.list", Type.STRING, None, doc="Regular expressions of tables, `schema.table`."),
    key("table.exclude.list", Type.STRING, None, doc="Regular expressions of tables to leave out."),
    key(
        "column.include.list", Type.STRING, None, doc="Regular expressions of columns, `schema.table.column`."
    ),
    key("column.exclude.list", Type.STRING, None, doc="Regular expressions of columns to leave out."),
    key(
        "message.key.columns",
        Type.STRING,
        None,
        doc="Keys of messages: `schema.table:column,column;other.table:column`.",
    ),
    key(
        "skipped.operations",
        Type.LIST,
        ["t"],
        doc="Operations that are not emitted: c, u, d, t, or `none`. Snapshot rows are not affected.",
    ),
    key(
        "skip.messages.without.change",
        Type.BOOLEAN,
        False,
        doc="Whether an update that changes none of the captured columns is left out; needs REPLICA IDENTITY FULL.",
    ),
    key("tombstones.on.delete", Type.BOOLEAN, True, doc="Whether a delete is followed by a tombstone."),
    key(
        "topic.naming.strategy",
        Type.CLASS,
        PLAIN_NAMES,
        validator=one_of(PLAIN_NAMES, UNICODE_NAMES, LOGICAL_NAMES),
        doc="Foreign characters in topic names become `_`, or `_uXXXX` so that different names stay different; or "
        "tables share topics, as topic.regex says.",
    ),
    key(
        "topic.regex",
        Type.STRING,
        None,
        doc="Pattern that the whole topic of a table must match to become topic.replacement.",
    ),
    key(
        "topic.replacement",
        Type.STRING,
        None,
        doc="The topic to share; $1 stands for a group of topic.regex.",
    ),
    key(
        "topic.key.enforce.uniqueness",
        Type.BOOLEAN,
        True,
        doc="With topic.regex: whether keys get a field that names the table, as tables may have equal keys.",
    ),
    key(
        "topic.key.field.name",
        Type.STRING,
        "__dbz__physicalTableIdentifier",
        doc="Name of that field.",
    ),
    key("topic.key.field.regex", Type.STRING, None, doc="Pattern for what goes into that field."),
    key(
        "topic.key.field.replacement", Type.STRING, None, doc="What topic.key.field.regex makes of the topic."
    ),
    key("topic.heartbeat.name", Type.STRING, None, doc="Whole name of the heartbeat topic."),
    key("topic.delimiter", Type.STRING, ".", doc="Between the parts of a topic name."),
    key("topic.transaction", Type.STRING, "transaction", doc="Last part of the transaction topic's name."),
    key(
        "topic.heartbeat.prefix",
        Type.STRING,
        "__debezium-heartbeat",
        doc="First part of the heartbeat topic.",
    ),
    key(
        "schema.name.adjustment.mode",
        Type.STRING,
        "none",
        validator=one_of("none", "avro", "avro_unicode"),
        doc="How schema names are adapted to serialisers.",
    ),
    key(
        "field.name.adjustment.mode",
        Type.STRING,
        "none",
        validator=one_of("none", "avro", "avro_unicode"),
        doc="How field names are adapted to serialisers.",
    ),
    key(
        "provide.transaction.metadata",
        Type.BOOLEAN,
        False,
        doc="Whether BEGIN and END records go to the transaction topic.",
    ),
    key(
        "extended.headers.enabled",
        Type.BOOLEAN,
        True,
        doc="Whether records carry headers with the connector's name and task.",
    ),
)

_VALUES: Final[tuple[ConfigKey, ...]] = (
    key(
        "decimal.handling.mode",
        Type.STRING,
        "precise",
        validator=one_of("precise", "double", "string"),
        doc="Representation of numeric and money.",
    ),
    key(
        "time.precision.mode",
        Type.STRING,
        "adaptive",
        validator=one_of(
            "adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"
        ),
        doc="Representation of dates and times.",
    ),
    key(
        "interval.handling.mode",
        Type.STRING,
        "numeric",
        validator=one_of("numeric", "string"),
        doc="Representation of intervals.",
    ),
    key(
        "binary.handling.mode",
        Type.STRING,
        "bytes",
        validator=one_of("bytes", "base64", "base64-url-safe", "hex"),
        doc="Representation of bytea.",
    ),
    key(
        "hstore.handling.mode",
        Type.STRING,
        "json",
        validator=one_of("json", "map"),
        doc="Representation of hstore.",
    ),
    key(
        "array.handling.mode",
        Type.STRING,
        "array",
        validator=one_of("array", "json"),
        doc="Representation of arrays: Connect arrays, or JSON text that keeps every dimension. Own option.",
    ),
    key(
        "geometry.handling.mode",
        Type.STRING,
        "struct",
        validator=one_of("struct", "text"),
        doc="Representation of geometric values: structs, or Postgres' text. Own option.",
    ),
    key(
        "varbit.handling.mode",
        Type.STRING,
        "bits",
        validator=one_of("bits", "text"),
        doc="Representation of bit varying: bytes, which do not tell 0 from 00, or its digits. Own option.",
    ),
    key(
        "column.defaults",
        Type.STRING,
        "required",
        validator=one_of("required", "all"),
        doc="Columns whose constant defaults are in their schemas: those that are NOT NULL, or all. A converter with "
        "replace.null.with.default=true writes the default of a nullable column where the row has NULL. Own option.",
    ),
    key("money.fraction.digits", Type.SHORT, 2, doc="Fraction digits of money."),
    key(
        "include.unknown.datatypes",
        Type.BOOLEAN,
        False,
        doc="Whether columns of types without a rule of their own are emitted (as text).",
    ),
    key(
        "unavailable.value.placeholder",
        Type.STRING,
        "__debezium_unavailable_value",
        doc="Stands for a large value that an update did not change.",
    ),
    key(
        "column.propagate.source.type",
        Type.STRING,
        None,
        doc="Columns whose schemas carry the source type, as regular expressions.",
    ),
    key(
        "datatype.propagate.source.type",
        Type.STRING,
        None,
        doc="Types whose columns' schemas carry the source type, as regular expressions.",
    ),
    key(
        "event.converting.failure.handling.mode",
        Type.STRING,
        "fail",
        validator=one_of("fail", "warn", "skip"),
        doc="What becomes of a value that its representation cannot hold, such as NaN in a Decimal: fail stops the "
        "task; warn and skip make it null (Debezium: warn).",
    ),
    key(
        "converters",
        Type.STRING,
        None,
        doc="Java classes that convert columns: refused, as they would not run here.",
    ),
    key("post.processors", Type.STRING, None, doc="Java classes that change records: refused likewise."),
    key("include.schema.comments", Type.BOOLEAN, False, doc="Whether column comments become schema docs."),
)

_SNAPSHOT: Final[tuple[ConfigKey, ...]] = (
    key(
        "snapshot.mode",
        Type.STRING,
        "initial",
        validator=one_of(*SNAPSHOT_MODES),
        doc="When existing rows are copied: initial, initial_only, always, no_data, when_needed, or as the options "
        "`snapshot.mode.configuration.based.*` say.",
    ),
    key(DATA, Type.BOOLEAN, False, doc="With configuration_based: whether rows are copied, at every start."),
    key(STREAM, Type.BOOLEAN, False, doc="With configuration_based: whether changes are followed."),
    key(
        "snapshot.include.collection.list",
        Type.STRING,
        None,
        doc="Regular expressions of the tables to copy; all captured ones by default.",
    ),
    key(
        "snapshot.lock.timeout.ms",
        Type.LONG,
        10000,
        validator=at_least(1),
        doc="How long one chunk waits for a table's lock before it tries again.",
    ),
    key(
        "snapshot.chunk.rows",
        Type.INT,
        100000,
        validator=at_least(1),
        importance=Importance.LOW,
        doc="Rows read in one short transaction of the copy. Own option.",
    ),
    key(
        "snapshot.max.age.warn.ms",
        Type.LONG,
        4 * 3600 * 1000,
        validator=at_least(0),
        importance=Importance.LOW,
        doc="Age of the copy's snapshot (it holds back vacuum) from which status warns. Own option.",
    ),
    key(
        "snapshot.select.statement.overrides",
        Type.STRING,
        None,
        doc="Tables (`schema.table`) that are copied by a query of your own, which is the option "
        "`snapshot.select.statement.overrides.<schema.table>`. It must give every captured column.",
    ),
    key(
        "incremental.snapshot.chunk.size",
        Type.INT,
        1024,
        validator=at_least(1),
        doc="Rows read at once by an incremental snapshot.",
    ),
    key(
        "signal.data.collection",
        Type.STRING,
        None,
        doc="Table (`schema.table`, with columns id, type and data) whose inserted rows are signals. Incremental "
        "snapshots need none here: their watermarks are messages in the log.",
    ),
    key(
        "signal.enabled.channels",
        Type.LIST,
        ["source"],
        doc="Where signals come from: source (the table), file.",
    ),
    key("signal.file", Type.STRING, "file-signals.txt", doc="File of signals, one JSON object a line."),
    key(
        "signal.poll.interval.ms",
        Type.LONG,
        5000,
        validator=at_least(10),
        doc="How often the file of signals is looked at.",
    ),
    key("snapshot.delay.ms", Type.LONG, 0, validator=at_least(0), doc="Wait before the copy."),
)

_LOG: Final[tuple[ConfigKey, ...]] = (
    key(
        "plugin.name",
        Type.STRING,
        "pgoutput",
        validator=one_of("pgoutput", "decoderbufs"),
        doc="Logical decoding plugin. Only pgoutput is served, which every server has (Debezium: decoderbufs).",
    ),
    key(
        "slot.name",
        Type.STRING,
        "debezium",
        validator=matches(r"[a-z0-9_]{1,63}"),
        doc="Replication slot; one for each connector.",
    ),
    key("slot.drop.on.stop", Type.BOOLEAN, False, doc="Whether an orderly stop drops the slot."),
    key(
        "slot.failover",
        Type.BOOLEAN,
        False,
        doc="Whether the slot is synchronised to standbys (17 and later).",
    ),
    key("slot.stream.params", Type.STRING, None, doc="Further options of START_REPLICATION, `k=v;k2=v2`."),
    key("slot.max.retries", Type.INT, 6, validator=at_least(0), doc="Further attempts to create the slot."),
    key("slot.retry.delay.ms", Type.LONG, 10000, validator=at_least(0), doc="Wait between such attempts."),
    key(
        "create.slot.command.timeout",
        Type.LONG,
        90000,
        validator=at_least(1000),
        importance=Importance.LOW,
        doc="Milliseconds one attempt to create the slot waits for running transactions to end.",
    ),
    key(
        "publication.name",
        Type.STRING,
        "dbz_publication",
        validator=matches(r".{1,63}"),
        doc="Publication of the captured tables.",
    ),
    key(
        "publication.append.name",
        Type.STRING,
        None,
        doc="Second publication, of inserts and truncates, for tables without replica identity. Default: "
        "`<publication.name>_append`. Own option.",
    ),
    key(
        "publication.autocreate.mode",
        Type.STRING,
        "all_tables",
        validator=one_of(*PUBLICATION_MODES),
        doc="all_tables, disabled, filtered, no_tables. all_tables is treated as filtered unless the publication "
        "exists already: publishing every table makes UPDATE fail on those without replica identity.",
    ),
    key(
        "publish.via.partition.root",
        Type.BOOLEAN,
        False,
        doc="Whether changes of partitions are published as changes of their root.",
    ),
    key(
        "catalog.watch.interval.ms",
        Type.LONG,
        1000,
        validator=at_least(0),
        importance=Importance.LOW,
        doc="How often the catalog is asked whether tables came, went, or lost their replica identity; 0 means never. "
        "Own option.",
    ),
    key(
        "offset.mismatch.strategy",
        Type.STRING,
        "fail",
        validator=one_of(*MISMATCH_STRATEGIES),
        doc="When the slot is ahead of the stored position: fail (default), trust_offset, trust_slot, "
        "trust_greater_lsn; no_validation starts all the same and loses what is between.",
    ),
    key(
        "replica.identity.autoset.values",
        Type.STRING,
        None,
        doc="Replica identities to set at the start, `schema.table:FULL,other.*:INDEX idx`; the first match counts.",
    ),
    key(
        "lsn.flush.mode",
        Type.STRING,
        "connector",
        validator=one_of("connector", "manual", "connector_and_driver"),
        doc="Who tells the server what it may discard: the connector, or somebody else (manual: the slot keeps all "
        "log until then). connector_and_driver is the same as connector, which also confirms idle positions.",
    ),
    key(
        "status.update.interval.ms",
        Type.INT,
        10000,
        validator=at_least(100),
        doc="Longest time between two status messages to the server.",
    ),
    key("message.prefix.include.list", Type.STRING, None, doc="Regular expressions of message prefixes."),
    key(
        "message.prefix.exclude.list",
        Type.STRING,
        None,
        doc="Regular expressions of message prefixes to skip.",
    ),
    key("max.batch.size", Type.INT, 2048, validator=at_least(1), doc="Records of one batch."),
    key(
        "max.queue.size",
        Type.INT,
        8192,
        validator=at_least(1),
        doc="Records waiting between reader and poll.",
    ),
    key(
        "max.queue.size.in.bytes",
        Type.LONG,
        64 * 1024 * 1024,
        validator=at_least(0),
        doc="Bytes of log or copy data waiting between reader and poll; 0 means no limit.",
    ),
    key("poll.interval.ms", Type.LONG, 500, validator=at_least(1), doc="Longest wait of one poll."),
    key(
        "heartbeat.interval.ms",
        Type.INT,
        0,
        validator=at_least(0),
        doc="Time between heartbeat records; 0 means none. Positions move without them too.",
    ),
    key("heartbeat.action.query", Type.STRING, None, doc="Statement run at every heartbeat."),
    key(
        "retriable.restart.connector.wait.ms",
        Type.LONG,
        10000,
        validator=at_least(1),
        doc="Longest wait between two attempts to connect again.",
    ),
    key(
        "executor.shutdown.timeout.ms",
        Type.LONG,
        4000,
        validator=at_least(1),
        doc="How long a stop waits for the reader thread.",
    ),
)

_LISTED: Final = (files("connectors.postgres") / "listed.tsv").read_text(encoding="utf-8")
_DECLARED: Final = ConfigDef(*_CONNECTION, *_SELECTION, *_VALUES, *_SNAPSHOT, *_LOG)

CONFIG: Final = DebeziumDef(*listed(_DECLARED, _LISTED, group="Connector", choices=True).keys.values())
"""Every option of the connector, in Debezium's order, groups and importance, then those it does not list."""
