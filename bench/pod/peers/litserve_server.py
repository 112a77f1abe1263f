"""LitServe with batching, as its documentation shows it."""
import sys

import litserve
import numpy as np
import onnxruntime

path, port, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


class OnnxApi(litserve.LitAPI):
    def setup(self, device):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        self.output = self.session.get_outputs()[0].name
        self.dtype = np.int32 if self.input.type == "tensor(int32)" else np.float32

    def decode_request(self, request):
        return np.asarray(request["data"], dtype=self.dtype)

    def batch(self, inputs):
        return np.concatenate(inputs)

    def predict(self, rows):
        return self.session.run([self.output], {self.input.name: rows})[0]

    def unbatch(self, output):
        return [output[i : i + 1] for i in range(len(output))]

    def encode_response(self, output):
        return {"data": output.tolist()}


if __name__ == "__main__":
    api = OnnxApi(max_batch_size=batch, batch_timeout=0.0) if batch > 1 else OnnxApi()
    litserve.LitServer(api, accelerator="cpu", workers_per_device=1).run(
        host="127.0.0.1", port=port, num_api_servers=1, generate_client_file=False, log_level="warning"
    )
