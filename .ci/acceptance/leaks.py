"""Secrets where they must not be, and ports that are open to the world. Part of security.py."""

import json
import pathlib
import re
import socket
import ssl
import stat

import lab
from admin import Admin, plain
from secured import Authority, Paper


def keys_of(cluster):
    """What the key files hold, without the lines around it."""
    for path in sorted(cluster.folder.rglob("*.key")):
        text = "".join(line for line in path.read_text(encoding="ascii").splitlines() if not line.startswith("-----"))
        if len(text) > 40:
            yield f"the key in {path}", text


def leaks(checks, cluster):
    """Every token and key that was made, in everything that the product says or writes."""
    # So that there is something to find: mistakes that people make.
    with cluster.raw(cluster.nodes[0].resp) as client:
        client.call("AUTH", cluster.admin_token, "admin")
        client.call("HELLO", "3", "AUTH", cluster.admin_token, "admin")
        client.call(cluster.admin_token)
        client.call("AUTH", cluster.admin_token)
        client.call("AUHT", "admin", cluster.admin_token)
        client.call("AUTH", "admin", cluster.admin_token, "x")
    with cluster.raw(cluster.nodes[0].proxy) as client:
        client.call("HELLO", "3", "AUTH", "admin", cluster.admin_token, "SETNAME", "me")
        client.call("GET", "x")
    secrets = dict(keys_of(cluster)) | cluster.secrets
    checks.that(len(secrets) > 5, f"only {len(secrets)} secrets were made")
    places = dict(said(cluster))
    for place, text in places.items():
        found = [name for name, secret in secrets.items() if secret in text]
        checks.that(not found, f"{place} has {found}")
    files(checks, cluster, secrets)
    print(f"  leaks: {len(secrets)} secrets in {len(places)} places")


def said(cluster):
    """(where, text) of what the product says."""
    for node in cluster.nodes:
        name, proc = f"node {node.number}", pathlib.Path(f"/proc/{node.child.pid}")
        yield f"the log of {name}", node.log.read_text(encoding="utf-8", errors="replace")
        yield f"the arguments of {name}", (proc / "cmdline").read_bytes().decode()
        yield f"the environment of {name}", (proc / "environ").read_bytes().decode()
        yield f"/metrics of {name}", cluster.page(node)
        for door in ("resp", "proxy"):
            with cluster.raw(getattr(node, door), ("admin", cluster.admin_token)) as client:
                for line in (
                    "CONFIG GET *",
                    "INFO everything",
                    "CLIENT LIST",
                    "CLIENT INFO",
                    "ACL LIST",
                    "ACL LOG 1000",
                    "ACL USERS",
                    "ACL GETUSER admin",
                    "ACL GETUSER worker",
                    "SLOWLOG GET 1000",
                    "LATENCY LATEST",
                    "DEBUG OBJECT x",
                    "MEMORY STATS",
                    "COMMAND INFO auth",
                    "KEYS *",
                ):
                    yield f"{line} of {name} at {door}", str(client.call(*line.split()))
        admin = Admin(cluster.channel(node), cluster.admin_token, cluster.admin.pool)
        for method in ("Users.List", "Tenants.List", "Config.Get", "Audit.List", "Cluster.Status"):
            yield f"{method} of {name}", json.dumps(plain(admin.call(method)))
        for method, fields in (
            ("Users.Update", {"name": cluster.admin_token}),
            ("Users.Create", {"name": "x", "role": cluster.admin_token}),
        ):
            code_and_words = admin.refusal(method, **fields)
            # What the caller itself says may be said back to it; the log may not have it.
            yield f"{method} of {name} without what was said", str(code_and_words).replace(cluster.admin_token, "", 1)
        yield f"the log of {name} after all", node.log.read_text(encoding="utf-8", errors="replace")


