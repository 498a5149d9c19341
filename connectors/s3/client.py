"""boto3's client for the options: credentials, proxy, addressing, and how its errors become ours. Task thread."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from connectors.s3.classes import ANONYMOUS, ASSUME_ROLE
from replicator.api import ConfigError, ConnectError, RetriableError

_RETRIABLE: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "ExpiredToken",
        "InternalError",
        "OperationAborted",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
    }
)


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn boto3's errors into ours: those that may go away are retriable."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in _RETRIABLE or status >= 500 or status == 429:
            raise RetriableError(f"{what} failed: {error}") from error
        raise ConnectError(f"{what} failed: {error}", hint=HINTS.get(code)) from error
    except (ConnectionError, HTTPClientError) as error:
        raise RetriableError(f"{what} failed: {error}") from error
    except (BotoCoreError, Boto3Error) as error:
        hint = HINTS.get(type(error).__name__)
        raise ConnectError(f"{what} failed: {error}", hint=hint) from error


HINTS: Final = {
    "NoCredentialsError": "Set aws.access.key.id and aws.secret.access.key, or give the worker credentials.",
    "SignatureDoesNotMatch": "Check aws.secret.access.key.",
    "InvalidAccessKeyId": "Check aws.access.key.id.",
    "AccessDenied": "The credentials need s3:PutObject and s3:AbortMultipartUpload in this bucket.",
    "NoSuchBucket": "Check s3.bucket.name, s3.region and store.url.",
    "PermanentRedirect": "Check s3.region: the bucket is in another one.",
}


def client_of(options: Mapping[str, Any]) -> Any:
    """boto3's client for the options."""
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    anonymous = options["s3.credentials.provider.class"] in (ANONYMOUS, ANONYMOUS.rpartition(".")[2])
    s3: dict[str, Any] = {
        "addressing_style": "path" if options["s3.path.style.access.enabled"] else "virtual"
    }
    if options["s3.wan.mode"]:
        # The accelerated endpoint knows buckets by host name only.
        s3 = {"use_accelerate_endpoint": True, "addressing_style": "virtual"}
    settings = Config(
        region_name=options["s3.region"],
        retries={"total_max_attempts": options["s3.part.retries"] + 1, "mode": "standard"},
        s3=s3,
        proxies=_proxies(options),
        signature_version=UNSIGNED if anonymous and not options["aws.access.key.id"] else None,
        connect_timeout=10,
        read_timeout=60,
        # Stores of other makes know no trailing checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with translated("Making the S3 client"):
        session = _session(boto3, options)
        return session.client("s3", endpoint_url=options["store.url"] or None, config=settings)


def _session(boto3: Any, options: Mapping[str, Any]) -> Any:
    secret = options["aws.secret.access.key"]
    session = boto3.Session(
        aws_access_key_id=options["aws.access.key.id"] or None,
        aws_secret_access_key=secret.reveal() if secret is not None and secret.reveal() else None,
        region_name=options["s3.region"],
    )
    provider = options["s3.credentials.provider.class"]
    if provider not in (ASSUME_ROLE, ASSUME_ROLE.rpartition(".")[2]):
        return session
    from botocore.credentials import DeferredRefreshableCredentials

    session._session._credentials = DeferredRefreshableCredentials(
        _assume(session, options), "sts-assume-role"
    )
    return session


def _assume(session: Any, options: Mapping[str, Any]) -> Callable[[], dict[str, str]]:
    prefix = "s3.credentials.provider.sts.role."
    arn, external = options[f"{prefix}arn"], options[f"{prefix}external.id"]
    if not arn:
        raise ConfigError(f"Missing required configuration {prefix}arn", option=f"{prefix}arn")
    sts = session.client("sts")
    extra = {"ExternalId": external} if external else {}

    def fetch() -> dict[str, str]:
        found = sts.assume_role(RoleArn=arn, RoleSessionName=options[f"{prefix}session.name"], **extra)[
            "Credentials"
        ]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"].isoformat(),
        }

    return fetch


def _proxies(options: Mapping[str, Any]) -> dict[str, str] | None:
    url = options["s3.proxy.url"]
    if not url:
        return None
    user, password = options["s3.proxy.user"], options["s3.proxy.password"]
    if user:
        parts = urlsplit(url)
        secret = f":{quote(password.reveal(), safe='')}" if password is not None else ""
        url = f"{parts.scheme}://{quote(user, safe='')}{secret}@{parts.netloc}"
    return {"http": url, "https": url}
