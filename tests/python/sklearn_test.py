# SPDX-License-Identifier: Apache-2.0
"""The estimators of manygate.sklearn: scikit-learn's own checks, grid search, several tasks, tables, pickle, weights.

PYTHONPATH=build/release/python MANYGATE_DATA=... python3 tests/python/sklearn_test.py
"""

import gzip
import inspect
import math
import os
import pathlib
import pickle
import sys
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, skip, without

missing_modules = without("numpy", "sklearn", "manygate")
if missing_modules:
    skip(f"{missing_modules[0]} cannot be imported")

import numpy
import sklearn
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

import manygate
from manygate.sklearn import ManygateClassifier, ManygateRegressor

STOCHASTIC = "a weight of 2 and a row twice make other batches, as in every stochastic optimizer"
EXPECTED_TO_FAIL = {"check_sample_weight_equivalence_on_dense_data": STOCHASTIC}
FEWEST_CHECKS = 40  # that must have run: a list that shrinks unnoticed checks nothing
CENSUS_ROWS = 20000
WIDEST_AUC_GAP = 0.01


def rows(count=400, seed=0):
    """A matrix with three columns and the first two tasks it decides."""
    random = numpy.random.RandomState(seed)
    X = random.normal(size=(count, 3))
    noise = 0.1 * random.normal(size=count)
    return X, X[:, 0] + noise > 0, X[:, 0] - X[:, 1] + noise


def raises(kind, words, call):
    try:
        call()
    except kind as error:
        if words not in str(error):
            sys.exit(f"FAILED: the message {error} lacks {words!r}")
        return True
    return False


def scikit_learns_checks():
    if "expected_failed_checks" not in inspect.signature(estimator_checks.check_estimator).parameters:
        print(f"left out: scikit-learn {sklearn.__version__} cannot be told which checks fail")
        return
    for estimator in (ManygateClassifier(), ManygateRegressor()):
        name = type(estimator).__name__
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = estimator_checks.check_estimator(
                estimator, expected_failed_checks=EXPECTED_TO_FAIL, on_skip=None, on_fail=None
            )
        by_status = {}
        for result in results:
            by_status.setdefault(result["status"], []).append(result)
        for status in ("skipped", "xfail", "failed"):
            for result in by_status.get(status, []):
                print(f"{name}: {status}: {result['check_name']}: {str(result['exception'])[:300]!r}")
        passed = len(by_status.get("passed", []))
        check("failed" not in by_status, f"{name}: no check of scikit-learn {sklearn.__version__} fails, {passed} pass")
        check(passed >= FEWEST_CHECKS, f"{name}: at least {FEWEST_CHECKS} checks ran")
    check(
        is_classifier(ManygateClassifier()) and is_regressor(ManygateRegressor()), "the estimators are of their kinds"
    )


def grid_search():
    X, y, _ = rows()
    pipeline = Pipeline([("scale", StandardScaler()), ("manygate", ManygateClassifier(random_state=1, num_epochs=5))])
    grid = {"manygate__learning_rate": [1e-6, 0.01], "manygate__set": [None, {"model_config.mmoe.num_expert": 2}]}
    search = GridSearchCV(pipeline, grid, cv=2, scoring="roc_auc", n_jobs=2, error_score="raise").fit(X, y)
    check(search.best_params_["manygate__learning_rate"] == 0.01, "grid search finds the learning rate that learns")
    check(search.best_score_ > 0.95, f"grid search in a pipeline: AUC {search.best_score_:.4f} of the best")
    scores = cross_val_score(ManygateRegressor(random_state=1), X, X[:, 0] * 5, cv=3)
    check(min(scores) > 0.9, f"cross_val_score: R² {scores.round(3).tolist()}")


