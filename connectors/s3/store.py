"""The bucket: the only module that talks to boto3, and where its errors become ours. Runs on the task's thread."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from connectors.s3.client import HINTS, client_of, translated
from replicator.api import ConfigError, ConnectError, RetriableError

log = logging.getLogger(__name__)


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
                    f"Non-existent S3 bucket: {self._bucket}", hint=HINTS["NoSuchBucket"]
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
