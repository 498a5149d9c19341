"""Options of the S3 sink, under the names of Confluent's connector. Pure declarations."""

from __future__ import annotations

from typing import Any, Final

from connectors.s3.classes import (
    ACLS,
    DEFAULT_CHAIN,
    FORMAT_PACKAGE,
    FORMATS,
    PARTITIONER_PACKAGE,
    PARTITIONERS,
    PROVIDERS,
    one_of_classes,
)
from replicator.api import ConfigDef, Importance, Type
from replicator.api.config import ConfigKey, key
from replicator.api.validators import at_least, between, non_empty, one_of

HIGH, MEDIUM, LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW
SMALLEST_PART: Final = 5 * 1024 * 1024
DEFAULT_FLUSH: Final = 1000
DEFAULT_IDLE_MS: Final = 10_000


def _option(
    name: str, type_: Type, default: Any, importance: Importance, doc: str, check: Any = None
) -> ConfigKey:
    return key(name, type_, default, importance=importance, doc=doc, validator=check)


_S, _I, _L, _B, _P = Type.STRING, Type.INT, Type.LONG, Type.BOOLEAN, Type.PASSWORD
_COMPRESSIONS: Final = one_of("none", "gzip", ignore_case=True)
_format_class = one_of_classes(tuple(FORMATS))

