# SPDX-License-Identifier: Apache-2.0
"""The models and rows that tests/export exports: every model of the program, every operation, every kind of feature.

    for case in export_models.CASES: case.write_config(folder / "case.config", folder / "train.csv")
    rows = export_models.write_rows(folder / "odd.csv", 1000, seed=2, odd=True)
"""
import csv
import dataclasses
import random

# Between the values of one cell.
SEPARATORS = {"tags": "|", "history": ";", "history_size": ";", "hours": ";", "spent": ";", "picture": "|"}
COLOURS = ["red", "green", "blue", "grün", "日本", "x y", "a:b", 'quo"te', "back\\slash", "what??!", "very " * 20 + "long"]
SIZES = ["s", "m", "l", "xl"]
TAGS = ["new", "sale", "used", "gift", "eco"]
ODD_TEXTS = ["never seen", "", "?", "é", " red", "red ", "NaN", "x" * 300, "99999999999999999999"]
ODD_NUMBERS = ["", "?", "0", "-0", "1e12", "-3e11", "1e-30", "16777217", "123456789.125", "-1", "0.1", "1e5"]

IDS = [
    'id_feature { feature_name: "colour" embedding_dim: 4 }',
    'id_feature { feature_name: "city" one_hot: true }',
    'id_feature { feature_name: "user" min_count: 8 default_value: "u1" embedding_dim: 4 }',
    'id_feature { feature_name: "hour" num_buckets: 24 one_hot: true }',
    'id_feature { feature_name: "size" vocab_list: ["s", "m", "huge"] embedding_dim: 4 }',
]
# Clipped: where one number is 1e12 and another 1, the sum of their products has no digit of the other left, and every order of
# summation gives another score.
NUMBERS = [
    'raw_feature { feature_name: "price" transform { standardise: true missing_indicator: true clip_min: -50 clip_max: 500 } }',
    'raw_feature { feature_name: "age" transform { clip_min: 5 clip_max: 70 } default_value: "3" }',
    'raw_feature { feature_name: "visits" transform { log1p: true standardise: true } }',
]
BINS = [
    'raw_feature { feature_name: "price" transform { quantile_bins: 8 } embedding_dim: 3 }',
    'raw_feature { feature_name: "age" transform { piecewise_linear: 5 missing_indicator: true } }',
    'raw_feature { feature_name: "visits" transform { piecewise_linear: 4 } embedding_dim: 3 }',
]
MORE_BINS = [
    'raw_feature { feature_name: "price" boundaries: [1, 5, 20.5] one_hot: true }',
    'raw_feature { feature_name: "age" boundaries: [20, 40] default_value: "30" embedding_dim: 3 }',
    'raw_feature { feature_name: "visits" transform { log1p: true } }',
    'raw_feature { feature_name: "constant" transform { piecewise_linear: 3 } }',
]
EMBEDDED_NUMBERS = [
    'raw_feature { feature_name: "price" embedding_dim: 4 transform { standardise: true clip_min: -50 clip_max: 500 } mlp {} }',
    'raw_feature { feature_name: "age" embedding_dim: 4 transform { log1p: true } autodis { num_channels: 5 } }',
    'id_feature { feature_name: "visits" vocab_dict: [{ key: "1" value: 3 }, { key: "2" value: 3 }, { key: "7" value: 2 }] '
    'default_bucketize_value: 1 embedding_dim: 4 trainable: false }',
]
LISTS = [
    'id_feature { feature_name: "tags" separator: "|" max_values: 3 embedding_dim: 3 pooling: "mean" }',
    'id_feature { feature_name: "colour" one_hot: true }',
    'raw_feature { feature_name: "picture" value_dim: 3 separator: "|" default_value: "0.5" }',
    'sequence_id_feature { feature_name: "history" sequence_length: 5 sequence_delim: ";" embedding_dim: 4 }',
    'sequence_id_feature { feature_name: "hours" sequence_length: 4 sequence_delim: ";" num_buckets: 24 embedding_dim: 3 }',
]
ONE_HOT_LISTS = [
    'id_feature { feature_name: "tags" separator: "|" one_hot: true default_value: "new" }',
    'id_feature { feature_name: "city" embedding_dim: 3 }',
    'raw_feature { feature_name: "city_number" expression: "city" default_value: "1" transform { clip_max: 50 clip_min: -5 } }',
]
SEQUENCES = [
    'id_feature { feature_name: "colour" embedding_dim: 4 embedding_name: "colours" }',
    'id_feature { feature_name: "size" embedding_dim: 4 embedding_name: "sizes" }',
    'sequence_id_feature { feature_name: "history" sequence_length: 6 sequence_delim: ";" embedding_dim: 4 embedding_name: "colours" }',
    'sequence_id_feature { feature_name: "history_size" sequence_length: 4 sequence_delim: ";" embedding_dim: 4 embedding_name: "sizes" }',
    'sequence_raw_feature { feature_name: "spent" sequence_length: 5 sequence_delim: ";" }',
]
CLICK = 'task_towers { label_name: "click" mlp { hidden_units: [6] activation: "%s" } }'
TOWERS = [
    CLICK % "nn.ReLU",
    'task_towers { label_name: "buy" losses { binary_focal_loss { gamma: 1.5 } } mlp { hidden_units: [5] use_ln: true } }',
]
AMOUNTS = [
    CLICK % "nn.GELU",
    'task_towers { label_name: "spend" losses { ziln_loss {} } mlp { hidden_units: [6] activation: "nn.Tanh" } }',
    'task_towers { tower_name: "count" label_name: "spend" losses { poisson_loss {} } mlp { hidden_units: [6] } }',
    'task_towers { tower_name: "l2" label_name: "spend" losses { l2_loss {} } mlp { hidden_units: [6] } }',
    'task_towers { tower_name: "huber" label_name: "spend" losses { huber_loss { standardise: false } } mlp { hidden_units: [6] } }',
    'task_towers { label_name: "band" num_class: 3 losses { softmax_cross_entropy {} } mlp { hidden_units: [6] } }',
]
SESSIONS = [
    'task_towers { label_name: "click" num_class: 2 losses { jrc_loss { session_name: "user" } } mlp { hidden_units: [6] } }',
    'task_towers { label_name: "buy" losses { pairwise_loss {} } mlp { hidden_units: [6] } }',
]


