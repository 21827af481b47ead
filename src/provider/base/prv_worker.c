/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/base/prv_worker.h"

#include <errno.h>
#include <stdlib.h>

static _Thread_local bool internal_thread;

bool prv_thread_is_internal(void)
{
	return internal_thread;
}

void prv_thread_mark_internal(void)
{
	internal_thread = true;
}

static void *worker_main(void *arg)
{
	struct prv_worker *w = arg;

	prv_thread_mark_internal();
	loop_run(w->loop);
	return NULL;
}

static int start_threads(struct prv_worker *w, struct err *err)
{
	int rc = prv_clerk_start(&w->clerk, w->loop);

	if (rc)
		return err_set(err, rc, "No thread could be started.");
	rc = -pthread_create(&w->thread, NULL, worker_main, w);
	if (!rc)
		return 0;
	prv_clerk_stop(&w->clerk);
	return err_set(err, rc, "No thread could be started.");
}

int prv_worker_start(struct prv_worker **out, struct err *err)
{
	struct loop_options options = {.name = "worker"};
	struct prv_worker *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (!w)
		return err_set(err, -ENOMEM, "There is no memory for the worker.");
	int rc = loop_new(&options, &w->loop, err);
	if (!rc) {
		rc = start_threads(w, err);
		if (rc)
			loop_free(w->loop);
	}
	if (rc) {
		free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void prv_worker_stop(struct prv_worker *w)
{
	if (!w)
		return;
	loop_stop(w->loop);
	pthread_join(w->thread, NULL);
	prv_clerk_stop(&w->clerk);
	loop_free(w->loop);
	free(w);
}
