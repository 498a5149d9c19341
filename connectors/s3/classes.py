"""Classes that options of the S3 sink name: formats, partitioners, sources of credentials. Pure declarations."""

from __future__ import annotations

from typing import Final

from replicator.api import ConfigError
from replicator.api.validators import Validator

FORMAT_PACKAGE: Final = "io.confluent.connect.s3.format"
PARTITIONER_PACKAGE: Final = "io.confluent.connect.storage.partitioner"

FORMATS: Final = {
    f"{FORMAT_PACKAGE}.json.JsonFormat": "json",
    f"{FORMAT_PACKAGE}.avro.AvroFormat": "avro",
    f"{FORMAT_PACKAGE}.parquet.ParquetFormat": "parquet",
    f"{FORMAT_PACKAGE}.bytearray.ByteArrayFormat": "bytearray",
}
PARTITIONERS: Final = {
    f"{PARTITIONER_PACKAGE}.{name}Partitioner": name
    for name in ("Default", "Field", "TimeBased", "Daily", "Hourly")
}
_AUTH: Final = "com.amazonaws.auth"
ASSUME_ROLE: Final = "io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider"
ACLS: Final = (
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "log-delivery-write",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "aws-exec-read",
)
ANONYMOUS: Final = f"{_AUTH}.AnonymousAWSCredentialsProvider"
DEFAULT_CHAIN: Final = f"{_AUTH}.DefaultAWSCredentialsProviderChain"
PROVIDERS: Final = (
    DEFAULT_CHAIN,
    ASSUME_ROLE,
    ANONYMOUS,
    f"{_AUTH}.EnvironmentVariableCredentialsProvider",
    f"{_AUTH}.InstanceProfileCredentialsProvider",
    f"{_AUTH}.EC2ContainerCredentialsProviderWrapper",
    f"{_AUTH}.WebIdentityTokenCredentialsProvider",
    f"{_AUTH}.profile.ProfileCredentialsProvider",
)


def one_of_classes(known: tuple[str, ...]) -> Validator:
    """A class of a fixed set, by full or simple name."""
    accepted = {*known, *(name.rpartition(".")[2] for name in known)}

    def check(name: str, value: object) -> None:
        if value is not None and value not in accepted:
            raise ConfigError(
                f"Invalid value {value} for configuration {name}: Class {value} could not be found."
                f" Known are {', '.join(known)}.",
                option=name,
            )

    return check


def named(value: str, known: dict[str, str]) -> str:
    """The short name of a class given by full or simple name."""
    for full, short in known.items():
        if value in (full, full.rpartition(".")[2]):
            return short
    raise ConfigError(f"Class {value} could not be found.")
