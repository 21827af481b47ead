# SPDX-License-Identifier: Apache-2.0
"""One module for each artefact. A module has emit(model, out), which calls out(filename, text)
for every file it makes; __main__.py lists the modules."""
