"""The ADS server on the wire, asked by a client that speaks the protocol by hand."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from xds_fleet import DEADLINE_S, Serving, backends

from lbsuite.cli.status import table
from lbsuite.wire.status import document
from lbsuite.xds import messages, services
from lbsuite.xds.catalog import CLUSTER, ENDPOINTS, LISTENER, ROUTE
from lbsuite.xds.door import SERVICE
from waiting import eventually

A, B = "127.0.0.1:1", "127.0.0.1:2"


class Client:
    """One stream, whose node is told with the first request."""

    def __init__(self, stream: Any, node: str, listen: str = "") -> None:
        self._stream = stream
        self._node = messages.Node(id=node)
        if listen:
            self._node.metadata["listen"] = listen

    async def ask(self, type_url: str, *names: str, answering: Any = None, error: str = "", version: str = "") -> None:
        request = messages.DiscoveryRequest(
            node=self._node, type_url=type_url, resource_names=names, version_info=version
        )
        if answering is not None:
            request.response_nonce, request.version_info = answering.nonce, answering.version_info
        if error:
            request.error_detail.message = error
        await self._stream.write(request)

    async def hear(self) -> Any:
        async with asyncio.timeout(DEADLINE_S):
            answer = await self._stream.read()
        assert answer is not grpc.aio.EOF
        return answer

    async def hear_of(self, *states: str) -> Any:
        """The first answer that tells of so many endpoints, and so well."""
        while sorted(health(answer := await self.hear()).values()) != list(states):
            pass
        return answer


@asynccontextmanager
async def client(serving: Serving, node: str = "me", listen: str = "") -> AsyncIterator[Client]:
    async with grpc.aio.insecure_channel(serving.door.address) as channel:
        call = channel.stream_stream(
            f"/{SERVICE}/StreamAggregatedResources",
            request_serializer=messages.DiscoveryRequest.SerializeToString,
            response_deserializer=messages.DiscoveryResponse.FromString,
        )
        stream = call()
        yield Client(stream, node, listen)
        stream.cancel()


def health(answer: Any) -> dict[int, str]:
    """By port."""
    (packed,) = answer.resources
    return {
        endpoint.endpoint.address.socket_address.port_value: messages.HealthStatus.Name(endpoint.health_status)
        for locality in messages.ClusterLoadAssignment.FromString(packed.value).endpoints
        for endpoint in locality.lb_endpoints
    }


def weights(answer: Any) -> dict[int, int]:
    """By port."""
    (packed,) = answer.resources
    return {
        endpoint.endpoint.address.socket_address.port_value: endpoint.load_balancing_weight.value
        for locality in messages.ClusterLoadAssignment.FromString(packed.value).endpoints
        for endpoint in locality.lb_endpoints
    }


async def test_the_chain_from_a_listener_to_endpoints_is_told() -> None:
    async with Serving() as serving, client(serving) as ads:
        await serving.register_at(A)
        for type_url in (LISTENER, ROUTE, CLUSTER):
            await ads.ask(type_url, "default")
            answer = await ads.hear()
            assert (answer.type_url, len(answer.resources)) == (type_url, 1)
        await ads.ask(ENDPOINTS, "default")
        await ads.hear_of("HEALTHY")


async def test_a_drained_endpoint_is_told_as_draining() -> None:
    async with backends(None, None) as fleet, Serving() as serving, client(serving) as ads:
        await serving.register(*fleet)
        await ads.ask(ENDPOINTS, "default")
        await ads.hear_of("HEALTHY", "HEALTHY")
        await serving.drain(fleet[0].address)
        await ads.hear_of("DRAINING", "HEALTHY")


async def test_a_killed_endpoint_is_told_as_unhealthy() -> None:
    async with backends(None, None) as fleet, Serving() as serving, client(serving) as ads:
        await serving.register(*fleet)
        await eventually(lambda: serving.connected(*fleet))
        await ads.ask(ENDPOINTS, "default")
        await ads.hear_of("HEALTHY", "HEALTHY")
        await fleet[0].stop()
        await ads.hear_of("HEALTHY", "UNHEALTHY")


async def test_a_service_that_comes_later_is_told_to_those_who_wait_for_it() -> None:
    async with backends(None) as fleet, Serving() as serving, client(serving) as ads:
        await ads.ask(CLUSTER)
        assert len((await ads.hear()).resources) == 1
        await ads.ask(ENDPOINTS, "later")
        await serving.register(*fleet, service="later")
        assert len((await ads.hear()).resources) == 2
        await ads.hear_of("HEALTHY")


async def test_reports_that_change_no_weight_are_not_told() -> None:
    async with Serving() as serving, client(serving) as ads:
        await serving.register_at(A)
        await ads.ask(ENDPOINTS, "default")
        first = await ads.hear_of("HEALTHY")
        for load in range(20):
            await serving.report(A, load)
        await serving.register_at(B)
        second = await ads.hear()
        assert int(second.nonce, 16) == int(first.nonce, 16) + 1
        assert len(health(second)) == 2


async def test_a_refusal_is_shown_in_the_status_after_its_client_is_gone_too() -> None:
    async with Serving() as serving:
        async with client(serving, node="me\n") as ads:
            await ads.ask(CLUSTER, "default")
            answer = await ads.hear()
            await ads.ask(CLUSTER, "default", answering=answer, error="no such\x1b[31m policy")
            await eventually(serving.refused)
            (told,) = (await serving.status()).xds_clients
            assert (told.node, told.type, told.gone) == ("me\\n", "Cluster", False)
        await eventually(serving.nobody_follows)
        reply = await serving.status()
    assert document(reply)["xds_clients"] == [
        {
            "node": "me\\n", "peer": told.peer, "type": "Cluster", "version": "",
            "error": "no such\\x1b[31m policy", "gone": True,
        }
    ]  # fmt: skip
    assert table(reply).splitlines()[-1] == "xDS client me\\n (gone) refuses a Cluster: no such\\x1b[31m policy"


async def test_a_client_is_shown_with_the_version_it_took() -> None:
    async with Serving() as serving, client(serving) as ads:
        await ads.ask(CLUSTER, "default")
        answer = await ads.hear()
        await ads.ask(CLUSTER, "default", answering=answer)
        await ads.ask(ROUTE, "default")
        await ads.hear()
        told = {each.type: each.version for each in (await serving.status()).xds_clients}
        assert told == {"Cluster": answer.version_info, "RouteConfiguration": ""}


async def test_two_balancers_tell_the_same_versions() -> None:
    async with Serving() as one, Serving() as two:
        versions = set()
        for serving in (one, two):
            await serving.register_at(A)
            async with client(serving) as ads:
                await ads.ask(ENDPOINTS, "default")
                versions.add((await ads.hear_of("HEALTHY")).version_info)
        assert len(versions) == 1


async def test_who_asks_for_every_listener_has_one_where_its_node_says() -> None:
    async with Serving() as serving, client(serving, listen="127.0.0.1:8080") as ads:
        await ads.ask(LISTENER)
        (packed,) = (await ads.hear()).resources
        listener = messages.Listener.FromString(packed.value)
        assert listener.address.socket_address.port_value == 8080
        await ads.ask(ROUTE, services.ALL)
        (packed,) = (await ads.hear()).resources
        (host,) = messages.RouteConfiguration.FromString(packed.value).virtual_hosts
        assert list(host.domains) == ["default", "default:*", "*"]


@pytest.mark.parametrize("listen", ["", "nowhere", "127.0.0.1"])
async def test_who_does_not_say_where_to_listen_has_no_listener(listen: str) -> None:
    async with Serving() as serving, client(serving, listen=listen) as ads:
        await ads.ask(LISTENER)
        assert not (await ads.hear()).resources


async def test_what_is_no_request_is_refused_and_what_is_unknown_passed_over() -> None:
    async with Serving() as serving:
        async with grpc.aio.insecure_channel(serving.door.address) as channel:
            stream = channel.stream_stream(f"/{SERVICE}/StreamAggregatedResources")()
            await stream.write(b"\xff\xff")
            with pytest.raises(grpc.aio.AioRpcError):
                await stream.read()
            assert await stream.code() is grpc.StatusCode.INVALID_ARGUMENT
        async with client(serving) as ads:
            await ads.ask("type.googleapis.com/envoy.service.runtime.v3.Runtime", "x")
            await ads.ask(CLUSTER, "default")
            assert (await ads.hear()).type_url == CLUSTER


async def test_an_incremental_client_is_told_what_differs() -> None:
    async with Serving() as serving, grpc.aio.insecure_channel(serving.door.address) as channel:
        await serving.register_at(A)
        stream = channel.stream_stream(
            f"/{SERVICE}/DeltaAggregatedResources",
            request_serializer=messages.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=messages.DeltaDiscoveryResponse.FromString,
        )()
        wanted = ["default", "nobody"]
        await stream.write(messages.DeltaDiscoveryRequest(type_url=ENDPOINTS, resource_names_subscribe=wanted))
        async with asyncio.timeout(DEADLINE_S):
            answer = await stream.read()
        assert [each.name for each in answer.resources] == ["default"]
        assert list(answer.removed_resources) == ["nobody"]
        stream.cancel()


async def test_an_endpoint_with_a_name_is_told_by_its_address() -> None:
    async with Serving() as serving, client(serving) as ads:
        await ads.ask(ENDPOINTS, "default")
        await ads.hear()
        await serving.register_at("localhost:1")
        answer = await ads.hear()
        while not health(answer):
            answer = await ads.hear()
        (packed,) = answer.resources
        (locality,) = messages.ClusterLoadAssignment.FromString(packed.value).endpoints
        assert locality.lb_endpoints[0].endpoint.address.socket_address.address in ("127.0.0.1", "::1")


async def test_weights_follow_reports_where_that_is_asked_for() -> None:
    """A ends 10 tasks in a second of work, B ends 30."""

    async def report() -> None:
        for work in itertools.count(1):
            for address, rate in ((A, 10), (B, 30)):
                await serving.report(address, 1, finished=rate * work, task_us=1_000_000 * work)
            await asyncio.sleep(0.01)

    async with Serving(weights="reports") as serving, client(serving) as ads:
        await serving.register_at(A, B)
        await ads.ask(ENDPOINTS, "default")
        assert weights(await ads.hear_of("HEALTHY", "HEALTHY")) == {1: 1000, 2: 1000}
        reporting = asyncio.create_task(report())
        assert weights(await ads.hear()) == {1: 500, 2: 1500}
        reporting.cancel()


async def test_who_comes_with_a_list_keeps_it_until_the_balancer_has_had_time_to_know_everybody() -> None:
    async with Serving(ttl_s=0.01, listed=False) as serving, client(serving) as new, client(serving) as old:
        await old.ask(CLUSTER, version="of another life")
        await new.ask(CLUSTER)
        assert len((await new.hear()).resources) == 1
        await serving.register_at(A, service="late")
        assert len((await new.hear()).resources) == 2
        serving.balancer.listed = True
        answer = await old.hear()
        assert (len(answer.resources), answer.nonce) == (2, "1")
