"""EndpointSlices as the API server of a Kubernetes cluster lists them and tells of changes.

What a pod of the cluster needs is a service account that may `list` and `watch` `endpointslices` of the API group
discovery.k8s.io. https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, NoReturn, Self

import aiohttp
from kubernetes_asyncio import client, config

from lbsuite.errors import Unreachable

CALL_S = 10.0
"""How long access may take to find, and a list to arrive, in seconds."""
WATCH_S = 60
"""The API server is asked to end a watch after so many seconds; one that is silent for CALL_S longer is dead."""
_IN_CLUSTER = "KUBERNETES_SERVICE_HOST"


class Refused(Unreachable):
    """The API server answers, but not with what was asked for: whoever watches begins with a new list.

    gone: it just remembers no changes from so long ago (410).
    """

    def __init__(self, words: str, *, gone: bool) -> None:
        super().__init__(words)
        self.gone = gone


class KubernetesClient:
    """The slices of one service; close it when done. The library reads the token again as it is rotated.

    Every call raises Unreachable, in one line, where it fails; Refused where it is answered.
    """

    def __init__(self, configuration: Any, namespace: str, service: str) -> None:
        self._server, self._namespace, self._service = configuration.host, namespace, service
        self._client: Any = client.ApiClient(configuration)
        self._api: Any = client.DiscoveryV1Api(self._client)

    @classmethod
    async def connect(cls, namespace: str, service: str) -> Self:
        """With the service account of the pod that this runs in, else the kubeconfig ($KUBECONFIG, ~/.kube/config).

        Raises Unreachable if there is neither, or it cannot be read.
        """
        configuration: Any = client.Configuration()
        try:
            async with asyncio.timeout(CALL_S):
                if os.environ.get(_IN_CLUSTER):
                    load: Any = config.load_incluster_config
                    load(configuration)
                else:
                    place = os.environ.get("KUBECONFIG")
                    await config.load_kube_config(place, client_configuration=configuration, persist_config=False)
            return cls(configuration, namespace, service)
        except Exception as error:  # The library stumbles over a bad kubeconfig in any way there is.
            raise Unreachable(f"no access to Kubernetes: {error!r}") from None

    async def slices(self) -> dict[str, Any]:
        """The EndpointSliceList, as of now."""
        async with self._get(aiohttp.ClientTimeout(total=CALL_S)) as answer:
            return dict(await answer.json(content_type=None))

    @contextlib.asynccontextmanager
    async def watch(self, version: str) -> AsyncIterator[AsyncGenerator[dict[str, Any], None]]:
        """The changes after a resource version; they end now and then: ask again from the last."""
        silence = aiohttp.ClientTimeout(sock_connect=CALL_S, sock_read=WATCH_S + CALL_S)
        words = {"resource_version": version, "allow_watch_bookmarks": True, "timeout_seconds": WATCH_S}
        async with (
            self._get(silence, watch=True, **words) as answer,
            contextlib.aclosing(self._read(answer)) as changes,
        ):
            yield changes

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _read(self, answer: aiohttp.ClientResponse) -> AsyncGenerator[dict[str, Any], None]:
        async for line in answer.content:
            change = dict(json.loads(line))
            if change.get("type") == "ERROR":
                self._refuse(change.get("object"))
            yield change

    @contextlib.asynccontextmanager
    async def _get(self, deadlines: aiohttp.ClientTimeout, **words: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        selector = f"kubernetes.io/service-name={self._service}"
        try:
            answer: aiohttp.ClientResponse = await self._api.list_namespaced_endpoint_slice(
                self._namespace, label_selector=selector, _preload_content=False, _request_timeout=deadlines, **words
            )
            async with answer:
                if answer.status != 200:
                    self._refuse(await answer.json(content_type=None), answer.status)
                yield answer
        except (aiohttp.ClientError, OSError, ValueError, TypeError) as error:
            why = repr(str(error)) if str(error) else "no answer"
            raise Unreachable(f"Kubernetes at {self._server}: {why}") from None

    def _refuse(self, status: Any, code: int = 0) -> NoReturn:
        """status: the body of an answer, a Status where the API server has written it. code: where it has none."""
        told = status if isinstance(status, dict) else {}
        code = told.get("code") or code
        words = f"Kubernetes at {self._server} says {code!r}: {told.get('message')!r}"
        raise Refused(words, gone=code == 410)
