/* SPDX-License-Identifier: Apache-2.0 */
/* IVdsAsync: hardware.md 12.1, software.md 1.6. */
#include "kit.h"

#include "vdscom/async.h"

#include <semaphore.h>

/* An operation whose answers the test sets. */
struct job {
	HRESULT cancel_hr;
	bool ends_when_cancelled;
	HRESULT ends_with;
	struct vdc_async *async;
	atomic_int cancels, released;
	sem_t asked;
};

static HRESULT job_cancel(void *ctx)
{
	struct job *j = ctx;

	atomic_fetch_add(&j->cancels, 1);
	if (j->ends_when_cancelled)
		vdc_async_finish(j->async, j->ends_with, NULL);
	sem_post(&j->asked);
	return j->cancel_hr;
}

static HRESULT job_properties(void *ctx, VDSX_JOB_PROP *prop)
{
	(void)ctx;
	prop->ulNumber = 17;
	return S_OK;
}

static void job_release(void *ctx)
{
	atomic_fetch_add(&((struct job *)ctx)->released, 1);
}

static const struct vdc_async_ops job_ops = {job_cancel, job_properties, job_release};
static const struct vdc_async_ops plain_ops = {job_cancel, NULL, job_release};
static const struct vdc_async_ops fixed_ops = {NULL, NULL, job_release};

static IVdsAsync *start(struct job *j, VDS_ASYNC_OUTPUT_TYPE type, const struct vdc_async_ops *ops)
{
	memset(j, 0, sizeof(*j));
	sem_init(&j->asked, 0, 0);
	j->ends_with = VDS_E_OPERATION_CANCELED;
	assert_int_equal(vdc_async_new(type, ops, j, &j->async), S_OK);
	return vdc_async_get(j->async);
}

static void end(struct job *j, IVdsAsync *a)
{
	IVdsAsync_Release(a);
	vdc_async_unref(j->async);
	assert_int_equal(atomic_load(&j->released), 1);
	sem_destroy(&j->asked);
}

static void expect_status(IVdsAsync *a, HRESULT hr, ULONG percent)
{
	HRESULT is;
	ULONG got;

	assert_int_equal(IVdsAsync_QueryStatus(a, &is, &got), S_OK);
	assert_int_equal(is, hr);
	assert_int_equal(got, percent);
}

static void percent_rises_to_99_and_is_100_after_success(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_EXTENDLUN, &job_ops);

	(void)state;
	expect_status(a, VDS_E_OPERATION_PENDING, 0);
	vdc_async_progress(j.async, 40);
	expect_status(a, VDS_E_OPERATION_PENDING, 40);
	vdc_async_progress(j.async, 30);
	expect_status(a, VDS_E_OPERATION_PENDING, 40);
	vdc_async_progress(j.async, 100);
	expect_status(a, VDS_E_OPERATION_PENDING, 99);
	assert_int_equal(vdc_async_result(j.async), VDS_E_OPERATION_PENDING);
	vdc_async_finish(j.async, S_OK, NULL);
	expect_status(a, S_OK, 100);
	vdc_async_progress(j.async, 5);
	vdc_async_finish(j.async, E_FAIL, NULL);
	expect_status(a, S_OK, 100); /* the first end counts */
	end(&j, a);
}

static void percent_after_failure_is_the_last_reached(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_RECOVERLUN, &job_ops);

	(void)state;
	vdc_async_progress(j.async, 61);
	vdc_async_finish(j.async, VDS_E_NOT_ENOUGH_DRIVE, NULL);
	expect_status(a, VDS_E_NOT_ENOUGH_DRIVE, 61);
	end(&j, a);
}

