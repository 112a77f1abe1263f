"""Forms of models that no converter above writes by itself: each datatype, shapes of every kind, what must be refused."""

import os

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

import corpus

MADE_BY = f"onnx {onnx.__version__}"
rng = np.random.default_rng(0)


def value(name, kind, shape):
    return h.make_tensor_value_info(name, kind, shape)


def maps(name, key=T.INT64):
    return h.make_value_info(
        name, h.make_sequence_type_proto(h.make_map_type_proto(key, h.make_tensor_type_proto(T.FLOAT, [])))
    )


def model(nodes, inputs, outputs, weights=(), opset=17, value_info=(), **more):
    graph = h.make_graph(nodes, "g", inputs, outputs, [numpy_helper.from_array(w, n) for n, w in dict(weights).items()], value_info=list(value_info))
    opsets = [h.make_opsetid("", opset), h.make_opsetid("ai.onnx.ml", 3)]
    return h.make_model(graph, opset_imports=opsets, ir_version=8, **more)


def identity(kind, shape):
    return model([h.make_node("Identity", ["x"], ["y"])], [value("x", kind, shape)], [value("y", kind, shape)])


def floats(*shape):
    return rng.normal(size=shape).astype(np.float32)


def values():
    big = np.array([[2**63 - 1, -(2**63)], [2**53 + 1, -(2**53) - 1], [0, 1], [9007199254740993, 42]], dtype=np.int64)
    corpus.rows_of("hand-int64-beyond-2-53", MADE_BY, model([h.make_node("Identity", ["x"], ["y"]), h.make_node("Sub", ["x", "one"], ["less"])], [value("x", T.INT64, ["n", 2])], [value("y", T.INT64, ["n", 2]), value("less", T.INT64, ["n", 2])], {"one": np.array([1], dtype=np.int64)}), {"x": big})
    huge = np.array([[2**64 - 1], [2**63], [2**53 + 1], [0]], dtype=np.uint64)
    corpus.rows_of("hand-uint64", MADE_BY, identity(T.UINT64, ["n", 1]), {"x": huge})
    odd = np.array([["", "a"], ["Grüße", "日本語"], ["🙂👩‍👩‍👧", '"quoted" \\ and / \n\t\r'], ["\u2028\u2029\ufeff\u200b", "\x01\x1f\x7f"], ["é" * 500, "1"]], dtype=object)
    corpus.rows_of("hand-strings", MADE_BY, identity(T.STRING, ["n", 2]), {"x": odd})
    upper = h.make_node("StringNormalizer", ["x"], ["y"], case_change_action="UPPER", locale="C")
    corpus.write("hand-strings-upper", MADE_BY, model([upper], [value("x", T.STRING, ["n"])], [value("y", T.STRING, ["n"])]), [corpus.case("single", {"x": np.array(words, dtype=object)}) for words in (["abc"], ["a", "b"], ["Straße", "x"])])
    kinds = {"BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "DOUBLE": np.float64, "FLOAT16": np.float16}
    names = list(kinds)
    rows = {}
    for name, kind in kinds.items():
        numbers = rng.integers(0, 2, (6, 3)) if kind is np.bool_ else rng.normal(size=(6, 3)) * 50 if np.dtype(kind).kind == "f" else rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, (6, 3), endpoint=True)
        rows[f"in_{name}"] = numbers.astype(kind)
    corpus.rows_of("hand-nine-datatypes", MADE_BY, model([h.make_node("Identity", [f"in_{n}"], [f"out_{n}"]) for n in names], [value(f"in_{n}", getattr(T, n), ["n", 3]) for n in names], [value(f"out_{n}", getattr(T, n), ["n", 3]) for n in names]), rows)
    tiny = np.array([[0.1, 1e-45], [3.4028234663852886e38, -1e-38], [1 / 3, 16777217], [-0.0, 123456.789]], dtype=np.float32)
    corpus.rows_of("hand-float32-edges", MADE_BY, identity(T.FLOAT, ["n", 2]), {"x": tiny})
    corpus.rows_of("hand-float64-edges", MADE_BY, identity(T.DOUBLE, ["n", 2]), {"x": np.array([[0.1, 5e-324], [1.7976931348623157e308, -1e-308], [1 / 3, 2**53 + 2]])})


