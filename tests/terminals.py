"""A terminal to run a program on."""

import os
import pty
import sys

import pytest


def open_terminal() -> tuple[int, int]:
    """Descriptors of our side and of the program's; the test is skipped in a bare chroot, which has no terminals."""
    if sys.platform == "linux" and not os.path.ismount("/dev/pts"):
        pytest.skip("no pseudo-terminals here: /dev/pts is not mounted")
    return pty.openpty()
