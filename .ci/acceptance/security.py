"""Who is let in, and who is not: a cluster of three processes with mutual TLS, users and two tenants.

usage: security.py PREDIS [--base-port 21001] [--only PART ...]

Parts: `certificates`, what each port says to wrong ones; `members`, who may not join or speak as a member; `tokens`,
wrong, revoked and expired ones and disabled users, at every door and on open connections; `before`, what may be said
before authentication, over the whole command list; `roles`, what each role may do, over the whole command list and
all methods; `tenants` and `quotas`, in crossing.py; `rotation`, certificates, an authority and tokens renewed under
load, in rotation.py; `leaks` and `bind`, in leaks.py. Each refusal must come with the right words and be in the node's
ACL LOG and Audit.List. Needs redis-py, grpcio, grpcio-reflection and openssl.
"""

import argparse
import re
import ssl
import time
import warnings

import crossing
import grpc
import lab
import leaks
import rotation
from admin import Admin, Made
from grpc_health.v1 import health_pb2, health_pb2_grpc
from secured import Audit, Authority, Paper, Secured, now_ms

WRONG_PASS = "WRONGPASS invalid username-password pair or user is disabled."
NO_AUTH = "NOAUTH Authentication required."
UNAUTHENTICATED, DENIED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED
DOORS = ("resp", "proxy", "grpc", "metrics")


def shake(port, context):
    """What comes of a handshake: the reason of the failure, or `let in`."""
    try:
        with lab.Resp(port, 5, tls=context) as client:
            # In TLS 1.3 the client hears only now what is thought of its certificate.
            client.socket.settimeout(0.5)
            client.socket.read(1)
            return "let in"
    except TimeoutError:
        return "let in"
    except ssl.SSLError as error:
        return error.reason or str(error)
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def certificates(checks, cluster):
    """Every port and every wrong certificate."""
    node, authority = cluster.nodes[0], cluster.authority
    stranger = Authority(cluster.predis, cluster.folder / "stranger").issue("client", "stranger")
    wrong = [
        ("no certificate", Paper(authority.certificate), "CERTIFICATE_REQUIRED"),
        ("another authority's", Paper(authority.certificate, stranger.certificate, stranger.key), "UNKNOWN_CA"),
        ("an expired one", authority.forge("late", "DNS:late"), "CERTIFICATE_EXPIRED"),
        ("one of the future", authority.forge("early", "DNS:early", "20900101000000Z", "20910101000000Z"), "CERTIFICATE"),
    ]
    audit = Audit(checks, cluster, node)
    for door in DOORS:
        port = getattr(node, door)
        checks.that(shake(port, cluster.context) == "let in", f"{door}: the right certificate: {shake(port, cluster.context)}")
        for what, paper, alert in wrong:
            with audit.has(f"{door}, {what}", reason="certificate", context=door, client=re.compile(r"127\.0\.0\.1:\d+")):
                said = shake(port, paper.context())
            checks.that(alert in said, f"{door}, {what}: {said}")
        said = shake(port, stranger.context())
        checks.that(
            "CERTIFICATE_VERIFY_FAILED" in said, f"{door}: a client of another authority takes the node for its own: {said}"
        )
        versions(checks, cluster, door, port)
        with lab.Resp(port, 10) as naked:
            began = time.monotonic()
            naked.send(b"PING\r\nGET / HTTP/1.0\r\n\r\n")
            naked.socket.settimeout(10)
            came = b""
            try:
                came = naked.file.read(100)
            except ConnectionResetError:
                pass
            checks.that(
                b"PONG" not in came and b"HTTP" not in came and time.monotonic() - began < 7,
                f"{door} answers without TLS: {came!r}",
            )
    silent = [lab.Resp(getattr(node, door), 10) for door in DOORS]
    began = time.monotonic()
    checks.that(all(client.is_closed(8) for client in silent), "who says nothing keeps a connection")
    checks.that(time.monotonic() - began < 8, "who says nothing keeps a connection for long")


def versions(checks, cluster, door, port):
    """TLS 1.2 and 1.3, and nothing older."""
    for version, welcome in [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)]:
        warnings.simplefilter("ignore", DeprecationWarning)
        context = cluster.paper.context()
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
        if version == ssl.TLSVersion.TLSv1_3:
            context.minimum_version = version
        said = shake(port, context)
        checks.that((said == "let in") == welcome, f"{door}: {version.name}: {said}")


