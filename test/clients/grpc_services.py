"""Health and reflection, asked by grpc's own clients; what grpcurl does, done by hand: everything learned from the server."""

import threading

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tritonclient.grpc import service_pb2

from support import PODS, cases, check, compare_messages, raises, right, same, wine

import numpy as np

WINE = PODS["wine"]["grpc"]


@check
def health_check():
    with grpc.insecure_channel(WINE) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "wine", "inference.GRPCInferenceService"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING, (service, answer)
        error = raises(lambda: health.Check(health_pb2.HealthCheckRequest(service="beer"), timeout=10), grpc.RpcError)
        assert error.code() == grpc.StatusCode.NOT_FOUND


@check
def health_watch_says_the_state_at_once_and_ends_when_the_client_wants():
    with grpc.insecure_channel(WINE) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service="wine"))
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
        unknown = health.Watch(health_pb2.HealthCheckRequest(service="beer"))
        assert next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        unknown.cancel()


@check
def every_service_is_listed_and_described():
    with grpc.insecure_channel(WINE) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        names = set(database.get_services())
        assert names == {
            "inference.GRPCInferenceService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
        }, names
        pool = DescriptorPool(database)
        for name in names:
            for method in pool.FindServiceByName(name).methods:
                assert method.input_type.full_name and method.output_type.full_name


@cases({"v1": ("v1",), "v1alpha": ("v1alpha",)})
def a_call_made_from_nothing_but_reflection(version):
    """As grpcurl does: list, describe, encode JSON by the descriptors, call, decode."""
    path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    with grpc.insecure_channel(WINE) as channel:
        # Both versions have the same messages.
        info = channel.stream_stream(
            path,
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        asked = reflection_pb2.ServerReflectionRequest(file_containing_symbol="inference.GRPCInferenceService")
        (answer,) = list(info(iter([asked]), timeout=10))
        assert answer.original_request == asked
        pool = DescriptorPool()
        for text in answer.file_descriptor_response.file_descriptor_proto:
            pool.AddSerializedFile(text)
        method = pool.FindServiceByName("inference.GRPCInferenceService").FindMethodByName("ModelInfer")
        values = wine()
        request = json_format.ParseDict(
            {
                "model_name": "wine",
                "inputs": [
                    {
                        "name": "features",
                        "datatype": "FP32",
                        "shape": [3, 13],
                        "contents": {"fp32_contents": values["features"].flatten().tolist()},
                    }
                ],
                "outputs": [{"name": "probabilities"}],
            },
            message_factory.GetMessageClass(method.input_type)(),
        )
        reply = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )(request, timeout=10)
    (output,) = reply.outputs
    got = np.array(output.contents.fp32_contents, np.float32).reshape(list(output.shape))
    same(got, right("wine", values)["probabilities"])


@check
def messages_are_those_of_tritonclient():
    with grpc.insecure_channel(WINE) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        ours = database.FindFileContainingSymbol("inference.GRPCInferenceService").SerializeToString()
    compare_messages(ours, service_pb2.DESCRIPTOR, {("ModelMetadataResponse", "properties")})


@check
def a_call_that_is_cancelled_leaves_the_queue():
    import json
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def in_flight():
        with opener.open(f"http://{PODS['slow']['ops']}/load", timeout=10) as answer:
            return json.load(answer)["inFlight"]

    request = service_pb2.ModelInferRequest(model_name="slow")
    tensor = request.inputs.add(name="trips", datatype="INT64", shape=[])
    tensor.contents.int64_contents.append(3_000_000)
    with grpc.insecure_channel(PODS["slow"]["grpc"]) as channel:
        infer = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=service_pb2.ModelInferResponse.FromString,
        )
        calls = [infer.future(request) for _ in range(5)]
        gone = threading.Event()
        for _ in range(500):
            if in_flight() > 0:
                break
            gone.wait(0.005)
        for call in calls:
            call.cancel()
        for _ in range(500):
            if in_flight() == 0:
                break
            gone.wait(0.02)
        assert in_flight() == 0, in_flight()
        assert all(call.cancelled() for call in calls)


@check
def unknown_methods_are_UNIMPLEMENTED():
    with grpc.insecure_channel(WINE) as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/Nothing")
        error = raises(lambda: call(b"", timeout=10), grpc.RpcError, "Nothing")
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED
