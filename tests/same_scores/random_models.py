# SPDX-License-Identifier: Apache-2.0
"""Random models and random rows, the same for the same number: what tests/same_scores compares scores of.

model = random_models.Model(7)
model.write_csv("train.csv", 400, seed=7)
pathlib.Path("model.config").write_text(model.config("train.csv"))
rows = model.write_csv("rows.csv", 1000, seed=8, odd=True)     # unknown, missing and extreme values
"""

import csv
import random

TRAINING_ROWS, ROWS = 400, 1000
MISSING = ("", "?")  # with data_config.missing_values
SEPARATORS = {"tags": "|", "history": ";"}  # columns of several values in one text

KINDS = [
    "mmoe",
    "ple",
    "cgc",
    "shared_bottom",
    "omoe",
    "simple_multi_task",
    "dselect_k",
    "adatt",
    "aitm",
    "esmm",
    "dbmtl",
    "escm2",
    "dc2vr",
    "pepnet",
]
ACTIVATIONS = ["nn.ReLU", "nn.SiLU", "nn.Tanh", "nn.Sigmoid", "nn.GELU", "nn.LeakyReLU"]
WORDS = ["red", "green", "blue", "grün", "日本", "x y", "a:b", "0", "-0", "01", "1e5", "very " * 20 + "long"]
ODD_TEXTS = [
    "never seen",
    "",
    "?",
    "é",
    " red",
    "red ",
    "NaN",
    "-1",
    "1e400",
    "x" * 500,
    "\u00a0",
    "99999999999999999999",
]
ODD_NUMBERS = [
    "",
    "?",
    "0",
    "-0",
    "1e30",
    "-3e37",
    "3.4e38",
    "1e-30",
    "1e-44",
    "16777217",
    "123456789.125",
    "-1",
    "0.1",
    " 7 ",
    "1e5",
    "+3",
]
NUMBERS = ["price", "age", "visits"]
IDS = ["colour", "city", "user"]
COLUMNS = IDS + NUMBERS + ["hour", "counts", "tags", "history"]


def network(chance, layers=1):
    units = ", ".join(str(chance.choice([4, 7, 8, 16])) for _ in range(layers))
    extra = chance.choice(["", "", "use_ln: true", "use_bn: true"])
    return f'{{ hidden_units: [{units}] activation: "{chance.choice(ACTIVATIONS)}" {extra} }}'


def id_feature(chance, name):
    form = chance.choice(["learnt", "one_hot", "hash", "written", "frequent"])
    return {
        "learnt": f'id_feature {{ feature_name: "{name}" embedding_dim: 4 }}',
        "one_hot": f'id_feature {{ feature_name: "{name}" one_hot: true }}',
        "hash": f'id_feature {{ feature_name: "{name}" hash_bucket_size: 13 embedding_dim: 3 }}',
        "written": f'id_feature {{ feature_name: "{name}" vocab_list: ["red", "green", "u1", "u2", "日本"] embedding_dim: 2 }}',
        "frequent": f'id_feature {{ feature_name: "{name}" min_count: 8 default_value: "red" embedding_dim: 4 }}',
    }[form]


def number_feature(chance, name):
    options = chance.choice(
        [
            "",
            "transform { standardise: true missing_indicator: true }",
            "transform { log1p: true standardise: true }",
            'transform { clip_min: -5 clip_max: 50 } default_value: "3"',
            "transform { quantile_bins: 8 } embedding_dim: 3",
            "transform { quantile_bins: 6 } one_hot: true",
            "transform { piecewise_linear: 5 }",
            "transform { piecewise_linear: 4 } embedding_dim: 3",
            "boundaries: [0, 10, 30.5] embedding_dim: 2",
        ]
    )
    return f'raw_feature {{ feature_name: "{name}" {options} }}'


MADE = [
    'combo_feature { feature_name: "colour_city" expression: ["colour", "city"] hash_bucket_size: 30 embedding_dim: 3 }',
    'expr_feature { feature_name: "per_visit" expression: "price / (visits + 1)" variables: ["price", "visits"] default_value: "-2" }',
    'lookup_feature { feature_name: "of_city" map: "counts" key: "city" default_value: "0" }',
    'lookup_feature { feature_name: "has" map: "counts" key: "colour" boundaries: [0.5, 1.5, 3] embedding_dim: 2 }',
]
LIST = 'id_feature { feature_name: "tags" separator: "|" max_values: 3 embedding_dim: 3 }'
HASHED_LIST = 'id_feature { feature_name: "tags" separator: "|" pooling: "mean" hash_bucket_size: 20 embedding_dim: 2 }'
SEQUENCE = 'sequence_id_feature { feature_name: "history" sequence_length: 4 sequence_delim: ";" embedding_dim: 3 }'


