# SPDX-License-Identifier: Apache-2.0
"""Multi-task models of the MMoE family on tables, fast on plain CPUs.

    import manygate

    model = manygate.train(frame, ["click", "purchase"])    # of pandas, polars, pyarrow; or a path
    model.evaluate()                                        # on the rows that were held out
    model.predict(frame)["probs_click"]                     # float32 [rows]
    model.save("out/model")
    manygate.Model.load("out/model")

Every column that is no label is a feature. What is chosen by itself (features, network, training) stands in
manygate.init(frame, labels), the text of a configuration that can be changed and trained. manygate.sklearn has
estimators for scikit-learn, manygate.spark scores Spark's frames, the command `manygate` is the whole program but its
server.

Example:
    >>> import manygate
    >>> rows = manygate.generate(1000)
    >>> model = manygate.train(rows, ["click", "purchase"], progress=False)
    >>> model.predict(rows, "probs_click").keys()
    dict_keys(['probs_click'])
"""

from manygate._core import Failed, InvalidInput, __version__
from manygate.evaluation import Comparison, Evaluation, Finding, TransferCell
from manygate.model import Input, Model, Output
from manygate.report import Report
from manygate.training import check, compare, generate, init, train

# By the names that users import them by.
for _error in (Failed, InvalidInput):
    _error.__module__ = "manygate"

__all__ = [
    "Comparison",
    "Evaluation",
    "Failed",
    "Finding",
    "Input",
    "InvalidInput",
    "Model",
    "Output",
    "Report",
    "TransferCell",
    "__version__",
    "check",
    "compare",
    "generate",
    "init",
    "train",
]