def members(checks, cluster):
    """Who is no member may not speak as one, and does not become one."""
    node, authority = cluster.nodes[0], cluster.authority
    audit = Audit(checks, cluster, node)
    admin = Admin(cluster.channel(node), cluster.admin_token, cluster.admin.pool)
    spoken = 0
    for service in ("predis.raft.v1.Raft", "predis.node.v1.Node"):
        for method in admin.pool.FindServiceByName(service).methods:
            spoken += 1
            with audit.has(f"{method.name} as a client", reason="certificate", context="grpc", object=re.compile(service)):
                said = admin.refusal(f"{service}.{method.name}")
            checks.that(
                said and said[0] == DENIED and "member" in said[1], f"{service}.{method.name} with a client's certificate: {said}"
            )
    checks.that(spoken > 3, f"only {spoken} methods of members")
    stranger = Authority(cluster.predis, cluster.folder / "stranger-2")
    client = cluster.authority.issue("client", "poser")
    expired = authority.forge("old-member", "DNS:member.predis.internal,DNS:localhost,IP:127.0.0.1")
    readable = authority.issue("member", "readable")
    readable.key.chmod(0o640)
    mixed = Paper(authority.certificate, readable.certificate, cluster.members[0].key)
    missing = Paper(authority.certificate, readable.certificate, cluster.folder / "nowhere.key")
    garbage = cluster.folder / "garbage.key"
    garbage.touch(0o600)
    garbage.write_text("no key", encoding="ascii")
    for what, paper, said in [
        ("a client's certificate", client, "member"),
        ("an expired certificate", expired, "expired"),
        ("a key that others may read", readable, "640"),
        ("another's key", mixed, "key"),
        ("no key", missing, "nowhere.key"),
        ("a key that is none", Paper(authority.certificate, readable.certificate, garbage), "garbage.key"),
        ("another authority's certificate", Paper(authority.certificate, *pair(stranger.issue("member", "alien"))), "authority"),
    ]:
        code, text = lab.refused(cluster.predis, *server_args(cluster, paper))
        checks.that(code in (1, 2) and said in text and "panicked" not in text, f"a server with {what} ends with {code}: {text}")
    # Somebody with an authority and member certificates of its own finds that ours are not of it.
    alien = lab.Process(cluster.predis, server_args(cluster, stranger.issue("member", "alien-2")), cluster.folder / "alien.log")
    with lab.running([alien]):
        alien.start()
        alien.await_log("certificate", 20)
    names = {member.name for member in cluster.admin.call("Cluster.Status").nodes}
    checks.that(names == {"node-1", "node-2", "node-3"}, f"members: {names}")


def pair(paper):
    """A certificate and its key."""
    return paper.certificate, paper.key


def server_args(cluster, paper):
    """A fourth server with this certificate."""
    base = cluster.base + 50
    ports = ["--listen", f"127.0.0.1:{base}", "--grpc", f"127.0.0.1:{base + 1}", "--metrics", f"127.0.0.1:{base + 2}"]
    join = ["--join", f"127.0.0.1:{cluster.nodes[0].grpc}", "--name", "fourth", "--data-dir", cluster.folder / "data-fourth"]
    return ["server", *ports, *join, *cluster.tls(paper)]


def tokens(checks, cluster):
    """Tokens that are not, no longer, or not yet again good, at every door."""
    node, admin = cluster.nodes[1], cluster.admin
    audit = Audit(checks, cluster, node)
    good = {name: cluster.user(name, "read_write") for name in ("carol", "dave", "erin", "frank", "gina")}
    open_ones = {
        name: (cluster.raw(node.resp, (name, token)), cluster.raw(node.proxy, (name, token))) for name, token in good.items()
    }
    admin.call("Users.RevokeToken", user="carol", id="first")
    admin.call("Users.Update", name="dave", enabled=False)
    soon = Made("second", now_ms() + 1500)
    admin.call("Users.AddToken", user="erin", token=soon.fields(), others_expire_at_ms=now_ms() + 1000)
    cluster.secrets["the second token of erin"] = soon.secret
    admin.call("Users.Remove", name="frank")
    for name, (resp, proxy) in open_ones.items():
        for door, client in (("resp", resp), ("proxy", proxy)):
            open_connection(checks, f"{door}: {name}'s open connection", client, name, good[name], name == "gina")
    wrong = Made().secret
    cluster.secrets["a wrong token"] = wrong
    cases = [
        ("a wrong token", "gina", wrong),
        ("an unknown user", "nobody", good["gina"]),
        ("another's token", "gina", cluster.admin_token),
        ("a revoked token", "carol", good["carol"]),
        ("a disabled user", "dave", good["dave"]),
        ("an expired token", "erin", good["erin"]),
        ("a removed user", "frank", good["frank"]),
        ("an expired second token", "erin", soon.secret),
        ("an empty token", "gina", ""),
        ("the hash for the token", "gina", Made("x").fields()["sha256"]),
        ("an empty name", "", good["gina"]),
    ]
    lab.until("erin's second token has ended", 10, lambda: now_ms() > soon.expires_at_ms + 300)
    for what, user, token in cases:
        for door in ("resp", "proxy"):
            with audit.has(f"{door}: {what}", reason="auth", context=door, user=user), cluster.raw(getattr(node, door)) as client:
                said = client.call("AUTH", user, token), client.call("HELLO", "3", "AUTH", user, token)
                checks.that(said == (WRONG_PASS, WRONG_PASS), f"{door}: {what}: {said}")
                checks.that(client.call("GET", "x") == NO_AUTH, f"{door}: {what}: GET is answered")
        caller = Admin(cluster.channel(node), token or "x", admin.pool)
        if what in ("an unknown user", "another's token", "an empty name"):
            # gRPC has the token alone.
            continue
        with audit.has(f"grpc: {what}", reason="auth", context="grpc"):
            said = caller.refusal("Tenants.List")
        checks.that(said and said[0] == UNAUTHENTICATED and said[1], f"grpc: {what}: {said}")
    bearers(checks, cluster, node)
    for client in (client for pair in open_ones.values() for client in pair):
        client.close()
    admin.call("Users.Update", name="dave", enabled=True)
    lab.until("dave is back", 5, lambda: cluster.comes_in(node, "dave", good["dave"]))


