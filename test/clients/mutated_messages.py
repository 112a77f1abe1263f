"""Messages that were changed at random: each is answered or refused as the caller's fault, and the pod goes on."""

import random

import grpc
import numpy as np
from tritonclient.grpc import service_pb2

from support import PODS, check, right, same, wine

ALLOWED = {
    grpc.StatusCode.INVALID_ARGUMENT,
    # A changed name of the model or a version that is none.
    grpc.StatusCode.NOT_FOUND,
    # A parameter that asks for shared memory cannot come up by chance; nothing else is unimplemented.
}
chance = random.Random(11)


def request_of(model, values, raw):
    request = service_pb2.ModelInferRequest(model_name=model, id="1")
    request.parameters["note"].string_param = "x"
    for name, value in values.items():
        tensor = request.inputs.add(name=name, datatype="FP32", shape=value.shape)
        if raw:
            request.raw_input_contents.append(value.tobytes())
        else:
            tensor.contents.fp32_contents.extend(value.flatten().tolist())
    return request.SerializeToString()


def mutate(message):
    changed = bytearray(message)
    for _ in range(chance.randint(1, 4)):
        kind = chance.randrange(4)
        at = chance.randrange(len(changed))
        if kind == 0:
            changed[at] = chance.randrange(256)
        elif kind == 1:
            del changed[at : at + chance.randint(1, 8)]
        elif kind == 2:
            changed[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
        else:
            changed[at] ^= 1 << chance.randrange(8)
        if not changed:
            changed = bytearray(b"\0")
    return bytes(changed)


def send(call, messages):
    codes = {}
    futures = [call.future(message, timeout=30) for message in messages]
    for message, future in zip(messages, futures):
        error = future.exception()
        code = grpc.StatusCode.OK if error is None else error.code()
        codes[code] = codes.get(code, 0) + 1
        assert code is grpc.StatusCode.OK or code in ALLOWED, (code, error, message.hex()[:200])
    return codes


def fuzz(path, good, count):
    with grpc.insecure_channel(PODS["wine"]["grpc"]) as channel:
        call = channel.unary_unary(path)
        codes = {}
        for _ in range(count // 100):
            for code, times in send(call, [mutate(chance.choice(good)) for _ in range(100)]).items():
                codes[code] = codes.get(code, 0) + times
        values = wine()
        infer = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer", response_deserializer=service_pb2.ModelInferResponse.FromString
        )
        answer = infer(request_of("wine", values, True), timeout=30)
        same(
            np.frombuffer(answer.raw_output_contents[1], np.float32).reshape(3, 3),
            right("wine", values)["probabilities"],
        )
    print(f"# {path}: {', '.join(f'{times} {code.name}' for code, times in sorted(codes.items(), key=str))}")
    return codes


@check
def two_thousand_changed_requests():
    codes = fuzz(
        "/inference.GRPCInferenceService/ModelInfer",
        [request_of("wine", wine(), True), request_of("wine", wine(), False)],
        2000,
    )
    assert codes.get(grpc.StatusCode.INVALID_ARGUMENT, 0) > 500, codes


@check
def changed_small_requests_of_other_methods():
    for method in ("ModelReady", "ModelMetadata", "ModelStatistics"):
        message = service_pb2.ModelMetadataRequest(name="wine", version="v7").SerializeToString()
        fuzz(f"/inference.GRPCInferenceService/{method}", [message], 200)


@check
def a_stream_answers_each_changed_request():
    messages = [mutate(request_of("wine", wine(), True)) for _ in range(300)]
    with grpc.insecure_channel(PODS["wine"]["grpc"]) as channel:
        stream = channel.stream_stream(
            "/inference.GRPCInferenceService/ModelStreamInfer",
            response_deserializer=service_pb2.ModelStreamInferResponse.FromString,
        )
        answers = list(stream(iter(messages), timeout=60))
    assert len(answers) == len(messages), len(answers)
    assert sum(1 for answer in answers if answer.error_message) > 50
