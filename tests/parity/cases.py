# SPDX-License-Identifier: Apache-2.0
"""The parity cases, and the model configuration in protobuf text that each of them stands for.

    for case in CASES: print(case.name, config_text(case))
"""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Input:
    """One input of the model; x is the concatenation of all inputs in order."""
    name: str
    kind: str            # "ids" or "numbers"
    size: int            # ids: vocabulary V; numbers: width
    embedding_dim: int = 0  # ids: 0 means one-hot
    most_values: int = 1    # ids: more than 1: lists of 1 to most_values ids, then V where no more follow
    pooling: str = "sum"    # of lists with an embedding: "sum" or "mean"

    def width(self):
        return self.embedding_dim if self.embedding_dim else self.size


@dataclass(frozen=True)
class Mlp:
    hidden_units: tuple
    activation: str = "nn.ReLU"
    norm: str = ""       # "", "bn" (and then no linear bias) or "ln"


@dataclass(frozen=True)
class Tower:
    name: str
    mlp: Mlp = None
    loss: str = "binary_cross_entropy"   # or "l2_loss"
    label_smoothing: float = 0.0
    weight: float = 1.0
    relations: tuple = ()    # dbmtl: names of earlier towers
    relation_mlp: Mlp = None
    interventions: tuple = ()  # dc2vr: names of earlier towers
    rank: int = 0              # dc2vr: width of the rotation


@dataclass(frozen=True)
class Level:
    """cgc and one level of ple: experts of each task and shared ones."""
    num_task: int
    task: Mlp
    num_share: int
    share: Mlp


@dataclass(frozen=True)
class MaskNet:
    num_blocks: int
    hidden: int          # units of a block's output
    option: str          # how wide the mask's network is, as the configuration says it
    units: tuple         # and what that comes to in each block
    parallel: bool = True
    top: Mlp = None


@dataclass(frozen=True)
class Case:
    name: str
    model: str           # the field of the configuration
    towers: tuple
    mlp: Mlp = None      # of the experts, or the shared bottom, or aitm's bottoms
    gate: Mlp = None     # hidden layers of the gates
    num_expert: int = 3
    batch: int = 8
    seed: int = 1
    inputs: tuple = field(default=(Input("work", "ids", 5), Input("age", "numbers", 1), Input("region", "ids", 7),
                                   Input("scores", "numbers", 3)))
    bottom: Mlp = None   # below experts or towers of esmm, dbmtl and dc2vr
    options: tuple = ()  # (field of the model's message, number, text or tuple)
    groups: tuple = ()   # (name, names of its inputs) of feature groups after the first, which holds all
    levels: tuple = ()   # cgc (one) and ple: Level; adatt: Mlp
    cross: tuple = ()    # mmoe above cross layers: their number, their rank (0: full matrices)
    wide: tuple = ()     # mmoe beside a wide part: names of its inputs, the group "wide"
    mask_net: MaskNet = None  # of dbmtl
    gating: tuple = ()   # mmoe: (field of model_config.gating, number)

    def width(self):
        return sum(i.width() for i in self.inputs)

    def option(self, name):
        return dict(self.options)[name]


def _towers(mlp=Mlp((4,)), **second):
    return (Tower("income", mlp), Tower("marital", mlp, **second))


def _activation_case(name, activation):
    return Case(f"activation_{name}", "mmoe", _towers(Mlp((4,), activation)), Mlp((6, 5), activation),
                Mlp((5,), activation))


_EMBEDDED = (Input("item", "ids", 9, 4), Input("age", "numbers", 1), Input("shop", "ids", 6, 4),
             Input("scores", "numbers", 3))

_LISTS = (Input("tags", "ids", 7, 4, most_values=3), Input("genres", "ids", 5, most_values=4), Input("age", "numbers", 1),
          Input("shops", "ids", 6, 3, most_values=3, pooling="mean"), Input("region", "ids", 7))

_FUNNEL = (Tower("click", Mlp((5,))), Tower("amount", Mlp((4,)), "l2_loss", weight=0.25), Tower("buy", Mlp((4,))),
           Tower("pay", weight=2.0))
_SMALL_FUNNEL = (Tower("click", Mlp((5,))), Tower("buy", Mlp((4,)), weight=2.0))
_PROPENSITY = (("counterfactual_w", 0.75), ("global_w", 0.25), ("max_inverse_propensity", 2.5))
_RELATIONS = (Tower("click", Mlp((5,))), Tower("view"), Tower("buy", Mlp((4,)), relations=("click",)),
              Tower("pay", Mlp((3,)), relations=("buy", "view"), relation_mlp=Mlp((6, 5))))
_INTERVENTIONS = (Tower("click", Mlp((5,))), Tower("view"), Tower("buy", Mlp((4,)), interventions=("click",), rank=2),
                  Tower("pay", Mlp((6,)), interventions=("buy", "view"), rank=3))