def several_tasks():
    X, first, number = rows()
    second = numpy.where(number > 0.5, 2, numpy.where(number < -0.5, 0, 1))
    y = numpy.column_stack([first.astype(int), second])
    classifier = ManygateClassifier(random_state=1).fit(X, y)
    found = classifier.predict_proba(X)
    check([part.shape for part in found] == [(400, 2), (400, 3)], "predict_proba is a list of one array per task")
    check(all(numpy.allclose(part.sum(axis=1), 1) for part in found), "probabilities sum to 1")
    check(
        [kept.tolist() for kept in classifier.classes_] == [[0, 1], [0, 1, 2]],
        "classes_ is a list of one array per task",
    )
    check(classifier.n_outputs_ == 2 and classifier.predict(X).shape == (400, 2), "predict is [n, tasks]")
    check(classifier.predict(X).dtype.kind == "i", "predictions are of the type of the labels")
    check(classifier.score(X, y) > 0.85, f"mean accuracy of two tasks {classifier.score(X, y):.3f}")
    regressor = ManygateRegressor(random_state=1).fit(X, numpy.column_stack([number, -3 * number]))
    check(regressor.predict(X).shape == (400, 2), "the regressor predicts [n, tasks]")
    check(regressor.score(X, numpy.column_stack([number, -3 * number])) > 0.9, "mean R² of two tasks")
    counts = numpy.floor(numpy.exp(number)).astype(int)
    counted = ManygateRegressor(random_state=1, kind=["count", "regression"]).fit(
        X, numpy.column_stack([counts, number])
    )
    check((counted.predict(X)[:, 0] >= 0).all(), "a count is never negative")
    check(
        raises(
            ValueError,
            "expected one of regression, count, amount",
            lambda: ManygateRegressor(kind="sum").fit(X, number),
        ),
        "an unknown kind is refused",
    )


def missing_labels():
    X, first, number = rows()
    y = numpy.column_stack([first.astype(float), number > 0])
    y[::3, 0], y[1::3, 1] = numpy.nan, numpy.nan
    classifier = ManygateClassifier(random_state=1).fit(X, y)
    check([kept.tolist() for kept in classifier.classes_] == [[0.0, 1.0]] * 2, "a missing label is no class")
    check(classifier.score(X, y) > 0.9, f"labels may be missing in one task: accuracy {classifier.score(X, y):.3f}")
    texts = numpy.array([["yes" if a else "no", None if i % 3 else "x"] for i, a in enumerate(first)], dtype=object)
    texts[5, 1] = "y"
    mixed = ManygateClassifier(random_state=1).fit(X, texts)
    check([kept.tolist() for kept in mixed.classes_] == [["no", "yes"], ["x", "y"]], "None is a missing label")
    one = y[:, 0]
    check(raises(ValueError, "NaN", lambda: ManygateClassifier().fit(X, one)), "a single task has all labels")
    y[:, 1] = numpy.where(numpy.isnan(y[:, 1]), numpy.nan, 1)
    constant = ManygateClassifier(random_state=1).fit(X, y)
    check(constant.predict_proba(X)[1].shape == (400, 1), "a task of one class is certain of it")
    check((constant.predict(X)[:, 1] == 1).all() and constant.score(X, y) > 0.9, "beside a task that learns")
    y[:, 1] = numpy.nan
    check(
        raises(ValueError, '"y1" has no value', lambda: ManygateClassifier().fit(X, y)),
        "a task without labels is refused",
    )


def classes_weights_and_rows_that_choose():
    X, first, number = rows()
    names = numpy.where(first, "right", "left")
    classifier = ManygateClassifier(random_state=1).fit(X, names)
    check(classifier.classes_.tolist() == ["left", "right"], "classes may be texts")
    check((classifier.predict(X) == names).mean() > 0.9, "and are predicted as texts")
    check(classifier.predict_proba(X)[names == "right", 1].mean() > 0.8, "the columns are in the order of classes_")
    again = ManygateClassifier(random_state=1).fit(X, names)
    other = ManygateClassifier(random_state=2).fit(X, names)
    check((again.predict_proba(X) == classifier.predict_proba(X)).all(), "the same random_state gives the same bits")
    check((other.predict_proba(X) != classifier.predict_proba(X)).any(), "another one gives others")
    threads = [ManygateClassifier(random_state=1, n_jobs=jobs).fit(X, names).predict_proba(X) for jobs in (1, 2)]
    check((threads[0] == threads[1]).all(), "n_jobs does not change a bit")

    contradicting = numpy.concatenate([names, names[::-1]])
    twice = numpy.concatenate([X, X[::-1]])
    twice[400:] = X
    weight = numpy.concatenate([numpy.ones(400), numpy.full(400, 0.01)])
    weighted = ManygateClassifier(random_state=1).fit(twice, contradicting, sample_weight=weight)
    check((weighted.predict(X) == names).mean() > 0.9, "rows of little weight are little heard")
    dropped = ManygateClassifier(random_state=1).fit(twice, contradicting, sample_weight=(weight == 1).astype(float))
    check((dropped.predict_proba(X) == classifier.predict_proba(X)).all(), "rows of weight 0 are as if left out")
    held = ManygateClassifier(random_state=1, num_epochs=30).fit(X, names, eval_set=(X[:200], names[:200]))
    history = held.model_.history()
    check(history[0]["rows"] == 200 and held.n_iter_ == history[-1]["epoch"], "the rows of eval_set validate")
    check(
        raises(ValueError, "the class 'up', which was not there", lambda: held.fit(X, names, eval_set=(X[:1], ["up"]))),
        "a class that only eval_set has is refused",
    )
    many, label, _ = rows(1500)
    by_share = ManygateClassifier(random_state=1).fit(many, label)
    check(by_share.model_.history()[0]["rows"] == 150, "validation_fraction of many rows validates")
    none = ManygateClassifier(random_state=1, validation_fraction=0, num_epochs=3).fit(many, label)
    check(none.n_iter_ == 3 and none.model_.history()[-1]["rows"] == 0, "validation_fraction 0: all rows train")
    check(
        raises(
            ValueError, "validation_fraction is 1.5", lambda: ManygateClassifier(validation_fraction=1.5).fit(X, names)
        ),
        "a wrong validation_fraction is refused",
    )
    check(
        raises(ValueError, 'Did you mean "mmoe"', lambda: ManygateClassifier("mmoee").fit(X, names)),
        "an unknown model is refused, with the nearest",
    )
    check(
        raises(ValueError, "num_epoch", lambda: ManygateClassifier(set={"train_config.num_epoch": 1}).fit(X, names)),
        "an unknown setting is refused",
    )


