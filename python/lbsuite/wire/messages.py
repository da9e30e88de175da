"""The messages of `lbsuite.proto`; their types are in the generated `messages.pyi`."""

from lbsuite import descriptors

globals().update(descriptors.load("lbsuite.wire", "lbsuite.binpb"))