def mlp(activation, more="", units="8, 6"):
    return f'{{ hidden_units: [{units}] activation: "{activation}" {more} }}'


def mmoe(towers=None, activation="nn.ReLU", more=""):
    return f"mmoe {{ num_expert: 3 expert_mlp {mlp(activation, more)} {' '.join(towers or TOWERS)} }}"


def group(name, features, more=""):
    names = " ".join(f'feature_names: "{feature}"' for feature in features)
    return f'feature_groups {{ group_name: "{name}" {names} {more} }}'


PLAIN = ["colour", "city", "user", "hour", "size", "price", "age", "visits"]
SEQUENCE_GROUP = ('sequence_groups { group_name: "seen" feature_names: "colour" feature_names: "size" feature_names: "history" '
                  'feature_names: "history_size" } '
                  'sequence_groups { group_name: "paid" feature_names: "history" feature_names: "spent" } '
                  'sequence_encoders { din_encoder { input: "seen" attn_mlp { hidden_units: [5] activation: "nn.SiLU" } } } '
                  'sequence_encoders { simple_attention { input: "seen" } } '
                  'sequence_encoders { pooling_encoder { input: "paid" pooling_type: "mean" } }')


@dataclasses.dataclass
class Case:
    """model: what stands in model_config; kind: another model that takes its features and towers (train --model)."""
    name: str
    model: str = dataclasses.field(default_factory=mmoe)
    features: list = dataclasses.field(default_factory=lambda: IDS + NUMBERS)
    kind: str = ""
    more: str = ""

    def write_config(self, path, train):
        features = "\n".join(f"feature_configs {{ {feature} }}" for feature in self.features)
        path.write_text(f"""train_input_path: "{train}"
train_config {{ num_steps: 12 num_epochs: 0 seed: 5 use_tensorboard: false
  dense_optimizer {{ adam_optimizer {{ lr: 0.02 }} }} }}
data_config {{ with_header: true batch_size: 64 missing_values: "?" missing_values: "-1" cache_dir: "off"
  split {{ validation_fraction: 0.1 test_fraction: 0 }} }}
{features}
model_config {{ {self.model} }}
{self.more}
""", encoding="utf-8")


