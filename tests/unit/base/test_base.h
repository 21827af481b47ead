/* SPDX-License-Identifier: Apache-2.0 */
/* The headers cmocka wants, in its order. */
#ifndef TEST_BASE_H
#define TEST_BASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#endif
