"""A convolutional network for 8x8 images, trained with numpy alone and written with onnx.helper."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

EPOCHS = 40
BATCH = 32
RATE = 2e-3
CHANNELS = (8, 16)


def patches(x: np.ndarray) -> np.ndarray:
    """3x3 neighbourhoods with a border of zeros: [n, c, h, w] -> [n, h, w, c * 9]."""
    n, c, h, w = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, h, w, c * 9)


def unpatches(grad: np.ndarray, channels: int) -> np.ndarray:
    """Adjoint of `patches`: adds each neighbourhood's gradient back to its pixels."""
    n, h, w, _ = grad.shape
    grad = grad.reshape(n, h, w, channels, 3, 3)
    out = np.zeros((n, channels, h + 2, w + 2), dtype=grad.dtype)
    for row in range(3):
        for column in range(3):
            out[:, :, row : row + h, column : column + w] += grad[..., row, column].transpose(0, 3, 1, 2)
    return out[:, :, 1:-1, 1:-1]


class Network:
    """Conv 3x3 -> ReLU -> max pool 2 -> conv 3x3 -> ReLU -> max pool 2 -> dense -> softmax."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        first, second = CHANNELS

        def weights(inputs: int, outputs: int) -> np.ndarray:
            return (random.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(np.float32)

        self.random = random
        self.parameters = {
            "w1": weights(9, first), "b1": np.zeros(first, np.float32),
            "w2": weights(first * 9, second), "b2": np.zeros(second, np.float32),
            "w3": weights(second * 4, 10), "b3": np.zeros(10, np.float32),
        }
        self.moments = {key: (np.zeros_like(value), np.zeros_like(value)) for key, value in self.parameters.items()}
        self.steps = 0

    @staticmethod
    def pool(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Largest of each 2x2 block and the mask of where it stood (ties share)."""
        n, c, h, w = x.shape
        blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
        largest = blocks.max(axis=(3, 5), keepdims=True)
        mask = (blocks == largest).astype(np.float32)
        return largest[:, :, :, 0, :, 0], mask / mask.sum(axis=(3, 5), keepdims=True)

    @staticmethod
    def unpool(grad: np.ndarray, mask: np.ndarray) -> np.ndarray:
        n, c, h, w = grad.shape
        return (grad[:, :, :, None, :, None] * mask).reshape(n, c, h * 2, w * 2)

    def gradients(self, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        p = self.parameters
        cols1 = patches(x)
        act1 = np.maximum(cols1 @ p["w1"] + p["b1"], 0).transpose(0, 3, 1, 2)
        pool1, mask1 = self.pool(act1)
        cols2 = patches(pool1)
        act2 = np.maximum(cols2 @ p["w2"] + p["b2"], 0).transpose(0, 3, 1, 2)
        pool2, mask2 = self.pool(act2)
        flat = pool2.reshape(len(x), -1)
        logits = flat @ p["w3"] + p["b3"]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        error = odds / odds.sum(axis=1, keepdims=True)
        error[np.arange(len(y)), y] -= 1
        error /= len(y)

        grad2 = self.unpool((error @ p["w3"].T).reshape(pool2.shape), mask2) * (act2 > 0)
        grad2 = grad2.transpose(0, 2, 3, 1)
        grad1 = self.unpool(unpatches(grad2 @ p["w2"].T, CHANNELS[0]), mask1) * (act1 > 0)
        grad1 = grad1.transpose(0, 2, 3, 1)
        return {
            "w3": flat.T @ error, "b3": error.sum(axis=0),
            "w2": cols2.reshape(-1, cols2.shape[-1]).T @ grad2.reshape(-1, grad2.shape[-1]), "b2": grad2.sum((0, 1, 2)),
            "w1": cols1.reshape(-1, cols1.shape[-1]).T @ grad1.reshape(-1, grad1.shape[-1]), "b1": grad1.sum((0, 1, 2)),
        }

    def step(self, x: np.ndarray, y: np.ndarray) -> None:
        """One step of Adam."""
        self.steps += 1
        for key, grad in self.gradients(x, y).items():
            first, second = self.moments[key]
            first += 0.1 * (grad - first)
            second += 0.001 * (grad * grad - second)
            unbiased = first / (1 - 0.9**self.steps), second / (1 - 0.999**self.steps)
            self.parameters[key] -= (RATE * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)).astype(np.float32)


def build_digit_images(images: np.ndarray, labels: np.ndarray, seed: int) -> onnx.ModelProto:
    """Trains on uint8 images [n, 8, 8, 1] and returns the model that takes the same."""
    network = Network(seed)
    x = images.astype(np.float32).transpose(0, 3, 1, 2) / np.float32(255)
    for _ in range(EPOCHS):
        order = network.random.permutation(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            network.step(x[chosen], labels[chosen])
    return graph(network.parameters)


def graph(p: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The trained network as ONNX: bytes in, probabilities and digit out; the scaling is part of the graph."""
    first, second = CHANNELS
    constants = {
        "scale": np.float32(1 / 255),
        "conv1.weight": p["w1"].T.reshape(first, 1, 3, 3), "conv1.bias": p["b1"],
        "conv2.weight": p["w2"].T.reshape(second, first, 3, 3), "conv2.bias": p["b2"],
        "dense.weight": p["w3"], "dense.bias": p["b3"],
    }
    conv = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    node = helper.make_node
    nodes = [
        node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        node("Mul", ["float", "scale"], ["scaled"]),
        node("Transpose", ["scaled"], ["nchw"], perm=[0, 3, 1, 2]),
        node("Conv", ["nchw", "conv1.weight", "conv1.bias"], ["conv1"], **conv),
        node("Relu", ["conv1"], ["relu1"]),
        node("MaxPool", ["relu1"], ["pool1"], **pool),
        node("Conv", ["pool1", "conv2.weight", "conv2.bias"], ["conv2"], **conv),
        node("Relu", ["conv2"], ["relu2"]),
        node("MaxPool", ["relu2"], ["pool2"], **pool),
        node("Flatten", ["pool2"], ["flat"]),
        node("Gemm", ["flat", "dense.weight", "dense.bias"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
        node("ArgMax", ["logits"], ["digit"], axis=1, keepdims=0),
    ]
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        nodes,
        "digit-images",
        [value("image", TensorProto.UINT8, ["batch", 8, 8, 1])],
        [value("digit", TensorProto.INT64, ["batch"]), value("probabilities", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()],
    )
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