def tables():
    frames = {}
    X, first, number = rows()
    color = numpy.array(["red", "green", "blue", None], dtype=object)[numpy.arange(400) % 4]
    label = numpy.array([c == "red" for c in color]) | (number > 1)
    columns = {"size": number, "color": color, "noise": X[:, 2]}
    for name in ("pandas", "polars", "pyarrow"):
        if without(name):
            print(f"left out: {name} is not installed")
            continue
        module = __import__(name)
        frames[name] = module.table(columns) if name == "pyarrow" else module.DataFrame(columns)
    scores = {}
    for name, frame in frames.items():
        y = {"pandas": lambda: label, "polars": lambda: label.tolist(), "pyarrow": lambda: label}[name]()
        classifier = ManygateClassifier(random_state=1).fit(frame, y)
        check(classifier.feature_names_in_.tolist() == ["size", "color", "noise"], f"{name}: feature_names_in_")
        scores[name] = classifier.predict_proba(frame)
        check(classifier.score(frame, y) > 0.9, f"{name}: texts and numbers are features")
    check(
        len({values.tobytes() for values in scores.values()}) <= 1,
        "the same table gives the same scores, whosever it is",
    )
    if "pandas" not in frames:
        return
    import pandas

    frame = frames["pandas"].copy()
    frame["color"] = frame["color"].astype("category")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier = ManygateClassifier(random_state=1).fit(frame, pandas.Series(label, name="y"))
    check((classifier.predict_proba(frame) == scores["pandas"]).all(), "a column of categories is one of texts")
    named = ManygateClassifier(num_epochs=1).fit(frame, pandas.Series(label, name="bought"))
    check(named.model_.outputs[0].name == "probs_bought", "a task is called as its Series")
    check(
        raises(ValueError, "feature names", lambda: classifier.predict(frame.rename(columns={"color": "colour"}))),
        "a column by another name is refused",
    )
    check(
        raises(ValueError, "order", lambda: classifier.predict(frame[["color", "size", "noise"]])),
        "so is another order",
    )
    labels = pandas.DataFrame(
        {"color": frame["color"].astype(object).where(lambda c: c.notna(), "none"), "bought": label}
    )
    both = ManygateClassifier(random_state=1).fit(frame, labels)
    check(
        [kept.tolist() for kept in both.classes_] == [["blue", "green", "none", "red"], [False, True]],
        "y may be a table",
    )
    check(both.predict(frame).shape == (400, 2) and both.score(frame, labels) > 0.9, "of several types")
    part = frame.iloc[::2]
    check((classifier.predict_proba(part) == scores["pandas"][::2]).all(), "a part of a table has its rows' scores")


