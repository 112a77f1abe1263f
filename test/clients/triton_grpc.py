"""tritonclient's gRPC client: infer, async and streaming infer, compression, classification, statistics, deadlines."""

import queue

import numpy as np
import tritonclient.grpc as grpc
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from support import EVERY, INPUTS, PODS, cases, check, every, raises, right, same, two, wine

clients = {name: grpc.InferenceServerClient(pod["grpc"]) for name, pod in PODS.items()}


def inputs_of(values):
    made = []
    for name, value in values.items():
        tensor = grpc.InferInput(name, list(value.shape), np_to_triton_dtype(value.dtype))
        tensor.set_data_from_numpy(value)
        made.append(tensor)
    return made


def compare(model, values, result):
    for name, value in right(model, values).items():
        same(result.as_numpy(name), value)


@check
def health():
    client = clients["wine"]
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("wine") and client.is_model_ready("wine", "v7")
    assert not client.is_model_ready("beer") and not client.is_model_ready("wine", "v8")


@check
def metadata():
    client = clients["penguins"]
    assert client.get_server_metadata().name == "ballast"
    model = client.get_model_metadata("penguins", "v7", as_json=True)
    assert model["versions"] == ["v7"] and model["platform"] == "onnx_onnxv1", model
    assert {"name": "island", "datatype": "BYTES", "shape": ["-1", "1"]} in model["inputs"], model
    error = raises(lambda: client.get_model_metadata("beer"), InferenceServerException, "unknown model")
    assert error.status() == "StatusCode.NOT_FOUND", error.status()


@cases({model: (model,) for model in INPUTS})
def infer(model):
    values = INPUTS[model]()
    result = clients[model].infer(model, inputs_of(values), request_id="é-1")
    assert result.get_response().id == "é-1" and result.get_response().model_version == "v7"
    compare(model, values, result)


@check
def outputs_in_the_order_asked():
    outputs = [grpc.InferRequestedOutput(name) for name in ("probabilities", "label")]
    result = clients["wine"].infer("wine", inputs_of(wine()), outputs=outputs)
    assert [output.name for output in result.get_response().outputs] == ["probabilities", "label"]


@check
def edges_of_every_datatype():
    result = clients["every"].infer("every", inputs_of(every()))
    for name, value in EVERY.items():
        same(result.as_numpy(f"out_{name}"), value)


@check
def async_infer():
    answers = queue.Queue()
    batches = {str(rows): wine(rows) for rows in range(1, 9)}
    for name, values in batches.items():
        clients["wine"].async_infer(
            "wine", inputs_of(values), request_id=name, callback=lambda result, error: answers.put((result, error))
        )
    for _ in batches:
        result, error = answers.get(timeout=20)
        assert error is None, error
        compare("wine", batches[result.get_response().id], result)


@cases({name: (name,) for name in ("gzip", "deflate")})
def compression(algorithm):
    values = wine(500)
    result = clients["wine"].infer("wine", inputs_of(values), compression_algorithm=algorithm)
    compare("wine", values, result)


@check
def streaming_infer_keeps_order_and_goes_on_after_a_failure():
    answers = queue.Queue()
    client = clients["wine"]
    client.start_stream(lambda result, error: answers.put((result, error)))
    batches = [wine(rows) for rows in range(1, 41)]
    for i, values in enumerate(batches):
        client.async_stream_infer("wine", inputs_of(values), request_id=str(i))
        if i == 20:
            bad = {"features": np.zeros((1, 12), np.float32)}
            client.async_stream_infer("wine", inputs_of(bad), request_id="bad")
    seen = []
    for _ in range(len(batches) + 1):
        result, error = answers.get(timeout=20)
        if error is not None:
            seen.append("bad")
            assert "Expected [-1,13], got [1,12]" in str(error), error
            continue
        name = result.get_response().id
        seen.append(name)
        compare("wine", batches[int(name)], result)
    client.stop_stream()
    assert seen == [str(i) for i in range(21)] + ["bad"] + [str(i) for i in range(21, 40)], seen


