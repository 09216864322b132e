# SPDX-License-Identifier: Apache-2.0
"""The PyTorch variants. This file imports nothing heavy: run.py must stay small, because a child process inherits the
peak memory of its parent.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    model: str        # class in torch_models.py
    mix: str          # how gates weigh experts: "bmm" or "multiply"; "" for the library form
    step: str         # "eager"; "compile": forward and backward compiled; "whole": one graph with Adam in it
    tuned: bool = True  # torch.optim.Adam(fused=True) where it is used, and denormals flushed


LIBRARY = "library"
VARIANTS = {
    LIBRARY: Variant("Library", "", "eager", tuned=False),
    "fused/eager": Variant("Fused", "bmm", "eager"),
    "fused/compile": Variant("Fused", "bmm", "compile"),
    "fused/whole": Variant("Fused", "bmm", "whole"),
    "fused-multiply/compile": Variant("Fused", "multiply", "compile"),
    "fused-multiply/whole": Variant("Fused", "multiply", "whole"),
    "ids/eager": Variant("FusedIds", "bmm", "eager"),
    "ids/compile": Variant("FusedIds", "multiply", "compile"),
    "ids/whole": Variant("FusedIds", "multiply", "whole"),
}


def group(name):
    """Only the fastest of each group is compared."""
    return "library" if name == LIBRARY else "ids" if name.startswith("ids/") else "best"
