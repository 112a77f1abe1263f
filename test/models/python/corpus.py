"""Where the generators put their models: one folder each, with the inputs that are asked of it.

NAME/model.onnx and NAME/model.json: {name, madeBy, cases: [{kind, inputs: [tensor]}], refused?, notBatched?}.
A tensor is {name, datatype, shape, base64} or {name, datatype, shape, strings}. `expect.py` adds the answers.
"""

import base64
import json
import os

import numpy as np

OUT = os.environ.get("CORPUS_OUT", "")

DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}


def tensor(name, array):
    """One tensor as it is written down."""
    array = np.asarray(array)
    # tolist, not the shape of a copy: ascontiguousarray makes a row of a scalar.
    head = {"name": name, "shape": list(array.shape)}
    if array.dtype.kind in "OUS":
        return {**head, "datatype": "BYTES", "strings": [str(text) for text in array.reshape(-1).tolist()]}
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {**head, "datatype": DATATYPES[array.dtype.name], "base64": data}


def array_of(written):
    """The numpy array of a tensor that was written down."""
    if "strings" in written:
        return np.array(written["strings"], dtype=object).reshape(written["shape"])
    name = next(key for key, value in DATATYPES.items() if value == written["datatype"])
    return np.frombuffer(base64.b64decode(written["base64"]), dtype=name).reshape(written["shape"])


def case(kind, inputs):
    return {"kind": kind, "inputs": [tensor(name, array) for name, array in inputs.items()]}


def by_rows(rows, singles=6):
    """Cases of a model whose inputs all have rows first: one row at a time, several at once, none."""
    count = len(next(iter(rows.values())))
    cases = [case("single", {k: v[i : i + 1] for k, v in rows.items()}) for i in range(min(count, singles))]
    cases.append(case("several", rows))
    cases.append(case("none", {k: v[:0] for k, v in rows.items()}))
    return cases


def folder(name):
    path = os.path.join(OUT, name)
    os.makedirs(path, exist_ok=True)
    return path


def write(name, made_by, model, cases=(), **more):
    """Writes a model; `model` is bytes, something with SerializeToString, or None when model.onnx is there already."""
    path = folder(name)
    if model is not None:
        data = model if isinstance(model, bytes) else model.SerializeToString()
        with open(os.path.join(path, "model.onnx"), "wb") as file:
            file.write(data)
    with open(os.path.join(path, "model.json"), "w", encoding="utf-8") as file:
        json.dump({"name": name, "madeBy": made_by, "cases": list(cases), **more}, file)


def rows_of(name, made_by, model, rows, **more):
    """Writes a model whose inputs all have rows first."""
    write(name, made_by, model, by_rows(rows), **more)


def refused(name, made_by, model, reason, words, **more):
    """Writes a model that the pod must refuse with this reason and these words (a regular expression)."""
    write(name, made_by, model, refused={"reason": reason, "words": words}, **more)