_FUNNELS = (
    Case("esmm", "esmm", _FUNNEL, bottom=Mlp((8,)), inputs=_EMBEDDED),
    Case("escm2_ipw", "escm2", _FUNNEL, Mlp((6,)), batch=16, inputs=_EMBEDDED,
         options=(("counterfact_mode", "IPW"),) + _PROPENSITY),
    Case("escm2_dr", "escm2", _SMALL_FUNNEL, Mlp((6,)), Mlp((5,)), batch=16,
         options=(("counterfact_mode", "DR"),) + _PROPENSITY),
    Case("aitm", "aitm", _FUNNEL, Mlp((8, 6)), batch=12, inputs=_EMBEDDED, options=(("calibrator_weight", 0.75),)),
    Case("dbmtl", "dbmtl", _RELATIONS, inputs=_EMBEDDED),
    Case("dbmtl_experts", "dbmtl", _RELATIONS, Mlp((6,)), Mlp((5,)), bottom=Mlp((8,))),
    Case("dbmtl_mask_net", "dbmtl", _RELATIONS, inputs=_EMBEDDED, bottom=Mlp((6,)),
         mask_net=MaskNet(2, 5, "reduction_ratio: 0.5", (6, 6), top=Mlp((7,)))),
    Case("dbmtl_mask_net_serial", "dbmtl", _RELATIONS, seed=2,
         mask_net=MaskNet(2, 5, "aggregation_dim: 4", (4, 4), False)),
    Case("dc2vr", "dc2vr", _INTERVENTIONS, inputs=_EMBEDDED, bottom=Mlp((7,))),
    Case("dc2vr_experts", "dc2vr", _INTERVENTIONS, Mlp((6,)), Mlp((5,)), bottom=Mlp((8,))),
    Case("pepnet", "pepnet", (Tower("click", Mlp((4,))), Tower("buy")), inputs=_EMBEDDED,
         groups=(("domain", ("shop",)), ("uia", ("item", "age"))),
         options=(("epnet_hidden_unit", 7), ("epnet_gamma", 1.5), ("ppnet_hidden_units", (6, 5)),
                  ("ppnet_activation", "nn.Tanh"), ("ppnet_gamma", 2.5))),
)

_EXPERTS = (
    Case("cgc", "cgc", _towers(), levels=(Level(2, Mlp((6, 5)), 1, Mlp((4, 5))),)),
    Case("ple", "ple", _towers(weight=0.5), inputs=_EMBEDDED,
         levels=(Level(2, Mlp((5,)), 1, Mlp((6, 5))), Level(1, Mlp((4,)), 2, Mlp((4,))))),
    Case("adatt", "adatt", _towers(), inputs=_EMBEDDED, levels=(Mlp((5,)), Mlp((4,))),
         options=(("expert_num_per_task", 2),)),
    Case("dselect_k", "dselect_k", _towers(), Mlp((5,)), num_expert=5, inputs=_EMBEDDED,
         options=(("num_selected", 2), ("gamma", 8.0), ("entropy_weight", 0.5))),
    Case("dselect_k_static", "dselect_k", _towers(), Mlp((5,)), num_expert=4,
         options=(("num_selected", 2), ("gamma", 1.5), ("entropy_weight", 0.25), ("per_example", False))),
    Case("mmoe_cross", "mmoe", _towers(), Mlp((5,)), inputs=_EMBEDDED, cross=(2, 0)),
    Case("mmoe_cross_low_rank", "mmoe", _towers(), Mlp((5,)), inputs=_EMBEDDED, cross=(2, 3)),
    Case("mmoe_wide", "mmoe", _towers(), Mlp((5,)), wide=("region", "scores"),
         groups=(("wide", ("region", "scores")),)),
    Case("mmoe_value_lists", "mmoe", _towers(), Mlp((5,)), inputs=_LISTS, wide=("genres", "age"),
         groups=(("wide", ("genres", "age")),)),
    Case("mmoe_gating", "mmoe", _towers(), Mlp((5,)), gating=(("temperature", 0.5), ("load_balance_weight", 0.1))),
)

CASES = (
    Case("simple_multi_task", "simple_multi_task", (Tower("income", Mlp((6, 4))), Tower("marital", weight=0.5))),
    Case("shared_bottom", "shared_bottom", (Tower("income", Mlp((4,))), Tower("marital", weight=2.0)), Mlp((8, 6))),
    Case("omoe", "omoe", _towers(), Mlp((6,))),
    Case("mmoe", "mmoe", _towers(weight=0.5), Mlp((6,))),
    Case("mmoe_deep", "mmoe", _towers(), Mlp((8, 6)), Mlp((5,))),
    Case("mmoe_embedding", "mmoe", _towers(), Mlp((6,)), inputs=_EMBEDDED),
    Case("mmoe_silu", "mmoe", _towers(Mlp((4,), "nn.SiLU")), Mlp((6,), "nn.SiLU")),
    Case("mmoe_layer_norm", "mmoe", _towers(Mlp((4,), norm="ln")), Mlp((6, 5), norm="ln")),
    Case("mmoe_batch_norm", "mmoe", _towers(Mlp((4,), norm="bn")), Mlp((6, 5), norm="bn"), batch=12),
    Case("mmoe_regression", "mmoe", (Tower("click", Mlp((4,))), Tower("amount", Mlp((4,)), "l2_loss", weight=0.25)),
         Mlp((6,))),
    Case("label_smoothing", "mmoe", (Tower("income", Mlp((4,)), label_smoothing=0.1),
                                     Tower("marital", Mlp((4,)), label_smoothing=0.25)), Mlp((6,))),
    _activation_case("tanh", "nn.Tanh"),
    _activation_case("sigmoid", "nn.Sigmoid"),
    _activation_case("gelu", "nn.GELU"),
    _activation_case("leaky_relu", "nn.LeakyReLU"),
    _activation_case("none", "none"),
    *_FUNNELS,
    *_EXPERTS,
)


