"""PyTorch's exporter: Debian's build of PyTorch, since the one of PyPI brings 2.5 GB of CUDA."""

import os
import warnings

import numpy as np
import torch
from torch import nn

import corpus

warnings.filterwarnings("ignore")
torch.manual_seed(0)
MADE_BY = f"PyTorch {torch.__version__.split('a')[0]}"
rng = np.random.default_rng(0)


def floats(*shape):
    # Rows of very different size: what one row does to another shows.
    values = rng.normal(size=shape)
    scale = 10.0 ** rng.uniform(-1, 1, (shape[0],) + (1,) * (len(shape) - 1))
    return (values * scale).astype(np.float32)


def export(name, model, example, inputs, outputs, dynamic=None, **more):
    path = os.path.join(corpus.folder(name), "model.onnx")
    torch.onnx.export(
        model.eval(), example, path, input_names=inputs, output_names=outputs, dynamic_axes=dynamic, opset_version=17, **more
    )


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 12, batch_first=True, bidirectional=True)
        self.head = nn.Linear(24, 3)

    def forward(self, x):
        out, (h, c) = self.lstm(x)
        return self.head(out[:, -1]), out


class Stateful(nn.Module):
    """State in, state out, and rows second: as a streaming model has it."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(4, 8)

    def forward(self, x, h):
        return self.gru(x, h)


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, ids, mask):
        weight = mask.to(torch.float32).unsqueeze(-1)
        mean = (self.embedding(ids) * weight).sum(1) / weight.sum(1).clamp(min=1)
        return self.head(mean).softmax(-1)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(64, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, ids):
        return self.encoder(self.embedding(ids))


class Found(nn.Module):
    """As detectors do: the answer has as many rows as were found, whatever came in."""

    def forward(self, x):
        return torch.nonzero(x > 1.0)


class Pair(nn.Module):
    """Two inputs whose first sizes have nothing to do with each other."""

    def forward(self, a, b):
        return a @ b.T


class Whole(nn.Module):
    """A scalar for everything that came in."""

    def forward(self, x):
        return x.mean()


mlp = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 5))
export("torch-mlp", mlp, torch.randn(2, 8), ["x"], ["y"], {"x": {0: "batch"}, "y": {0: "batch"}})
corpus.rows_of("torch-mlp", MADE_BY, None, {"x": floats(8, 8)})

export("torch-mlp-batch-1", mlp, torch.randn(1, 8), ["x"], ["y"])
corpus.write("torch-mlp-batch-1", MADE_BY, None, [corpus.case("single", {"x": floats(1, 8)}) for _ in range(4)])
export("torch-mlp-batch-4", mlp, torch.randn(4, 8), ["x"], ["y"])
corpus.write("torch-mlp-batch-4", MADE_BY, None, [corpus.case("single", {"x": floats(4, 8)}) for _ in range(4)])

conv = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10), nn.Softmax(1),
)
sides = {"image": {0: "batch", 2: "height", 3: "width"}, "scores": {0: "batch"}}
export("torch-conv-any-size", conv, torch.randn(2, 3, 16, 16), ["image"], ["scores"], sides)
cases = corpus.by_rows({"image": floats(6, 3, 16, 16)})
cases += [corpus.case("single", {"image": floats(1, 3, side, side + 4)}) for side in (8, 12, 16)]
corpus.write("torch-conv-any-size", MADE_BY, None, cases)

export("torch-lstm", Lstm(), torch.randn(2, 5, 6), ["x"], ["y", "all"], {"x": {0: "batch", 1: "time"}, "y": {0: "batch"}, "all": {0: "batch", 1: "time"}})
cases = corpus.by_rows({"x": floats(6, 5, 6)}) + [corpus.case("single", {"x": floats(1, t, 6)}) for t in (1, 3, 9)]
corpus.write("torch-lstm", MADE_BY, None, cases)

export("torch-gru-state", Stateful(), (torch.randn(5, 2, 4), torch.zeros(1, 2, 8)), ["x", "h"], ["y", "hn"], {"x": {0: "time", 1: "batch"}, "h": {1: "batch"}, "y": {0: "time", 1: "batch"}, "hn": {1: "batch"}})
corpus.write("torch-gru-state", MADE_BY, None, [corpus.case("single", {"x": floats(t, n, 4), "h": floats(1, n, 8)}) for t, n in ((5, 1), (5, 3), (2, 1), (5, 1))])

ids = rng.integers(0, 50, (8, 7)).astype(np.int64)
mask = rng.integers(0, 2, (8, 7)).astype(bool)
export("torch-embedding", Bag(), (torch.zeros(2, 7, dtype=torch.int64), torch.ones(2, 7, dtype=torch.bool)), ["ids", "mask"], ["p"], {"ids": {0: "batch", 1: "length"}, "mask": {0: "batch", 1: "length"}, "p": {0: "batch"}})
corpus.rows_of("torch-embedding", MADE_BY, None, {"ids": ids, "mask": mask})

export("torch-transformer", Encoder(), torch.zeros(2, 6, dtype=torch.int64), ["ids"], ["hidden"], {"ids": {0: "batch", 1: "length"}, "hidden": {0: "batch", 1: "length"}})
cases = corpus.by_rows({"ids": ids}) + [corpus.case("single", {"ids": ids[:1, :n]}) for n in (1, 4)]
corpus.write("torch-transformer", MADE_BY, None, cases)

export("torch-found", Found(), torch.randn(2, 4), ["x"], ["at"], {"x": {0: "batch"}, "at": {0: "found"}})
corpus.rows_of("torch-found", MADE_BY, None, {"x": floats(8, 4)}, notBatched=True)

export("torch-pair", Pair(), (torch.randn(2, 4), torch.randn(3, 4)), ["a", "b"], ["y"], {"a": {0: "m"}, "b": {0: "n"}, "y": {0: "m", 1: "n"}})
corpus.write("torch-pair", MADE_BY, None, [corpus.case("single", {"a": floats(m, 4), "b": floats(n, 4)}) for m, n in ((1, 1), (2, 3), (3, 2), (4, 4))], notBatched=True)

export("torch-whole", Whole(), torch.randn(2, 4), ["x"], ["mean"], {"x": {0: "batch"}})
corpus.write("torch-whole", MADE_BY, None, [corpus.case("single", {"x": floats(n, 4)}) for n in (1, 1, 2, 5)], notBatched=True)

class Chosen(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 6)

    def forward(self, x):
        y = self.linear(x)
        return y.argmax(1), y > 0, y.to(torch.float64), (y * 10).to(torch.int32), (y * 3).to(torch.int8)


export("torch-five-datatypes", Chosen(), torch.randn(2, 8), ["x"], ["i64", "bool", "f64", "i32", "i8"], {n: {0: "batch"} for n in ["x", "i64", "bool", "f64", "i32", "i8"]})
corpus.rows_of("torch-five-datatypes", MADE_BY, None, {"x": np.clip(floats(8, 8), -4, 4)})