def open_connection(checks, what, client, name, token, still):
    """It goes on, or it hears that it must authenticate, or it is closed."""

    def told():
        try:
            said = client.call("DBSIZE")
        except lab.Gone:
            said = "closed"
        return str(said) if isinstance(said, int) == still else None

    try:
        said = lab.until("the connection is told", 6, told, 0.05)
    except lab.Failed:
        checks.that(False, f"{what} goes on")
        return
    checks.that(still or said in (NO_AUTH, "closed"), f"{what} hears {said!r}")
    if said == NO_AUTH:
        checks.that(client.call("AUTH", name, token) == WRONG_PASS, f"{what} comes in again")


def bearers(checks, cluster, node):
    """Ways to write the metadata wrong, and every method without any."""
    channel, pool, token = cluster.channel(node), cluster.admin.pool, cluster.admin_token
    caller = Admin(channel, None, pool)
    for wrong in (f"Basic {token}", token, "Bearer", "Bearer ", f"Bearer  {token} x", f"Bearer {token}x"):
        try:
            caller.call("Cluster.Status", metadata=[("authorization", wrong)])
            checks.that(False, f"authorization {wrong.replace(token, 'TOKEN')!r} is taken")
        except grpc.RpcError as error:
            checks.that(
                error.code() == UNAUTHENTICATED and token not in error.details(),
                f"{wrong.replace(token, 'TOKEN')!r}: {error.code()}",
            )
    audit = Audit(checks, cluster, node)
    for name in methods(pool):
        with audit.has(f"{name} without a token", reason="auth", context="grpc"):
            said = caller.refusal(name)
        checks.that(said and said[0] == UNAUTHENTICATED, f"{name} without a token: {said}")
    health = health_pb2_grpc.HealthStub(channel)
    checks.that(health.Check(health_pb2.HealthCheckRequest(), timeout=5).status == 1, "health needs a token")


def methods(pool):
    """All methods of the admin API."""
    services = ("Cluster", "Topology", "Tenants", "Users", "Config", "Audit", "Backup")
    return [f"{name}.{method.name}" for name in services for method in pool.FindServiceByName(f"predis.admin.v1.{name}").methods]


def every_command(client):
    """(words with as many arguments as needed, flags, categories) of every command and subcommand."""
    made = []
    for name in client.call("COMMAND", "LIST"):
        (row,) = client.call("COMMAND", "INFO", name)
        for words_, arity, flags, categories in [(name.decode().split("|"), row[1], row[2], row[6])] + [
            (sub[0].decode().split("|"), sub[1], sub[2], sub[6]) for sub in row[9]
        ]:
            made.append((words_ + ["x"] * (abs(arity) - len(words_)), set(flags), set(categories)))
    return made


