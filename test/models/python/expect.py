"""Adds to each model what Python's onnxruntime answers to its inputs; ZipMap's maps become the tensor of their values."""

import json
import os
import sys

import numpy as np
import onnxruntime

import corpus


def plain(value):
    """An output as one array: a list of maps has one row per map, its values in the order of the keys."""
    if isinstance(value, list) and (not value or isinstance(value[0], dict)):
        return np.array([list(row.values()) for row in value], dtype=np.float32)
    return np.asarray(value)


def answer(session, case):
    feeds = {written["name"]: corpus.array_of(written) for written in case["inputs"]}
    names = [output.name for output in session.get_outputs()]
    try:
        values = session.run(names, feeds)
    except Exception as error:  # What a model refuses is an answer too, but only to no rows.
        if case["kind"] != "none":
            raise
        return {**case, "error": str(error)[:300]}
    return {**case, "outputs": [corpus.tensor(name, plain(value)) for name, value in zip(names, values)]}


def apart(session, case):
    """In a process of its own: no rows at all end onnxruntime's process in some operators."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(2)
        with os.fdopen(writer, "w", encoding="utf-8") as pipe:
            json.dump(answer(session, case), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(text) if status == 0 else {**case, "error": f"ended by signal {os.WTERMSIG(status)}"}


def answer_all(model, path, options):
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # What Python cannot load the pod must refuse.
        print(f"{model['name']}: {error}")
        model["refused"] = {"reason": "LoadFailed", "words": "^onnxruntime refused the model"}
        return
    model["cases"] = [(apart if case["kind"] == "none" else answer)(session, case) for case in model["cases"]]
    model["signature"] = {
        "inputs": [value.name for value in session.get_inputs()],
        "outputs": [value.name for value in session.get_outputs()],
    }


def main(out):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    for name in sorted(os.listdir(out)):
        path = os.path.join(out, name, "model.json")
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            model = json.load(file)
        if "refused" not in model:
            answer_all(model, os.path.join(out, name, "model.onnx"), options)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(model, file)


main(sys.argv[1])
