"""Message classes made at run time from a compiled descriptor set.

Code that protoc generates for Python demands one protobuf release; descriptor sets read the same from protobuf 5 on.
Each set gets a pool of its own, so no other library's messages can clash with ours.
"""

import pkgutil

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message_factory import GetMessageClass


def load(package: str, resource: str) -> dict[str, object]:
    """What the one file in the descriptor set `resource` (a file of the Python package `package`) declares, by name:
    message classes, enums and their values, and `DESCRIPTOR`, the file's own descriptor."""
    # Not importlib.resources: it costs every process that starts 10 ms of imports.
    compiled = pkgutil.get_data(package, resource)
    assert compiled is not None
    (file,) = FileDescriptorSet.FromString(compiled).file
    pool = DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindFileByName(file.name)
    names: dict[str, object] = {"DESCRIPTOR": descriptor}
    for name, message in descriptor.message_types_by_name.items():
        names[name] = GetMessageClass(message)
    for name, enum in descriptor.enum_types_by_name.items():
        names[name] = EnumTypeWrapper(enum)
        names.update(EnumTypeWrapper(enum).items())
    return names
