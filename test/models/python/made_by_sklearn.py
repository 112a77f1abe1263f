"""scikit-learn's models as skl2onnx writes them, most with its own defaults: ZipMap after every classifier."""

import numpy as np
import skl2onnx
import sklearn
from skl2onnx import to_onnx
from skl2onnx.common.data_types import (
    DictionaryType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    SequenceType,
    StringTensorType,
)
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_wine
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import corpus

MADE_BY = f"scikit-learn {sklearn.__version__}, skl2onnx {skl2onnx.__version__}"
OPSET = 19

iris, iris_y = load_iris(return_X_y=True)
iris = iris.astype(np.float32)
iris_names = np.array(["setosa", "versicolor", "virginica ♀"])[iris_y]
wine, wine_y = load_wine(return_X_y=True)
wine = wine.astype(np.float32)
digits, digits_y = load_digits(return_X_y=True)
digits = digits.astype(np.float32)
diabetes, diabetes_y = load_diabetes(return_X_y=True)
diabetes = diabetes.astype(np.float32)

texts = np.array(
    [
        "the parcel came late and broken",
        "fast delivery, all is well",
        "Grüße, alles bestens – danke",
        "never again, broken twice",
        "well made and fast",
        "late late late",
        "",
        "日本語 と emoji 🙂",
    ]
    * 4
)
moods = np.array(["bad", "good", "good", "bad", "good", "bad", "good", "good"] * 4)


def emit(name, model, x, options=None, kind=FloatTensorType, **more):
    """Converts a fitted model with one input `x` and writes it with eight rows spread over the data."""
    width = x.shape[1] if x.ndim > 1 else 1
    onx = to_onnx(
        model, initial_types=[("x", kind([None, width]))], options=options, target_opset={"": OPSET, "ai.onnx.ml": 3}
    )
    rows = x[:: max(1, len(x) // 8)][:8]
    corpus.rows_of(name, MADE_BY, onx, {"x": rows.reshape(len(rows), width)}, **more)


def no_zipmap(model):
    return {id(model): {"zipmap": False}}


def classifiers():
    emit("sklearn-logistic-zipmap", LogisticRegression(max_iter=500).fit(iris, iris_y), iris)
    emit("sklearn-logistic-names-zipmap", LogisticRegression(max_iter=500).fit(iris, iris_names), iris)
    model = LogisticRegression(max_iter=500).fit(iris, iris_names)
    emit("sklearn-logistic-names", model, iris, no_zipmap(model))
    model = LogisticRegression(max_iter=500).fit(iris, iris_y)
    emit("sklearn-logistic-columns", model, iris, {id(model): {"zipmap": "columns"}})
    emit("sklearn-forest-zipmap", RandomForestClassifier(30, random_state=0).fit(wine, wine_y), wine)
    model = RandomForestClassifier(30, random_state=0).fit(digits, digits_y)
    emit("sklearn-forest-digits", model, digits, no_zipmap(model))
    model = ExtraTreesClassifier(10, random_state=0).fit(wine.astype(np.float64), wine_y)
    emit("sklearn-extra-trees-doubles", model, wine.astype(np.float64), no_zipmap(model), DoubleTensorType)
    emit("sklearn-tree-zipmap", DecisionTreeClassifier(random_state=0).fit(iris, iris_y), iris)
    model = GradientBoostingClassifier(n_estimators=10, random_state=0).fit(iris, iris_y)
    emit("sklearn-gradient-boosting", model, iris, no_zipmap(model))
    model = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(iris, iris_y)
    emit("sklearn-hist-gradient-boosting-zipmap", model, iris)
    emit("sklearn-adaboost-zipmap", AdaBoostClassifier(n_estimators=5, random_state=0).fit(iris, iris_y), iris)
    emit("sklearn-svc-zipmap", SVC(probability=True, random_state=0).fit(iris, iris_y), iris)
    emit("sklearn-svc-decision", SVC().fit(iris, iris_y), iris)
    emit("sklearn-linear-svc", LinearSVC(random_state=0).fit(iris, iris_y), iris)
    emit("sklearn-mlp-zipmap", MLPClassifier((32,), max_iter=60, random_state=0).fit(digits / 16, digits_y), digits / 16)
    model = KNeighborsClassifier(3).fit(iris, iris_y)
    emit("sklearn-neighbours", model, iris, no_zipmap(model))
    emit("sklearn-naive-bayes-zipmap", GaussianNB().fit(iris, iris_y), iris)
    counts = digits.astype(np.int64)
    emit("sklearn-multinomial-integers-zipmap", MultinomialNB().fit(counts, digits_y), counts, kind=Int64TensorType)
    emit("sklearn-calibrated-zipmap", CalibratedClassifierCV(LinearSVC(random_state=0), cv=2).fit(iris, iris_y), iris)
    emit("sklearn-one-vs-rest-zipmap", OneVsRestClassifier(LogisticRegression()).fit(iris, iris_names), iris)
    two = [("a", LogisticRegression(max_iter=500)), ("b", DecisionTreeClassifier(max_depth=3, random_state=0))]
    emit("sklearn-voting-zipmap", VotingClassifier(two, voting="soft", flatten_transform=False).fit(iris, iris_names), iris)
    emit("sklearn-stacking-zipmap", StackingClassifier(two, cv=2).fit(iris, iris_y), iris)
    emit("sklearn-binary-zipmap", LogisticRegression(max_iter=500).fit(iris, iris_y == 0), iris)


def pipelines():
    scaled = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(wine, wine_y)
    emit("sklearn-scaler-logistic-zipmap", scaled, wine)
    rng = np.random.default_rng(0)
    colours = np.array(["red", "green", "blau ä", ""], dtype=object)[rng.integers(0, 4, (64, 1))]
    age = rng.integers(18, 90, (64, 1)).astype(np.float32)
    income = rng.normal(3000, 900, (64, 1)).astype(np.float32)
    import pandas

    frame = pandas.DataFrame({"colour": colours[:, 0], "age": age[:, 0], "income": income[:, 0]})
    bought = (age[:, 0] > 50).astype(np.int64)
    model = make_pipeline(
        ColumnTransformer(
            [("text", OneHotEncoder(handle_unknown="ignore"), ["colour"]), ("numbers", StandardScaler(), ["age", "income"])]
        ),
        LogisticRegression(),
    ).fit(frame, bought)
    types = [
        ("colour", StringTensorType([None, 1])),
        ("age", FloatTensorType([None, 1])),
        ("income", FloatTensorType([None, 1])),
    ]
    onx = to_onnx(model, initial_types=types, target_opset={"": OPSET, "ai.onnx.ml": 3})
    rows = {"colour": colours[:8], "age": age[:8], "income": income[:8]}
    corpus.rows_of("sklearn-columns-of-two-types-zipmap", MADE_BY, onx, rows)
    words = texts.astype(object).reshape(-1, 1)[:8]
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, moods)
    onx = to_onnx(
        model, initial_types=[("text", StringTensorType([None, 1]))], target_opset={"": OPSET, "ai.onnx.ml": 3}
    )
    corpus.rows_of("sklearn-count-words-zipmap", MADE_BY, onx, {"text": words})
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), SGDClassifier(loss="log_loss", random_state=0))
    model.fit(texts, moods)
    onx = to_onnx(
        model,
        initial_types=[("text", StringTensorType([None, 1]))],
        options={id(model.steps[-1][1]): {"zipmap": False}},
        target_opset={"": OPSET, "ai.onnx.ml": 3},
    )
    corpus.rows_of("sklearn-tfidf", MADE_BY, onx, {"text": words})
    emit("sklearn-ordinal-strings", OrdinalEncoder().fit(colours), colours, kind=StringTensorType)
    emit("sklearn-onehot-strings", OneHotEncoder().fit(colours), colours, kind=StringTensorType)
    many = MultiOutputClassifier(LogisticRegression(max_iter=500)).fit(iris, np.c_[iris_y, iris_y > 0])
    onx = to_onnx(many, initial_types=[("x", FloatTensorType([None, 4]))], target_opset={"": OPSET, "ai.onnx.ml": 3})
    corpus.refused("sklearn-multi-output", MADE_BY, onx, "ModelUnsupported", "output 'probabilities' is a sequence")
    vectors = DictVectorizer().fit([{"a": 1.0, "b": 2.0}])
    onx = to_onnx(
        vectors,
        initial_types=[("x", DictionaryType(StringTensorType([1]), FloatTensorType([1])))],
        target_opset={"": OPSET, "ai.onnx.ml": 3},
    )
    corpus.refused("sklearn-dictionaries", MADE_BY, onx, "ModelUnsupported", "input 'x' is a map")


