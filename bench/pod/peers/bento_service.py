"""BentoML with adaptive batching, as its documentation shows."""
import os

import bentoml
import numpy as np
import onnxruntime


@bentoml.service(workers=1, traffic={"timeout": 60, "max_concurrency": 10_000}, http={"access_log": {"enabled": False}})
class Onnx:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        self.output = self.session.get_outputs()[0].name
        self.dtype = np.int32 if self.input.type == "tensor(int32)" else np.float32

    @bentoml.api(batchable=True, batch_dim=0, max_batch_size=32, max_latency_ms=60_000)
    def predict(self, data: np.ndarray) -> np.ndarray:
        return self.session.run([self.output], {self.input.name: data.astype(self.dtype)})[0]
