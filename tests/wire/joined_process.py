"""A process with a user's own server, as its author would write it: `joined_process.py aio|threads own|none LB...`.

own: it has a handler of its own for SIGTERM, which says so and ends with status 7. Calls that hold are released by a
line on stdin.
"""

import asyncio
import signal
import sys
import threading

from joined import SERVERS, add_to_server

import lbsuite


def ready(server: object, servicer: object, *lb: str) -> str:
    add_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"  # type: ignore[attr-defined]
    lbsuite.join(server, address=address, max_concurrent=8, lb=lb, drain_s=20.0, signals=True)  # type: ignore[call-overload]
    return address


async def aio(*lb: str) -> None:
    server, servicer = SERVERS["aio"]()
    address = ready(server, servicer, *lb)
    await server.start()
    print(address, flush=True)
    asyncio.get_running_loop().add_reader(sys.stdin, servicer.release)
    await server.wait_for_termination()


def threads(*lb: str) -> None:
    server, servicer = SERVERS["threads"]()
    address = ready(server, servicer, *lb)
    server.start()
    print(address, flush=True)
    threading.Thread(target=lambda: (sys.stdin.readline(), servicer.release()), daemon=True).start()
    server.wait_for_termination()


def main(side: str, own_handler: str, *lb: str) -> None:
    if own_handler == "own":

        def end(number: int, frame: object) -> None:
            print("own handler", flush=True)
            sys.exit(7)

        signal.signal(signal.SIGTERM, end)
    if side == "aio":
        asyncio.run(aio(*lb))
    else:
        threads(*lb)
    print("end of main", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
