"""The admin API as a stranger would call it: by the descriptions that gRPC reflection gives, with a token.

Needs grpcio and grpcio-reflection, and no file of the product's.
"""

import hashlib
import secrets

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

PACKAGE = "predis.admin.v1."


class Made:
    """A token and what the server gets of it."""

    def __init__(self, name="first", expires_at_ms=None):
        self.id, self.secret, self.expires_at_ms = name, secrets.token_hex(32), expires_at_ms

    def fields(self):
        """As the API takes a new token."""
        made = {"id": self.id, "sha256": hashlib.sha256(self.secret.encode()).hexdigest()}
        return made if self.expires_at_ms is None else {**made, "expires_at_ms": self.expires_at_ms}


class Admin:
    """One caller on one channel."""

    def __init__(self, channel, token=None, pool=None):
        self.channel = channel
        self.metadata = [("authorization", f"Bearer {token}")] if token else []
        self.pool = pool or descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))

    def as_user(self, token):
        """Another caller on the same channel."""
        return Admin(self.channel, token, self.pool)

    def method(self, name):
        """(request, reply, streams) of `Service.Method`; names without a package are the admin API's."""
        service, method = name.rsplit(".", 1)
        service = service if "." in service else PACKAGE + service
        found = self.pool.FindServiceByName(service).methods_by_name[method]
        return service, found

    def call(self, name, /, limit_s=10, metadata=None, **fields):
        """Calls a method; what it answers, for a stream the stream. Raises grpc.RpcError."""
        service, found = self.method(name)
        request, reply = (message_factory.GetMessageClass(kind) for kind in (found.input_type, found.output_type))
        kind = self.channel.unary_stream if found.server_streaming else self.channel.unary_unary
        made = kind(f"/{service}/{found.name}", request.SerializeToString, reply.FromString)
        return made(request(**fields), timeout=limit_s, metadata=self.metadata if metadata is None else metadata)

    def refusal(self, name, /, **fields):
        """(code, words) with which a call is refused; None when it is not."""
        try:
            answer = self.call(name, **fields)
            if hasattr(answer, "cancel"):
                # A stream is refused when one listens to it.
                next(answer)
                answer.cancel()
            return None
        except grpc.RpcError as error:
            return error.code(), error.details()

    def user(self, name, role, tenant="default", tokens=1):
        """Creates a user; its tokens."""
        made = [Made(f"t{number}") for number in range(1, tokens + 1)]
        self.call("Users.Create", name=name, tenant=tenant, role=role, tokens=[token.fields() for token in made])
        return made


def plain(message):
    """A message as dictionaries and lists."""
    return json_format.MessageToDict(message, preserving_proto_field_name=True)
