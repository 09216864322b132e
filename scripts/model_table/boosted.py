# SPDX-License-Identifier: Apache-2.0
"""XGBoost on the rows and columns of a data set, one model per label; run as a process of its own:

    python3 -m model_table.boosted census income 1 2 3 --trials 12      # JSON on standard output

Settings: the first of `trials` is fixed, the others are drawn at random; the one with the best AUC on the validation
rows (XAUC for an amount) is fitted once more with each seed. Rounds: early stopping on the validation rows. Whether a
nominal column enters as the number of its value or as a category is one of the settings: neither is better everywhere.
"""
import argparse
import json
import random
import time

import xgboost

from model_table import datasets, scores

MOST_ROUNDS, PATIENCE = 3000, 40
FIRST = {"nominal": "numbers", "max_depth": 6, "learning_rate": 0.1, "min_child_weight": 1, "subsample": 0.85,
         "colsample_bytree": 0.5, "reg_lambda": 1, "max_cat_to_onehot": 64}
CHOICES = {
    "nominal": ["numbers", "numbers", "numbers", "categories"],
    "max_depth": [3, 4, 5, 6, 7, 8, 10],
    "learning_rate": [0.05, 0.07, 0.1, 0.15],
    "min_child_weight": [1, 3, 10, 30],
    "subsample": [0.6, 0.75, 0.85, 1],
    "colsample_bytree": [0.3, 0.5, 0.7, 1],
    "reg_lambda": [0.3, 1, 3, 10],
    "max_cat_to_onehot": [1, 8, 64],
}
AMOUNT_OBJECTIVES = [
    {"objective": "reg:squarederror", "eval_metric": "rmse"},
    {"objective": "reg:tweedie", "tweedie_variance_power": 1.5, "eval_metric": "tweedie-nloglik@1.5"},
]


def draw(generator, amount, number):
    settings = dict(FIRST) if number == 0 else {name: generator.choice(values) for name, values in CHOICES.items()}
    if amount:
        settings.update(AMOUNT_OBJECTIVES[number % 2])
    else:
        settings.update({"objective": "binary:logistic", "eval_metric": "auc"})
    return settings


class Label:
    """One label of a data set, ready to fit."""

    def __init__(self, data, task):
        self.amount = task in datasets.DATASETS[data.name].amounts
        label = data.label(task)
        categories = data.features()
        numbers = categories.copy()
        for column in numbers.select_dtypes("category"):
            numbers[column] = numbers[column].cat.codes.astype(float)
        self.parts = {}
        for nominal, features in (("numbers", numbers), ("categories", categories)):
            for part in ("train", "validation", "test"):
                rows = getattr(data, part)
                self.parts[nominal, part] = xgboost.DMatrix(features.iloc[rows], label[rows], enable_categorical=True,
                                                            nthread=1)

    def fit(self, settings, seed):
        parameters = {**settings, "tree_method": "hist", "nthread": 1, "seed": seed}
        nominal = parameters.pop("nominal")
        if nominal == "numbers":
            parameters.pop("max_cat_to_onehot")
        return xgboost.train(parameters, self.parts[nominal, "train"], MOST_ROUNDS,
                             evals=[(self.parts[nominal, "validation"], "validation")],
                             early_stopping_rounds=PATIENCE, verbose_eval=False)

    def score(self, model, settings, part):
        matrix = self.parts[settings["nominal"], part]
        predictions = model.predict(matrix, iteration_range=(0, model.best_iteration + 1)).astype(float)
        return (scores.amount if self.amount else scores.binary)(matrix.get_label().astype(float), predictions)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=datasets.DATASETS)
    parser.add_argument("task")
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--trials", type=int, default=12)
    flags = parser.parse_args()
    start = time.time()
    data = datasets.load(flags.dataset, flags.seeds[0])
    label = Label(data, flags.task)
    measure = "xauc" if label.amount else "auc"
    generator = random.Random(f"{flags.dataset} {flags.task}")
    trials = []
    for number in range(flags.trials):
        settings = draw(generator, label.amount, number)
        model = label.fit(settings, flags.seeds[0])
        trials.append((label.score(model, settings, "validation")[measure], number, settings, model.best_iteration + 1))
    best = max(trials)
    fits = []
    for seed in flags.seeds:
        fit_start = time.time()
        model = label.fit(best[2], seed)
        seconds = time.time() - fit_start
        fits.append({"seed": seed, "seconds": seconds, "rounds": model.best_iteration + 1,
                     **{part: label.score(model, best[2], part) for part in ("validation", "test")}})
    y = data.label(flags.task)
    counts = {part: {"rows": len(getattr(data, part)), "positives": int((y[getattr(data, part)] > 0).sum())}
              for part in ("validation", "test")}
    print(json.dumps({"settings": best[2], "trials": [trial[0] for trial in trials], "fits": fits, "counts": counts,
                      "seconds": time.time() - start, "xgboost": xgboost.__version__}))


if __name__ == "__main__":
    main()
