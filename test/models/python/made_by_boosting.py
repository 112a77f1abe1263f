"""LightGBM, XGBoost and CatBoost, by onnxmltools and by CatBoost's own writer."""

import catboost
import lightgbm
import numpy as np
import onnxmltools
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_diabetes, load_iris

import corpus

iris, iris_y = load_iris(return_X_y=True)
iris = iris.astype(np.float32)
names = np.array(["setosa", "versicolor", "virginica"])[iris_y]
diabetes, diabetes_y = load_diabetes(return_X_y=True)
diabetes = diabetes.astype(np.float32)
TOOLS = f"onnxmltools {onnxmltools.__version__}"
LIGHTGBM = f"LightGBM {lightgbm.__version__}, {TOOLS}"
XGBOOST = f"XGBoost {xgboost.__version__}, {TOOLS}"
CATBOOST = f"CatBoost {catboost.__version__}"


def types(x):
    return [("x", FloatTensorType([None, x.shape[1]]))]


def spread(x):
    return {"x": x[:: len(x) // 8][:8]}


def light(name, model, x, **options):
    onx = onnxmltools.convert_lightgbm(model, initial_types=types(x), target_opset=15, **options)
    corpus.rows_of(name, LIGHTGBM, onx, spread(x))


def xg(name, model, x):
    corpus.rows_of(name, XGBOOST, onnxmltools.convert_xgboost(model, initial_types=types(x), target_opset=15), spread(x))


def cat(name, model, x):
    path = corpus.folder(name) + "/model.onnx"
    model.save_model(path, format="onnx")
    corpus.rows_of(name, CATBOOST, None, {"features": x[:: len(x) // 8][:8]})


quiet = {"n_estimators": 12, "random_state": 0, "n_jobs": 1, "verbose": -1}
light("lightgbm-zipmap", lightgbm.LGBMClassifier(**quiet).fit(iris, iris_y), iris)
light("lightgbm-names", lightgbm.LGBMClassifier(**quiet).fit(iris, names), iris, zipmap=False)
light("lightgbm-regressor", lightgbm.LGBMRegressor(**quiet).fit(diabetes, diabetes_y), diabetes)
xg("xgboost-classifier", xgboost.XGBClassifier(n_estimators=12, random_state=0, n_jobs=1).fit(iris, iris_y), iris)
xg("xgboost-binary", xgboost.XGBClassifier(n_estimators=12, random_state=0, n_jobs=1).fit(iris, (iris_y == 1).astype(int)), iris)
xg("xgboost-regressor", xgboost.XGBRegressor(n_estimators=12, random_state=0, n_jobs=1).fit(diabetes, diabetes_y), diabetes)
settings = {"iterations": 12, "depth": 3, "verbose": 0, "allow_writing_files": False, "random_seed": 1, "thread_count": 1}
cat("catboost-zipmap", catboost.CatBoostClassifier(**settings).fit(iris, iris_y), iris)
cat("catboost-binary-zipmap", catboost.CatBoostClassifier(**settings).fit(iris, (iris_y == 1).astype(int)), iris)
cat("catboost-names-zipmap", catboost.CatBoostClassifier(**settings).fit(iris, names), iris)
cat("catboost-regressor", catboost.CatBoostRegressor(**settings).fit(diabetes, diabetes_y), diabetes)
