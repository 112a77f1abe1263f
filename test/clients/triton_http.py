"""tritonclient's HTTP client: JSON and binary tensors, async calls, compression, classification, statistics."""

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from support import EVERY, INPUTS, PODS, cases, check, every, raises, right, same, two, wine

clients = {name: http.InferenceServerClient(pod["http"], concurrency=4) for name, pod in PODS.items()}


def inputs_of(values, binary=True):
    made = []
    for name, value in values.items():
        tensor = http.InferInput(name, value.shape, np_to_triton_dtype(value.dtype))
        tensor.set_data_from_numpy(value, binary_data=binary)
        made.append(tensor)
    return made


def wanted(model, binary):
    return [http.InferRequestedOutput(name, binary_data=binary) for name in right(model, INPUTS[model]()).keys()]


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
    server = client.get_server_metadata()
    assert server["name"] == "ballast", server
    model = client.get_model_metadata("penguins", "v7")
    assert model["versions"] == ["v7"] and model["platform"] == "onnx_onnxv1", model
    assert {"name": "island", "datatype": "BYTES", "shape": [-1, 1]} in model["inputs"], model
    raises(lambda: client.get_model_metadata("beer"), InferenceServerException, "unknown model")


FORMS = {
    f"{model}, {'binary' if sent else 'JSON'} in, {'binary' if back else 'JSON'} out": (model, sent, back)
    for model in INPUTS
    for sent in (True, False)
    for back in (True, False)
}


@cases(FORMS)
def infer(model, sent, back):
    values = INPUTS[model]()
    result = clients[model].infer(model, inputs_of(values, sent), outputs=wanted(model, back), request_id="é-1")
    assert result.get_response()["id"] == "é-1"
    compare(model, values, result)


@check
def all_outputs_when_none_is_named():
    values = wine()
    compare("wine", values, clients["wine"].infer("wine", inputs_of(values), model_version="v7"))


@cases({name: (name,) for name in EVERY})
def edges_as_binary_tensors(name):
    values = every()
    outputs = [http.InferRequestedOutput(f"out_{name}", binary_data=True)]
    result = clients["every"].infer("every", inputs_of(values), outputs=outputs)
    same(result.as_numpy(f"out_{name}"), EVERY[name])


@cases({name: (name,) for name in EVERY if name != "FP16"})
def edges_as_JSON(name):
    values = every()
    made = inputs_of({key: value for key, value in values.items() if key != "in_FP16"}, False)
    made += inputs_of({"in_FP16": values["in_FP16"]}, True)
    outputs = [http.InferRequestedOutput(f"out_{name}", binary_data=False)]
    result = clients["every"].infer("every", made, outputs=outputs)
    same(result.as_numpy(f"out_{name}"), EVERY[name])


@check
def FP16_has_no_JSON_form():
    outputs = [http.InferRequestedOutput("out_FP16", binary_data=False)]
    raises(
        lambda: clients["every"].infer("every", inputs_of(every()), outputs=outputs),
        InferenceServerException,
        "FP16",
        "binary",
    )


@check
def async_infer():
    batches = [wine(rows) for rows in range(1, 9)]
    waiting = [clients["wine"].async_infer("wine", inputs_of(values)) for values in batches]
    for values, answer in zip(batches, waiting):
        compare("wine", values, answer.get_result())


@cases({f"{sent} in, {back} out": (sent, back) for sent in ("gzip", "deflate") for back in ("gzip", "deflate")})
def compression(sent, back):
    values = wine(100)
    result = clients["wine"].infer(
        "wine", inputs_of(values), request_compression_algorithm=sent, response_compression_algorithm=back
    )
    compare("wine", values, result)


@check
def classification():
    values = wine(2)
    outputs = [http.InferRequestedOutput("probabilities", binary_data=True, class_count=2)]
    got = clients["wine"].infer("wine", inputs_of(values), outputs=outputs).as_numpy("probabilities")
    best = np.argsort(-right("wine", values)["probabilities"], axis=1)[:, :2]
    assert got.shape == (2, 2), got
    for row, want in zip(got, best):
        assert [int(text.split(b":")[1]) for text in row] == list(want), got


@check
def statistics():
    before = clients["two"].get_inference_statistics("two")["model_stats"][0]
    for _ in range(3):
        clients["two"].infer("two", inputs_of(two(2)))
    after = clients["two"].get_inference_statistics("two", "v7")["model_stats"][0]
    assert after["name"] == "two" and after["version"] == "v7", after
    assert after["inference_count"] - before["inference_count"] == 6, (before, after)
    counts = [stats["inference_stats"]["success"]["count"] for stats in (before, after)]
    assert counts[1] - counts[0] == 3, counts
    assert after["inference_stats"]["compute_infer"]["ns"] > before["inference_stats"]["compute_infer"]["ns"]


@check
def zero_rows():
    values = {"features": np.zeros((0, 13), np.float32)}
    result = clients["wine"].infer("wine", inputs_of(values))
    assert result.as_numpy("probabilities").shape == (0, 3)


@check
def many_rows_are_split_inside():
    values = wine(5000)
    compare("wine", values, clients["wine"].infer("wine", inputs_of(values)))


REFUSED = {
    "unknown model": ("beer", wine, "unknown model"),
    "unknown input": ("wine", lambda: {"feature": wine()["features"]}, "unexpected inference input 'feature'"),
    "missing input": ("two", lambda: {"a": two()["a"]}, "missing required input"),
    "wrong datatype": ("wine", lambda: {"features": wine()["features"].astype(np.float64)}, "expects 'FP32'"),
    "wrong shape": ("wine", lambda: {"features": np.zeros((1, 12), np.float32)}, "Expected [-1,13], got [1,12]"),
}


@cases(REFUSED)
def refused(model, values, words):
    pod = model if model in clients else "wine"
    error = raises(lambda: clients[pod].infer(model, inputs_of(values())), InferenceServerException, words)
    assert error.status() in ("400", "404"), error.status()


@check
def load_and_unload_are_not_implemented():
    raises(lambda: clients["wine"].load_model("wine"), InferenceServerException)
    raises(lambda: clients["wine"].unload_model("wine"), InferenceServerException)
