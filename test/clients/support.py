"""What the suites share: where the pods are, the right answers, and how a check is written."""

import asyncio
import inspect
import json
import os
import traceback

import numpy as np
import onnxruntime
from google.protobuf import descriptor_pb2

PODS = json.loads(os.environ["BALLAST_CLIENT_PODS"])

_sessions = {}
_checks = {}


def session(model):
    if model not in _sessions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        _sessions[model] = onnxruntime.InferenceSession(
            PODS[model]["path"], options, providers=["CPUExecutionProvider"]
        )
    return _sessions[model]


def right(model, inputs, outputs=None):
    """What Python's onnxruntime answers, by output name."""
    names = outputs or [output.name for output in session(model).get_outputs()]
    return dict(zip(names, session(model).run(names, inputs)))


def same(got, want):
    """Equal, floats within what another order of sums may change."""
    assert got is not None, "no tensor"
    got = np.asarray(got)
    want = np.asarray(want)
    assert got.shape == want.shape, f"shape {got.shape}, wanted {want.shape}"
    if got.dtype == np.object_ or want.dtype.kind in "OUS":
        texts = [x.decode() if isinstance(x, bytes) else str(x) for x in got.flatten()]
        assert texts == [str(x) for x in want.flatten()], f"{texts[:5]} is not {want.flatten()[:5]}"
    elif want.dtype.kind == "f":
        np.testing.assert_allclose(got.astype(np.float64), want.astype(np.float64), rtol=1e-5, atol=1e-7)
    else:
        assert got.dtype == want.dtype or got.dtype.kind in "iub", f"{got.dtype}, wanted {want.dtype}"
        np.testing.assert_array_equal(got, want)


def raises(call, kind, *words):
    """The call fails with this kind of error, which says these words; returns the error."""
    try:
        result = call()
    except kind as error:
        text = str(error)
        for word in words:
            assert word in text, f"{text!r} does not say {word!r}"
        return error
    raise AssertionError(f"answered {result!r}")


def check(function):
    """Marks a check; its name, with spaces, is its line."""
    _checks.setdefault(function.__module__, []).append((function.__name__, function))
    return function


def cases(table):
    """Marks a check that runs once for each case, `name: arguments`."""

    def mark(function):
        for name, arguments in table.items():

            def bound(function=function, arguments=arguments):
                return function(*arguments)

            _checks.setdefault(function.__module__, []).append((f"{function.__name__}: {name}", bound))
        return function

    return mark


def run(suite, module):
    for name, function in _checks.get(module.__name__, []):
        line = f"{suite}: {name.replace('_', ' ', name.split(':')[0].count('_'))}"
        try:
            result = function()
            if inspect.isawaitable(result):
                asyncio.run(asyncio.wait_for(result, 60))
            print(f"ok {line}", flush=True)
        except Exception as error:  # a check that fails must not end the others
            why = str(error).strip().replace("\n", " ")[:400] or repr(error)
            print(f"not ok {line}: {type(error).__name__}: {why}", flush=True)
            if os.environ.get("BALLAST_CLIENTS_TRACE"):
                traceback.print_exc()


def compare_messages(ours, other, allowed):
    """Every field of ours, a serialised file, has the same number, name and type in another copy of the protocol."""
    mine = descriptor_pb2.FileDescriptorProto.FromString(ours)
    theirs = descriptor_pb2.FileDescriptorProto()
    other.CopyToProto(theirs)
    known = {message.name: message for message in theirs.message_type}
    fields = lambda message: {(field.number, field.name, field.type, field.label) for field in message.field}
    compared = 0
    for message in mine.message_type:
        if message.name in known:
            compared += 1
            unlike = {(message.name, name) for _, name, *_ in fields(message) - fields(known[message.name])}
            assert unlike <= allowed, unlike
    assert compared >= 15, compared


# Inputs: a few rows of each kind, the same each time.
random = np.random.default_rng(7)


def wine(rows=3):
    return {"features": (random.random((rows, 13)) * 10).astype(np.float32)}


def penguins(rows=2):
    return {
        "island": np.array([["Dream"], ["Biscoe"]] * rows, dtype=np.object_)[:rows],
        "sex": np.array([["female"], ["male"]] * rows, dtype=np.object_)[:rows],
        "year": np.full((rows, 1), 2008, np.int64),
        "bill_length_mm": (35 + random.random((rows, 1)) * 20).astype(np.float32),
        "bill_depth_mm": (13 + random.random((rows, 1)) * 8).astype(np.float32),
        "flipper_length_mm": (180 + random.random((rows, 1)) * 40).astype(np.float32),
        "body_mass_g": (3000 + random.random((rows, 1)) * 2500).astype(np.float32),
    }


def two(rows=2):
    return {
        "a": random.random((rows, 2)).astype(np.float32),
        "b": random.random((rows, 2)).astype(np.float32),
        "n": np.arange(rows, dtype=np.int32).reshape(rows, 1),
    }


def images(rows=2):
    return {"image": random.integers(0, 17, (rows, 8, 8, 1)).astype(np.uint8)}


# The edges of every datatype that numpy has.
EVERY = {
    "BOOL": np.array([[True, False]]),
    "UINT8": np.array([[0, 255]], np.uint8),
    "UINT16": np.array([[0, 65535]], np.uint16),
    "UINT32": np.array([[0, 2**32 - 1]], np.uint32),
    "UINT64": np.array([[2**53 + 1, 2**64 - 1]], np.uint64),
    "INT8": np.array([[-128, 127]], np.int8),
    "INT16": np.array([[-32768, 32767]], np.int16),
    "INT32": np.array([[-(2**31), 2**31 - 1]], np.int32),
    "INT64": np.array([[-(2**63), 2**53 + 1]], np.int64),
    "FP16": np.array([[-0.5, 65504]], np.float16),
    "FP32": np.array([[-1.5e-40, 3.4e38]], np.float32),
    "FP64": np.array([[-5e-324, 1.7e308]], np.float64),
    "BYTES": np.array([["", "größe 😀\n\"x\""]], np.object_),
}


def every():
    return {f"in_{name}": value for name, value in EVERY.items()}


INPUTS = {"wine": wine, "penguins": penguins, "two": two, "digit-images": images}
