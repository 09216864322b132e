# SPDX-License-Identifier: Apache-2.0
"""Manygate as estimators of scikit-learn: pipelines, grid search, cross-validation, clone and pickle work as usual.

>>> import numpy
>>> from manygate.sklearn import ManygateClassifier
>>> random = numpy.random.RandomState(0)
>>> features = random.normal(size=(400, 3))
>>> labels = (features[:, :2] + 0.1 * random.normal(size=(400, 2)) > 0).astype(int)  # two tasks
>>> classifier = ManygateClassifier(random_state=1).fit(features, labels)
>>> [probabilities.shape for probabilities in classifier.predict_proba(features)]
[(400, 2), (400, 2)]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score

from manygate._estimator import Estimator
from manygate._labels import Task, class_tasks, mean_score, number_tasks, side_by_side

__all__ = ["ManygateClassifier", "ManygateRegressor"]

_KINDS = ("regression", "count", "amount")


class ManygateClassifier(ClassifierMixin, Estimator):  # type: ignore[misc, unused-ignore]
    """A multi-task model of classes.

    Columns become features as `manygate train --data` makes them: numbers standardised and in pieces, texts and
    categories as embeddings. Unlike there every column of numbers is a feature unless it is constant; texts that differ
    in every row and dates are left out. With few rows (where validation_fraction would hold out fewer than 100) all rows
    train and all epochs run; else the held-out rows choose the best weights and end training early.

    Args:
        model: Name of the model: "mmoe", "ple", "dbmtl", "esmm", "shared_bottom", ... (`manygate train --help`).
        num_epochs: Passes over the rows at most; default: by their number.
        learning_rate: Of AdamW at its highest; default: 0.004.
        batch_size: Rows of a step; default: by the number of rows.
        validation_fraction: Share of the rows that is held out to choose the best weights, without eval_set.
        set: Other fields of the configuration by path, {"model_config.mmoe.num_expert": 8}, as --set of the program.
        random_state: Seed, RandomState or None, as everywhere in scikit-learn; with a seed all results repeat exactly.
        n_jobs: Threads; None or -1: all cores (fewer in joblib's workers). Results are the same for any number.
        verbose: 0 silent, 1 progress and notes.

    Attributes:
        model_: The manygate.Model, to be saved, evaluated, exported; None if y has one value only.
        classes_: [k] array, or of several tasks a list of them.
        n_outputs_, n_features_in_, feature_names_in_: What y and X had.
        n_iter_: Epochs that were run.

    Example:
        >>> import numpy
        >>> from manygate.sklearn import ManygateClassifier
        >>> X = numpy.random.RandomState(0).normal(size=(300, 2))
        >>> y = numpy.where(X[:, 0] > 0, "right", "left")
        >>> classifier = ManygateClassifier(random_state=1).fit(X, y)
        >>> classifier.classes_.tolist(), classifier.predict_proba(X).shape, classifier.score(X, y) > 0.9
        (['left', 'right'], (300, 2), True)
    """

    def __init__(
        self,
        model: str = "mmoe",
        *,
        num_epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        validation_fraction: float = 0.1,
        set: Mapping[str, object] | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.num_epochs = num_epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.set = set
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def predict_proba(self, X: Any) -> NDArray[numpy.float64] | list[NDArray[numpy.float64]]:
        """Probabilities of the classes, in the order of classes_.

        Args:
            X: [n, features], as in fit.

        Returns:
            [n, k] float64; of several tasks a list of one such array per task.

        Raises:
            sklearn.exceptions.NotFittedError: Before fit.
            ValueError: Other columns than in fit.

        Example:
            >>> from manygate.sklearn import ManygateClassifier
            >>> X = [[number] for number in range(100)]
            >>> classifier = ManygateClassifier(random_state=1).fit(X, [number > 50 for number in range(100)])
            >>> classifier.predict_proba(X[:3]).shape
            (3, 2)
        """
        all_classes = self._probabilities(X)
        return all_classes if self.n_outputs_ > 1 else all_classes[0]

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each row.

        Args:
            X: [n, features], as in fit.

        Returns:
            [n], or of several tasks [n, tasks], of the type of classes_.

        Raises:
            sklearn.exceptions.NotFittedError: Before fit.
            ValueError: Other columns than in fit.

        Example:
            >>> from manygate.sklearn import ManygateClassifier
            >>> X = [[number] for number in range(100)]
            >>> classifier = ManygateClassifier(random_state=1).fit(X, [number > 50 for number in range(100)])
            >>> classifier.predict([[0], [99]]).tolist()
            [False, True]
        """
        found = self._probabilities(X)
        return side_by_side([kept[p.argmax(axis=1)] for kept, p in zip(self._all_classes(), found)])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of the rows whose class is predicted; of several tasks, the mean over tasks, each of its labelled rows.

        Args:
            X: [n, features], as in fit.
            y: [n] or [n, tasks], as in fit.
            sample_weight: [n] numbers >= 0.

        Returns:
            The accuracy, 0 to 1.

        Raises:
            sklearn.exceptions.NotFittedError: Before fit.
            ValueError: Other columns than in fit.

        Example:
            >>> from manygate.sklearn import ManygateClassifier
            >>> X, y = [[number] for number in range(100)], [number > 50 for number in range(100)]
            >>> ManygateClassifier(random_state=1).fit(X, y).score(X, y) > 0.9
            True
        """
        return mean_score(accuracy_score, y, self.predict(X), sample_weight)

    def _probabilities(self, X: Any) -> list[NDArray[numpy.float64]]:
        scores = self._scores(X)
        for i, kept in enumerate(self._all_classes()):
            if len(kept) == 1:
                scores[i] = numpy.ones((len(scores[i]), 1))
            elif len(kept) == 2:
                scores[i] = numpy.column_stack([1 - scores[i], scores[i]])
        return scores

    def _all_classes(self) -> list[NDArray[Any]]:
        classes: Any = self.classes_
        return list(classes) if self.n_outputs_ > 1 else [classes]

    def _tasks(self, y: Any, like: list[Task] | None = None) -> list[Task]:
        return class_tasks(y, like)

    def _keep(self, tasks: list[Task]) -> None:
        self.classes_ = [task.classes for task in tasks] if len(tasks) > 1 else tasks[0].classes

    def _kind(self, task: int) -> str:
        return "binary" if len(self._all_classes()[task]) == 2 else "multiclass"


class ManygateRegressor(RegressorMixin, Estimator):  # type: ignore[misc, unused-ignore]
    """A multi-task model of numbers.

    Parameters, attributes and what becomes of columns and few rows: as of ManygateClassifier.

    Args:
        kind: What the numbers are, of all tasks or a list with one per task: "regression", "count" (>= 0, Poisson), or
            "amount" (>= 0, mostly 0: zero-inflated log-normal).

    Attributes:
        model_: The manygate.Model, to be saved, evaluated, exported; None if y has one value only.

    Example:
        >>> import numpy
        >>> from manygate.sklearn import ManygateRegressor
        >>> X = numpy.random.RandomState(0).normal(size=(300, 2))
        >>> regressor = ManygateRegressor(random_state=1).fit(X, 3 * X[:, 0] + X[:, 1])
        >>> regressor.predict(X).shape, regressor.score(X, 3 * X[:, 0] + X[:, 1]) > 0.9
        ((300,), True)
    """

    def __init__(
        self,
        model: str = "mmoe",
        *,
        kind: str | Sequence[str] = "regression",
        num_epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        validation_fraction: float = 0.1,
        set: Mapping[str, object] | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.kind = kind
        self.num_epochs = num_epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.set = set
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def predict(self, X: Any) -> NDArray[numpy.float64]:
        """The expected number of each row.

        Args:
            X: [n, features], as in fit.

        Returns:
            [n], or of several tasks [n, tasks], float64.

        Raises:
            sklearn.exceptions.NotFittedError: Before fit.
            ValueError: Other columns than in fit.

        Example:
            >>> from manygate.sklearn import ManygateRegressor
            >>> X, y = [[number] for number in range(100)], [[2.0 * number, -number] for number in range(100)]
            >>> ManygateRegressor(random_state=1).fit(X, y).predict(X[:5]).shape
            (5, 2)
        """
        return side_by_side(self._scores(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination R²; of several tasks, the mean over tasks, each of its labelled rows.

        Args:
            X: [n, features], as in fit.
            y: [n] or [n, tasks], as in fit.
            sample_weight: [n] numbers >= 0.

        Returns:
            R², at most 1.

        Raises:
            sklearn.exceptions.NotFittedError: Before fit.
            ValueError: Other columns than in fit.

        Example:
            >>> from manygate.sklearn import ManygateRegressor
            >>> X, y = [[number] for number in range(100)], [2.0 * number for number in range(100)]
            >>> ManygateRegressor(random_state=1).fit(X, y).score(X, y) > 0.9
            True
        """
        return mean_score(r2_score, y, self.predict(X), sample_weight)

    def _tasks(self, y: Any, like: list[Task] | None = None) -> list[Task]:
        return number_tasks(y)

    def _kind(self, task: int) -> str:
        kinds = [self.kind] * self.n_outputs_ if isinstance(self.kind, str) else list(self.kind)
        if len(kinds) != self.n_outputs_ or any(kind not in _KINDS for kind in kinds):
            raise ValueError(f"kind is {self.kind!r}, expected one of {', '.join(_KINDS)}, or a list of one per task")
        return kinds[task]
