"""A TCP proxy in front of one node that is told, while it runs, to hold bytes back or to cut connections.

usage: hostile_proxy.py HOST TARGET PORT [PORT ...]

Listens on HOST at each port and passes everything on to the same port of TARGET, in order and unchanged. Each line on
standard input is an order in JSON: {"delay_ms": N} holds every piece back for so long, each way; {"reset": true} ends
all connections at once, with what was on its way; {"deaf": true} does the same to whoever comes from then on, until
{"deaf": false}: the node is reached by nobody and reaches all. Ends with its standard input.
"""

import asyncio
import contextlib
import json
import socket
import struct
import sys

# Pieces on their way, in one direction of one connection; more are left to TCP to hold back.
PIECES = 64


class Proxy:
    """All connections, and what is done to them."""

    def __init__(self, target):
        self.target, self.delay_s, self.deaf, self.open = target, 0.0, False, set()

    async def accept(self, port, reader, writer):
        """One connection, until either side ends it."""
        try:
            onward = await asyncio.wait_for(asyncio.open_connection(self.target, port), 5)
        except (OSError, TimeoutError):
            writer.close()
            return
        ends = (writer, onward[1])
        if self.deaf:
            return end_at_once(ends)
        self.open.add(ends)
        ways = [asyncio.create_task(self.carry(reader, onward[1])), asyncio.create_task(self.carry(onward[0], writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.open.discard(ends)
            for way in ways:
                way.cancel()
            for end in ends:
                end.close()

    async def carry(self, reader, writer):
        """One direction: pieces leave in the order in which they came, each as late as it was told to be on coming."""
        pieces, loop = asyncio.Queue(PIECES), asyncio.get_running_loop()

        async def take():
            while data := await reader.read(65536):
                await pieces.put((loop.time() + self.delay_s, data))
            await pieces.put((0, b""))

        taking = asyncio.create_task(take())
        try:
            while True:
                due, data = await pieces.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            return
        finally:
            taking.cancel()
            # What ended it is told by the other direction, or is that the connection is gone.
            await asyncio.gather(taking, return_exceptions=True)

    def reset(self):
        """Ends all connections so that both sides hear of it at once."""
        for ends in list(self.open):
            end_at_once(ends)

    def obey(self, order):
        """Carries out one order."""
        self.delay_s = order.get("delay_ms", self.delay_s * 1000) / 1000
        self.deaf = order.get("deaf", self.deaf)
        if self.deaf or order.get("reset"):
            self.reset()


def end_at_once(ends):
    """Ends both halves of a connection without a good-bye."""
    for end in ends:
        # It may have ended just now.
        with contextlib.suppress(OSError):
            end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.transport.abort()


async def main():
    """Listens and obeys."""
    host, target, *ports = sys.argv[1:]
    proxy, loop = Proxy(target), asyncio.get_running_loop()
    for port in map(int, ports):
        await asyncio.start_server(lambda r, w, port=port: proxy.accept(port, r, w), host, port)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        proxy.obey(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main())
