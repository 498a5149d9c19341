"""Pairs of made-up schemas: their text and what keeps the second from reading the first, as Avro's Java library says.

A line of data/avro_java.tsv is writer, reader, the writer as that library prints it, and the kinds of differences.
"""

from pathlib import Path

from replicator.converters.registry.avro_compatibility import differences
from replicator.converters.registry.avro_parse import parse
from replicator.converters.registry.avro_print import to_text

FILE = Path(__file__).parents[1] / "data" / "avro_java.tsv"


def test_texts_and_differences_are_the_same():
    lines = FILE.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 200
    for line in lines:
        writer, reader, printed, kinds = line.split("\t")
        parsed = parse(writer)
        assert to_text(parsed) == printed
        found = sorted(d.kind for d in differences(reader=parse(reader), writer=parsed))
        assert ",".join(found) == kinds, line
