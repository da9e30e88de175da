"""Writes what is generated from each .proto file beside it: a descriptor set (`*.binpb`) and its types (`*.pyi`).

`--check` writes nothing and ends with status 1 if a committed file is not what the schema gives.
"""

import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
TYPES = {
    ROOT / "python/lbsuite/wire/lbsuite.proto": "messages.pyi",
    ROOT / "python/lbsuite/wire/orca.proto": "orca_messages.pyi",
    ROOT / "python/lbsuite/registry/etcd.proto": "etcd_messages.pyi",
}


def generated(schema: Path) -> dict[Path, bytes]:
    """The files that `schema` gives, and their contents."""
    with tempfile.TemporaryDirectory() as folder:
        descriptors, types = Path(folder, "set"), Path(folder, f"{schema.stem}_pb2.pyi")
        words = [f"-I{schema.parent}", f"--descriptor_set_out={descriptors}", f"--pyi_out={folder}", str(schema)]
        if protoc.main(["protoc", *words]) != 0:
            raise SystemExit(f"schema: protoc cannot read {schema}")
        return {
            schema.with_suffix(".binpb"): descriptors.read_bytes(),
            schema.with_name(TYPES[schema]): types.read_bytes(),
        }


def main(words: list[str]) -> int:
    """Writes, or with `--check` compares, the files of every schema."""
    stale = 0
    for schema in TYPES:
        for path, content in generated(schema).items():
            if path.exists() and path.read_bytes() == content:
                continue
            stale += 1
            print(f"{path.relative_to(ROOT)}: {'stale, run `make proto`' if '--check' in words else 'written'}")
            if "--check" not in words:
                path.write_bytes(content)
    return 1 if stale and "--check" in words else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
