#!/usr/bin/env python3
"""Health check of the image: exit code 0 while GET /health of this container's service answers that it is well.

REPLICATOR_HEALTH_URL names another address; else it follows CONNECT_LISTENERS, as the service does.
"""

from __future__ import annotations

import os
import re
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

SECONDS = 4.0


def address(environ: Mapping[str, str]) -> str:
    """Where to ask."""
    given = environ.get("REPLICATOR_HEALTH_URL")
    if given:
        return given
    listener = environ.get("CONNECT_LISTENERS", "").split(",")[0].strip()
    match = re.fullmatch(r"(?i)(https?)://(.*):(\d+)/?", listener)
    if match is None:
        return "http://127.0.0.1:8083/health"
    scheme, host, port = match[1].lower(), match[2], match[3]
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
    return f"{scheme}://{host}:{port}/health"


def healthy(url: str) -> bool:
    """Whether the service is well; one that wants an account for this page is taken for well."""
    # The certificate names the host that others use, not this container's loopback address.
    unverified = ssl._create_unverified_context() if url.startswith("https:") else None
    try:
        with urllib.request.urlopen(url, timeout=SECONDS, context=unverified) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(address(os.environ)) else 1)
