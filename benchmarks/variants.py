# SPDX-License-Identifier: Apache-2.0
"""The PyTorch variants of each configuration. This file imports nothing heavy: run.py must stay small, because a child
process inherits the peak memory of its parent.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    model: str        # class in torch_models.py
    arrays: tuple     # of census.py: the model's arguments, then the labels
    mix: str          # how gates weigh experts: "bmm" or "multiply"; "" for the library form
    step: str         # "eager"; "compile": forward and backward compiled; "whole": one graph with Adam in it
    tuned: bool = True  # torch.optim.Adam(fused=True) where it is used, and denormals flushed


_MATRIX, _IDS, _C2 = ("x", "y"), ("ids", "numbers", "y"), ("c2_ids", "c2_numbers", "y")
LIBRARY = "library"
VARIANTS = {
    "C1": {
        LIBRARY: Variant("Library", _MATRIX, "", "eager", tuned=False),
        "fused/eager": Variant("Fused", _MATRIX, "bmm", "eager"),
        "fused/compile": Variant("Fused", _MATRIX, "bmm", "compile"),
        "fused/whole": Variant("Fused", _MATRIX, "bmm", "whole"),
        "fused-multiply/compile": Variant("Fused", _MATRIX, "multiply", "compile"),
        "fused-multiply/whole": Variant("Fused", _MATRIX, "multiply", "whole"),
        "ids/eager": Variant("FusedIds", _IDS, "bmm", "eager"),
        "ids/compile": Variant("FusedIds", _IDS, "multiply", "compile"),
        "ids/whole": Variant("FusedIds", _IDS, "multiply", "whole"),
    },
    "C2": {
        LIBRARY: Variant("LibraryEmbeddings", _C2, "", "eager", tuned=False),
        "fused/eager": Variant("FusedEmbeddings", _C2, "bmm", "eager"),
        "fused/compile": Variant("FusedEmbeddings", _C2, "bmm", "compile"),
        "fused/whole": Variant("FusedEmbeddings", _C2, "bmm", "whole"),
        "fused-multiply/compile": Variant("FusedEmbeddings", _C2, "multiply", "compile"),
        "fused-multiply/whole": Variant("FusedEmbeddings", _C2, "multiply", "whole"),
        "tabulated/eager": Variant("TabulatedEmbeddings", _C2, "bmm", "eager"),
        "tabulated/compile": Variant("TabulatedEmbeddings", _C2, "multiply", "compile"),
        "tabulated/whole": Variant("TabulatedEmbeddings", _C2, "multiply", "whole"),
    },
}


def group(name):
    """Only the fastest of each group is compared."""
    return "library" if name == LIBRARY else "ids" if name.startswith(("ids/", "tabulated/")) else "best"
