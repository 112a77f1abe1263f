"""KServe's own inference clients: REST V1, REST V2 (JSON and binary tensors) and gRPC."""

import logging

import grpc
import httpx
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from kserve.protocol.grpc import grpc_predict_v2_pb2
from kserve.protocol.infer_type import RequestedOutput

from support import INPUTS, PODS, cases, check, compare_messages, right, same, two, wine

# The client logs each failure with its stack, those that a check wants too.
logging.disable(logging.ERROR)

KINDS = {"float32": "FP32", "int64": "INT64", "int32": "INT32", "uint8": "UINT8", "object": "BYTES"}


def request_of(model, values, binary, request_id="é-1"):
    inputs = []
    for name, value in values.items():
        tensor = InferInput(name, list(value.shape), KINDS[str(value.dtype)])
        tensor.set_data_from_numpy(value, binary_data=binary)
        inputs.append(tensor)
    return InferRequest(model_name=model, infer_inputs=inputs, request_id=request_id)


def compare(model, values, response):
    for output in response.outputs:
        same(output.as_numpy(), right(model, values)[output.name])
    assert len(response.outputs) == len(right(model, values))


@cases({f"{model}, {'binary' if binary else 'JSON'}": (model, binary) for model in INPUTS for binary in (True, False)})
async def rest_V2(model, binary):
    values = INPUTS[model]()
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        request = request_of(model, values, binary)
        response = await client.infer(f"http://{PODS[model]['http']}", request, model_name=model)
    assert response.id == "é-1" and response.model_name == model, response
    compare(model, values, response)


@check
async def rest_V2_with_binary_outputs():
    values = wine()
    request = request_of("wine", values, True)
    request.request_outputs = [RequestedOutput("probabilities", {"binary_data": True})]
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        response = await client.infer(f"http://{PODS['wine']['http']}", request, model_name="wine")
    same(response.outputs[0].as_numpy(), right("wine", values)["probabilities"])


@check
async def rest_V2_health():
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        url = f"http://{PODS['wine']['http']}"
        assert await client.is_server_live(url)
        assert await client.is_server_ready(url)
        assert await client.is_model_ready(url, "wine")


@check
async def rest_V2_failures_say_why():
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        request = request_of("wine", {"features": np.zeros((1, 12), np.float32)}, False)
        try:
            await client.infer(f"http://{PODS['wine']['http']}", request, model_name="wine")
            raise AssertionError("answered")
        except httpx.HTTPStatusError as error:
            assert error.response.status_code == 400 and "Expected [-1,13], got [1,12]" in str(error), error


@check
async def rest_V1_rows():
    values = wine()
    async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
        answer = await client.infer(
            f"http://{PODS['wine']['http']}", {"instances": values["features"].tolist()}, model_name="wine"
        )
    want = right("wine", values)
    assert len(answer["predictions"]) == 3, answer
    for row, got in enumerate(answer["predictions"]):
        assert got["label"] == want["label"][row], got
        same(np.array(got["probabilities"], np.float32), want["probabilities"][row])


@check
async def rest_V1_named_inputs():
    values = two()
    instances = [{name: value[row].tolist() for name, value in values.items()} for row in range(2)]
    async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
        answer = await client.infer(f"http://{PODS['two']['http']}", {"instances": instances}, model_name="two")
    for row, got in enumerate(answer["predictions"]):
        same(np.array(got["sum"], np.float32), right("two", values)["sum"][row])


@check
async def rest_V1_health():
    async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
        assert await client.is_model_ready(f"http://{PODS['wine']['http']}", "wine")
        try:
            assert not await client.is_model_ready(f"http://{PODS['wine']['http']}", "beer")
        except httpx.HTTPStatusError as error:
            assert error.response.status_code == 404, error


@cases({f"{model}, {'raw' if binary else 'contents'}": (model, binary) for model in INPUTS for binary in (True, False)})
async def gRPC(model, binary):
    values = INPUTS[model]()
    async with InferenceGRPCClient(PODS[model]["grpc"]) as client:
        response = await client.infer(request_of(model, values, binary), timeout=20)
    assert response.id == "é-1" and response.model_name == model, response
    compare(model, values, response)


@check
def messages_are_those_of_KServe():
    with grpc.insecure_channel(PODS["wine"]["grpc"]) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        ours = database.FindFileContainingSymbol("inference.GRPCInferenceService").SerializeToString()
    # KServe's copy is older: it has not yet the last two kinds of parameters.
    older = {("InferParameter", "double_param"), ("InferParameter", "uint64_param")}
    older.add(("ModelMetadataResponse", "properties"))
    # Its numbers differ from Triton's, and nobody here reads them: loading is not implemented.
    older |= {("RepositoryModelLoadRequest", name) for name in ("repository_name", "model_name", "parameters")}
    older |= {("RepositoryModelUnloadRequest", name) for name in ("repository_name", "model_name", "parameters")}
    compare_messages(ours, grpc_predict_v2_pb2.DESCRIPTOR, older)


@check
async def gRPC_health():
    async with InferenceGRPCClient(PODS["wine"]["grpc"]) as client:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("wine")
        assert not await client.is_model_ready("beer")


@check
async def gRPC_failures_say_why():
    async with InferenceGRPCClient(PODS["wine"]["grpc"]) as client:
        try:
            await client.infer(request_of("wine", {"features": np.zeros((1, 12), np.float32)}, True))
            raise AssertionError("answered")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
            assert "Expected [-1,13], got [1,12]" in error.details(), error