def _mlp_text(name, mlp, indent):
    lines = [f"{indent}{name} {{"]
    lines += [f"{indent}  hidden_units: {units}" for units in mlp.hidden_units]
    lines += [f'{indent}  activation: "{mlp.activation}"']
    lines += [f"{indent}  use_{mlp.norm}: true"] if mlp.norm else []
    return lines + [f"{indent}}}"]


def _tower_text(tower):
    smoothing = f" label_smoothing: {tower.label_smoothing!r} " if tower.label_smoothing else ""
    lines = ["  task_towers {", f'    tower_name: "{tower.name}"', f'    label_name: "{tower.name}"',
             f"    losses {{ {tower.loss} {{{smoothing}}} }}"]
    lines += _mlp_text("mlp", tower.mlp, "    ") if tower.mlp else []
    lines += [f"    weight: {tower.weight!r}"] if tower.weight != 1.0 else []
    lines += [f'    relation_tower_names: "{name}"' for name in tower.relations]
    lines += _mlp_text("relation_mlp", tower.relation_mlp, "    ") if tower.relation_mlp else []
    lines += [f'    intervention_tower_names: "{name}"' for name in tower.interventions]
    lines += [f"    low_rank_dim: {tower.rank}", "    dropout_ratio: 0"] if tower.rank else []
    return lines + ["  }"]


def _mask_net_text(mask_net):
    lines = ["  mask_net {", f"    n_mask_blocks: {mask_net.num_blocks}",
             f"    mask_block {{ {mask_net.option} hidden_dim: {mask_net.hidden} }}"]
    lines += _mlp_text("top_mlp", mask_net.top, "    ") if mask_net.top else []
    return lines + ([] if mask_net.parallel else ["    use_parallel: false"]) + ["  }"]


def _option_text(name, value):
    values = value if isinstance(value, tuple) else (value,)
    return [f'  {name}: "{v}"' if isinstance(v, str) else f"  {name}: {v!r}" for v in values]


def _level_text(model, level):
    if model == "adatt":
        return _mlp_text("expert_mlps", level, "  ")
    indent = "    " if model == "ple" else "  "
    lines = [f"{indent}expert_num_per_task: {level.num_task}", f"{indent}share_num: {level.num_share}"]
    lines += _mlp_text("task_expert_net", level.task, indent) + _mlp_text("share_expert_net", level.share, indent)
    return ["  extraction_networks {"] + lines + ["  }"] if model == "ple" else lines


def config_text(case):
    """The case as the text of a manygate.config.ModelConfig."""
    lines = ["feature_groups {", '  group_name: "all"']
    lines += [f'  feature_names: "{i.name}"' for i in case.inputs] + ["}"]
    for group, names in case.groups:
        lines += ["feature_groups {", f'  group_name: "{group}"'] + (["  group_type: WIDE"] if group == "wide" else [])
        lines += [f'  feature_names: "{name}"' for name in names] + ["}"]
    lines += [f"{case.model} {{"]
    if case.mask_net:
        lines += _mask_net_text(case.mask_net)
    if case.bottom:
        lines += _mlp_text("bottom_mlp", case.bottom, "  ")
    if case.mlp:
        lines += _mlp_text("bottom_mlp" if case.model in ("shared_bottom", "aitm") else "expert_mlp", case.mlp, "  ")
    if case.gate:
        lines += _mlp_text("gate_mlp", case.gate, "  ")
    if case.model in ("omoe", "mmoe", "escm2", "dselect_k") or case.model in ("dbmtl", "dc2vr") and case.mlp:
        lines += [f"  num_expert: {case.num_expert}"]
    for level in case.levels:
        lines += _level_text(case.model, level)
    for option, value in case.options:
        lines += _option_text(option, value)
    for tower in case.towers:
        lines += _tower_text(tower)
    lines += ["}"] + (["cross { cross_num: %d low_rank: %d }" % case.cross] if case.cross else [])
    if case.gating:
        lines += ["gating {"] + [f"  {name}: {value!r}" for name, value in case.gating] + ["}"]
    return "\n".join(lines)
