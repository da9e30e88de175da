"""`lb --xds-port`, as users start it, and what it says of itself."""

import asyncio
import json
import signal
import subprocess
import sys

from xds_fleet import DEADLINE_S, backends, caller

from lbsuite import cli
from lbsuite.fleet import Fleet
from lbsuite.wire import messages, services
from lbsuite.wire.dial import dial


async def test_a_balancer_with_an_xds_port_is_followed() -> None:
    heard: list[str] = []
    async with Fleet(said=heard.append) as fleet, backends(None, None) as servers:
        lb = await fleet.start_lb(xds="127.0.0.1:0")
        assert lb.xds is not None
        async with dial(lb.address) as channel:
            for server in servers:
                info = messages.ServerInfo(address=server.address)
                await services.stub(channel, "LoadBalancer").RegisterServer(info, timeout=DEADLINE_S)
        async with caller(lb.xds) as client:
            await client.becomes(lambda counts: len(counts) == 2)
            assert await client.call(20) == {server.address: 10 for server in servers}
    (told,) = [line for line in heard if "GRPC_XDS_BOOTSTRAP_CONFIG" in line]
    assert lb.xds in told


def test_the_bootstrap_is_printed_as_json(capsys) -> None:
    assert cli.main(["bootstrap", "--xds", "127.0.0.1:1,127.0.0.1:2", "--node", "me"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [server["server_uri"] for server in told["xds_servers"]] == ["127.0.0.1:1", "127.0.0.1:2"]
    assert told["node"] == {"id": "me"}


def test_without_the_package_of_messages_one_line_says_what_to_install() -> None:
    program = "import sys; sys.modules['envoy'] = None; from lbsuite import cli; sys.exit(cli.main(sys.argv[1:]))"
    words = ["lb", "--listen", "127.0.0.1:0", "--no-etcd", "--policy", "random", "--xds-port", "0"]
    ended = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert "pip install 'lbsuite[xds]'" in line


async def test_servers_pass_on_what_is_said_of_xds() -> None:
    words = ("servers", "-n", "1", "--no-etcd", "--listen", "127.0.0.1:0", "--policy", "random")
    flags = ("--xds-port", "0", "--xds-policy", "ring_hash:entries=8", "--xds-weights", "reports")
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lbsuite", *words, *flags,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert running.stdout is not None
    async with asyncio.timeout(60):
        told = [(await running.stdout.readline()).decode().split()[:2] for _ in range(2)]
        running.send_signal(signal.SIGTERM)
        await running.wait()
    assert told == [["ready", "servers"], ["ready", "xds"]]