def every_number_is_a_feature():
    """Also those that the program, which nobody told what to use, takes for row numbers or for leaks."""
    counter = numpy.arange(200)[:, None]
    regressor = ManygateRegressor(random_state=1).fit(counter, 3 * counter[:, 0])
    check(regressor.score(counter, 3 * counter[:, 0]) > 0.99, "whole numbers in order are learnt from")
    known = (counter % 4 == 0).astype(float) * 7
    classifier = ManygateClassifier(random_state=1).fit(numpy.column_stack([known, counter]), counter[:, 0] % 4 == 0)
    check([given.name for given in classifier.model_.inputs] == ["x0", "x1"], "a column that tells y is learnt from")
    check(classifier.score(numpy.column_stack([known, counter]), counter[:, 0] % 4 == 0) == 1, "and enough")
    same = numpy.ones((20, 2))
    refused = raises(ValueError, "no column to learn from", lambda: classifier.fit(same, counter[:20, 0] % 2))
    check(refused, "constants are not")
    check(
        (ManygateRegressor(num_epochs=1).fit([[1.5], [2.5]], [1, 2]).predict([[1], [2]]) > 0).all(),
        "two rows are enough",
    )


def copies():
    X, first, number = rows()
    classifier = ManygateClassifier("ple", num_epochs=3, random_state=1, set={"train_config.ema.decay": 0.9}).fit(
        X, first
    )
    twin = clone(classifier)
    check(twin.get_params() == classifier.get_params() and not hasattr(twin, "model_"), "clone copies parameters alone")
    check(repr(twin) == repr(clone(twin)) and "ple" in repr(twin), "repr shows them")
    content = pickle.dumps(classifier)
    restored = pickle.loads(content)
    check((restored.predict_proba(X) == classifier.predict_proba(X)).all(), "a pickle has equal scores")
    check(restored.model_.name == "ple" and b"MANIFEST.json" in content, "it holds the model's own files")
    twin.set_params(num_epochs=1).fit(X, number > 0)
    check(twin.n_iter_ == 1, "num_epochs is what is run")
    direct = classifier.model_.predict({f"x{i}": X[:, i] for i in range(3)})["probs_y"]
    check((classifier.predict_proba(X)[:, 1].astype("float32") == direct).all(), "model_ has the same scores")
    gone = number.copy()
    gone[:] = 4
    constant = ManygateRegressor().fit(X, gone)
    check(constant.model_ is None and (constant.predict(X) == 4).all(), "one value in all rows is predicted")
    check((pickle.loads(pickle.dumps(constant)).predict(X) == 4).all(), "and pickled")


def census():
    """Real rows: as good as gradient boosting, within reason."""
    folder = os.environ.get("MANYGATE_DATA")
    if not folder or without("pandas"):
        print("left out: Census-Income needs MANYGATE_DATA and pandas")
        return
    import pandas

    path = pathlib.Path(folder) / "census-income" / "census-income.test.gz"
    with gzip.open(path, "rt") as file:
        table = pandas.read_csv(file, header=None, skipinitialspace=True, nrows=CENSUS_ROWS)
    label = table.pop(41).str.startswith("50000+").to_numpy().astype(int)
    table.columns = [f"c{i}" for i in table.columns]
    texts = [name for name in table.columns if not pandas.api.types.is_numeric_dtype(table[name])]
    codes = table.copy()
    for name in texts:
        codes[name] = codes[name].astype("category").cat.codes
    half = CENSUS_ROWS // 2
    few = [name in texts and table[name].nunique() < 255 for name in table.columns]
    boosting = HistGradientBoostingClassifier(random_state=1, categorical_features=few)
    theirs = boosting.fit(codes[:half], label[:half]).predict_proba(codes[half:])[:, 1]
    ours = ManygateClassifier(random_state=1).fit(table[:half], label[:half]).predict_proba(table[half:])[:, 1]
    aucs = [roc_auc_score(label[half:], scores) for scores in (ours, theirs)]
    losses = [log_loss(label[half:], scores) for scores in (ours, theirs)]
    print(
        f"Census-Income, {half} rows: AUC {aucs[0]:.4f} (HistGradientBoosting {aucs[1]:.4f}), log loss "
        f"{losses[0]:.4f} ({losses[1]:.4f})"
    )
    check(aucs[0] > aucs[1] - WIDEST_AUC_GAP, f"AUC at most {WIDEST_AUC_GAP} below that of gradient boosting")
    check(math.isfinite(losses[0]) and losses[0] < 1.1 * losses[1], "log loss at most a tenth above")


def main():
    for part in (
        every_number_is_a_feature,
        copies,
        several_tasks,
        missing_labels,
        classes_weights_and_rows_that_choose,
        tables,
        grid_search,
        census,
        scikit_learns_checks,
    ):
        print(f"-- {part.__name__.replace('_', ' ')}", flush=True)
        part()


if __name__ == "__main__":
    main()
