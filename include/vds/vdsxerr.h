/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words for a failure that a result code cannot carry: why a service could not be loaded. Not part
 * of Microsoft's VDS.
 */
#ifndef VDS_VDSXERR_H
#define VDS_VDSXERR_H

#include "vdsbase.h"

/*
 * One sentence about the latest call of IVdsServiceLoader::LoadService, IVdsxServiceLoader::OpenStore
 * or CoCreateInstance on this thread: why it failed ("The store /srv/a is in use by process 123."),
 * or "" if it succeeded or there is nothing to add to its code. Never NULL. The text belongs to the
 * library and stays as it is until the next such call on the thread.
 */
VDS_API const WCHAR *VdsxLastErrorText(void);

#endif /* VDS_VDSXERR_H */
