"""The messages of `etcd.proto`; their types are in the generated `etcd_messages.pyi`."""

from lbsuite import descriptors

globals().update(descriptors.load("lbsuite.registry", "etcd.binpb"))
