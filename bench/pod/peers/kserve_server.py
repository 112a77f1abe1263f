"""KServe's model server with a model class of its own, as its documentation shows for onnxruntime."""
import sys

import numpy as np
import onnxruntime
from kserve import InferOutput, InferResponse, Model, ModelServer

path, port = sys.argv[1], int(sys.argv[2])


class OnnxModel(Model):
    def __init__(self):
        super().__init__("bench")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        self.output = self.session.get_outputs()[0].name
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        rows = payload.inputs[0].as_numpy()
        answer = self.session.run([self.output], {self.input: rows})[0]
        output = InferOutput(name=self.output, shape=list(answer.shape), datatype="FP32")
        output.set_data_from_numpy(answer, binary_data=False)
        return InferResponse(response_id=payload.id or "1", model_name="bench", infer_outputs=[output])


if __name__ == "__main__":
    ModelServer(http_port=port, workers=1, enable_grpc=False, enable_latency_logging=False, access_log_format=None).start([OnnxModel()])
