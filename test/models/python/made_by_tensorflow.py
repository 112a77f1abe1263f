"""Keras models by tf2onnx."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf
import tf2onnx

import corpus

tf.keras.utils.set_random_seed(0)
MADE_BY = f"TensorFlow {tf.__version__}, tf2onnx {tf2onnx.__version__}"
layers = tf.keras.layers
rng = np.random.default_rng(0)


def convert(name, function, *specs):
    signature = tuple(tf.TensorSpec(shape, kind, name=title) for title, shape, kind in specs)
    call = tf.function(function, input_signature=signature)
    model, _ = tf2onnx.convert.from_function(call, input_signature=signature, opset=17)
    return model.SerializeToString()


mlp = tf.keras.Sequential([tf.keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])
onx = convert("mlp", lambda x: {"scores": mlp(x)}, ("x", (None, 8), tf.float32))
corpus.rows_of("tensorflow-mlp", MADE_BY, onx, {"x": rng.normal(size=(8, 8)).astype(np.float32)})

cnn = tf.keras.Sequential(
    [tf.keras.Input((16, 16, 3)), layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPool2D(), layers.Conv2D(16, 3), layers.GlobalAveragePooling2D(), layers.Dense(4)]
)
onx = convert("cnn", lambda image: {"logits": cnn(image)}, ("image", (None, 16, 16, 3), tf.float32))
corpus.rows_of("tensorflow-cnn", MADE_BY, onx, {"image": rng.normal(size=(6, 16, 16, 3)).astype(np.float32)})

text = tf.keras.Sequential([tf.keras.Input((12,), dtype="int32"), layers.Embedding(40, 8), layers.LSTM(8), layers.Dense(1, activation="sigmoid")])
onx = convert("lstm", lambda ids: {"mood": text(ids)}, ("ids", (None, 12), tf.int32))
corpus.rows_of("tensorflow-embedding-lstm", MADE_BY, onx, {"ids": rng.integers(0, 40, (8, 12)).astype(np.int32)})

wide = layers.Dense(2)
wide.build((None, 3))


def two(number, kind):
    table = tf.constant([[0.5, 1.0], [2.0, 3.0], [5.0, 8.0]])
    return {"sum": wide(number) + tf.gather(table, kind), "twice": tf.cast(kind * 2, tf.int32)}


onx = convert("two", two, ("number", (None, 3), tf.float32), ("kind", (None,), tf.int64))
corpus.rows_of("tensorflow-two-inputs", MADE_BY, onx, {"number": rng.normal(size=(8, 3)).astype(np.float32), "kind": rng.integers(0, 3, 8).astype(np.int64)})