def before(checks, cluster):
    """Before authentication only four commands; small limits; no place kept for long."""
    node = cluster.nodes[2]
    with cluster.raw(node.resp, ("admin", cluster.admin_token)) as client:
        commands = every_command(client)
    names = {line[0].lower() for line, *_ in commands}
    checks.that(len(commands) > 80 and {"get", "config", "acl", "partition"} <= names, f"{len(commands)} commands")
    open_to_all = {"hello", "auth", "quit", "reset"}
    for door in ("resp", "proxy"):
        stranger = cluster.raw(getattr(node, door))
        for line, *_ in commands:
            if line[0].lower() in open_to_all:
                continue
            for spelled in (line, [line[0].upper(), *line[1:]], [line[0]]):
                said = stranger.call(*spelled)
                # That there is no such command may be said first, as Redis does.
                short = isinstance(said, lab.RespError) and said.startswith(
                    ("ERR wrong number of arguments", "ERR unknown subcommand 'x'")
                )
                checks.that(said == NO_AUTH or short, f"{door}: {spelled} before authentication: {said!r}")
        said = stranger.call("GARBAGE")
        checks.that(isinstance(said, lab.RespError), f"{door}: an unknown command: {said!r}")
        said = stranger.call("HELLO", "3")
        checks.that(isinstance(said, lab.RespError) and said.startswith("NOAUTH"), f"{door}: HELLO without AUTH: {said!r}")
        checks.that(stranger.call("RESET") == "RESET" and stranger.call("QUIT") == "OK", f"{door}: RESET and QUIT")
        stranger.close()
        small_limits(checks, cluster, door, getattr(node, door))


def small_limits(checks, cluster, door, port):
    """As in Redis: ten arguments of 16 KiB each, and an error before the connection is closed."""
    for what, data in [
        ("11 arguments", b"*11\r\n"),
        ("an argument of 16385 bytes", b"*2\r\n$4\r\nAUTH\r\n$16385\r\n"),
        ("an inline line without end", b"x" * 70_000),
        ("a million arguments", b"*1048576\r\n"),
    ]:
        with cluster.raw(port) as client:
            try:
                client.send(data)
                said = client.reply()
                checks.that(
                    isinstance(said, lab.RespError) and "Protocol error" in said,
                    f"{door}: {what} before authentication: {said!r}",
                )
                checks.that(client.is_closed(), f"{door}: {what} before authentication leaves the connection open")
            except (lab.Gone, OSError) as error:
                checks.that(False, f"{door}: {what} before authentication: no word, {error!r}")
    # The same are nothing special afterwards.
    with cluster.raw(port, ("admin", cluster.admin_token)) as client:
        checks.that(client.call("EXISTS", *["{x}"] * 50) == 0 or door == "resp", f"{door}: 51 arguments after AUTH")
        checks.that(client.call("ECHO", "y" * 20_000) == b"y" * 20_000, f"{door}: a long argument after AUTH")


READS = {
    "Cluster.Status": "operator",
    "Cluster.Watch": "operator",
    "Cluster.SetMode": "admin",
    "Cluster.SetWeight": "admin",
    "Cluster.Forget": "admin",
    "Cluster.Recover": "admin",
    "Topology.Follow": "read_only",
    "Tenants.List": "read_only",
    "Tenants.Create": "admin",
    "Tenants.Update": "admin",
    "Tenants.Remove": "admin",
    "Users.List": "admin",
    "Users.Create": "admin",
    "Users.Update": "admin",
    "Users.Remove": "admin",
    "Users.AddToken": "admin",
    "Users.RevokeToken": "admin",
    "Config.Get": "operator",
    "Config.Set": "admin",
    "Audit.List": "admin",
    "Backup.Begin": "admin",
    "Backup.End": "admin",
    "Backup.Read": "admin",
    "Backup.Write": "admin",
    "Backup.Count": "admin",
}
ROLES = ["read_only", "read_write", "operator", "admin"]


def roles(checks, cluster):
    """What each role may do: over all methods, and over the whole command list."""
    node = cluster.nodes[0]
    audit = Audit(checks, cluster, node)
    made = {role: cluster.user(f"a-{role.replace('_', '-')}", role) for role in ROLES}
    known = set(methods(cluster.admin.pool))
    checks.that(known == set(READS), f"methods that no role is written down for: {known ^ set(READS)}")
    channel = cluster.channel(node)
    for number, role in enumerate(ROLES):
        caller = Admin(channel, made[role], cluster.admin.pool)
        for method, least in READS.items():
            said = caller.refusal(method, limit_s=3) if method != "Cluster.Watch" else watch(caller)
            allowed = number >= ROLES.index(least)
            denied = said is not None and said[0] in (DENIED, UNAUTHENTICATED)
            checks.that(allowed != denied, f"{method} by {role}, which needs {least}: {said}")
            if not allowed:
                user = f"a-{role.replace('_', '-')}"
                checks.that(
                    said and said[0] == DENIED and user in said[1] and least.replace("_", "-") in said[1].replace("_", "-"),
                    f"{method} by {role}: {said}",
                )
                checks.that(
                    audit.listed(context="grpc", user=user, object=re.compile(method.split(".")[1])) > 0,
                    f"{method} by {role} is not audited",
                )
    command_roles(checks, cluster, node, made, audit)
    with audit.has("a reader writes", reason="command", context="resp", user="a-read-only", object=re.compile("(?i)^set$")):
        with cluster.raw(node.resp, ("a-read-only", made["read_only"])) as client:
            said = client.call("SET", "x", "1")
    checks.that(said == "NOPERM User a-read-only has no permissions to run the 'set' command", f"a reader's SET: {said!r}")
    follow_ends(checks, cluster, channel)