def shapes():
    add = model([h.make_node("Add", ["a", "b"], ["y"])], [value("a", T.FLOAT, []), value("b", T.FLOAT, [])], [value("y", T.FLOAT, [])])
    corpus.write("hand-scalars", MADE_BY, add, [corpus.case("single", {"a": np.float32(i), "b": np.float32(0.25)}) for i in range(4)])
    scale = model([h.make_node("Mul", ["x", "by"], ["y"])], [value("x", T.FLOAT, ["n", 3]), value("by", T.FLOAT, [])], [value("y", T.FLOAT, ["n", 3])])
    corpus.write("hand-rows-and-a-scalar", MADE_BY, scale, [corpus.case("single", {"x": floats(n, 3), "by": np.float32(n)}) for n in (1, 1, 2, 5)], notBatched=True)
    corpus.rows_of("hand-no-rank", MADE_BY, identity(T.FLOAT, None), {"x": floats(6, 2)})
    corpus.write("hand-second-size-varies", MADE_BY, identity(T.FLOAT, [2, "n"]), [corpus.case("single", {"x": floats(2, n)}) for n in (1, 3, 0, 1)], notBatched=True)
    constant = model([h.make_node("Identity", ["w"], ["y"])], [], [value("y", T.FLOAT, [2])], {"w": floats(2)})
    corpus.write("hand-no-inputs", MADE_BY, constant, [corpus.case("single", {})] * 2)
    default = model([h.make_node("Mul", ["x", "w"], ["y"])], [value("x", T.FLOAT, ["n", 2]), value("w", T.FLOAT, [2])], [value("y", T.FLOAT, ["n", 2])], {"w": floats(2)})
    corpus.rows_of("hand-input-with-default", MADE_BY, default, {"x": floats(6, 2)})
    softmax = model([h.make_node("Softmax", ["x"], ["y"], axis=0)], [value("x", T.FLOAT, ["n", 3])], [value("y", T.FLOAT, ["n", 3])])
    corpus.rows_of("hand-rows-depend", MADE_BY, softmax, {"x": floats(6, 3)}, notBatched=True)
    running = model([h.make_node("CumSum", ["x", "axis"], ["y"])], [value("x", T.FLOAT, ["n", 3])], [value("y", T.FLOAT, ["n", 3])], {"axis": np.array(0, dtype=np.int64)})
    corpus.rows_of("hand-running-sum", MADE_BY, running, {"x": floats(6, 3)}, notBatched=True)
    relu = h.make_node("Relu", ["x y/z"], ["the:answer é"])
    corpus.rows_of("hand-odd-names", MADE_BY, model([relu], [value("x y/z", T.FLOAT, ["n", 2])], [value("the:answer é", T.FLOAT, ["n", 2])]), {"x y/z": floats(6, 2)})


def external():
    weights = {"w": floats(64, 8), "b": floats(8)}
    big = model([h.make_node("Gemm", ["x", "w", "b"], ["y"])], [value("x", T.FLOAT, ["n", 64])], [value("y", T.FLOAT, ["n", 8])], weights)
    path = os.path.join(corpus.folder("hand-external-data"), "model.onnx")
    onnx.save(big, path, save_as_external_data=True, all_tensors_to_one_file=True, location="model.onnx.data", size_threshold=0)
    corpus.rows_of("hand-external-data", MADE_BY, None, {"x": floats(8, 64)})