static void each_wait_has_a_reference_of_its_own(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_CREATELUN, &job_ops);
	IUnknown *lun = plain_new();
	VDS_ASYNC_OUTPUT out = {.cl.pLunUnk = lun};
	HRESULT hr;

	(void)state;
	vdc_async_finish(j.async, S_OK, &out);
	assert_int_equal(plain_refs(lun), 2);
	for (unsigned i = 0; i < 3; i++) {
		memset(&out, 0xee, sizeof(out));
		hr = E_FAIL;
		assert_int_equal(IVdsAsync_Wait(a, &hr, &out), S_OK);
		assert_int_equal(hr, S_OK);
		assert_int_equal(out.type, VDS_ASYNCOUT_CREATELUN);
		assert_ptr_equal(out.cl.pLunUnk, lun);
		assert_int_equal(plain_refs(lun), 3 + i);
	}
	for (int i = 0; i < 3; i++)
		IUnknown_Release(lun);
	end(&j, a);
	assert_int_equal(plain_refs(lun), 1);
	IUnknown_Release(lun);
}

static void values_come_out(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_CREATEPARTITION, &job_ops);
	VDS_ASYNC_OUTPUT out = {.cp = {1048576, {.Data1 = 5}}};
	HRESULT hr;

	(void)state;
	vdc_async_finish(j.async, VDS_S_PROPERTIES_INCOMPLETE, &out);
	memset(&out, 0xee, sizeof(out));
	assert_int_equal(IVdsAsync_Wait(a, &hr, &out), S_OK);
	assert_int_equal(hr, VDS_S_PROPERTIES_INCOMPLETE);
	assert_int_equal(out.cp.ullOffset, 1048576);
	assert_int_equal(out.cp.volumeId.Data1, 5);
	end(&j, a);
}

static void no_output_after_failure(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_CREATELUN, &job_ops);
	IUnknown *lun = plain_new();
	VDS_ASYNC_OUTPUT out = {.cl.pLunUnk = lun};
	HRESULT hr;

	(void)state;
	vdc_async_finish(j.async, E_OUTOFMEMORY, &out);
	assert_int_equal(plain_refs(lun), 1);
	assert_int_equal(IVdsAsync_Wait(a, &hr, &out), S_OK);
	assert_int_equal(hr, E_OUTOFMEMORY);
	assert_null(out.cl.pLunUnk);
	end(&j, a);
	IUnknown_Release(lun);
}

static void null_pointers_are_invalid(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_CREATELUN, &job_ops);
	VDS_ASYNC_OUTPUT out;
	HRESULT hr = S_OK;
	ULONG percent = 5;
	void *job;

	(void)state;
	/* They answer at once: it still runs. */
	assert_int_equal(IVdsAsync_Wait(a, NULL, &out), E_INVALIDARG);
	assert_null(out.cl.pLunUnk);
	assert_int_equal(IVdsAsync_Wait(a, &hr, NULL), E_INVALIDARG);
	assert_int_equal(IVdsAsync_QueryStatus(a, NULL, &percent), E_INVALIDARG);
	assert_int_equal(percent, 0);
	assert_int_equal(IVdsAsync_QueryStatus(a, &hr, NULL), E_INVALIDARG);
	assert_int_equal(IVdsAsync_QueryInterface(a, &IID_IVdsxJob, &job), S_OK);
	assert_int_equal(IVdsxJob_GetProperties((IVdsxJob *)job, NULL), E_INVALIDARG);
	IVdsxJob_Release((IVdsxJob *)job);
	end(&j, a);
}

static void cancel_codes(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_RECOVERLUN, &plain_ops);

	(void)state;
	vdc_async_progress(j.async, 30);
	/* Refused by the operation: nothing changes, and it may be asked again. */
	j.cancel_hr = VDS_E_CANCEL_TOO_LATE;
	assert_int_equal(IVdsAsync_Cancel(a), VDS_E_CANCEL_TOO_LATE);
	expect_status(a, VDS_E_OPERATION_PENDING, 30);
	/* Accepted. */
	j.cancel_hr = S_OK;
	j.ends_when_cancelled = true;
	assert_int_equal(IVdsAsync_Cancel(a), S_OK);
	expect_status(a, VDS_E_OPERATION_CANCELED, 0);
	assert_int_equal(IVdsAsync_Cancel(a), VDS_E_OPERATION_CANCELED);
	assert_int_equal(atomic_load(&j.cancels), 2);
	end(&j, a);
}

