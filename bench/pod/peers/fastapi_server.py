"""What many teams write by hand: FastAPI, uvicorn, onnxruntime, an async handler."""
import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, Request

path, port = sys.argv[1], int(sys.argv[2])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
dtype = np.int32 if session.get_inputs()[0].type == "tensor(int32)" else np.float32
name = session.get_inputs()[0].name
output = session.get_outputs()[0].name
app = FastAPI()


@app.post("/predict")
async def predict(request: Request):
    body = await request.json()
    rows = np.asarray(body["data"], dtype=dtype)
    return {"data": session.run([output], {name: rows})[0].tolist()}


uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
