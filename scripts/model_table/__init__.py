# SPDX-License-Identifier: Apache-2.0
"""What scripts/model_table.py is made of: the data sets, the runs of our program, boosted trees, the page."""
