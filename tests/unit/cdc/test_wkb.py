"""Well-known binary rewritten: there and back again."""

from __future__ import annotations

import pytest

from connectors.cdc import wkb
from tests.differential.transforms.cases_geometry import BROKEN, SHAPES


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_there_and_back(shape: bytes) -> None:
    extended = wkb.as_extended(shape, 4326)
    assert (wkb.is_extended(extended), wkb.is_extended(shape)) == (True, False)
    assert wkb.as_plain(extended) == shape
    assert wkb.swapped(wkb.swapped(extended)) == extended
    assert (wkb.swapped(shape) == shape) == (shape == SHAPES["empty collection"])


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_geometry(data: bytes) -> None:
    with pytest.raises(wkb.InvalidGeometryError):
        wkb.swapped(data)
