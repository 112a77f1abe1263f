"""Plain `requests`: what somebody writes who reads the protocol's page and has no client."""

import gzip
import json
import struct

import numpy as np
import requests

from support import PODS, check, right, same, wine

http = requests.Session()
http.trust_env = False
WINE = f"http://{PODS['wine']['http']}"
INFER = f"{WINE}/v2/models/wine/infer"


def body(values, **more):
    return {
        "inputs": [
            {"name": name, "shape": list(value.shape), "datatype": "FP32", "data": value.flatten().tolist()}
            for name, value in values.items()
        ],
        **more,
    }


def compare(values, answer):
    want = right("wine", values)
    for output in answer["outputs"]:
        got = np.array(output["data"]).reshape(output["shape"])
        same(got.astype(want[output["name"]].dtype), want[output["name"]])


@check
def nested_and_flat_data():
    values = wine()
    compare(values, http.post(INFER, json=body(values)).json())
    nested = body(values)
    nested["inputs"][0]["data"] = values["features"].tolist()
    compare(values, http.post(INFER, json=nested).json())


@check
def the_id_comes_back_or_is_absent():
    answer = http.post(INFER, json=body(wine(), id="42")).json()
    assert answer["id"] == "42" and answer["model_name"] == "wine" and answer["model_version"] == "v7"
    assert "id" not in http.post(INFER, json=body(wine())).json()


@check
def chunked_and_gzipped_bodies():
    values = wine(50)
    text = json.dumps(body(values)).encode()
    compare(values, http.post(INFER, data=(text[i : i + 1000] for i in range(0, len(text), 1000))).json())
    packed = gzip.compress(text)
    compare(values, http.post(INFER, data=packed, headers={"content-encoding": "gzip"}).json())


@check
def a_binary_tensor_by_hand():
    values = wine()
    blob = values["features"].tobytes()
    head = json.dumps(
        {
            "inputs": [
                {
                    "name": "features",
                    "shape": [3, 13],
                    "datatype": "FP32",
                    "parameters": {"binary_data_size": len(blob)},
                }
            ],
            "outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}],
        }
    ).encode()
    answer = http.post(INFER, data=head + blob, headers={"Inference-Header-Content-Length": str(len(head))})
    length = int(answer.headers["Inference-Header-Content-Length"])
    assert answer.headers["content-type"] == "application/octet-stream"
    (output,) = json.loads(answer.content[:length])["outputs"]
    rest = answer.content[length:]
    assert output["parameters"]["binary_data_size"] == len(rest) == 36 and "data" not in output, output
    same(np.frombuffer(rest, np.float32).reshape(3, 3), right("wine", values)["probabilities"])


@check
def strings_as_binary_tensors_by_hand():
    url = f"http://{PODS['every']['http']}/v2/models/every"
    inputs = http.get(url).json()["inputs"]
    sizes = {"BOOL": 1, "UINT8": 1, "INT8": 1, "UINT16": 2, "INT16": 2, "FP16": 2, "UINT32": 4, "INT32": 4, "FP32": 4}
    texts = b"".join(struct.pack("<I", len(text)) + text for text in ("é".encode(), b""))
    blobs = [texts if i["datatype"] == "BYTES" else bytes(2 * sizes.get(i["datatype"], 8)) for i in inputs]
    head = json.dumps(
        {
            "inputs": [
                {**i, "shape": [1, 2], "parameters": {"binary_data_size": len(blob)}} for i, blob in zip(inputs, blobs)
            ],
            "outputs": [{"name": "out_BYTES"}],
        }
    ).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    answer = http.post(f"{url}/infer", data=head + b"".join(blobs), headers=headers).json()
    assert answer["outputs"][0]["data"] == ["é", ""], answer


@check
def failures_are_JSON_with_an_error():
    for url, sent, status, words in (
        (INFER, b"{", 400, "parse"),
        (f"{WINE}/v2/models/beer/infer", b"{}", 404, "unknown model"),
        (f"{WINE}/v2/models/wine/versions/9/infer", b"{}", 404, "version 9"),
        (INFER, b'{"inputs":[]}', 400, "missing required input"),
        (INFER, b" " * 5_000_000, 413, "larger than 4194304 bytes"),
    ):
        answer = http.post(url, data=sent)
        assert answer.status_code == status, (url, answer.status_code, answer.text)
        assert words in answer.json()["error"], answer.text
    assert http.get(INFER).status_code == 405 and http.get(f"{WINE}/nowhere").status_code == 404


@check
def statistics_of_all_models():
    (stats,) = http.get(f"{WINE}/v2/models/stats").json()["model_stats"]
    assert stats["name"] == "wine" and stats["inference_stats"]["success"]["count"] > 0, stats
    assert http.get(f"{WINE}/v2/models/beer/stats").status_code == 404


@check
def load_and_unload_are_501():
    for verb in ("load", "unload"):
        assert http.post(f"{WINE}/v2/repository/models/wine/{verb}").status_code == 501


@check
def V1_predict():
    values = wine(2)
    answer = http.post(f"{WINE}/v1/models/wine:predict", json={"instances": values["features"].tolist()}).json()
    assert [row["label"] for row in answer["predictions"]] == right("wine", values)["label"].tolist(), answer