def others():
    emit("sklearn-linear-regression", LinearRegression().fit(diabetes, diabetes_y), diabetes)
    emit("sklearn-forest-regressor", RandomForestRegressor(20, random_state=0).fit(diabetes, diabetes_y), diabetes)
    emit("sklearn-boosted-regressor", GradientBoostingRegressor(n_estimators=20, random_state=0).fit(diabetes, diabetes_y), diabetes)
    emit("sklearn-mlp-regressor", MLPRegressor(hidden_layer_sizes=(16,), max_iter=50, random_state=0).fit(diabetes, diabetes_y), diabetes)
    emit("sklearn-gaussian-process-doubles", GaussianProcessRegressor().fit(diabetes[:50].astype(np.float64), diabetes_y[:50]), diabetes.astype(np.float64), kind=DoubleTensorType)
    emit("sklearn-kmeans", KMeans(3, n_init=1, random_state=0).fit(iris), iris)
    emit("sklearn-pca", PCA(2).fit(iris), iris)
    emit("sklearn-svd", TruncatedSVD(3, random_state=0).fit(digits), digits)
    emit("sklearn-mixture", GaussianMixture(2, random_state=0).fit(iris), iris)
    model = IsolationForest(n_estimators=10, random_state=0).fit(iris)
    onx = to_onnx(model, initial_types=[("x", FloatTensorType([None, 4]))], target_opset={"": OPSET, "ai.onnx.ml": 3})
    corpus.rows_of("sklearn-isolation-forest", MADE_BY, onx, {"x": iris[::19][:8]})





classifiers()
pipelines()
others()
