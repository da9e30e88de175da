"""A terminal to run a program on."""

import os
import pty

import pytest


def open_terminal() -> tuple[int, int]:
    """Descriptors of our side and of the program's. A bare chroot has no pseudo-terminals: the test is skipped there."""
    if not os.path.ismount("/dev/pts"):
        pytest.skip("no pseudo-terminals here: /dev/pts is not mounted")
    return pty.openpty()