def zip_maps():
    def nodes(end=(), names=False):
        labels = {"classlabels_strings": ["no", "yes", "später"]} if names else {"classlabels_int64s": [10, 20, 30]}
        return [h.make_node("MatMul", ["x", "w"], ["z"]), h.make_node("Softmax", ["z"], ["p"], axis=1), h.make_node("ZipMap", ["p"], ["m"], domain="ai.onnx.ml", **labels), *end]

    weights = {"w": floats(4, 3)}
    x = value("x", T.FLOAT, ["n", 4])
    rows = {"x": floats(8, 4)}
    corpus.rows_of("hand-zipmap", MADE_BY, model(nodes(), [x], [maps("m")], weights), rows)
    corpus.rows_of("hand-zipmap-and-its-tensor", MADE_BY, model(nodes(), [x], [value("p", T.FLOAT, ["n", 3]), maps("m")], weights), rows)
    second = h.make_node("ZipMap", ["p"], ["m2"], domain="ai.onnx.ml", classlabels_strings=["a", "b", "c"])
    corpus.rows_of("hand-two-zipmaps", MADE_BY, model([*nodes(), second], [x], [maps("m"), maps("m2", T.STRING)], weights), rows)
    unused = h.make_node("Identity", ["p"], ["y"])
    corpus.rows_of("hand-zipmap-not-answered", MADE_BY, model([*nodes([unused])], [x], [value("y", T.FLOAT, ["n", 3])], weights), rows)

    def branch(scale):
        body = [h.make_node("Mul", ["p", "s"], ["q"]), h.make_node("ZipMap", ["q"], ["mm"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2])]
        return h.make_graph(body, "b", [], [maps("mm")], [numpy_helper.from_array(np.float32(scale), "s")])

    choose = [h.make_node("MatMul", ["x", "w"], ["p"]), h.make_node("ReduceSum", ["p"], ["t"], keepdims=0), h.make_node("Greater", ["t", "zero"], ["c"]), h.make_node("If", ["c"], ["out"], then_branch=branch(1), else_branch=branch(2))]
    inside = model(choose, [x], [maps("out")], {**weights, "zero": np.float32(0)})
    corpus.refused("hand-zipmap-in-a-branch", MADE_BY, inside, "ModelUnsupported", "output 'out' is a sequence of maps.*")


def refusals():
    x = value("x", T.FLOAT, ["n", 2])
    tensors = h.make_value_info("s", h.make_sequence_type_proto(h.make_tensor_type_proto(T.FLOAT, ["n", 2])))
    corpus.refused("hand-sequence-of-tensors", MADE_BY, model([h.make_node("SequenceConstruct", ["x", "x"], ["s"])], [x], [tensors]), "ModelUnsupported", "output 's' is a sequence of tensors")
    corpus.refused("hand-sequence-in", MADE_BY, model([h.make_node("SequenceAt", ["s", "zero"], ["y"])], [tensors], [value("y", T.FLOAT, ["n", 2])], {"zero": np.array(0, dtype=np.int64)}), "ModelUnsupported", "input 's' is a sequence of tensors")
    maybe = h.make_value_info("o", h.make_optional_type_proto(h.make_tensor_type_proto(T.FLOAT, ["n", 2])))
    corpus.refused("hand-optional-out", MADE_BY, model([h.make_node("Optional", ["x"], ["o"])], [x], [maybe]), "ModelUnsupported", "output 'o' is an optional")
    corpus.refused("hand-optional-in", MADE_BY, model([h.make_node("OptionalGetElement", ["o"], ["y"])], [maybe], [value("y", T.FLOAT, ["n", 2])]), "ModelUnsupported", "input 'o' is an optional")
    corpus.refused("hand-bfloat16", MADE_BY, identity(T.BFLOAT16, ["n", 2]), "ModelUnsupported", "elements of type bfloat16")
    corpus.refused("hand-float8", MADE_BY, model([h.make_node("Cast", ["x"], ["y"], to=T.FLOAT8E4M3FN)], [x], [value("y", T.FLOAT8E4M3FN, ["n", 2])], opset=19), "ModelUnsupported", "elements of type float8")
    corpus.refused("hand-custom-operator", MADE_BY, h.make_model(h.make_graph([h.make_node("Mine", ["x"], ["y"], domain="my.company")], "g", [x], [x]), opset_imports=[h.make_opsetid("", 17), h.make_opsetid("my.company", 1)]), "ModelUnsupported", "domain 'my.company'")


values()
shapes()
external()
zip_maps()
refusals()
