"""Long links between groups of processes on one machine: a TCP proxy in user space that delays, and cuts.

Every node advertises a loopback address of its own, where the proxy listens and passes on to where the node really
listens. Who connects is found by the process that the connection belongs to. Between groups every byte arrives a while
later, in order, in both directions; within one at once. Only the standard library; Linux only.
"""

import asyncio
import contextlib
import os
import threading
import time


class Links:
    """The links between groups of nodes: `one_way_s` from any to any other."""

    def __init__(self, one_way_s):
        self.one_way_s, self.group_of, self.cut, self.open = one_way_s, {}, set(), set()
        self.nodes, self.tasks = [], set()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    @staticmethod
    def host(number):
        """The address by which others reach a node."""
        return f"127.9.0.{number}"

    def add(self, node, group):
        """Stands between a node, of this group, and all who call its gRPC port."""
        self.nodes.append((node, group))
        def accepted(reader, writer):
            # Nobody else holds a task that waits.
            task = self.loop.create_task(self._accepted(reader, writer, node.grpc, group))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

        serve = asyncio.start_server(accepted, self.host(node.number), node.grpc)
        asyncio.run_coroutine_threadsafe(serve, self.loop).result(5)

    def close(self):
        """Ends everything that is under way."""
        async def end():
            for task in list(self.tasks):
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)

    def isolate(self, group):
        """Nothing arrives at a group any more, nor leaves it."""
        self.loop.call_soon_threadsafe(self.cut.add, group)

    def heal(self):
        """All arrives again; what was on its way does not."""
        self.loop.call_soon_threadsafe(self._heal)

    def _heal(self):
        self.cut.clear()
        for writer, one, other in list(self.open):
            if one != other:
                writer.transport.abort()

    def _caller(self, port):
        """The group of the process that connects from a port; none when it is no node."""
        inode = None
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in table:
                fields = line.split()
                if fields[1].endswith(f":{port:04X}") and fields[9] != "0":
                    inode = fields[9]
        for node, group in self.nodes:
            if node.child is None:
                continue
            folder = f"/proc/{node.child.pid}/fd"
            with contextlib.suppress(OSError):
                for name in os.listdir(folder):
                    with contextlib.suppress(OSError):
                        if os.readlink(f"{folder}/{name}") == f"socket:[{inode}]":
                            return group
        return None

    async def _accepted(self, reader, writer, port, group):
        caller = self._caller(writer.get_extra_info("peername")[1])
        far = caller is not None and caller != group
        delay_s = self.one_way_s if far else 0.0
        # The handshake of a real connection.
        await asyncio.sleep(2 * delay_s)
        with contextlib.suppress(OSError):
            there, onward = await asyncio.open_connection("127.0.0.1", port)
            ends = [(writer, caller, group), (onward, caller, group)]
            self.open.update(ends)
            pair = frozenset({caller, group}) if far else frozenset()
            try:
                await asyncio.gather(
                    self._carry(reader, onward, delay_s, pair), self._carry(there, writer, delay_s, pair)
                )
            finally:
                self.open.difference_update(ends)
        writer.transport.abort()

    async def _carry(self, reader, writer, delay_s, pair):
        """Passes bytes on, each as much later."""
        due = asyncio.Queue()

        async def deliver():
            while True:
                at, data = await due.get()
                await asyncio.sleep(max(0.0, at - time.monotonic()))
                if pair & self.cut:
                    continue
                if not data:
                    writer.transport.abort()
                    return
                writer.write(data)
                await writer.drain()

        delivering = asyncio.ensure_future(deliver())
        try:
            while data := await reader.read(1 << 16):
                due.put_nowait((time.monotonic() + delay_s, data))
        except OSError:
            pass
        finally:
            due.put_nowait((time.monotonic() + delay_s, b""))
        try:
            await delivering
        except OSError:
            pass
        finally:
            delivering.cancel()
