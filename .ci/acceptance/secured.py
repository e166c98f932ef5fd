"""A cluster with mutual TLS and users, as the security scripts need it: certificates, callers, what was audited.

Certificates come from `predis certs`; what it rightly does not make (expired ones, a stranger's) comes from openssl.
Every token and key that is made is remembered, so that it can be looked for where it must not be.
"""

import contextlib
import pathlib
import re
import ssl
import subprocess
import time

import grpc
import lab
from admin import Admin, Made
from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisError
from redis.retry import Retry


class Paper:
    """A certificate with its key and the authority that its bearer trusts."""

    def __init__(self, authority, certificate=None, key=None):
        self.authority, self.certificate, self.key = authority, certificate, key

    def context(self):
        """For Python's sockets."""
        made = ssl.create_default_context(cafile=self.authority)
        if self.certificate:
            made.load_cert_chain(self.certificate, self.key)
        return made

    def channel(self, port):
        """For gRPC."""
        chain = (self.key.read_bytes(), self.certificate.read_bytes()) if self.certificate else (None, None)
        credentials = grpc.ssl_channel_credentials(self.authority.read_bytes(), *chain)
        # Channels of one process share connections unless their options differ.
        return grpc.secure_channel(f"127.0.0.1:{port}", credentials, [("grpc.use_local_subchannel_pool", 1)])

    def redis(self):
        """For redis-py."""
        files = {"ssl_certfile": str(self.certificate), "ssl_keyfile": str(self.key)} if self.certificate else {}
        return {"ssl": True, "ssl_ca_certs": str(self.authority), **files}


class Authority:
    """What `predis certs init` makes, and what is issued with it."""

    def __init__(self, predis, folder):
        self.predis, self.folder = predis, pathlib.Path(folder)
        self.run("init", "--out", self.folder)
        self.certificate = self.folder / "ca.crt"

    def run(self, *args):
        """`predis certs`."""
        done = subprocess.run([self.predis, "certs", *map(str, args)], capture_output=True, timeout=20, check=False)
        if done.returncode != 0:
            raise lab.Failed(f"predis certs {args}: {done.stderr.decode()}")

    def issue(self, kind, name, out=None, more=()):
        """A member's or a client's certificate."""
        out = pathlib.Path(out or self.folder / name)
        self.run("issue", kind, "--name", name, "--authority-dir", self.folder, "--out", out, *more)
        return Paper(self.certificate, out / f"{name}.crt", out / f"{name}.key")

    def forge(self, name, sans, start="20200101000000Z", end="20200201000000Z"):
        """A certificate of this authority with whatever validity."""
        out = self.folder / f"forged-{name}"
        out.mkdir()
        (out / "index.txt").touch()
        (out / "conf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndir={out}\ndatabase={out}/index.txt\nrand_serial=yes\nnew_certs_dir={out}\n"
            f"default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName={sans}\n"
            "extendedKeyUsage=serverAuth,clientAuth\n",
            encoding="ascii",
        )
        request = [
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            f"/CN={name}",
            "-keyout",
            out / f"{name}.key",
            "-out",
            out / "csr",
        ]
        sign = [
            "ca",
            "-batch",
            "-notext",
            "-config",
            out / "conf",
            "-startdate",
            start,
            "-enddate",
            end,
            "-in",
            out / "csr",
            "-cert",
            self.certificate,
            "-keyfile",
            self.folder / "ca.key",
            "-out",
            out / f"{name}.crt",
        ]
        for command in (request, sign):
            done = subprocess.run(["openssl", *map(str, command)], capture_output=True, timeout=20, check=False)
            if done.returncode != 0:
                raise lab.Failed(f"openssl: {done.stderr.decode()}")
        (out / f"{name}.key").chmod(0o600)
        return Paper(self.certificate, out / f"{name}.crt", out / f"{name}.key")


