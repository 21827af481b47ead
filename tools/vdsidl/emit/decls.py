# SPDX-License-Identifier: Apache-2.0
"""idl_decls.h: apart from the tables because it is needed wherever headers are."""
from .tables import emit_decls as emit  # noqa: F401
