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


@dataclass(frozen=True)
class Case:
    name: str
    model: str           # simple_multi_task, shared_bottom, omoe or mmoe
    towers: tuple
    mlp: Mlp = None      # of the experts, or the shared bottom
    gate: Mlp = None     # hidden layers of the gates
    num_expert: int = 3
    batch: int = 8
    seed: int = 1
    inputs: tuple = field(default=(Input("work", "ids", 5), Input("age", "numbers", 1), Input("region", "ids", 7),
                                   Input("scores", "numbers", 3)))

    def width(self):
        return sum(i.width() for i in self.inputs)


def _towers(mlp=Mlp((4,)), **second):
    return (Tower("income", mlp), Tower("marital", mlp, **second))


def _activation_case(name, activation):
    return Case(f"activation_{name}", "mmoe", _towers(Mlp((4,), activation)), Mlp((6, 5), activation),
                Mlp((5,), activation))


_EMBEDDED = (Input("item", "ids", 9, 4), Input("age", "numbers", 1), Input("shop", "ids", 6, 4),
             Input("scores", "numbers", 3))

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
    return lines + ["  }"]


def config_text(case):
    """The case as the text of a manygate.config.ModelConfig."""
    lines = ["feature_groups {", '  group_name: "all"']
    lines += [f'  feature_names: "{i.name}"' for i in case.inputs] + ["}", f"{case.model} {{"]
    if case.mlp:
        lines += _mlp_text("bottom_mlp" if case.model == "shared_bottom" else "expert_mlp", case.mlp, "  ")
    if case.gate:
        lines += _mlp_text("gate_mlp", case.gate, "  ")
    if case.model in ("omoe", "mmoe"):
        lines += [f"  num_expert: {case.num_expert}"]
    for tower in case.towers:
        lines += _tower_text(tower)
    return "\n".join(lines + ["}"])
