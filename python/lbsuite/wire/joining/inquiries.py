"""What a server that joined is asked beside its tasks, and how it answers: probes, and streams of load reports."""

import time
from typing import Any, Literal

import grpc
from google.protobuf.message import DecodeError

from lbsuite.wire import messages, orca_messages, services
from lbsuite.wire.joining.enrolment import Enrolment

ORCA_SERVICE = "xds.service.orca.v3.OpenRcaService"
Asked = orca_messages.OrcaLoadReportRequest | Literal[False]
"""False: the bytes are none. (A server with threads fails a call whose request is None.)"""
NO_REQUEST = (grpc.StatusCode.INVALID_ARGUMENT, "the bytes are no OrcaLoadReportRequest")


def probe_reply(enrolment: Enrolment) -> messages.ProbeReply:
    """Tasks in flight, and what one more would take."""
    limiter = enrolment.limiter
    return messages.ProbeReply(tasks=limiter.tasks, latency_us=int(limiter.expected_s() * 1e6))


def load_report(enrolment: Enrolment) -> orca_messages.OrcaLoadReport:
    """The load now."""
    return enrolment.orca.report(time.monotonic())


def interval_s(request: orca_messages.OrcaLoadReportRequest, enrolment: Enrolment) -> float:
    """Seconds between two reports: as asked, but not below the server's own least (gRFC A51)."""
    asked = request.report_interval
    return max(asked.seconds + asked.nanos * 1e-9, enrolment.settings.orca_s)


def handlers(probe: Any, stream: Any) -> list[grpc.GenericRpcHandler]:
    """Serves ProbeService and OpenRcaService with the two."""
    # A probe says nothing, so nothing is read.
    asked = grpc.unary_unary_rpc_method_handler(probe, bytes, messages.ProbeReply.SerializeToString)
    streamed = grpc.unary_stream_rpc_method_handler(stream, _request, orca_messages.OrcaLoadReport.SerializeToString)
    return [
        grpc.method_handlers_generic_handler(f"{services.PACKAGE}.ProbeService", {"Probe": asked}),
        grpc.method_handlers_generic_handler(ORCA_SERVICE, {"StreamCoreMetrics": streamed}),
    ]


# What is raised here grpc would log with a traceback, as often as a stranger likes.
def _request(data: bytes) -> Asked:
    try:
        return orca_messages.OrcaLoadReportRequest.FromString(data)
    except DecodeError:
        return False