class Secured:
    """Three servers that let in who has a certificate and a token, and an admin to begin with."""

    def __init__(self, predis, folder, base):
        self.predis, self.folder, self.base = predis, pathlib.Path(folder), base
        self.folder.mkdir(exist_ok=True)
        self.authority = Authority(predis, self.folder / "certs")
        self.paper = self.authority.issue("client", "tester")
        self.members = [self.authority.issue("member", f"member-{number}") for number in (1, 2, 3)]
        self.nodes = []
        for number, paper in enumerate(self.members, 1):
            more = self.tls(paper) + (["--require-auth"] if number == 1 else [])
            start = ["--bootstrap"] if number == 1 else ["--join", f"127.0.0.1:{base + 200}"]
            self.nodes.append(lab.Server(predis, number, base, folder, start, more, proxy=True))
        self.secrets, self.channels, self.token_path = {}, [], self.nodes[0].data / "admin.token"
        self.context = self.paper.context()

    @staticmethod
    def tls(paper, clients="required"):
        """The flags of a node with this certificate."""
        files = ["--tls-authority", paper.authority, "--tls-certificate", paper.certificate, "--tls-key", paper.key]
        return [*map(str, files), "--tls-clients", clients]

    def start(self):
        """Starts them one after another, and waits until all of them serve."""
        for node in self.nodes:
            node.start()
            lab.until(f"node {node.number} is ready", 60, lambda node=node: self.ready(node), 0.1)
        self.admin_token = self.token_path.read_text(encoding="ascii").strip()
        self.secrets["the admin's token"] = self.admin_token
        self.admin = Admin(self.channel(self.nodes[0]), self.admin_token)
        self.await_spread()

    def ready(self, node):
        """Whether a node says that it is ready."""
        if not node.alive():
            raise lab.Ended(f"node {node.number} has ended: {node.tail(5)}")
        return node.ready(self.context)

    def await_spread(self, limit_s=60):
        """Waits until every slot is served and each node has its share of the partitions."""

        def settled():
            now = self.admin.call("Cluster.Status")
            up = [node for node in now.nodes if node.status == "up"]
            fair = now.partition_count / len(self.nodes)
            spread = all(abs(node.primaries - fair) <= 0.1 * fair + 1 for node in up)
            return now if len(up) == len(self.nodes) and now.slots_served == lab.SLOTS and spread else None

        return lab.until("every slot is served", limit_s, settled, 0.1)

    def channel(self, node, paper=None):
        """A channel that is closed at the end."""
        self.channels.append((paper or self.paper).channel(node.grpc))
        return self.channels[-1]

    def close(self):
        """Closes the channels."""
        for channel in self.channels:
            channel.close()

    def user(self, name, role, tenant="default", expires_at_ms=None):
        """Makes a user; its token, which every node knows by then."""
        made = Made("first", expires_at_ms)
        self.admin.call("Users.Create", name=name, tenant=tenant, role=role, tokens=[made.fields()])
        self.secrets[f"the token of {name}"] = made.secret
        if expires_at_ms is None:
            for node in self.nodes:
                lab.until(f"{name} may come in", 5, lambda node=node: self.comes_in(node, name, made.secret), 0.05)
        return made.secret

    def comes_in(self, node, name, token):
        """Whether AUTH succeeds."""
        with self.raw(node.resp) as client:
            return client.call("AUTH", name, token) == "OK"

    def raw(self, port, auth=None, paper=None, timeout_s=10):
        """A bare connection, authenticated when `auth` has a name and a token."""
        client = lab.Resp(port, timeout_s, tls=paper.context() if paper else self.context)
        if auth:
            said = client.call("AUTH", *auth)
            if said != "OK":
                client.close()
                raise lab.Failed(f"AUTH {auth[0]}: {said}")
        return client

    def redis(self, port, name, token, paper=None, **more):
        """redis-py's plain client without any second try."""
        kind = {"retry": Retry(NoBackoff(), 0), "socket_timeout": 10, **more}
        return Redis(port=port, username=name, password=token, **(paper or self.paper).redis(), **kind)

    def cluster(self, name, token, paper=None):
        """redis-py's cluster client, which follows redirections and tries nothing twice because of an error."""
        nodes = [ClusterNode("127.0.0.1", node.resp) for node in self.nodes]
        return RedisCluster(
            startup_nodes=nodes,
            username=name,
            password=token,
            socket_timeout=10,
            retry=Retry(NoBackoff(), 0),
            **(paper or self.paper).redis(),
        )

    def page(self, node, path="/metrics"):
        """A page of a node's."""
        return lab.http(node.metrics, path, self.context)[1]


class Audit:
    """What a node says it refused: ACL LOG over RESP and Audit.List over gRPC must both say it."""

    def __init__(self, checks, cluster, node):
        self.checks, self.cluster, self.node = checks, cluster, node
        self.admin = Admin(cluster.channel(node), cluster.admin_token, cluster.admin.pool)

    def listed(self, **wanted):
        """How often it was refused, by gRPC."""
        refusals = self.admin.call("Audit.List", limit=1000).refusals
        return sum(entry.count for entry in refusals if all(fits(getattr(entry, name), value) for name, value in wanted.items()))

    def logged(self, **wanted):
        """How often it was refused, by ACL LOG."""
        names = {"user": "username", "client": "client-info"}
        with self.cluster.raw(self.node.resp, ("admin", self.cluster.admin_token)) as client:
            entries = client.call("ACL", "LOG", "1000")
        entries = [dict(zip((name.decode() for name in entry[::2]), entry[1::2], strict=True)) for entry in entries]
        return sum(
            entry["count"]
            for entry in entries
            if all(fits(entry[names.get(name, name)].decode(), value) for name, value in wanted.items())
        )

    @contextlib.contextmanager
    def has(self, what, **wanted):
        """What is done in the block must be audited as wanted: each field equal, or fitting a compiled pattern."""
        before = self.listed(**wanted), self.logged(**wanted)
        yield
        try:
            for name, look, then in (("Audit.List", self.listed, before[0]), ("ACL LOG", self.logged, before[1])):
                lab.until(
                    f"{name} of node {self.node.number} has an entry", 3, lambda look=look, then=then: look(**wanted) > then, 0.1
                )
                self.checks.that(True, what)
        except lab.Failed:
            latest = [str(entry).replace("\n", " ") for entry in self.admin.call("Audit.List").refusals[-4:]]
            self.checks.that(False, f"{what}: not audited as {wanted}; {name} of node {self.node.number} has last {latest}")


def fits(value, wanted):
    """Whether a field is as wanted."""
    return bool(wanted.search(value)) if isinstance(wanted, re.Pattern) else value == wanted


def words(call, *args, **kwargs):
    """What the refused hears; None when it is not refused."""
    try:
        call(*args, **kwargs)
        return None
    except (RedisError, OSError) as error:
        return f"{type(error).__name__}: {error}"


def now_ms():
    """Milliseconds since the Unix epoch."""
    return int(time.time() * 1000)
