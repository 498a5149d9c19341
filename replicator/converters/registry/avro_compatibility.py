"""Whether data written with one Avro schema can be read with another: Avro's resolution rules. Pure."""

from __future__ import annotations

from typing import Final

from replicator.converters.registry.avro_model import MISSING, NAMED, AvroField, AvroNode
from replicator.converters.registry.differences import Difference

_PROMOTIONS: Final[dict[str, frozenset[str]]] = {
    "long": frozenset(("int",)),
    "float": frozenset(("int", "long")),
    "double": frozenset(("int", "long", "float")),
    "string": frozenset(("bytes",)),
    "bytes": frozenset(("string",)),
}


def differences(*, reader: AvroNode, writer: AvroNode) -> list[Difference]:
    """Why `reader` cannot read what `writer` wrote; empty if it can."""
    return _Comparison().compare(reader, writer, "/")


def incompatibilities(*, reader: AvroNode, writer: AvroNode) -> list[str]:
    """The same as sentences."""
    return [str(d) for d in differences(reader=reader, writer=writer)]


class _Comparison:
    """Remembers the pairs it has looked at, so that recursive schemas end."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], list[Difference]] = {}

    def compare(self, reader: AvroNode, writer: AvroNode, path: str) -> list[Difference]:
        pair = (id(reader), id(writer))
        if pair in self._seen:
            return self._seen[pair]
        self._seen[pair] = []
        found = self._compare(reader, writer, path)
        self._seen[pair] = found
        return found

    def _compare(self, reader: AvroNode, writer: AvroNode, path: str) -> list[Difference]:
        if writer.type == "union":
            return self._of_union(reader, writer, path)
        if reader.type == "union":
            if any(not self.compare(branch, writer, path) for branch in reader.branches):
                return []
            info = f"reader union lacking writer type: {writer.type.upper()}"
            return [_missing_branch(path, info)]
        if reader.type == writer.type:
            return self._same_type(reader, writer, path)
        if writer.type in _PROMOTIONS.get(reader.type, ()):
            return []
        info = f"reader type: {reader.type.upper()} not compatible with writer type: {writer.type.upper()}"
        text = f"The type (path '{path}') of a field in the {{reader}} schema does not match with the {{writer}} schema"
        return [Difference("TYPE_MISMATCH", path, text, info)]

    def _of_union(self, reader: AvroNode, writer: AvroNode, path: str) -> list[Difference]:
        found: list[Difference] = []
        for number, branch in enumerate(writer.branches):
            problems = self.compare(reader, branch, _below(path, str(number)))
            if problems and reader.type == "union":
                info = f"reader union lacking writer type: {branch.type.upper()}"
                problems = [_missing_branch(_below(path, str(number)), info)]
            found += problems
        return found

    def _same_type(self, reader: AvroNode, writer: AvroNode, path: str) -> list[Difference]:
        found = _names(reader, writer, path) if reader.type in NAMED else []
        if reader.type == "array":
            return self.compare(reader.content(), writer.content(), _below(path, "items"))
        if reader.type == "map":
            return self.compare(reader.content(), writer.content(), _below(path, "values"))
        if reader.type == "fixed" and reader.size != writer.size:
            where = _below(path, "size")
            text = (
                f"The size of FIXED type field at path '{where}' in the {{reader}} schema does not match "
                "with the {writer} schema"
            )
            info = f"expected: {writer.size}, found: {reader.size}"
            found.append(Difference("FIXED_SIZE_MISMATCH", where, text, info))
        if reader.type == "enum" and reader.default is None:
            found += _symbols(reader, writer, path)
        if reader.type == "record":
            found += self._fields(reader, writer, path)
        return found

    def _fields(self, reader: AvroNode, writer: AvroNode, path: str) -> list[Difference]:
        found: list[Difference] = []
        for number, field in enumerate(reader.fields):
            where = _below(path, f"fields/{number}")
            written = _written(field, writer)
            if written is not None:
                found += self.compare(field.node, written.node, f"{where}/type")
            elif field.default is MISSING and not (
                field.node.type == "enum" and field.node.default is not None
            ):
                text = (
                    f"The field '{field.name}' at path '{where}' in the {{reader}} schema has no default value "
                    "and is missing in the {writer} schema"
                )
                found.append(Difference("READER_FIELD_MISSING_DEFAULT_VALUE", where, text, field.name))
        return found


def _names(reader: AvroNode, writer: AvroNode, path: str) -> list[Difference]:
    space = (reader.name or "").rpartition(".")[0]
    aliases = {a if "." in a or not space else f"{space}.{a}" for a in reader.aliases}
    if reader.short_name == writer.short_name or writer.name in aliases:
        return []
    where = _below(path, "name")
    return [
        Difference(
            "NAME_MISMATCH",
            where,
            f"The name of the schema has changed (path '{where}')",
            f"expected: {writer.name}",
        )
    ]


def _symbols(reader: AvroNode, writer: AvroNode, path: str) -> list[Difference]:
    missing = [s for s in writer.symbols if s not in reader.symbols]
    if not missing:
        return []
    where, listed = _below(path, "symbols"), f"[{', '.join(missing)}]"
    text = (
        f"The {{reader}} schema is missing enum symbols '{listed}' at path '{where}' in the {{writer}} schema"
    )
    return [Difference("MISSING_ENUM_SYMBOLS", where, text, listed)]


def _missing_branch(path: str, info: str) -> Difference:
    text = f"The {{reader}} schema is missing a type inside a union field at path '{path}' in the {{writer}} schema"
    return Difference("MISSING_UNION_BRANCH", path, text, info)


def _written(field: AvroField, writer: AvroNode) -> AvroField | None:
    for name in (field.name, *field.aliases):
        found = writer.field_named(name)
        if found is not None:
            return found
    return None


def _below(path: str, part: str) -> str:
    return f"{path.rstrip('/')}/{part}"
