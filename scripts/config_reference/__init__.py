# SPDX-License-Identifier: Apache-2.0
"""Parts of config_reference.py: what the sources say, how comments are read, the page."""
