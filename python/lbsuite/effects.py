"""What an engine says happened, in words for operators."""

import logging
import math

from lbsuite import _core

_LOUD = {"lost", "stale", "expired", "ejected", "panic"}
_OF_ALL = {
    "panic": "too few endpoints are well: those believed sick serve too",
    "calm": "enough endpoints are well again: those believed sick serve no longer",
}


def words(effect: _core.Effect) -> str:
    """One line for operators."""
    if effect.kind in _OF_ALL:
        return _OF_ALL[effect.kind]
    told = f"{effect.address} is {effect.kind}"
    if effect.by:
        told += f" by {effect.by} ({effect.why})"
    return told + (f" for {effect.for_s:g} s" if math.isfinite(effect.for_s) else "")


def level(effect: _core.Effect) -> int:
    """How loud it is logged: trouble warns, its end informs."""
    return logging.WARNING if effect.kind in _LOUD else logging.INFO
