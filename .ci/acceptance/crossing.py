"""Tenants side by side: what one sees of another, and what each may use. Part of security.py."""

import re
import time

import grpc
import lab
from admin import Admin, Made
from secured import Audit, words

DENIED, NOT_FOUND = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND


def tenants(checks, cluster):
    """Two tenants with the same keys, each with users of every role."""
    admin = cluster.admin
    for name in ("acme", "globex"):
        admin.call("Tenants.Create", name=name)
    made = {}
    for tenant in ("acme", "globex"):
        for role in ("read_write", "admin"):
            name = f"{tenant}-{'app' if role == 'read_write' else 'boss'}"
            made[name] = cluster.user(name, role, tenant)
    keys = [f"shared:{number}" for number in range(90)]
    acme, globex, default = (
        cluster.redis(cluster.nodes[0].proxy, name, token)
        for name, token in [("acme-app", made["acme-app"]), ("globex-app", made["globex-app"]), ("admin", cluster.admin_token)]
    )
    default.flushall()
    for client, value in ((acme, "acme"), (default, "default")):
        client.mset({key: value for key in keys})
    checks.that(globex.mget(keys) == [None] * 90 and globex.exists(*keys) == 0 and globex.dbsize() == 0, "globex sees keys")
    checks.that(globex.keys() == [] and list(globex.scan_iter()) == [] and globex.randomkey() is None, "globex finds keys")
    checks.that(globex.delete(*keys) == 0 and globex.touch(*keys) == 0, "globex reaches keys")
    globex.mset({key: "globex" for key in keys[:30]})
    checks.that((acme.dbsize(), globex.dbsize(), default.dbsize()) == (90, 30, 90), "DBSIZE by tenant")
    globex.flushall()
    checks.that((acme.dbsize(), globex.dbsize(), default.dbsize()) == (90, 0, 90), "FLUSHALL by tenant")
    checks.that(acme.mget(keys) == [b"acme"] * 90 and default.mget(keys) == [b"default"] * 90, "values by tenant")
    by_node(checks, cluster, made, keys)
    for node in cluster.nodes:
        commands(checks, cluster, node, made)
    api(checks, cluster, made)
    invalidations(checks, cluster, made)