static void cancel_after_the_end_is_too_late(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_RECOVERLUN, &plain_ops);

	(void)state;
	vdc_async_finish(j.async, S_OK, NULL);
	assert_int_equal(IVdsAsync_Cancel(a), VDS_E_CANCEL_TOO_LATE);
	assert_int_equal(atomic_load(&j.cancels), 0);
	end(&j, a);
}

/* The request was accepted, but the operation reached its end first: S_OK would be a lie. */
static void cancel_that_lost_the_race_is_too_late(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_RECOVERLUN, &plain_ops);

	(void)state;
	j.ends_when_cancelled = true;
	j.ends_with = S_OK;
	assert_int_equal(IVdsAsync_Cancel(a), VDS_E_CANCEL_TOO_LATE);
	expect_status(a, S_OK, 100);
	end(&j, a);
}

static void cancel_without_support(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_CREATELUN, &fixed_ops);

	(void)state;
	assert_int_equal(IVdsAsync_Cancel(a), VDS_E_NOT_SUPPORTED);
	vdc_async_finish(j.async, S_OK, NULL);
	assert_int_equal(IVdsAsync_Cancel(a), VDS_E_NOT_SUPPORTED);
	end(&j, a);
}

static void *cancel_main(void *arg)
{
	return (void *)(intptr_t)IVdsAsync_Cancel((IVdsAsync *)arg);
}

/* Cancel returns when the operation has stopped, so that S_OK means it; of two that ask at once
 * only one did it. */
static void cancel_waits_for_the_end(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_RECOVERLUN, &plain_ops);
	unsigned ok = 0, already = 0;
	pthread_t threads[2];
	void *hr;

	(void)state;
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, cancel_main, a);
	sem_wait(&j.asked);
	expect_status(a, VDS_E_OPERATION_PENDING, 0);
	vdc_async_finish(j.async, VDS_E_OPERATION_CANCELED, NULL);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &hr);
		ok += (HRESULT)(intptr_t)hr == S_OK;
		already += (HRESULT)(intptr_t)hr == VDS_E_OPERATION_CANCELED;
	}
	assert_int_equal(ok, 1);
	assert_int_equal(already, 1);
	assert_int_equal(atomic_load(&j.cancels), 1);
	end(&j, a);
}

static void release_does_not_cancel(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_RECOVERLUN, &job_ops);

	(void)state;
	IVdsAsync_Release(a);
	assert_int_equal(atomic_load(&j.cancels), 0);
	assert_int_equal(atomic_load(&j.released), 0);
	a = vdc_async_get(j.async);
	vdc_async_finish(j.async, S_OK, NULL);
	end(&j, a);
}

static void job_interface_only_with_properties(void **state)
{
	struct job j;
	IVdsAsync *a = start(&j, VDS_ASYNCOUT_RECOVERLUN, &job_ops);
	VDSX_JOB_PROP prop;
	void *out;

	(void)state;
	assert_int_equal(IVdsAsync_QueryInterface(a, &IID_IVdsxJob, &out), S_OK);
	memset(&prop, 0xee, sizeof(prop));
	assert_int_equal(IVdsxJob_GetProperties((IVdsxJob *)out, &prop), S_OK);
	assert_int_equal(prop.ulNumber, 17);
	assert_int_equal(prop.ullTotalBytes, 0);
	IVdsxJob_Release((IVdsxJob *)out);
	end(&j, a);
	a = start(&j, VDS_ASYNCOUT_RECOVERLUN, &plain_ops);
	assert_int_equal(IVdsAsync_QueryInterface(a, &IID_IVdsxJob, &out), E_NOINTERFACE);
	end(&j, a);
}