CASES = [
    Case("mmoe"),
    Case("mmoe_batch_norm", mmoe(activation="nn.SiLU", more="use_bn: true")),
    Case("mmoe_layer_norm", mmoe(AMOUNTS, "nn.LeakyReLU", "use_ln: true")),
    Case("mmoe_wide_cross", group("all", PLAIN) + group("wide", ["colour", "hour", "price"], "group_type: WIDE") +
         mmoe(activation="nn.Sigmoid") + "cross { cross_num: 2 low_rank: 3 }"),
    Case("mmoe_full_cross", mmoe(activation="nn.Tanh") + "cross { cross_num: 1 low_rank: 0 }", IDS + MORE_BINS),
    Case("mmoe_gating", mmoe(activation="nn.GELU") + "gating { temperature: 2 }", IDS + BINS),
    Case("mmoe_sessions", mmoe(SESSIONS), IDS[:2] + NUMBERS),
    Case("mmoe_lists", mmoe(), LISTS + NUMBERS),
    Case("mmoe_one_hot_lists", mmoe(), ONE_HOT_LISTS + IDS[2:3]),
    Case("mmoe_embedded_numbers", mmoe(), EMBEDDED_NUMBERS + IDS[:1]),
    Case("mmoe_sequences", group("all", ["colour", "size"], SEQUENCE_GROUP) + mmoe(), SEQUENCES),
    Case("ensemble", mmoe(AMOUNTS), more="ensemble { members: 2 }"),
    Case("omoe", features=IDS + BINS, kind="omoe"),
    Case("shared_bottom", mmoe(AMOUNTS), kind="shared_bottom"),
    Case("simple_multi_task", kind="simple_multi_task"),
    Case("cgc", kind="cgc"),
    Case("ple", f"""ple {{ extraction_networks {{ expert_num_per_task: 2 share_num: 1 task_expert_net {mlp("nn.ReLU")}
         share_expert_net {mlp("nn.ReLU")} }} extraction_networks {{ task_expert_net {mlp("nn.SiLU")}
         share_expert_net {mlp("nn.SiLU")} }} {' '.join(TOWERS)} }}""", IDS + BINS),
    Case("esmm", kind="esmm"),
    Case("escm2", kind="escm2"),
    Case("aitm", features=IDS + BINS, kind="aitm"),
    Case("adatt", kind="adatt"),
    Case("dselect_k", kind="dselect_k"),
    Case("dbmtl", f"""dbmtl {{ mask_net {{ n_mask_blocks: 2 mask_block {{ reduction_ratio: 1.5 hidden_dim: 8 }}
         top_mlp {{ hidden_units: [8] }} use_parallel: true }} bottom_mlp {{ hidden_units: [8] }} {TOWERS[0]}
         {TOWERS[1][:-2]} relation_tower_names: "click" relation_mlp {{ hidden_units: [5] }} }} }}"""),
    Case("dc2vr", f"""dc2vr {{ bottom_mlp {{ hidden_units: [8] }} expert_mlp {{ hidden_units: [8] }} num_expert: 3 {TOWERS[0]}
         {TOWERS[1][:-2]} intervention_tower_names: "click" low_rank_dim: 3 }} }}"""),
    Case("pepnet", group("all", PLAIN) + group("domain", ["city", "hour"]) + group("uia", ["user", "colour"]) +
         f"pepnet {{ epnet_hidden_unit: 6 ppnet_hidden_units: [8, 6] {' '.join(TOWERS)} }}"),
]


def write_rows(path, count, seed, odd=False):
    """Writes rows as CSV and returns them as texts by column; labels stand behind them where they are not odd."""
    chance = random.Random(seed)

    def text(usual):
        return chance.choice(ODD_TEXTS) if odd and chance.random() < 0.25 else usual

    def number(usual):
        return chance.choice(ODD_NUMBERS) if odd and chance.random() < 0.25 else usual

    def several(values, separator, most):
        return separator.join(chance.choice(values) for _ in range(chance.randrange(most + 1)))

    def prices(separator, least, most):
        return separator.join(f"{chance.gauss(0, 3):.3f}" for _ in range(chance.randint(least, most)))

    rows = []
    for _ in range(count):
        odd_picture = ["", "?", "1", "1|", "|2|3", "1|2|3|4"]
        rows.append({
            "colour": text(chance.choice(COLOURS)),
            "city": number(str(chance.randrange(5))),
            "user": text(f"u{chance.randrange(40)}"),
            "hour": text(str(chance.randrange(30 if odd else 24))),
            "size": text(chance.choice(SIZES)),
            "price": number(f"{chance.lognormvariate(1, 1):.2f}"),
            "age": number(chance.choice(["", str(chance.randrange(18, 80))])),
            "visits": number(str(chance.randrange(20))),
            "constant": "4",
            "tags": text(several(TAGS, "|", 5)),
            "picture": chance.choice(odd_picture) if odd and chance.random() < 0.3 else prices("|", 3, 3),
            "history": text(several(COLOURS + [""], ";", 8).rstrip(";")),
            "history_size": several(SIZES, ";", 6),
            "hours": several(["0", "7", "23", "24", "x", ""], ";", 5),
            "spent": prices(";", 0, 7),
        })
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(list(rows[0]) + ([] if odd else ["click", "buy", "spend", "band"]))
        for i, row in enumerate(rows):
            click = int(chance.random() < 0.5)
            buy = click * int(chance.random() < 0.5)
            labels = [click, buy, buy * chance.randrange(1, 9), i % 3]
            writer.writerow(list(row.values()) + ([] if odd else labels))
    return rows
