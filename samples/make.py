"""Trains the sample models, writes their ONNX files, golden requests and answers, and pins digests in the manifests.

    python3 -m venv ~/.venvs/ballast && ~/.venvs/ballast/bin/pip install -r samples/requirements.txt
    ~/.venvs/ballast/bin/python samples/make.py [--check] [NAME ...]

`--check` makes everything in a temporary folder and compares it with what is committed instead of writing it:
models byte by byte first, else their answers within 1e-5. Only datasets that come inside the packages are read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
from pathlib import Path

# skl2onnx names some nodes in the order of a set of strings, which Python shuffles anew in each process.
if os.environ.get("PYTHONHASHSEED") != "0":
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
# One thread: sums in another order would change the last bits of the weights.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import onnx
import onnxruntime
import palmerpenguins
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from digit_images import build_digit_images

HERE = Path(__file__).parent
SEED = 20261124
OPSET = {"": 17, "ai.onnx.ml": 3}

# numpy type of an onnxruntime tensor -> datatype of the Open Inference Protocol.
DATATYPES = {"uint8": "UINT8", "int64": "INT64", "float32": "FP32", "object": "BYTES", "bool": "BOOL"}


def export(model, initial_types, label: str = "label") -> onnx.ModelProto:
    """Exports with outputs `label` (or the name given) and `probabilities`: a plain tensor, no ZipMap."""
    classifier = id(model.steps[-1][1])
    proto = to_onnx(model, initial_types=initial_types, target_opset=OPSET, options={classifier: {"zipmap": False}})
    for names in (names for node in proto.graph.node for names in (node.input, node.output)):
        for index, name in enumerate(names):
            names[index] = label if name == "label" else name
    for value in proto.graph.output:
        value.name = label if value.name == "label" else value.name
    return proto


def wine():
    """13 measurements of a wine -> which of three cultivars it is."""
    data = load_wine()
    train_x, test_x, train_y, test_y = train_test_split(
        data.data.astype(np.float32), data.target, test_size=0.25, random_state=SEED, stratify=data.target
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=SEED)).fit(train_x, train_y)
    proto = export(model, [("features", FloatTensorType([None, 13]))])
    rows = first_of_each(test_y, [0, 1, 2])
    return proto, {"features": test_x[rows]}, {"features": test_x}, test_y, "label"


def digits():
    """64 pixel values (0 to 16) of a handwritten digit -> the digit; a small neural network."""
    data = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        data.data.astype(np.float32), data.target, test_size=0.25, random_state=SEED, stratify=data.target
    )
    network = MLPClassifier(hidden_layer_sizes=(64,), max_iter=200, random_state=SEED)
    model = make_pipeline(MinMaxScaler(feature_range=(0, 1)), network).fit(train_x, train_y)
    proto = export(model, [("pixels", FloatTensorType([None, 64]))])
    rows = first_of_each(test_y, [2, 3, 6, 9])
    return proto, {"pixels": test_x[rows]}, {"pixels": test_x}, test_y, "label"


def penguins():
    """Where a penguin lives, its sex, the year and four measurements -> its species: strings, int64 and float32."""
    table = palmerpenguins.load_penguins().dropna().reset_index(drop=True)
    numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    train, test = train_test_split(table, test_size=0.25, random_state=SEED, stratify=table["species"])
    encode = ColumnTransformer(
        [
            ("words", OneHotEncoder(handle_unknown="ignore"), ["island", "sex"]),
            ("year", StandardScaler(), ["year"]),
            ("numbers", StandardScaler(), numbers),
        ]
    )
    model = make_pipeline(encode, LogisticRegression(max_iter=1000, random_state=SEED))
    model.fit(train.drop(columns="species"), train["species"])
    types = [("island", StringTensorType([None, 1])), ("sex", StringTensorType([None, 1]))]
    types += [("year", Int64TensorType([None, 1]))]
    types += [(name, FloatTensorType([None, 1])) for name in numbers]
    proto = export(model, types, label="species")

    def feeds(rows):
        columns = {"island": object, "sex": object, "year": np.int64} | dict.fromkeys(numbers, np.float32)
        return {name: rows[name].to_numpy().astype(kind).reshape(-1, 1) for name, kind in columns.items()}

    golden = test.iloc[first_of_each(test["species"].to_numpy(), ["Adelie", "Chinstrap", "Gentoo"])]
    return proto, feeds(golden), feeds(test), test["species"].to_numpy(), "species"


def digit_images():
    """8x8 grey images as bytes -> the digit; a convolutional network that is trained in numpy."""
    data = load_digits()
    images = np.rint(data.images * (255 / 16)).astype(np.uint8)[..., None]
    train_x, test_x, train_y, test_y = train_test_split(
        images, data.target, test_size=0.25, random_state=SEED, stratify=data.target
    )
    proto = build_digit_images(train_x, train_y, SEED)
    rows = first_of_each(test_y, [1, 4, 7])
    return proto, {"image": test_x[rows]}, {"image": test_x}, test_y, "digit"


SAMPLES = {"wine": wine, "digits": digits, "penguins": penguins, "digit-images": digit_images}


def first_of_each(labels, wanted) -> list[int]:
    return [int(np.flatnonzero(labels == value)[0]) for value in wanted]


def tensor(name: str, array: np.ndarray) -> dict:
    """One tensor as the protocol's JSON. A float32 is written as the shortest decimal that reads back the same."""
    flat = array.reshape(-1)
    data = [float(str(value)) for value in flat] if array.dtype == np.float32 else flat.tolist()
    return {"name": name, "shape": list(array.shape), "datatype": DATATYPES[array.dtype.name], "data": data}


