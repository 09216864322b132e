# SPDX-License-Identifier: Apache-2.0
"""The data sets of the table. Each is one of the example configurations, and what Python needs to know of it (columns,
features, labels, split) is read from there, so that both sides learn from the same columns and rows.

    data = load("bank", seed=1)          # data.frame, data.train / validation / test: row numbers
    features, is_category = data.features()
    y = data.label("y")
"""
import dataclasses
import functools
import glob
import os
import pathlib
import re

import numpy
import pandas

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("MANYGATE_DATA", REPOSITORY / "data"))


@dataclasses.dataclass(frozen=True)
class DataSet:
    name: str
    title: str
    config: str
    seeds: int  # how many, from 1
    split_varies: bool  # no official split: a seed also draws the rows
    amounts: tuple = ()  # labels that are no probabilities


DATASETS = {
    data.name: data
    for data in (
        DataSet("census", "Census-Income", "examples/census_income/accurate.config", 3, False),
        DataSet("adult", "Adult", "examples/adult/mmoe.config", 3, False),
        DataSet("bank", "Bank Marketing", "examples/bank_marketing/mmoe.config", 5, True),
        DataSet("hillstrom", "Hillstrom", "examples/hillstrom/esmm.config", 5, True, ("spend",)),
    )
}


def config_text(name):
    text = (REPOSITORY / DATASETS[name].config).read_text()
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def tasks(name):
    """Names of the towers, in order; a tower's label has its name."""
    return re.findall(r'tower_name: "(\w+)" label_name: "\w+"', config_text(name))


def field(text, name, default=None):
    found = re.search(rf'\b{name}: (?:"([^"]*)"|([^\s}}]+))', text)
    return default if found is None else found.group(1) or found.group(2)


def file_of(pattern):
    pattern = re.sub(r"\$\{MANYGATE_DATA:-data\}", str(DATA), pattern)
    files = sorted(glob.glob(pattern))
    if len(files) != 1:
        raise SystemExit(f"{pattern}: expected one file, found {len(files)}. Set MANYGATE_DATA to the data's folder")
    return files[0]


def read(path, text):
    """The file as texts, read as data_config says."""
    names = re.findall(r'input_fields \{ input_name: "(\w+)" \}', text)
    return pandas.read_csv(
        path,
        sep=field(text, "delimiter", ","),
        header=0 if field(text, "with_header") == "true" else None,
        names=names or None,
        comment=field(text, "comment"),
        dtype=str,
        skipinitialspace=True,
        keep_default_na=False,
        na_values=[""] + re.findall(r'missing_values: "([^"]*)"', text),
    ).apply(lambda column: column.str.strip())


def philox(seed, stream, blocks):
    """uint32 [blocks, 4]: Philox4x32-10 of the counters 0, 1, ... (Salmon et al. 2011), as manygate/base/random.h."""
    low = numpy.uint64(0xFFFFFFFF)
    shift = numpy.uint64(32)
    counter = numpy.arange(blocks, dtype=numpy.uint64)
    c = [counter & low, counter >> shift]
    c += [numpy.full(blocks, word, numpy.uint64) for word in (stream & 0xFFFFFFFF, stream >> 32)]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        first, second = numpy.uint64(0xD2511F53) * c[0], numpy.uint64(0xCD9E8D57) * c[2]
        c = [(second >> shift) ^ c[1] ^ numpy.uint64(key[0]), second & low,
             (first >> shift) ^ c[3] ^ numpy.uint64(key[1]), first & low]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return numpy.stack(c, axis=1).astype(numpy.uint32)


def permutation(n, seed, stream):
    """RandomPermutation of manygate/base/random.cc."""
    words = iter(philox(seed, stream, n // 2 + 1000).view(numpy.uint64).ravel().tolist())
    order = list(range(n))
    mask = (1 << 64) - 1
    for bound in range(n, 1, -1):
        product = next(words) * bound
        while product & mask < (-bound & mask) % bound:
            product = next(words) * bound
        place = product >> 64
        order[bound - 1], order[place] = order[place], order[bound - 1]
    return order


def fraction_split(n, validation, test, seed):
    """FractionSplit of manygate/data/split.cc: train, validation and test rows, ascending."""
    order = permutation(n, seed, 0x53706C69)
    first = int(n * validation + 1e-9)
    second = first + int(n * test + 1e-9)
    return sorted(order[second:]), sorted(order[:first]), sorted(order[first:second])


@dataclasses.dataclass
class Loaded:
    name: str
    text: str
    frame: pandas.DataFrame
    train: numpy.ndarray
    validation: numpy.ndarray
    test: numpy.ndarray

    def label(self, task):
        config = re.search(rf'label_configs \{{ label_name: "{task}"(.*)\}}', self.text)
        column = field(config.group(1), "column", task) if config else task
        if config is None:
            return self.frame[column].astype(float).to_numpy()
        positive = re.findall(r'"([^"]*)"', config.group(1).split("positive_values:")[1])
        return self.frame[column].isin(positive).to_numpy().astype(float)

    def features(self):
        """The columns that the configuration's features read, each once: categories as such, numbers as floats."""
        columns = {}
        for column in re.findall(r'id_feature \{ feature_name: "(\w+)"', self.text):
            values = self.frame[column].iloc[self.train]
            # A value that the training rows do not hold is missing, as an unknown id is for our models.
            columns[column] = pandas.Categorical(self.frame[column], categories=sorted(values.dropna().unique()))
        numbers = re.findall(r'raw_feature \{\s*feature_name: "(\w+)"(?: expression: "(\w+)")?', self.text)
        for name, expression in numbers:
            columns[expression or name] = self.frame[expression or name].astype(float)
        return pandas.DataFrame(columns)


@functools.lru_cache(maxsize=1)
def load(name, seed):
    """seed: of the split; used where split_varies, else the configuration's own."""
    text = config_text(name)
    frame = read(file_of(field(text, "train_input_path")), text)
    eval_path = field(text, "eval_input_path")
    configured = int(field(re.search(r"split \{.*\}", text).group(), "seed", 1))
    split_seed = seed if DATASETS[name].split_varies else configured
    validation = float(field(text, "validation_fraction", 0.1))
    rows = len(frame)
    if eval_path is None:
        parts = fraction_split(rows, validation, float(field(text, "test_fraction", 0)), split_seed)
    else:
        held_out = read(file_of(eval_path), text)
        frame = pandas.concat([frame, held_out], ignore_index=True)
        if field(text, "eval_halves") == "true":
            order = rows + numpy.random.RandomState(split_seed).permutation(len(held_out))
            half = len(held_out) // 2
            parts = numpy.arange(rows), numpy.sort(order[:half]), numpy.sort(order[half:])
        else:
            train, validated, _ = fraction_split(rows, validation, 0, split_seed)
            parts = train, validated, numpy.arange(rows, len(frame))
    return Loaded(name, text, frame, *(numpy.asarray(part) for part in parts))
