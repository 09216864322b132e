# SPDX-License-Identifier: Apache-2.0
"""What the estimators of manygate.sklearn have in common: columns of X, training, scores by task."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Mapping, Sequence
from typing import Any

import joblib
import numpy
import sklearn.utils.validation as validation
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing, check_random_state

import manygate
from manygate import _data
from manygate._labels import FINITE, Task, frame_columns, is_frame

# Fewer rows than this cannot choose weights; the run then has no validation rows and ends after its last epoch.
_FEWEST_HELD_OUT = 100
_NEVER = 10**6  # without rows to evaluate only the last epoch is of use, and a checkpoint takes longer than an epoch
_EARLY_STOPPING = re.compile(r"(?m)^ *early_stopping \{.*\}\n")  # needs rows to evaluate
_WARMUP_SHARE_OF_RATE = 0.04  # as the configuration that Manygate makes has it


class Estimator(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """What both estimators are: parameters, columns of X, training, scores by task."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None) -> Any:
        """Trains a model; a model that was there before is replaced.

        Args:
            X: [n, features] matrix of numbers, NaN where missing, or a table of pandas, polars or pyarrow, whose texts
                and categories are features too.
            y: [n] or [n, tasks] array, Series or table. Of several tasks, NaN or None is a missing label.
            sample_weight: [n] numbers >= 0: how much a row counts in losses and metrics. Rows of weight 0 are left out.
            eval_set: (X, y) of the rows that choose the best weights and end training early; default: as
                validation_fraction says.

        Returns:
            The estimator.

        Raises:
            ValueError: X, y, a parameter or a setting is wrong; manygate.InvalidInput is one.
            manygate.Failed: The run failed.

        Example:
            >>> from manygate.sklearn import ManygateRegressor
            >>> X = [[number, number % 7] for number in range(200)]
            >>> regressor = ManygateRegressor(random_state=1).fit(X, [3.0 * row[1] for row in X])
            >>> regressor.n_features_in_
            2
        """
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None")
        X = self._features(X, reset=True)
        validation.check_consistent_length(X, y)
        weight = _weights(sample_weight, X)
        if weight is not None and not (weight > 0).all():
            counts = numpy.flatnonzero(weight > 0)
            X, y, weight = _safe_indexing(X, counts), _safe_indexing(y, counts), weight[counts]
        tasks = self._tasks(y)
        self.n_outputs_ = len(tasks)
        self._keep(tasks)
        self._task_names = _free_names([task.name for task in tasks], self._names)
        self._constants = [task.constant() for task in tasks]
        self.model_, self.n_iter_ = self._train(X, tasks, weight, eval_set)
        return self

    def _train(self, X: Any, tasks: list[Task], weight: Any, eval_set: Any) -> tuple[manygate.Model | None, int]:
        learnt = [task for task, constant in zip(tasks, self._constants) if constant is None]
        if not learnt:
            return None, 0
        columns = {**self._columns(X), **self._labels(tasks)}
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        settings = self._settings()
        if weight is not None and (weight != weight[0]).any():
            # Under such a name Manygate takes it for a weight, not for a feature.
            name = _free_names(["sample_weight"], columns)[0]
            columns[name] = weight
            settings["data_config.sample_weight_fields"] = name
        evaluated = None if eval_set is None else self._evaluation_rows(eval_set, columns, tasks)
        example = _free_names(["example"], columns)[0]
        columns[example] = numpy.linspace(1, 2, len(tasks[0].values))
        rows = _data.Rows(columns)
        labels = [f"{name}:{self._kind(i)}" for i, name in enumerate(self._task_names) if self._constants[i] is None]
        configuration = manygate.init(rows.paths[0], labels, model=self.model)
        numbers = [name for name in self._names if _is_varying_number(columns[name])]
        configuration = _with_all_numbers(configuration, example, numbers)
        if "\nfeature_configs " not in configuration:
            raise ValueError("X has no column to learn from: numbers must vary, texts must occur in several rows")
        fraction = self.validation_fraction
        if evaluated is not None:
            settings.update({"data_config.split": "{}", "eval_input_path": evaluated.paths[0]})
        elif fraction * len(tasks[0].values) >= _FEWEST_HELD_OUT:
            settings["data_config.split"] = f"{{ validation_fraction: {fraction!r} seed: {seed} }}"
        else:
            settings["data_config.split"] = "{ validation_fraction: 0 }"
            settings["train_config.save_checkpoints_epochs"] = _NEVER
            configuration = _EARLY_STOPPING.sub("", configuration)
        model = manygate.train(
            rows.paths[0],
            config=configuration,
            set={**settings, **(self.set or {})},
            seed=seed,
            threads=_threads(self.n_jobs),
            progress=None if self.verbose else False,
        )
        return model, int(model.history()[-1]["epoch"])

    def _settings(self) -> dict[str, object]:
        """Parameters as fields of the configuration that Manygate makes."""
        settings: dict[str, object] = {"train_config.use_tensorboard": False}
        optimizer = "train_config.dense_optimizer"
        if self.num_epochs is not None:
            settings["train_config.num_epochs"] = self.num_epochs
            settings[f"{optimizer}.cosine_annealing_learning_rate.epochs"] = self.num_epochs
        if self.learning_rate is not None:
            warmup = f"{optimizer}.cosine_annealing_learning_rate.warmup_learning_rate"
            settings[f"{optimizer}.adamw_optimizer.lr"] = self.learning_rate
            settings[warmup] = _WARMUP_SHARE_OF_RATE * self.learning_rate
        if self.batch_size is not None:
            settings["data_config.batch_size"] = self.batch_size
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(f"validation_fraction is {self.validation_fraction!r}, expected a number in [0, 1)")
        return settings

    def _evaluation_rows(self, eval_set: Any, columns: Mapping[str, Any], tasks: list[Task]) -> _data.Rows:
        if not isinstance(eval_set, (tuple, list)) or len(eval_set) != 2:
            raise ValueError(f"eval_set is {type(eval_set).__name__}, expected (X, y)")
        X = self._features(eval_set[0], reset=False)
        other = self._tasks(eval_set[1], tasks)
        validation.check_consistent_length(X, other[0].values)
        if len(other) != len(tasks):
            raise ValueError(f"y of eval_set has {len(other)} columns, y has {len(tasks)}")
        evaluated = {**self._columns(X), **self._labels(other)}
        for name in columns:
            evaluated.setdefault(name, numpy.ones(len(other[0].values)))  # sample_weight
        return _data.Rows(evaluated)

    def _labels(self, tasks: list[Task]) -> dict[str, NDArray[Any]]:
        return {
            name: task.values
            for name, task, constant in zip(self._task_names, tasks, self._constants)
            if constant is None
        }

    def _features(self, X: Any, reset: bool) -> Any:
        """X checked: a matrix, or the table as it is."""
        frame = is_frame(X)
        check = {} if frame else {"dtype": "numeric", FINITE: "allow-nan"}
        X = _validate(self, X, reset=reset, skip=frame, **check)
        if frame and validation._num_samples(X) == 0:
            raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
        return X

    @property
    def _names(self) -> list[str]:
        """Of the columns of X, in order."""
        names = getattr(self, "feature_names_in_", None)
        return [f"x{i}" for i in range(self.n_features_in_)] if names is None else [str(name) for name in names]

    def _columns(self, X: Any) -> dict[str, Any]:
        names = self._names
        if len(set(names)) < len(names):
            raise ValueError(f"X has several columns of one name: {names}")
        return dict(zip(names, frame_columns(X) if is_frame(X) else [X[:, i] for i in range(X.shape[1])]))

    def _scores(self, X: Any) -> list[NDArray[numpy.float64]]:
        """By task: [n] probability of the second class, [n, k] of all classes, or [n] numbers."""
        validation.check_is_fitted(self)
        X = self._features(X, reset=False)
        scores: list[Any] = [None] * self.n_outputs_
        if self.model_ is not None:
            tower = {output: i for i, name in enumerate(self._task_names) for output in (f"probs_{name}", f"y_{name}")}
            wanted = {output.name: tower[output.name] for output in self.model_.outputs if output.name in tower}
            found = self.model_.predict(self._columns(X), list(wanted), threads=_threads(self.n_jobs))
            for name, i in wanted.items():
                scores[i] = found[name].astype(numpy.float64)
        for i, constant in enumerate(self._constants):
            if constant is not None:
                scores[i] = numpy.full(validation._num_samples(X), constant)
        return scores

    def _kind(self, task: int) -> str:
        raise NotImplementedError

    def _tasks(self, y: Any, like: list[Task] | None = None) -> list[Task]:
        raise NotImplementedError

    def _keep(self, tasks: list[Task]) -> None:
        """What of them is an attribute of the fitted estimator."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = True
        return tags

    def _more_tags(self) -> dict[str, object]:  # scikit-learn < 1.6
        return {"allow_nan": True, "multioutput": True, "requires_y": True}


def _validate(estimator: Any, X: Any, reset: bool, skip: bool, **check: Any) -> Any:
    """Notes (reset) or compares names and number of features, and checks a matrix."""
    if hasattr(validation, "validate_data"):
        return validation.validate_data(estimator, X, reset=reset, skip_check_array=skip, **check)
    if not skip:  # scikit-learn < 1.6
        return estimator._validate_data(X, reset=reset, **check)
    estimator._check_feature_names(X, reset=reset)
    estimator._check_n_features(X, reset=reset)
    return X


def _free_names(names: Sequence[str], taken: Container[str]) -> list[str]:
    """Names that neither a column nor each other have."""
    free: list[str] = []
    for name in names:
        while name in taken or name in free:
            name += "_"
        free.append(name)
    return free


def _weights(sample_weight: Any, X: Any) -> Any:
    if sample_weight is None:
        return None
    weight = validation._check_sample_weight(sample_weight, X, dtype=numpy.float64)
    if (weight < 0).any() or not (weight > 0).any():
        raise ValueError("sample_weight must not be negative, and not zero in all rows")
    return weight


def _is_varying_number(column: Any) -> bool:
    values = numpy.asarray(column)
    if values.dtype.kind not in "biuf":
        return False
    present = values[~numpy.isnan(values)] if values.dtype.kind == "f" else values
    return len(present) > 0 and bool((present != present[0]).any())


def _with_all_numbers(configuration: str, example: str, names: Sequence[str]) -> str:
    """Whoever gives X has chosen its columns: those that look like row numbers or like what only follows from y are
    features too, made like the column `example`, which is none itself."""
    lines = configuration.splitlines(keepends=True)
    own = [i for i, line in enumerate(lines) if f'expression: "{example}"' in line]
    about = f"# {example}: "
    added = []
    for name in names:
        # In a name of other characters the text has escapes; what was chosen for it stays.
        if re.fullmatch(r"[\w .-]+", name, re.ASCII) and f'expression: "{name}"' not in configuration:
            added += [lines[i].replace(f'"{example}', f'"{name}') for i in own]
    others = [line for i, line in enumerate(lines) if i not in own and not line.startswith(about)]
    place = next(i for i, line in enumerate(others) if line.startswith("model_config"))
    return "".join([*others[:place], *added, *others[place:]])


def _threads(n_jobs: int | None) -> int | None:
    """None: all cores. joblib's workers are told by OMP_NUM_THREADS how many of them are theirs."""
    if n_jobs is not None:
        return int(joblib.effective_n_jobs(n_jobs))
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) > 0 else None
