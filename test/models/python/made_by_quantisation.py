"""What people make of a model to have it smaller: float16, and int8 in the three ways of onnxruntime."""

import os

import numpy as np
import onnx
import onnxconverter_common
import onnxruntime
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper
from onnxconverter_common import float16
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

import corpus

TOOL = f"onnxruntime.quantization {onnxruntime.__version__}"
HALVES = f"onnxconverter-common {onnxconverter_common.__version__}"
rng = np.random.default_rng(0)


def floats(*shape):
    return rng.normal(size=shape).astype(np.float32)


def by_size(rows, width):
    """Rows from a hundredth to a hundred: with one scale for a whole batch the small ones lose their digits."""
    return (rng.normal(size=(rows, width)) * np.logspace(-2, 2, rows)[:, None]).astype(np.float32)


def source():
    weights = {"w1": floats(32, 64), "b1": floats(64), "w2": floats(64, 10), "b2": floats(10)}
    nodes = [
        h.make_node("MatMul", ["x", "w1"], ["h"]), h.make_node("Add", ["h", "b1"], ["ha"]), h.make_node("Relu", ["ha"], ["a"]),
        h.make_node("MatMul", ["a", "w2"], ["o"]), h.make_node("Add", ["o", "b2"], ["y"]),
    ]
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("x", T.FLOAT, ["n", 32])], [h.make_tensor_value_info("y", T.FLOAT, ["n", 10])],
        [numpy_helper.from_array(w, n) for n, w in weights.items()],
    )
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)


class Samples(CalibrationDataReader):
    def __init__(self, batches):
        self.left = [{"x": batch} for batch in batches]

    def get_next(self):
        return self.left.pop() if self.left else None


original = source()
path = os.path.join(corpus.OUT, "original.tmp")
onnx.save(original, path)


def target(name):
    return os.path.join(corpus.folder(name), "model.onnx")


quantize_dynamic(path, target("int8-dynamic"), weight_type=QuantType.QInt8)
corpus.rows_of("int8-dynamic", TOOL, None, {"x": by_size(8, 32)}, notBatched=True)
quantize_static(path, target("int8-static-qdq"), Samples([floats(16, 32)]), quant_format=QuantFormat.QDQ, per_channel=True)
corpus.rows_of("int8-static-qdq", TOOL, None, {"x": floats(8, 32)})
quantize_static(path, target("int8-static-operators"), Samples([floats(16, 32)]), quant_format=QuantFormat.QOperator)
corpus.rows_of("int8-static-operators", TOOL, None, {"x": floats(8, 32)})
half = float16.convert_float_to_float16(original, keep_io_types=False)
corpus.rows_of("float16-inside-and-out", HALVES, half, {"x": floats(8, 32).astype(np.float16)})
kept = float16.convert_float_to_float16(source(), keep_io_types=True)
corpus.rows_of("float16-inside", HALVES, kept, {"x": floats(8, 32)})
os.remove(path)
