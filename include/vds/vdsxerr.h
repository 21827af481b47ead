/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words for a failure that a result code cannot carry. Not part of Microsoft's VDS.
 */
#ifndef VDS_VDSXERR_H
#define VDS_VDSXERR_H

#include "vdsbase.h"

/*
 * One sentence about why the latest call on this thread failed ("The store /srv/a is in use by
 * process 123."), or "" when it succeeded or there is nothing to add to its code. Never NULL.
 *
 * Calls are those of IVdsServiceLoader::LoadService, IVdsxServiceLoader::OpenStore and
 * CoCreateInstance and, once these have succeeded, of all methods of a service in this process. The
 * text belongs to the library and stays until the next call on the thread; also until the next call
 * of this function.
 */
VDS_API const WCHAR *VdsxLastErrorText(void);

#endif /* VDS_VDSXERR_H */
