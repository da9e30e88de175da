"""The messages of `orca.proto`; their types are in the generated `orca_messages.pyi`."""

from lbsuite import descriptors

globals().update(descriptors.load("lbsuite.wire", "orca.binpb"))
