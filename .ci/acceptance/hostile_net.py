"""Network namespaces on a bridge, one for each node, and what can be done to their links.

Made within a network, mount and process namespace of its own (`hostile.py` sees to that), so that nothing of it is
seen outside, and all of it goes away with the last process in there, however that one ends.
"""

import pathlib
import subprocess

TOOLS = ("ip", "iptables", "tc", "unshare", "mount")
CLIENTS = "10.77.0.254"
RESP, GRPC, METRICS = 6379, 7379, 9090


def run(*words):
    """Runs a command that has to succeed; what it printed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, timeout=20, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.decode().strip()}")
    return done.stdout.decode()


def prepare():
    """The bridge, with the clients at it."""
    # The names of namespaces are kept in files, which are to be nobody else's.
    run("mount", "-t", "tmpfs", "hostile", "/run")
    pathlib.Path("/run/netns").mkdir()
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "bridge", "type", "bridge")
    run("ip", "addr", "add", f"{CLIENTS}/24", "dev", "bridge")
    run("ip", "link", "set", "bridge", "up")


class Place:
    """The namespace of one node: its link ends at the bridge as `port`."""

    def __init__(self, number, proxied):
        self.number, self.name, self.port = number, f"node-{number}", f"port-{number}"
        self.host = f"10.77.0.{number}"
        self.advertised = f"10.77.0.{100 + number}" if proxied else self.host
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", self.port, "master", "bridge", "up")
        for addr in sorted({self.host, self.advertised}):
            run("ip", "-n", self.name, "addr", "add", f"{addr}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            run("ip", "-n", self.name, "link", "set", device, "up")

    def within(self, *words):
        """A command line that runs in here."""
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def drop(self, hosts, inward, outward):
        """Loses without a word what comes from these hosts, or goes to them."""
        for host in hosts:
            if inward:
                run(*self.within("iptables", "-w", "-A", "INPUT", "-s", host, "-j", "DROP"))
            if outward:
                run(*self.within("iptables", "-w", "-A", "OUTPUT", "-d", host, "-j", "DROP"))

    def pass_all(self):
        """Loses nothing any more."""
        run(*self.within("iptables", "-w", "-F"))

    def link(self, up):
        """Plugs the cable in, or pulls it out."""
        run("ip", "link", "set", self.port, "up" if up else "down")

    def narrow(self, kbit):
        """Lets no more than so many kilobits a second through, each way; None for all."""
        for device, where in ((self.port, ()), ("eth0", ("-n", self.name))):
            if kbit is None:
                run("tc", *where, "qdisc", "del", "dev", device, "root")
            else:
                what = ("tbf", "rate", f"{kbit}kbit", "burst", "16kb", "latency", "500ms")
                run("tc", *where, "qdisc", "add", "dev", device, "root", *what)
