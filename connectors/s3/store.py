"""The bucket: the only module that talks to boto3, and where its errors become ours. Runs on the task's thread."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from connectors.s3.classes import ANONYMOUS, ASSUME_ROLE
from replicator.api import ConfigError, ConnectError, RetriableError

log = logging.getLogger(__name__)

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
        raise ConnectError(f"{what} failed: {error}", hint=_HINTS.get(code)) from error
    except (ConnectionError, HTTPClientError) as error:
        raise RetriableError(f"{what} failed: {error}") from error
    except (BotoCoreError, Boto3Error) as error:
        hint = _HINTS.get(type(error).__name__)
        raise ConnectError(f"{what} failed: {error}", hint=hint) from error


_HINTS: Final = {
    "NoCredentialsError": "Set aws.access.key.id and aws.secret.access.key, or give the worker credentials.",
    "SignatureDoesNotMatch": "Check aws.secret.access.key.",
    "InvalidAccessKeyId": "Check aws.access.key.id.",
    "AccessDenied": "The credentials need s3:PutObject and s3:AbortMultipartUpload in this bucket.",
    "NoSuchBucket": "Check s3.bucket.name, s3.region and store.url.",
    "PermanentRedirect": "Check s3.region: the bucket is in another one.",
}


class Store:
    """One bucket."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._bucket: str = options["s3.bucket.name"]
        self._client = client_of(options)
        self._put = _put_options(options)
        self._part = {name: value for name, value in self._put.items() if name.startswith("SSECustomer")}

    def check(self) -> None:
        """See whether the bucket is there.

        Raises:
            ConnectError: it is not.
        """
        from botocore.exceptions import ClientError

        try:
            with translated("Looking for the bucket"):
                self._client.head_bucket(Bucket=self._bucket)
        except RetriableError as error:
            log.warning("Bucket %s cannot be reached yet: %s", self._bucket, error)
        except ConnectError as error:
            cause = error.__cause__
            if not isinstance(cause, ClientError):
                raise
            if str(cause.response["Error"].get("Code")) in ("404", "NoSuchBucket"):
                raise ConnectError(
                    f"Non-existent S3 bucket: {self._bucket}", hint=_HINTS["NoSuchBucket"]
                ) from error
            # Credentials may be allowed to write without being allowed to look.
            log.warning("Bucket %s cannot be looked at: %s", self._bucket, error)

    def put(self, name: str, data: bytes) -> None:
        """Write a whole object."""
        with translated(f"Writing {name}"):
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data, **self._put)

    def begin(self, name: str) -> str:
        """Begin an upload in parts."""
        with translated(f"Beginning {name}"):
            begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=name, **self._put)
        return str(begun["UploadId"])

    def part(self, name: str, upload: str, number: int, data: bytes) -> str:
        """Upload a part; gives its tag."""
        with translated(f"Writing part {number} of {name}"):
            done = self._client.upload_part(
                Bucket=self._bucket, Key=name, UploadId=upload, PartNumber=number, Body=data, **self._part
            )
        return str(done["ETag"])

    def complete(self, name: str, upload: str, tags: Sequence[str]) -> None:
        """Make the object of its parts visible."""
        parts = [{"ETag": tag, "PartNumber": number} for number, tag in enumerate(tags, 1)]
        with translated(f"Completing {name}"):
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=name, UploadId=upload, MultipartUpload={"Parts": parts}
            )

    def abort(self, name: str, upload: str) -> None:
        """Drop the parts; they would cost money for ever."""
        try:
            with translated(f"Dropping {name}"):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload)
        except ConnectError as error:
            log.warning("The parts of %s could not be dropped: %s", name, error)

    def tag(self, name: str, tags: Mapping[str, str]) -> None:
        """Tag an object."""
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        with translated(f"Tagging {name}"):
            self._client.put_object_tagging(Bucket=self._bucket, Key=name, Tagging={"TagSet": pairs})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


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


def _put_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """What goes with every object."""
    found: dict[str, Any] = {}
    if options["s3.acl.canned"]:
        found["ACL"] = options["s3.acl.canned"]
    name, customer = options["s3.ssea.name"], options["s3.sse.customer.key"]
    if name.lower() in ("sse-c", "sse_c") or (name.upper() == "AES256" and customer is not None):
        if customer is None:
            raise ConfigError("sse-c needs s3.sse.customer.key", option="s3.sse.customer.key")
        raw = base64.b64decode(customer.reveal())
        found["SSECustomerAlgorithm"] = "AES256"
        found["SSECustomerKey"] = customer.reveal()
        found["SSECustomerKeyMD5"] = base64.b64encode(
            hashlib.md5(raw, usedforsecurity=False).digest()
        ).decode()
    elif name:
        found["ServerSideEncryption"] = name
        if options["s3.sse.kms.key.id"]:
            found["SSEKMSKeyId"] = options["s3.sse.kms.key.id"]
    further = dict(
        pair.split(":", 1) for pair in options["s3.object.tagging.key.value.pairs"] or () if ":" in pair
    )
    if further:
        found["Tagging"] = urlencode(further)
    return found