static void finished_at_once(void **state)
{
	IUnknown *lun = plain_new();
	VDS_ASYNC_OUTPUT out = {.cl.pLunUnk = lun};
	IVdsAsync *a;
	HRESULT hr;

	(void)state;
	com_alloc_fail_after(1);
	assert_int_equal(
		vdc_async_new_finished(VDS_ASYNCOUT_CREATELUN, S_OK, &out, &a), E_OUTOFMEMORY);
	assert_null(a);
	assert_int_equal(plain_refs(lun), 1);
	assert_int_equal(vdc_async_new_finished(VDS_ASYNCOUT_CREATELUN, S_OK, &out, &a), S_OK);
	expect_status(a, S_OK, 100);
	assert_int_equal(IVdsAsync_Wait(a, &hr, &out), S_OK);
	assert_ptr_equal(out.cl.pLunUnk, lun);
	IUnknown_Release(lun);
	IVdsAsync_Release(a);
	IUnknown_Release(lun);
}

/* Eight wait, two watch, one works. */
struct crowd {
	struct job j;
	IVdsAsync *a;
	IUnknown *lun;
	atomic_int woken;
};

static void *waiter(void *arg)
{
	struct crowd *c = arg;
	VDS_ASYNC_OUTPUT out;
	HRESULT hr;

	assert_int_equal(IVdsAsync_Wait(c->a, &hr, &out), S_OK);
	assert_int_equal(hr, S_OK);
	assert_ptr_equal(out.cl.pLunUnk, c->lun);
	IUnknown_Release(out.cl.pLunUnk);
	atomic_fetch_add(&c->woken, 1);
	return NULL;
}

static void *watcher(void *arg)
{
	struct crowd *c = arg;
	ULONG percent, last = 0;
	HRESULT hr;

	do {
		assert_int_equal(IVdsAsync_QueryStatus(c->a, &hr, &percent), S_OK);
		assert_true(percent >= last);
		assert_true(percent == 100 ? hr == S_OK : hr == VDS_E_OPERATION_PENDING);
		last = percent;
	} while (percent < 100);
	return NULL;
}

static void many_wait_and_watch(void **state)
{
	struct crowd c = {.lun = plain_new()};
	VDS_ASYNC_OUTPUT out = {.cl.pLunUnk = c.lun};
	pthread_t threads[10];

	(void)state;
	c.a = start(&c.j, VDS_ASYNCOUT_CREATELUN, &job_ops);
	for (int i = 0; i < 10; i++)
		pthread_create(&threads[i], NULL, i < 8 ? waiter : watcher, &c);
	for (ULONG p = 0; p < 100; p++)
		vdc_async_progress(c.j.async, p);
	assert_int_equal(atomic_load(&c.woken), 0);
	vdc_async_finish(c.j.async, S_OK, &out);
	for (int i = 0; i < 10; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&c.woken), 8);
	end(&c.j, c.a);
	IUnknown_Release(c.lun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(percent_rises_to_99_and_is_100_after_success),
		KIT_TEST(percent_after_failure_is_the_last_reached),
		KIT_TEST(each_wait_has_a_reference_of_its_own),
		KIT_TEST(values_come_out),
		KIT_TEST(no_output_after_failure),
		KIT_TEST(null_pointers_are_invalid),
		KIT_TEST(cancel_codes),
		KIT_TEST(cancel_after_the_end_is_too_late),
		KIT_TEST(cancel_that_lost_the_race_is_too_late),
		KIT_TEST(cancel_without_support),
		KIT_TEST(cancel_waits_for_the_end),
		KIT_TEST(release_does_not_cancel),
		KIT_TEST(job_interface_only_with_properties),
		KIT_TEST(finished_at_once),
		KIT_TEST(many_wait_and_watch),
	};

	return cmocka_run_group_tests_name("vdscom async", tests, NULL, NULL);
}