def command_roles(checks, cluster, node, made, audit):
    """What those who are no operators may say: nothing that is marked as an admin's, and readers nothing that writes."""
    with cluster.raw(node.resp, ("admin", cluster.admin_token)) as client:
        commands = every_command(client)
    for door in ("resp", "proxy"):
        for role in ("read_only", "read_write"):
            name = f"a-{role.replace('_', '-')}"
            with cluster.raw(getattr(node, door), (name, made[role])) as client:
                for line, flags, categories in commands:
                    if line[0] in ("quit", "reset", "auth", "hello") or line[:2] == ["client", "tracking"]:
                        continue
                    forbidden = ("write" in flags and role == "read_only") or "admin" in flags
                    said = client.call(*line)
                    denied = isinstance(said, lab.RespError) and said.startswith("NOPERM")
                    if forbidden:
                        checks.that(denied and name in said and line[0].lower() in said, f"{door}: {line} by {role}: {said!r}")
                    if denied:
                        checks.that(
                            audit.listed(reason="command", context=door, user=name) > 0,
                            f"{door}: {line} by {role} is not audited",
                        )
                    if not flags & {"admin", "write"} and denied and line[-1] != "help":
                        checks.that(
                            "dangerous" in str(categories) or "admin" in str(categories),
                            f"{door}: {line} is harmless, but {role} hears {said}",
                        )


def watch(caller):
    """Cluster.Watch gives nothing while nothing changes: that is no refusal."""
    stream = caller.call("Cluster.Watch", limit_s=0.5)
    try:
        next(stream)
        return None
    except grpc.RpcError as error:
        return None if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED else (error.code(), error.details())


def follow_ends(checks, cluster, channel):
    """A stream that a token opened ends with the token."""
    for method, role in (("Topology.Follow", "read_only"), ("Cluster.Watch", "operator")):
        name = f"follower-{role.replace('_', '-')}"
        caller = Admin(channel, cluster.user(name, role), cluster.admin.pool)
        stream = caller.call(method, limit_s=30)
        if method == "Topology.Follow":
            next(stream)
        cluster.admin.call("Users.RevokeToken", user=name, id="first")
        began = time.monotonic()
        try:
            for _ in stream:
                if time.monotonic() - began > 15:
                    break
            checks.that(False, f"{method} goes on after its token was revoked")
        except grpc.RpcError as error:
            checks.that(
                error.code() == UNAUTHENTICATED, f"{method} after its token was revoked: {error.code()} {error.details()}"
            )


PARTS = {
    "certificates": certificates,
    "members": members,
    "tokens": tokens,
    "before": before,
    "roles": roles,
    "tenants": crossing.tenants,
    "quotas": crossing.quotas,
    "rotation": rotation.rotation,
    "leaks": leaks.leaks,
    "bind": leaks.bind,
}


def main():
    """Runs the parts against one cluster."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=21001)
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    args = parser.parse_args()
    checks = lab.Checks("security")
    with lab.workplace("security") as folder:
        cluster = Secured(args.predis, folder, args.base_port)
        with lab.running(cluster.nodes):
            try:
                cluster.start()
                for part in args.only:
                    began, failed = time.monotonic(), len(checks.failed)
                    try:
                        PARTS[part](checks, cluster)
                    except lab.Failed as failure:
                        checks.that(False, f"{part}: {failure}")
                    print(f"  {part}: {len(checks.failed) - failed} failed, {time.monotonic() - began:.1f} s", flush=True)
                for node in cluster.nodes:
                    code, took_s = node.terminate()
                    checks.that(code == 0, f"node {node.number} ended with {code} after {took_s:.1f} s")
            except (lab.Failed, lab.Ended) as failure:
                checks.that(False, str(failure))
            finally:
                cluster.close()
            for node in cluster.nodes:
                checks.that("panicked" not in node.log.read_text(encoding="utf-8"), f"node {node.number} panicked: {node.tail()}")
        checks.finish()


if __name__ == "__main__":
    main()