@check
def streaming_infer_with_compression():
    answers = queue.Queue()
    client = clients["two"]
    client.start_stream(lambda result, error: answers.put((result, error)), compression_algorithm="gzip")
    values = two(300)
    for _ in range(5):
        client.async_stream_infer("two", inputs_of(values))
    for _ in range(5):
        result, error = answers.get(timeout=20)
        assert error is None, error
        compare("two", values, result)
    client.stop_stream()


@check
def classification():
    values = wine(2)
    outputs = [grpc.InferRequestedOutput("probabilities", class_count=2)]
    got = clients["wine"].infer("wine", inputs_of(values), outputs=outputs).as_numpy("probabilities")
    best = np.argsort(-right("wine", values)["probabilities"], axis=1)[:, :2]
    assert got.shape == (2, 2), got
    for row, want in zip(got, best):
        assert [int(text.split(b":")[1]) for text in row] == list(want), got


@check
def statistics():
    before = clients["two"].get_inference_statistics("two").model_stats[0]
    for _ in range(3):
        clients["two"].infer("two", inputs_of(two(2)))
    after = clients["two"].get_inference_statistics("two", "v7").model_stats[0]
    assert after.name == "two" and after.version == "v7", after
    assert after.inference_count - before.inference_count == 6, (before, after)
    assert after.inference_stats.success.count - before.inference_stats.success.count == 3
    assert after.inference_stats.compute_infer.ns > before.inference_stats.compute_infer.ns
    assert after.last_inference >= before.last_inference > 0
    error = raises(lambda: clients["two"].get_inference_statistics("beer"), InferenceServerException)
    assert error.status() == "StatusCode.NOT_FOUND", error.status()


@check
def zero_rows():
    result = clients["wine"].infer("wine", inputs_of({"features": np.zeros((0, 13), np.float32)}))
    assert result.as_numpy("probabilities").shape == (0, 3)


@check
def a_deadline_is_kept():
    trips = {"trips": np.array(3_000_000, np.int64)}
    error = raises(
        lambda: clients["slow"].infer("slow", inputs_of(trips), client_timeout=0.1), InferenceServerException
    )
    # Refused at once when the pod knows already that it cannot be done in time.
    assert error.status() in ("StatusCode.DEADLINE_EXCEEDED", "StatusCode.RESOURCE_EXHAUSTED"), error.status()


REFUSED = {
    "unknown model": ("beer", wine, "unknown model", "NOT_FOUND"),
    "unknown input": (
        "wine",
        lambda: {"feature": wine()["features"]},
        "unexpected inference input 'feature'",
        "INVALID_ARGUMENT",
    ),
    "missing input": ("two", lambda: {"a": two()["a"]}, "missing required input", "INVALID_ARGUMENT"),
    "wrong datatype": (
        "wine",
        lambda: {"features": wine()["features"].astype(np.float64)},
        "expects 'FP32'",
        "INVALID_ARGUMENT",
    ),
    "wrong shape": (
        "wine",
        lambda: {"features": np.zeros((1, 12), np.float32)},
        "Expected [-1,13], got [1,12]",
        "INVALID_ARGUMENT",
    ),
    "larger than maxBodyBytes": ("wine", lambda: wine(100_000), "larger than 4194304 bytes", "RESOURCE_EXHAUSTED"),
}


@cases(REFUSED)
def refused(model, values, words, code):
    pod = model if model in clients else "wine"
    error = raises(lambda: clients[pod].infer(model, inputs_of(values())), InferenceServerException, words)
    assert error.status() == f"StatusCode.{code}", error.status()


@check
def the_model_repository_is_not_implemented():
    client = clients["wine"]
    for call in (
        lambda: client.get_model_repository_index(),
        lambda: client.load_model("wine"),
        lambda: client.unload_model("wine"),
        # What is not served at all: shared memory, trace settings, the model's configuration.
        lambda: client.get_system_shared_memory_status(),
        lambda: client.get_model_config("wine"),
    ):
        error = raises(call, InferenceServerException)
        assert error.status() == "StatusCode.UNIMPLEMENTED", error.status()
