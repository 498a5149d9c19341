"""Cases for Kafka Connect's own transforms and predicates."""

from __future__ import annotations

from tests.differential.transforms.cases_casts import casts
from tests.differential.transforms.cases_extracts import extracts
from tests.differential.transforms.cases_fields import fields
from tests.differential.transforms.cases_inserts import inserts
from tests.differential.transforms.cases_shapes import reshapings
from tests.differential.transforms.cases_timestamps import timestamps
from tests.differential.transforms.cases_topics import routes


def cases():
    for family in (casts, extracts, reshapings, fields, inserts, routes, timestamps):
        yield from family()
