"""What a node under load shows of itself: metrics, health, gRPC reflection.

usage: observe.py PREDIS [--base-port 19501] [--promtool PATH]

Three servers under load from redis-py: each one's /metrics must pass `promtool check metrics` without a remark (the
check is skipped without a promtool) and move with the load; /healthz, /readyz and wrong pages answer as they
should. Over gRPC: reflection lists the services and describes them well enough to call the admin API without its
files, and health names every service as serving. Then the same of three servers with mutual TLS and users: the
pages over https, reflection and health with a certificate and without a token. Run it with a Python that has
redis-py, grpcio, grpcio-reflection and grpcio-health-checking.
"""

import argparse
import shutil
import subprocess
import time
import urllib.request

import grpc
import lab
from admin import Admin
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from load import Load
from secured import Secured


def samples(page):
    """The page's numbers by name and labels."""
    lines = [line.rsplit(" ", 1) for line in page.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def metrics(checks, nodes, promtool):
    """The pages under load."""
    before = [samples(lab.http(node.metrics, "/metrics")[1]) for node in nodes]
    for node, then in zip(nodes, before, strict=True):
        def moved(node=node, then=then):
            now = samples(lab.http(node.metrics, "/metrics")[1])
            counters = [name for name in now if name.split("{")[0].endswith("_total")]
            fallen = [name for name in counters if now[name] < then.get(name, 0)]
            checks.that(not fallen, f"node {node.number}: counters went back: {fallen}")
            return any(now[name] > then.get(name, 0) for name in counters if name.startswith("predis_keyspace"))

        lab.until(f"node {node.number}'s metrics move", 10, moved, 0.2)
        with urllib.request.urlopen(f"http://127.0.0.1:{node.metrics}/metrics", timeout=5) as answer:
            kind, page = answer.headers["content-type"], answer.read()
        checks.that(kind == "text/plain; version=0.0.4; charset=utf-8", f"/metrics is {kind}")
        check_page(checks, promtool, page)
        now = samples(page.decode())
        checks.that(now["predis_lease_valid"] == 1 and now['predis_cluster_partitions{primary="yes"}'] == 256, f"node {node.number}: gauges")
    total = [samples(lab.http(node.metrics, "/metrics")[1])["predis_partitions_serving"] for node in nodes]
    checks.that(sum(total) == 256, f"the nodes serve {total} partitions")


def check_page(checks, promtool, page):
    """What Prometheus itself thinks of a page."""
    if promtool:
        done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, check=False)
        said = (done.stdout + done.stderr).decode()
        checks.that(done.returncode == 0 and not said, f"promtool ends with {done.returncode}: {said[:1000]}")


def pages(checks, node):
    """Health pages and what is none."""
    for path, status, body in [
        ("/healthz", 200, "ok\n"), ("/readyz", 200, "ready\n"), ("/", 404, None), ("/metrics/x", 404, None), ("/../etc", 404, None),
    ]:
        came = lab.http(node.metrics, path)
        checks.that(came[0] == status and (body is None or came[1] == body), f"{path}: {came}")
    post = urllib.request.Request(f"http://127.0.0.1:{node.metrics}/metrics", data=b"x", method="POST")
    try:
        urllib.request.urlopen(post, timeout=5)
        checks.that(False, "POST /metrics is answered")
    except urllib.error.HTTPError as error:
        checks.that(error.code == 405, f"POST /metrics: {error.code}")
    with lab.Resp(node.metrics) as client:
        client.send(b"\x00\xff nonsense\r\n\r\n")
        client.socket.settimeout(5)
        checks.that(client.file.read(12) in (b"HTTP/1.1 400", b""), "nonsense on the metrics port")
    checks.that(lab.http(node.metrics, "/healthz")[0] == 200, "the page after nonsense")


def reflection(checks, channel, expected):
    """Lists the services, describes each, and calls the admin API by the description alone."""
    try:
        database = ProtoReflectionDescriptorDatabase(channel)
        names = set(database.get_services())
    except grpc.RpcError as error:
        checks.that(False, f"reflection v1alpha (what grpcio-reflection and older grpcurl speak): {error.code()} {error.details()}")
        names = raw_services(channel)
        checks.that(bool(names), "reflection v1 lists nothing")
        return names
    checks.that("predis.admin.v1.Cluster" in names or any(n.endswith(".Cluster") for n in names), f"services: {names}")
    pool = descriptor_pool.DescriptorPool(database)
    for name in sorted(names):
        if not name.startswith("grpc.reflection"):
            service = pool.FindServiceByName(name)
            checks.that(len(service.methods) > 0, f"{name} has no methods")
    cluster = next(name for name in names if name.endswith(".Cluster"))
    method = pool.FindServiceByName(cluster).methods_by_name["Status"]
    request, reply = (message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type))
    call = channel.unary_unary(f"/{cluster}/Status", request.SerializeToString, reply.FromString)
    answer = call(request(), timeout=5)
    checks.that(answer.cluster == expected["cluster"] and answer.slots_served == lab.SLOTS, f"Status by reflection: {answer.cluster}")
    return names


