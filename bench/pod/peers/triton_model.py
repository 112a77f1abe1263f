"""Triton's python backend: onnxruntime with one thread, as its documentation recommends for one core."""
import json

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        path = config["parameters"]["path"]["string_value"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        self.output = self.session.get_outputs()[0].name

    def execute(self, requests):
        parts = [pb_utils.get_input_tensor_by_name(request, self.input).as_numpy() for request in requests]
        rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
        answer = self.session.run([self.output], {self.input: rows})[0]
        responses, start = [], 0
        for part in parts:
            tensor = pb_utils.Tensor(self.output, answer[start : start + len(part)])
            start += len(part)
            responses.append(pb_utils.InferenceResponse([tensor]))
        return responses
