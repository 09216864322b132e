# SPDX-License-Identifier: Apache-2.0
"""Census-Income as configuration C1 reads it: 29 one-hot columns and 10 numbers, 498 inputs, two labels; and as C2
does: 33 columns as ids of 503 embeddings and 7 numbers. The instance weight and the two label columns (income, marital
status) are no inputs. These are the recipes of examples/census_income/mmoe.config and of embeddings.config here,
prepared independently, so that both sides train on the same rows.

    python benchmarks/census.py build/bench_cache           # makes the arrays, if they are not there yet
    data = census.load(pathlib.Path("build/bench_cache"))
    data["x"]        float32 [199523, 498]   numbers first, then the one-hot columns
    data["numbers"]  float32 [199523, 10]
    data["ids"]      int32   [199523, 29]    offsets added: 0 .. 487
    data["y"]        float32 [199523, 2]     income above 50,000; never married
    data["c2_ids"]      int32   [199523, 33]   offsets added: 0 .. 502
    data["c2_numbers"]  float32 [199523, 7]
    data["c2_first"]    int32   [34]           first id of each column, and 503
"""
import glob
import gzip
import os
import pathlib
import sys

import numpy as np

COLUMNS = (
    "age class_worker det_ind_code det_occ_code education wage_per_hour hs_college marital_stat major_ind_code "
    "major_occ_code race hisp_origin sex union_member unemp_reason full_or_part_emp capital_gains capital_losses "
    "stock_dividends tax_filer_stat region_prev_res state_prev_res det_hh_fam_stat det_hh_summ instance_weight "
    "mig_chg_msa mig_chg_reg mig_move_reg mig_same mig_prev_sunbelt num_emp fam_under_18 country_father country_mother "
    "country_self citizenship own_or_self vet_question vet_benefits weeks_worked year income_50k").split()
NUMBERS = ("age wage_per_hour capital_gains capital_losses stock_dividends num_emp weeks_worked own_or_self "
           "vet_benefits year").split()
ONE_HOT = [c for c in COLUMNS if c not in NUMBERS + ["instance_weight", "marital_stat", "income_50k"]]
C2_NUMBERS = "age wage_per_hour capital_gains capital_losses stock_dividends num_emp weeks_worked".split()
# num_emp has 7 values and is both, as in other runs of this configuration marital_stat (7 values, a label here) is one.
_NOT_EMBEDDED = C2_NUMBERS + ["instance_weight", "marital_stat", "income_50k"]
C2_EMBEDDINGS = [c for c in COLUMNS if c not in _NOT_EMBEDDED] + ["num_emp"]
ROWS = 199523
NAMES = ("x", "numbers", "ids", "y", "c2_ids", "c2_numbers", "c2_first")


def data_folder():
    """MANYGATE_DATA; else shared/data beside the repository; else data/, where scripts/fetch_data.sh writes."""
    repository = pathlib.Path(__file__).resolve().parents[1]
    beside = repository.parent / "shared" / "data"
    return pathlib.Path(os.environ.get("MANYGATE_DATA", beside if beside.exists() else repository / "data")).resolve()


def training_file():
    pattern = str(data_folder() / "census-income" / "census-income.data*.gz")
    found = sorted(glob.glob(pattern))
    if not found:
        raise SystemExit(f"{pattern}: no such file. Set MANYGATE_DATA to the folder that holds census-income/.")
    return found[0]


def _read_columns():
    """The training file's text, column by column; a blank before a value is not part of it."""
    with gzip.open(training_file(), "rt", encoding="ascii") as file:
        rows = [line.rstrip("\n").split(",") for line in file]
    if len(rows) != ROWS or any(len(row) != len(COLUMNS) for row in rows):
        raise SystemExit(f"{training_file()}: {len(rows)} rows, expected {ROWS} of {len(COLUMNS)} values each")
    return {name: np.array([value.lstrip() for value in values]) for name, values in zip(COLUMNS, zip(*rows))}


def _standardised(columns, names):
    numbers = np.log1p(np.stack([columns[name].astype(np.float64) for name in names], 1))
    return ((numbers - numbers.mean(0)) / numbers.std(0)).astype(np.float32)


def _ids(columns, names):
    """Ids with offsets added, and the first id of each column, with the number of all ids behind them."""
    ids, first = np.empty((ROWS, len(names)), np.int32), [0]
    for k, name in enumerate(names):
        values, codes = np.unique(columns[name], return_inverse=True)
        ids[:, k] = codes + first[-1]
        first.append(first[-1] + len(values))
    return ids, np.array(first, np.int32)


def _prepare():
    columns = _read_columns()
    y = np.stack([columns["income_50k"] == "50000+.", columns["marital_stat"] == "Never married"], 1).astype(np.float32)
    numbers = _standardised(columns, NUMBERS)
    ids, first = _ids(columns, ONE_HOT)
    one_hot = np.zeros((ROWS, first[-1]), np.float32)
    one_hot[np.arange(ROWS)[:, None], ids] = 1
    x = np.concatenate([numbers, one_hot], 1)
    c2_ids, c2_first = _ids(columns, C2_EMBEDDINGS)
    assert x.shape == (ROWS, 498) and len(ONE_HOT) == 29, x.shape
    assert c2_ids.shape == (ROWS, 33) and c2_first[-1] == 503, (c2_ids.shape, c2_first[-1])
    return {"x": x, "numbers": numbers, "ids": ids, "y": y, "c2_ids": c2_ids, "c2_first": c2_first,
            "c2_numbers": _standardised(columns, C2_NUMBERS)}


def make(cache):
    """Writes the arrays (12 seconds, 465 MB) unless they are there."""
    if all((cache / f"{name}.npy").exists() for name in NAMES):
        return
    cache.mkdir(parents=True, exist_ok=True)
    for name, value in _prepare().items():
        np.save(cache / f"{name}.tmp.npy", value)
        os.replace(cache / f"{name}.tmp.npy", cache / f"{name}.npy")


def load(cache, only=None):
    """All arrays, or those named in `only`, as make() wrote them."""
    return {name: np.load(cache / f"{name}.npy") for name in only or NAMES}


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[1]))