OPTIONS: Final = ConfigDef(
    key(
        "s3.bucket.name",
        _S,
        importance=HIGH,
        doc="The S3 bucket.",
        validator=non_empty,
    ),
    _option("s3.region", _S, "us-west-2", MEDIUM, "The AWS region of the bucket."),
    _option(
        "store.url",
        _S,
        None,
        HIGH,
        "Address of the store when it is not Amazon's, such as http://minio:9000.",
    ),
    _option("topics.dir", _S, "topics", HIGH, "First directory of every object's name."),
    _option("directory.delim", _S, "/", MEDIUM, "Separates directories.", non_empty),
    _option("file.delim", _S, "+", MEDIUM, "Separates topic, partition and offset in names.", non_empty),
    _option(
        "flush.size",
        _I,
        None,
        HIGH,
        f"Records of a topic partition after which its files are written. Without it: {DEFAULT_FLUSH}, and if no"
        f" rotation is configured either, files are also written every {DEFAULT_IDLE_MS // 1000} seconds.",
        at_least(1),
    ),
    _option(
        "rotate.interval.ms",
        _L,
        -1,
        HIGH,
        "Span of record timestamps, by the partitioner's extractor, after which files are written. Exactly-once.",
    ),
    _option(
        "rotate.schedule.interval.ms",
        _L,
        -1,
        MEDIUM,
        "Wall clock interval after which files are written, aligned to midnight in `timezone`. A crash right after"
        " an upload may then repeat records in another file.",
    ),
    _option("timezone", _S, "", MEDIUM, "Time zone of time based partitions and scheduled rotation."),
    _option(
        "locale", _S, "", MEDIUM, "Locale of time based partitions; names of days and months are English."
    ),
    _option(
        "partitioner.class",
        Type.CLASS,
        f"{PARTITIONER_PACKAGE}.DefaultPartitioner",
        HIGH,
        "Decides the directory of a record: Default, Field, TimeBased, Daily or HourlyPartitioner.",
        one_of_classes(tuple(PARTITIONERS)),
    ),
    _option("partition.field.name", Type.LIST, None, MEDIUM, "Fields whose values name the directories."),
    _option(
        "partition.field.format.path",
        _B,
        True,
        MEDIUM,
        "Directories as field=value instead of the bare value.",
    ),
    _option("partition.duration.ms", _L, -1, MEDIUM, "Length of a time based partition."),
    _option(
        "path.format", _S, "", MEDIUM, "Pattern of time based directories, such as 'year'=YYYY/'month'=MM."
    ),
    _option(
        "timestamp.extractor",
        _S,
        "Wallclock",
        MEDIUM,
        "Where the time of a record comes from: Wallclock, Record or RecordField.",
        one_of(
            "Wallclock",
            "Record",
            "RecordField",
            *(
                f"{PARTITIONER_PACKAGE}.TimeBasedPartitioner${n}TimestampExtractor"
                for n in ("Wallclock", "Record", "RecordField")
            ),
        ),
    ),
    _option(
        "timestamp.field",
        _S,
        "timestamp",
        MEDIUM,
        "Field of the RecordField extractor; a.b names a nested one.",
    ),
    _option(
        "format.class",
        Type.CLASS,
        f"{FORMAT_PACKAGE}.json.JsonFormat",
        HIGH,
        "Format of the objects: JsonFormat, AvroFormat, ParquetFormat or ByteArrayFormat.",
        _format_class,
    ),
    _option(
        "storage.class",
        Type.CLASS,
        "io.confluent.connect.s3.storage.S3Storage",
        HIGH,
        "Kept for compatibility.",
    ),
    _option(
        "s3.part.size",
        _I,
        26_214_400,
        HIGH,
        "Size of the parts of an upload.",
        between(SMALLEST_PART, 2**31 - 1),
    ),
    _option("s3.part.retries", _I, 3, MEDIUM, "Retries of a request to the store.", at_least(0)),
    _option(
        "s3.retry.backoff.ms",
        _L,
        200,
        LOW,
        "Kept for compatibility: the client backs off by itself.",
        at_least(0),
    ),
    _option("retry.backoff.ms", _L, 5000, LOW, "Wait before a failed batch is tried again.", at_least(0)),
    _option(
        "s3.compression.type", _S, "none", LOW, "Compression of JSON and bytes: none or gzip.", _COMPRESSIONS
    ),
    _option("s3.compression.level", _I, -1, LOW, "Level of gzip, -1 for the usual one.", between(-1, 9)),
    _option(
        "parquet.codec",
        _S,
        "snappy",
        LOW,
        "Compression of Parquet.",
        one_of("none", "gzip", "snappy", "lz4", "brotli", "zstd", ignore_case=True),
    ),
    _option(
        "avro.codec", _S, "null", LOW, "Compression of Avro.", one_of("null", "deflate", "snappy", "bzip2")
    ),
    _option("format.bytearray.extension", _S, ".bin", LOW, "Extension of ByteArrayFormat's objects."),
    _option(
        "format.bytearray.separator",
        _S,
        None,
        LOW,
        "Written after each record of ByteArrayFormat; a line feed.",
    ),
    _option(
        "json.decimal.format",
        _S,
        "BASE64",
        MEDIUM,
        "How Decimal values are written in JSON: BASE64 or NUMERIC.",
        one_of("BASE64", "NUMERIC", ignore_case=True),
    ),
    _option("filename.offset.zero.pad.width", _I, 10, LOW, "Digits of the offset in names.", at_least(0)),
    _option(
        "schema.compatibility",
        _S,
        "NONE",
        HIGH,
        "NONE, BACKWARD, FORWARD or FULL: when a new schema ends a file, and when a record is projected instead.",
        one_of("NONE", "BACKWARD", "FORWARD", "FULL"),
    ),
    _option(
        "behavior.on.null.values",
        _S,
        "fail",
        LOW,
        "What happens to null values: fail, ignore or write (their keys).",
        one_of("fail", "ignore", "write", ignore_case=True),
    ),
    _option(
        "tombstone.encoded.partition",
        _S,
        "tombstone",
        LOW,
        "Directory of null values that are written.",
        non_empty,
    ),
    _option("store.kafka.keys", _B, False, LOW, "Write keys to a file beside the values'."),
    _option("store.kafka.headers", _B, False, LOW, "Write headers to a file beside the values'."),
    _option(
        "keys.format.class",
        Type.CLASS,
        f"{FORMAT_PACKAGE}.avro.AvroFormat",
        LOW,
        "Format of keys.",
        _format_class,
    ),
    _option(
        "headers.format.class",
        Type.CLASS,
        f"{FORMAT_PACKAGE}.avro.AvroFormat",
        LOW,
        "Format of headers.",
        _format_class,
    ),
    _option("aws.access.key.id", _S, "", HIGH, "Access key; without it the usual places are searched."),
    _option("aws.secret.access.key", _P, None, HIGH, "Secret of the access key."),
    _option(
        "s3.credentials.provider.class",
        Type.CLASS,
        DEFAULT_CHAIN,
        LOW,
        "Where credentials come from when none are given; AwsAssumeRoleCredentialsProvider takes a role.",
        one_of_classes(PROVIDERS),
    ),
    _option("s3.credentials.provider.sts.role.arn", _S, None, LOW, "Role to assume."),
    _option("s3.credentials.provider.sts.role.external.id", _S, None, LOW, "External id for the role."),
    _option(
        "s3.credentials.provider.sts.role.session.name", _S, "replicator", LOW, "Session name for the role."
    ),
    _option("s3.path.style.access.enabled", _B, True, LOW, "Bucket in the path instead of in the host name."),
    _option("s3.wan.mode", _B, False, MEDIUM, "Use S3's accelerated endpoint."),
    _option(
        "s3.ssea.name",
        _S,
        "",
        LOW,
        "Server side encryption: AES256 (with the customer's key if there is one), aws:kms, or sse-c.",
        one_of("", "AES256", "aws:kms", "sse-c", "sse_c", ignore_case=True),
    ),
    _option(
        "s3.sse.customer.key", _P, None, LOW, "The customer's key for server side encryption, in base64."
    ),
    _option("s3.sse.kms.key.id", _S, "", LOW, "Key id of server side encryption with aws:kms."),
    _option("s3.acl.canned", _S, None, LOW, "Canned ACL of objects.", one_of(*ACLS)),
    _option("s3.object.tagging", _B, False, LOW, "Tag objects with startOffset, endOffset and recordCount."),
    _option("s3.object.tagging.key.value.pairs", Type.LIST, "", LOW, "Further tags, as key:value."),
    _option(
        "s3.object.behavior.on.tagging.error",
        _S,
        "ignore",
        LOW,
        "Whether a failed tag fails the task.",
        one_of("ignore", "fail", ignore_case=True),
    ),
    _option("s3.proxy.url", _S, "", LOW, "HTTP proxy."),
    _option("s3.proxy.user", _S, None, LOW, "Account at the proxy."),
    _option("s3.proxy.password", _P, None, LOW, "Password at the proxy."),
    _option("s3.http.send.expect.continue", _B, True, LOW, "Kept for compatibility."),
    _option(
        "s3.elastic.buffer.enable", _B, False, LOW, "Kept for compatibility: buffers always grow as needed."
    ),
    _option("s3.elastic.buffer.init.capacity", _I, 131_072, LOW, "Kept for compatibility.", at_least(4096)),
    _option(
        "s3.send.digest", _B, False, LOW, "Kept for compatibility: uploads carry a checksum in any case."
    ),
    _option(
        "s3.schema.partition.affix.type",
        _S,
        "NONE",
        LOW,
        "PREFIX or SUFFIX puts the schema's name before or behind the partitioner's directories.",
        one_of("SUFFIX", "PREFIX", "NONE"),
    ),
    _option("shutdown.timeout.ms", _L, 3000, MEDIUM, "Kept for compatibility."),
    _option("schema.cache.size", _I, 1000, LOW, "Kept for compatibility: schemas are kept by identity."),
    _option(
        "enhanced.avro.schema.support", _B, True, LOW, "Kept for compatibility: names of schemas are kept."
    ),
    _option("connect.meta.data", _B, True, LOW, "Add the schema's Connect names to Avro schemas."),
    _option(
        "allow.optional.map.keys", _B, False, LOW, "Kept for compatibility: optional map keys are written."
    ),
)