def by_node(checks, cluster, made, keys):
    """The commands that look into one node or one partition."""
    slot = lab.key_slot(keys[0])
    seen = {"GETKEYSINSLOT": 0, "COUNTKEYSINSLOT": 0, "PARTITION": 0}
    for node in cluster.nodes:
        for name, theirs in (("globex-app", 0), ("acme-app", 1)):
            with cluster.raw(node.resp, (name, made[name])) as client:
                count = client.call("CLUSTER", "COUNTKEYSINSLOT", slot)
                found = client.call("CLUSTER", "GETKEYSINSLOT", slot, 100)
                share = client.call("PARTITION", "KEYS", slot // 64, "*")
                space = client.call("INFO", "keyspace").decode()
                if not theirs:
                    checks.that(
                        count in (0, None) and found in ([], None), f"globex: slot {slot} on node {node.number}: {count}, {found}"
                    )
                    checks.that(share == [] or str(share).startswith("MOVED"), f"globex: PARTITION KEYS: {share!r}")
                    checks.that("keys=" not in space, f"globex: INFO keyspace: {space!r}")
                seen["COUNTKEYSINSLOT"] += bool(theirs and count == 1)
                seen["GETKEYSINSLOT"] += bool(theirs and found == [keys[0].encode()])
                seen["PARTITION"] += bool(theirs and isinstance(share, list) and keys[0].encode() in share)
    checks.that(set(seen.values()) == {1}, f"acme finds its own key on one node: {seen}")


def commands(checks, cluster, node, made):
    """The commands that speak of more than keys, by the admin of another tenant."""
    audit = Audit(checks, cluster, node)
    with (
        cluster.raw(node.resp, ("globex-boss", made["globex-boss"])) as boss,
        cluster.raw(node.resp, ("acme-app", made["acme-app"])) as victim,
        cluster.raw(node.resp, ("admin", cluster.admin_token)) as root,
    ):
        victim.call("CLIENT", "SETNAME", "victim")
        victim_id = victim.call("CLIENT", "ID")
        line = next(line for line in root.call("CLIENT", "LIST").decode().splitlines() if f"id={victim_id} " in line)
        victim_addr = re.search(r"\baddr=(\S+)", line)[1]
        listed = boss.call("CLIENT", "LIST")
        checks.that(b"acme" not in listed and b"user=admin" not in listed and b"victim" not in listed, f"globex lists {listed}")
        listed = boss.call("CLIENT", "LIST", "ID", victim_id)
        checks.that(b"victim" not in listed, f"globex lists by id {listed}")
        killed = (
            boss.call("CLIENT", "KILL", "ID", victim_id),
            boss.call("CLIENT", "KILL", "ADDR", victim_addr),
            boss.call("CLIENT", "KILL", "USER", "acme-app"),
        )
        checks.that(all(not isinstance(said, int) or said == 0 for said in killed), f"globex kills {killed}")
        said = boss.call("CLIENT", "KILL", victim_addr)
        checks.that(isinstance(said, lab.RespError), f"globex kills by address: {said!r}")
        boss.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        boss.call("CLIENT", "KILL", "MAXAGE", "0", "SKIPME", "yes")
        checks.that(victim.call("CLIENT", "GETNAME") == b"victim", "globex killed another tenant's connection")
        for line in ("CONFIG SET maxmemory 1mb", "CONFIG SET timeout 1", "CONFIG SET maxclients 10"):
            words_ = line.split()
            with audit.has(
                f"{line} by another tenant's admin",
                reason="tenant",
                context="resp",
                user="globex-boss",
                object=re.compile("(?i)config"),
            ):
                said = boss.call(*words_)
            checks.that(
                isinstance(said, lab.RespError) and said.startswith("NOPERM User globex-boss has no permissions to run"),
                f"{line}: {said!r}",
            )
        served = stat(root, "total_commands_processed")
        boss.call("CONFIG", "RESETSTAT")
        checks.that(stat(root, "total_commands_processed") >= served, "another tenant's RESETSTAT resets the node's")
        lists = {
            line: boss.call(*line.split())
            for line in ("ACL LIST", "ACL USERS", "ACL LOG", "ACL GETUSER acme-app", "ACL GETUSER admin")
        }
        for line, said in lists.items():
            checks.that("acme" not in str(said) and "'admin'" not in str(said), f"globex: {line}: {said!r}")
        for line in ("ACL GETUSER acme-app", "ACL GETUSER admin"):
            checks.that(lists[line] is None or str(lists[line]).startswith("NOPERM"), f"globex: {line}: {lists[line]!r}")
        everything = boss.call("INFO", "everything").decode()
        checks.that("acme" not in everything, "globex: INFO speaks of acme")
        others = dict.fromkeys(re.findall(r"db\d+:keys=\d+", everything))
        checks.that(not others, f"globex: INFO counts {list(others)}")
        for line in (
            "SHUTDOWN",
            "CLUSTER RESET",
            "CLUSTER FORGET x",
            "CLUSTER MEET 127.0.0.1 1",
            "CLUSTER FAILOVER",
            "DEBUG SLEEP 0",
            "CLUSTER FLUSHSLOTS",
        ):
            said = boss.call(*line.split())
            checks.that(isinstance(said, lab.RespError), f"globex: {line}: {said!r}")
        checks.that(boss.call("PING") == "PONG" and root.call("PING") == "PONG", "the node is as before")


def stat(client, name):
    """A number of INFO stats."""
    return int(re.search(rf"{name}:(\d+)", client.call("INFO", "stats").decode())[1])


def api(checks, cluster, made):
    """The admin API by the admin of another tenant."""
    node = cluster.nodes[0]
    audit = Audit(checks, cluster, node)
    boss = Admin(cluster.channel(node), made["globex-boss"], cluster.admin.pool)
    seen = {user.name for user in boss.call("Users.List").users}
    checks.that(seen == {"globex-app", "globex-boss"}, f"globex lists {seen}")
    seen = [tenant.name for tenant in boss.call("Tenants.List").tenants]
    checks.that(seen == ["globex"], f"globex lists tenants {seen}")
    other = Made()
    for method, fields in [
        ("Users.List", {"tenant": "acme"}),
        ("Users.Create", {"name": "spy", "tenant": "acme", "role": "admin", "tokens": [other.fields()]}),
        ("Users.Create", {"name": "spy", "tenant": "default", "role": "admin", "tokens": [other.fields()]}),
        ("Users.Update", {"name": "acme-app", "role": "read_only"}),
        ("Users.Update", {"name": "admin", "enabled": False}),
        ("Users.Remove", {"name": "acme-app"}),
        ("Users.AddToken", {"user": "acme-app", "token": other.fields()}),
        ("Users.AddToken", {"user": "admin", "token": other.fields()}),
        ("Users.RevokeToken", {"user": "acme-app", "id": "first"}),
        ("Users.Update", {"name": "no-such-user", "enabled": False}),
        ("Tenants.Create", {"name": "mine"}),
        ("Tenants.Update", {"name": "acme", "max_connections": 1}),
        ("Tenants.Update", {"name": "globex", "max_ops_per_second": 10**9}),
        ("Tenants.Remove", {"name": "acme"}),
        ("Tenants.Remove", {"name": "globex"}),
        ("Cluster.Status", {}),
        ("Cluster.Status", {"stale": True}),
        ("Cluster.Watch", {}),
        ("Cluster.SetMode", {"node_id": 1, "mode": "draining"}),
        ("Cluster.SetWeight", {"node_id": 1, "weight": 1}),
        ("Cluster.Forget", {"node_id": 1}),
        ("Config.Get", {}),
        ("Config.Set", {"name": "require-auth", "value": "no"}),
        ("Audit.List", {}),
    ]:
        with audit.has(
            f"{method} {fields} by another tenant's admin",
            context="grpc",
            user="globex-boss",
            object=re.compile(method.split(".")[1]),
        ):
            said = boss.refusal(method, **fields)
        checks.that(said and said[0] in (DENIED, NOT_FOUND) and said[1], f"{method} {fields} by another tenant's admin: {said}")
    # Nothing tells a user of another tenant from one that does not exist.
    said = {boss.refusal("Users.Update", name=name, enabled=False)[0] for name in ("acme-app", "admin", "no-such-user")}
    checks.that(len(said) == 1, f"codes tell which users there are: {said}")
    checks.that(cluster.comes_in(node, "acme-app", made["acme-app"]), "acme-app comes in as before")
    # Its own users are its own affair.
    mine = Made("second")
    cluster.secrets["globex-temp"] = mine.secret
    boss.call("Users.Create", name="globex-temp", role="read_only", tokens=[mine.fields()])
    temp = next(user for user in boss.call("Users.List").users if user.name == "globex-temp")
    checks.that((temp.tenant, temp.role) == ("globex", "read_only"), f"a user without a tenant is in {temp.tenant}")
    boss.call("Users.Remove", name="globex-temp")
    changes = [(event.actor, event.action, event.subject) for event in cluster.admin.call("Audit.List", limit=50).changes]
    checks.that(any("globex-boss" in actor for actor, *_ in changes), f"who changed what: {changes[-4:]}")
    with_view = Admin(cluster.channel(node), made["globex-app"], cluster.admin.pool).call("Topology.Follow", limit_s=5)
    checks.that(next(with_view).tenant != 0, "the topology of globex is that of the default tenant")
    with_view.cancel()


def invalidations(checks, cluster, made):
    """Client-side caching hears of one's own keys only."""
    node = cluster.nodes[0]
    first, last, _ = next(
        row for row in lab.slot_map(node.resp, tls=cluster.context, auth=("admin", cluster.admin_token)) if row[2] == node.resp
    )
    key = next(key for key in (f"track:{number}" for number in range(10_000)) if first <= lab.key_slot(key) <= last)
    with (
        cluster.raw(node.resp, ("globex-app", made["globex-app"])) as listener,
        cluster.raw(node.resp, ("acme-app", made["acme-app"])) as acme,
        cluster.raw(node.resp, ("globex-app", made["globex-app"])) as writer,
    ):
        listener.call("HELLO", "3")
        said = listener.call("CLIENT", "TRACKING", "ON", "BCAST")
        if not checks.that(said == "OK", f"CLIENT TRACKING ON BCAST: {said!r}"):
            return
        acme.call("SET", key, "1")
        writer.call("SET", key, "1")
        told = listener.reply()
        checks.that(told == [b"invalidate", [key.encode()]], f"globex is told {told}")
        listener.socket.settimeout(0.5)
        try:
            checks.that(False, f"globex is told of acme's key too: {listener.reply()}")
        except TimeoutError:
            checks.that(True, "told once")
    acme_client = cluster.redis(node.proxy, "acme-app", made["acme-app"])
    acme_client.flushall()


def quotas(checks, cluster):
    """Operations a second, connections and memory, each on each node."""
    admin, node = cluster.admin, cluster.nodes[0]
    admin.call("Tenants.Create", name="small", max_ops_per_second=200, max_connections=4, memory_bytes=2 << 20)
    token = cluster.user("small-app", "read_write", "small")
    audit = Audit(checks, cluster, node)
    with cluster.raw(node.resp, ("admin", cluster.admin_token)) as root, cluster.raw(node.resp, ("small-app", token)) as small:
        key = own_key(cluster, node)
        with audit.has("too many operations", reason="quota", context="resp", user="small-app"):
            came, began = [], time.monotonic()
            while time.monotonic() - began < 3:
                came += small.pipeline([("GET", key)] * 100)
        took = time.monotonic() - began
        served = sum(reply is None for reply in came)
        refused = {str(reply) for reply in came if isinstance(reply, lab.RespError)}
        checks.that(
            200 * took * 0.6 <= served <= 200 * (took + 2), f"a quota of 200 a second let {served} through in {took:.1f} s"
        )
        checks.that(
            refused and all(re.match(r"[A-Z]+ .*(quota|limit|operations|second)", text) for text in refused),
            f"beyond the quota: {refused}",
        )
        checks.that(root.pipeline([("GET", key)] * 2000) == [None] * 2000, "another tenant's quota holds for the default tenant")
        lab.until("the quota is back", 5, lambda: small.call("GET", key) is None, 0.2)
    connections(checks, cluster, node, token, audit)
    memory(checks, cluster, token)


def own_key(cluster, node):
    """A key that this node has."""
    first, last, _ = next(
        row for row in lab.slot_map(node.resp, tls=cluster.context, auth=("admin", cluster.admin_token)) if row[2] == node.resp
    )
    return next(key for key in (f"own:{number}" for number in range(100_000)) if first <= lab.key_slot(key) <= last)


def connections(checks, cluster, node, token, audit):
    """The fifth connection of four."""
    taken = []
    try:

        def first_four():
            while len(taken) < 4:
                taken.append(cluster.raw(node.resp, ("small-app", token)))
            return True

        lab.until("four connections", 5, first_four, 0.1)
        with audit.has("too many connections", reason="quota", context="resp", user="small-app"), cluster.raw(node.resp) as fifth:
            said = fifth.call("AUTH", "small-app", token)
        checks.that(
            isinstance(said, lab.RespError) and "max" in said and "connections" in said or "clients" in str(said),
            f"the fifth connection: {said!r}",
        )
        checks.that(
            cluster.comes_in(node, "admin", cluster.admin_token), "another tenant's connections hold for the default tenant"
        )
        checks.that(all(client.call("PING") == "PONG" for client in taken), "the four go on")
        taken.pop().close()
        lab.until("a place is free again", 5, lambda: cluster.comes_in(node, "small-app", token), 0.1)
    finally:
        for client in taken:
            client.close()


def memory(checks, cluster, token):
    """A tenant beyond its budget evicts its own keys and nobody else's."""
    cluster.admin.call("Tenants.Update", name="small", max_ops_per_second=0, max_connections=0)
    root = cluster.redis(cluster.nodes[0].proxy, "admin", cluster.admin_token)
    small = cluster.redis(cluster.nodes[0].proxy, "small-app", token)
    root.flushall()
    root.mset({f"root:{number}": "r" * 100 for number in range(3000)})
    lab.until("the quota is off", 5, lambda: words(small.mset, {f"warm:{n}": "w" for n in range(500)}) is None, 0.1)
    for number in range(0, 40_000, 400):
        small.mset({f"bulk:{number + each}": "x" * 1000 for each in range(400)})
    kept = small.dbsize()
    checks.that(1000 < kept < 7000, f"of 40 MB, with 2 MiB a node, {kept} keys of 1 KB are there")
    checks.that(
        root.dbsize() == 3000 and None not in root.mget([f"root:{n}" for n in range(3000)]), "a tenant evicted another's keys"
    )
    small.flushall()
    root.flushall()
