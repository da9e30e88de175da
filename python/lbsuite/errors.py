"""What can go wrong, by name. Status codes are mapped in `wire`, exit statuses in `cli`; not here."""


class LbsuiteError(Exception):
    """The parent of every error that lbsuite raises on its own account; its text is one line fit for a user."""


class Unreachable(LbsuiteError):
    """A server that is needed (balancer, etcd) did not answer in time. The CLI exits with status 3."""


class EtcdMissing(LbsuiteError):
    """No etcd server binary was found on this machine."""


class StartFailed(LbsuiteError):
    """A process did not come up: it ended, or was not ready in time."""


class XdsMissing(LbsuiteError):
    """The package that has the messages of xDS is not installed."""
