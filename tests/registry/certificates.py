"""A certificate for a server of the test's own."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files: a certificate of 127.0.0.1 that vouches for itself."""

    cert: str
    key: str

    @classmethod
    def make(cls, folder: Path) -> Self:
        """Raises FileNotFoundError where there is no openssl."""
        cert, key = folder / "cert.pem", folder / "key.pem"
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        words += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=lbsuite test"]
        subprocess.run([*words, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, timeout=20)
        return cls(str(cert), str(key))
