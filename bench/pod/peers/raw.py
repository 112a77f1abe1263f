"""The limit: onnxruntime called in a loop by Python, and the answer to one row, for comparison."""
import json
import sys
import time

import numpy as np
import onnxruntime

path, batches, seconds = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
row = np.asarray(json.load(sys.stdin)["row"])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
info = session.get_inputs()[0]
rows = row.astype(np.int32 if info.type == "tensor(int32)" else np.float32)
output = session.get_outputs()[0].name
answer = session.run([output], {info.name: rows})[0]
rates = {}
for batch in batches:
    feed = {info.name: np.repeat(rows, batch, axis=0)}
    session.run([output], feed)
    runs, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        session.run([output], feed)
        runs += 1
    rates[batch] = runs * batch / (time.perf_counter() - start)
print(json.dumps({"answer": np.ravel(answer).tolist(), "output": output, "rowsPerSecond": rates}))
