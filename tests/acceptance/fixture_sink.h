/* SPDX-License-Identifier: Apache-2.0 */
/* A sink that records. */
#ifndef ACCEPTANCE_FIXTURE_SINK_H
#define ACCEPTANCE_FIXTURE_SINK_H

#include <vds.h>

struct fx_sink;

struct fx_sink *fx_sink_new(void);
void fx_sink_free(struct fx_sink *sink);
IVdsAdviseSink *fx_sink_iface(struct fx_sink *sink);

#endif
