"""Confluent's annotations of Protobuf schemas: the extension 1088 of all options. Pure, any thread.

The annotations are read and written through a message of the same wire form, so no extension has to be
registered with the process.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pb2 as pb
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

NUMBER: Final = 1088


@cache
def _holder() -> type[Message]:
    file = pb.FileDescriptorProto(name="annotations.proto", package="annotations", syntax="proto3")
    meta = file.message_type.add(name="Meta")
    label = pb.FieldDescriptorProto
    meta.field.add(name="doc", number=1, type=label.TYPE_STRING, label=label.LABEL_OPTIONAL)
    meta.field.add(
        name="params",
        number=2,
        type=label.TYPE_MESSAGE,
        type_name=".annotations.Meta.ParamsEntry",
        label=label.LABEL_REPEATED,
    )
    meta.field.add(name="tags", number=3, type=label.TYPE_STRING, label=label.LABEL_REPEATED)
    entry = meta.nested_type.add(name="ParamsEntry")
    entry.options.map_entry = True
    for number, name in enumerate(("key", "value"), start=1):
        entry.field.add(name=name, number=number, type=label.TYPE_STRING, label=label.LABEL_OPTIONAL)
    holder = file.message_type.add(name="Holder")
    holder.field.add(
        name="meta",
        number=NUMBER,
        type=label.TYPE_MESSAGE,
        type_name=".annotations.Meta",
        label=label.LABEL_OPTIONAL,
    )
    pool = DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("annotations.Holder"))


def of(options: Message) -> Any | None:
    """The annotations in some options, if there are any."""
    holder: Any = _holder()()
    holder.ParseFromString(options.SerializeToString())
    return holder.meta if holder.HasField("meta") else None


def params(options: Message) -> dict[str, str]:
    """The parameters in some options."""
    found = of(options)
    return dict(found.params) if found is not None else {}


def add_params(options: Message, given: dict[str, str]) -> None:
    """Annotate with parameters."""
    if given:
        holder: Any = _holder()()
        holder.meta.params.update(given)
        options.MergeFromString(holder.SerializeToString(deterministic=True))


def merge(options: Message, names: list[str], value: Any) -> None:
    """Annotate with what an option statement says; `names` is what follows the option's name."""
    holder: Any = _holder()()
    given = {names[0]: value} if names else value
    if isinstance(given, dict):
        for name, one in given.items():
            if name == "doc":
                holder.meta.doc = str(one)
            elif name == "tags":
                holder.meta.tags.extend(str(t) for t in (one if isinstance(one, list) else [one]))
            elif name == "params":
                for pair in one if isinstance(one, list) else [one]:
                    holder.meta.params[str(pair.get("key", ""))] = str(pair.get("value", ""))
    options.MergeFromString(holder.SerializeToString(deterministic=True))