def dump(value: dict) -> str:
    """JSON with one line per tensor field, so that a diff can be read."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: "[" + re.sub(r"\s*\n\s*", " ", m[1]) + "]", text) + "\n"


def run(model: bytes, feeds: dict) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def make(name: str, folder: Path) -> None:
    """Makes one sample: model.onnx, golden/request.json, golden/response.json."""
    proto, golden, test, truth, answer = SAMPLES[name]()
    proto.producer_name, proto.producer_version, proto.doc_string = "ballast-samples", "1", SAMPLES[name].__doc__ or ""
    onnx.checker.check_model(proto, full_check=True)
    model = proto.SerializeToString(deterministic=True)
    accuracy = float((run(model, test)[answer] == truth).mean())
    request = {"id": f"{name}-golden", "inputs": [tensor(key, value) for key, value in golden.items()]}
    answers = run(model, golden)
    response = {"model_name": name, "id": request["id"], "outputs": [tensor(k, v) for k, v in answers.items()]}
    # A folder of its own: `kubectl apply -f samples/NAME/` reads every .json beside the manifest as one.
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    (folder / "golden" / "request.json").write_text(dump(request))
    (folder / "golden" / "response.json").write_text(dump(response))
    digest = hashlib.sha256(model).hexdigest()
    print(f"{name}: {len(model)} bytes, {accuracy:.1%} right of {len(truth)} held back, sha256 {digest}")


def pin(folder: Path) -> None:
    """Writes the model's digest into a manifest that pins it."""
    manifest = folder / "modeldeployment.yaml"
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    if manifest.exists():
        manifest.write_text(re.sub(r"sha256: [0-9a-f]{64}", f"sha256: {digest}", manifest.read_text()))


def feeds_of(request: dict) -> dict[str, np.ndarray]:
    kinds = {datatype: kind for kind, datatype in DATATYPES.items()}
    return {t["name"]: np.array(t["data"], dtype=kinds[t["datatype"]]).reshape(t["shape"]) for t in request["inputs"]}


def check(name: str) -> bool:
    """Makes a sample anew and compares it with the committed one."""
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary)
        make(name, fresh)
        old = (HERE / name / "model.onnx").read_bytes()
        new = (fresh / "model.onnx").read_bytes()
        if old == new:
            print(f"{name}: the model is byte-equal")
            return True
        feeds = feeds_of(json.loads((HERE / name / "golden" / "request.json").read_text()))
        before, after = run(old, feeds), run(new, feeds)
        same = all(
            np.allclose(before[key], after[key], atol=1e-5) if before[key].dtype == np.float32
            else (before[key] == after[key]).all()
            for key in before
        )
        print(f"{name}: the model's bytes differ, its answers {'are equal within 1e-5' if same else 'DIFFER'}")
        return same


def main(arguments: list[str]) -> int:
    names = [argument for argument in arguments if argument != "--check"] or list(SAMPLES)
    if "--check" in arguments:
        return 0 if all([check(name) for name in names]) else 1
    for name in names:
        make(name, HERE / name)
        pin(HERE / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