def files(checks, cluster, secrets):
    """Files with secrets are their owner's alone, and there are no others."""
    allowed = {cluster.token_path}
    for path in sorted(cluster.folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        found = [name for name, secret in secrets.items() if secret.encode() in data.replace(b"\n", b"")]
        if path.suffix == ".key" or path in allowed:
            mode = stat.S_IMODE(path.stat().st_mode)
            ours = path.parent.name.startswith("forged") or path.name in ("garbage.key", "readable.key")
            checks.that(mode == 0o600 or ours, f"{path} has mode {mode:o}")
        else:
            checks.that(not found, f"{path} has {found}")
    for node in cluster.nodes:
        limits = pathlib.Path(f"/proc/{node.child.pid}/limits").read_text(encoding="ascii")
        core = next(line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size"))
        checks.that(core == ["0", "0"], f"node {node.number} may dump core: {core}")


def bind(checks, cluster):
    """Beyond loopback a node wants TLS and authentication, or to be told that it need not."""
    predis, folder, base = cluster.predis, cluster.folder / "bind", cluster.base + 60
    folder.mkdir()
    paper = cluster.authority.issue("member", "bound")
    tls = cluster.tls(paper, "optional")
    loopback = {
        "--listen": f"127.0.0.1:{base}",
        "--grpc": f"127.0.0.1:{base + 1}",
        "--metrics": f"127.0.0.1:{base + 2}",
        "--proxy-listen": f"127.0.0.1:{base + 3}",
    }
    number = 0

    def args(more=(), **wide):
        nonlocal number
        number += 1
        ports = dict(loopback)
        for flag, host in wide.items():
            flag = "--" + flag.replace("_", "-")
            ports[flag] = ports[flag].replace("127.0.0.1", host)
        words_ = [word for pair in ports.items() for word in pair]
        return ["server", "--bootstrap", "--advertise", "127.0.0.1", "--data-dir", folder / str(number), *words_, *more]

    for flag in ("listen", "grpc", "metrics", "proxy_listen"):
        for host in ("0.0.0.0", "[::]") if socket.has_ipv6 else ("0.0.0.0",):
            code, text = lab.refused(predis, *args(**{flag: host}))
            checks.that(
                code in (1, 2) and re.search(r"(?i)tls", text) and "insecure" in text and flag in text.replace("-", "_"),
                f"{flag} on {host} without anything ends with {code}: {text}",
            )
    code, text = lab.refused(predis, *args(["--require-auth"], listen="0.0.0.0"))
    checks.that(code in (1, 2) and "tls" in text.lower(), f"beyond loopback with users alone ends with {code}: {text}")
    code, text = lab.refused(predis, *args(tls, listen="0.0.0.0"))
    checks.that(
        code in (1, 2) and "require" in text and "auth" in text, f"beyond loopback with TLS alone ends with {code}: {text}"
    )
    for what, more in (("--insecure", ["--insecure"]), ("TLS and users", [*tls, "--require-auth"])):
        process = lab.Process(predis, args(more, listen="0.0.0.0", grpc="0.0.0.0", metrics="0.0.0.0"), folder / f"{number}.log")
        with lab.running([process]):
            process.start()
            context = None if what == "--insecure" else paper.context()
            lab.until(f"{what}: it is up", 30, lambda c=context: up(process, base + 2, c), 0.1)
            if context:
                optional(checks, cluster, base)
            checks.that(process.terminate()[0] == 0, f"{what}: it stopped")
    joins(checks, cluster, folder, base, paper)


def optional(checks, cluster, base):
    """Where clients need no certificate, one that they show must be right all the same; a token is needed anyway."""
    naked = Paper(cluster.authority.certificate)
    with lab.Resp(base, 5, tls=naked.context()) as client:
        said = client.call("GET", "x")
        checks.that(said == "NOAUTH Authentication required.", f"without a certificate: {said!r}")
    wrong = Paper(naked.authority, *stranger(cluster))
    try:
        with lab.Resp(base, 5, tls=wrong.context()) as client:
            checks.that(False, f"with another authority's certificate: {client.call('PING')!r}")
    except ssl.SSLError as error:
        checks.that("UNKNOWN_CA" in str(error.reason), f"with another authority's certificate: {error}")
    except OSError as error:
        checks.that(False, f"with another authority's certificate: no word, {error!r}")


def stranger(cluster):
    """A certificate of somebody else's, and its key."""
    paper = Authority(cluster.predis, cluster.folder / "stranger-3").issue("client", "stranger")
    return paper.certificate, paper.key


def up(process, metrics, context):
    """Whether it is ready."""
    if not process.alive():
        raise lab.Ended(process.tail(5))
    return lab.http(metrics, "/readyz", context)[0] == 200


def joins(checks, cluster, folder, base, paper):
    """A node beyond loopback does not serve a cluster in which nobody must authenticate."""
    ports = ["--listen", f"127.0.0.1:{base}", "--grpc", f"127.0.0.1:{base + 1}", "--metrics", f"127.0.0.1:{base + 2}"]
    founder = lab.Process(
        cluster.predis,
        ["server", "--bootstrap", "--name", "one", "--data-dir", folder / "open", *ports, *cluster.tls(paper, "optional")],
        folder / "open.log",
    )
    second = [
        "--listen",
        f"0.0.0.0:{base + 5}",
        "--grpc",
        f"127.0.0.1:{base + 6}",
        "--metrics",
        f"127.0.0.1:{base + 7}",
        "--advertise",
        "127.0.0.1",
    ]
    with lab.running([founder]):
        founder.start()
        lab.until("a cluster without authentication is up", 30, lambda: up(founder, base + 2, paper.context()), 0.1)
        code, text = lab.refused(
            cluster.predis,
            "server",
            "--name",
            "two",
            "--join",
            f"127.0.0.1:{base + 1}",
            "--data-dir",
            folder / "wide",
            *second,
            *cluster.tls(paper, "optional"),
            timeout_s=90,
        )
        checks.that(
            code in (1, 2) and "auth" in text,
            f"a node beyond loopback in a cluster without authentication ends with {code}: {text}",
        )
        founder.terminate()