def raw_services(channel):
    """The same question in reflection v1, whose messages have the same shape."""
    call = channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString, reflection_pb2.ServerReflectionResponse.FromString,
    )
    answers = call(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=5)
    return {service.name for answer in answers for service in answer.list_services_response.service}


def health(checks, channel, names):
    """Every service of ours, and the server as a whole, is serving; an unknown one is not found."""
    stub = health_pb2_grpc.HealthStub(channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    asked = ["", *sorted(name for name in names if name.startswith("predis"))]
    for name in asked:
        try:
            came = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5).status
            checks.that(came == serving, f"health of {name!r} is {came}")
        except grpc.RpcError as error:
            checks.that(False, f"health of {name!r}: {error.code()} {error.details()}")
    watched = stub.Watch(health_pb2.HealthCheckRequest(service=""), timeout=5)
    checks.that(next(watched).status == serving, "health Watch")
    watched.cancel()
    try:
        stub.Check(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=5)
        checks.that(False, "an unknown service has health")
    except grpc.RpcError as error:
        checks.that(error.code() == grpc.StatusCode.NOT_FOUND, f"health of an unknown service: {error.code()}")
    listed = "not offered"
    if hasattr(stub, "List"):
        try:
            answer = stub.List(health_pb2.HealthListRequest(), timeout=5)
            listed = sorted(answer.statuses)
            checks.that(all(status.status == serving for status in answer.statuses.values()), f"health List: {answer}")
        except grpc.RpcError as error:
            listed = str(error.code())
    return asked, listed


def secured(checks, args, folder):
    """The same doors where there is TLS and everyone must say who they are."""
    cluster = Secured(args.predis, folder, args.base_port + 10)
    with lab.running(cluster.nodes):
        try:
            cluster.start()
            token = cluster.user("shop", "read_write")
            client = cluster.cluster("shop", token)
            for number in range(300):
                client.set(f"key:{number}", number)
            for node in cluster.nodes:
                page = cluster.page(node)
                check_page(checks, args.promtool, page.encode())
                now = samples(page)
                left_s = now["predis_tls_certificate_expires_timestamp_seconds"] - time.time()
                checks.that(300 * 86400 < left_s < 366 * 86400, f"the certificate of node {node.number} is good for {left_s} s")
                shaken = {name: value for name, value in now.items() if name.startswith("predis_tls_handshakes_total{") and value}
                checks.that(any('port="metrics"' in name for name in shaken), f"handshakes of node {node.number}: {shaken}")
                checks.that(any(name.startswith("predis_refusals_total") or "refus" in name for name in now), "refusals are not counted")
                for path, status in (("/healthz", 200), ("/readyz", 200), ("/nowhere", 404)):
                    came = lab.http(node.metrics, path, cluster.context)[0]
                    checks.that(came == status, f"https {path}: {came}")
                names = bare_reflection(checks, cluster.channel(node))
                health(checks, cluster.channel(node), names)
            client.close()
        except (lab.Failed, lab.Ended) as failure:
            checks.that(False, str(failure))
        finally:
            cluster.close()


def bare_reflection(checks, channel):
    """With a certificate and without a token, what there is may be seen and not used."""
    names = set(ProtoReflectionDescriptorDatabase(channel).get_services())
    listed = {name for name in names ^ raw_services(channel) if name.startswith("predis")} == set()
    wanted = {f"predis.admin.v1.{name}" for name in ("Cluster", "Topology", "Tenants", "Users", "Config", "Audit")}
    checks.that(listed and wanted <= names, f"reflection over TLS lists {names}")
    said = Admin(channel).refusal("Cluster.Status")
    checks.that(said and said[0] == grpc.StatusCode.UNAUTHENTICATED, f"Status by reflection alone: {said}")
    return names


def main():
    """Runs all of it against one cluster."""
    parser = argparse.ArgumentParser()
    parser.add_argument("predis", type=lab.binary)
    parser.add_argument("--base-port", type=int, default=19501)
    parser.add_argument("--promtool", default=shutil.which("promtool"))
    args = parser.parse_args()
    checks = lab.Checks("observe")
    with lab.workplace("observe") as folder:
        nodes = lab.servers(args.predis, args.base_port, folder)
        with lab.running(nodes):
            for node in nodes:
                node.start()
            try:
                expected = lab.await_cluster(args.predis, nodes)
            except (lab.Failed, lab.Ended) as failure:
                checks.that(False, str(failure))
                checks.finish()
            load = Load([node.resp for node in nodes], 1, 2)
            try:
                load.tell("run")
                metrics(checks, nodes, args.promtool)
                for node in nodes:
                    pages(checks, node)
                    with grpc.insecure_channel(f"127.0.0.1:{node.grpc}") as channel:
                        names = reflection(checks, channel, expected)
                        asked, listed = health(checks, channel, names)
                reports = load.tell("pause")
                errors = [text for report in reports for _, text in report["error_times"]]
                checks.that(not errors, f"the load had errors: {errors[:3]}")
            finally:
                load.stop()
        secured(checks, args, folder / "secured")
        print(f"  services: {', '.join(sorted(names))}\n  health asked of: {asked}; health List: {listed}")
        checks.finish("" if args.promtool else "promtool skipped: there is none")


if __name__ == "__main__":
    main()
