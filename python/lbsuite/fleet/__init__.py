"""The one place that starts processes: etcd, balancers and backends, on loopback and free ports.

    process        one child process, from start to end
    etcd_server    which etcd there is on this machine, and one running here
    fleet          all of them together, gone when it closes

Used by the CLI, demos, experiments and tests. Knows the command line of `lbsuite`, and nothing of what runs behind it.
"""

from lbsuite.fleet.etcd_server import EtcdBinary, EtcdServer, etcd_binary
from lbsuite.fleet.fleet import Fleet
from lbsuite.fleet.process import Lbsuite, Process

__all__ = ["EtcdBinary", "EtcdServer", "Fleet", "Lbsuite", "Process", "etcd_binary"]