class Model:
    def __init__(self, number):
        chance = random.Random(number)
        # Each kind once, then any.
        self.kind = KINDS[number] if number < len(KINDS) else chance.choice(KINDS)
        self.members = 2 if number % 7 == 3 else 1
        # Every other model can be exported: no hash, nothing made of other columns.
        self.plain = number % 2 == 0
        self.features = []
        for name in IDS:
            feature = id_feature(chance, name)
            while self.plain and "hash" in feature:
                feature = id_feature(chance, name)
            self.features.append(feature)
        self.features += [number_feature(chance, name) for name in NUMBERS]
        self.features.append('id_feature { feature_name: "hour" num_buckets: 24 one_hot: true }')
        if not self.plain:
            self.features += chance.sample(MADE, chance.randrange(1, 4))
        if chance.random() < 0.6:
            self.features.append(LIST if self.plain else chance.choice([LIST, HASHED_LIST]))
        if chance.random() < 0.6:
            self.features.append(SEQUENCE)
        self.towers = self.choose_towers(chance)
        self.expert = network(chance, chance.choice([1, 2]))

    def choose_towers(self, chance):
        binary = chance.choice(
            [
                "",
                "losses { binary_focal_loss { gamma: 1.5 } }",
                "losses { binary_cross_entropy { label_smoothing: 0.1 } }",
            ]
        )
        towers = [f'label_name: "click" {binary}', 'label_name: "buy"']
        if self.kind not in ("esmm", "escm2", "aitm", "dc2vr"):
            spend = chance.choice(["l2_loss {}", "huber_loss {}", "poisson_loss {}", "ziln_loss {}"])
            towers.append(f'label_name: "spend" losses {{ {spend} }}')
            towers.append('label_name: "band" num_class: 3 losses { softmax_cross_entropy {} }')
            towers = towers[:1] + chance.sample(towers[1:], chance.randrange(1, 4))
        return " ".join(f"task_towers {{ {tower} mlp {network(chance)} }}" for tower in towers)

    def config(self, path):
        kinds = {
            "mmoe": f"num_expert: 3 expert_mlp {self.expert}",
            "omoe": f"num_expert: 3 expert_mlp {self.expert}",
            "shared_bottom": f"bottom_mlp {self.expert}",
            "simple_multi_task": "",
        }
        body = kinds.get(self.kind)
        text = self.kind if body is not None else "mmoe"
        body = body if body is not None else kinds["mmoe"]
        features = "\n".join(f"feature_configs {{ {feature} }}" for feature in self.features)
        ensemble = f"ensemble {{ members: {self.members} }}" if self.members > 1 else ""
        return f"""train_input_path: "{path}"
train_config {{ num_steps: 12 num_epochs: 0 seed: 5 use_tensorboard: false
  dense_optimizer {{ adam_optimizer {{ lr: 0.01 }} }} }}
data_config {{ with_header: true batch_size: 64 missing_values: "?" cache_dir: "off"
  split {{ validation_fraction: 0.1 test_fraction: 0 }} }}
{features}
model_config {{ {text} {{ {body} {self.towers} }} }}
{ensemble}
"""

    def flags(self):
        """For kinds that take the features and towers of another model's configuration."""
        return [] if self.kind in ("mmoe", "omoe", "shared_bottom", "simple_multi_task") else ["--model", self.kind]

    def values(self, name, text):
        """The values in one cell, as ONNX files take them."""
        return text.split(SEPARATORS[name]) if name in SEPARATORS else [text]

    def inputs(self):
        """The columns that the features read."""
        used = " ".join(self.features)
        return [name for name in COLUMNS if f'"{name}"' in used]

    def write_csv(self, path, count, seed, odd=False):
        """Writes the rows, labels behind them where they are not odd, and returns them as texts by column, without labels."""
        chance = random.Random(seed)
        rows = [self.row(chance, odd) for _ in range(count)]
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            labels = [] if odd else ["click", "buy", "spend", "band"]
            writer.writerow(list(rows[0]) + labels)
            for r, row in enumerate(rows):
                click = int(chance.random() < 0.5)
                buy = click * int(chance.random() < 0.5)
                of_row = [click, buy, buy * chance.randrange(1, 9), r % 3]
                writer.writerow(list(row.values()) + (of_row if labels else []))
        return rows

    @staticmethod
    def row(chance, odd):
        def text(usual):
            return chance.choice(ODD_TEXTS) if odd and chance.random() < 0.3 else usual

        def number(usual):
            return chance.choice(ODD_NUMBERS) if odd and chance.random() < 0.3 else usual

        def several(separator, most):
            return separator.join(chance.choice(WORDS[:8]) for _ in range(chance.randrange(most + 1)))

        return {
            "colour": text(chance.choice(WORDS)),
            "city": text(chance.choice(["berlin", "rome", "paris", ""])),
            "user": text(f"u{chance.randrange(40)}"),
            "price": number(f"{chance.lognormvariate(2, 1):.2f}"),
            "age": number(chance.choice(["", str(chance.randrange(18, 80))])),
            "visits": number(str(chance.randrange(20))),
            "hour": str(chance.randrange(30 if odd else 24)) if chance.random() < 0.95 else "",
            "counts": text(
                "\x1d".join(f"{key}:{chance.randrange(5)}" for key in chance.sample(["red", "rome", "paris"], 2))
            ),
            "tags": text(several("|", 5)),
            "history": text(several(";", 6)),
        }

    def __str__(self):
        return f"{self.kind}\n" + "\n".join(self.features) + f"\n{self.towers}"
