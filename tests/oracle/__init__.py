"""Plain-Python twins of the core, written to be read: the engine must agree with them pick for pick.

They share nothing with the C++ but the definitions. A load is kept here as (value, since when), there as the moment it
reaches zero; a twin of a policy looks at a list of endpoints, its original at a view.
"""

from oracle.endpoint import Endpoint, Report
from oracle.engine import Engine
from oracle.numbers import Rng, xxh64
from oracle.view import Request, View

__all__ = ["Endpoint", "Engine", "Report", "Request", "Rng", "View", "xxh64"]
