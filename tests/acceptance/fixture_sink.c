/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications, maintenance states and snapshots of the acceptance tests. */
#include "fixture_sink.h"

#include "fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct fx_sink {
	IVdsAdviseSink iface;
	atomic_uint refs;
	pthread_mutex_t lock;
	unsigned count, groups;
	struct fx_note notes[FX_NOTES_MAX];
};

static struct fx_sink *impl(IVdsAdviseSink *iface)
{
	return (struct fx_sink *)(void *)iface;
}

static HRESULT STDMETHODCALLTYPE sink_QueryInterface(IVdsAdviseSink *iface, REFIID iid, void **out)
{
	*out = NULL;
	if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IVdsAdviseSink))
		return E_NOINTERFACE;
	IVdsAdviseSink_AddRef(iface);
	*out = iface;
	return S_OK;
}

static ULONG STDMETHODCALLTYPE sink_AddRef(IVdsAdviseSink *iface)
{
	return atomic_fetch_add(&impl(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE sink_Release(IVdsAdviseSink *iface)
{
	struct fx_sink *self = impl(iface);
	ULONG left = atomic_fetch_sub(&self->refs, 1) - 1;

	if (!left)
		free(self);
	return left;
}

static HRESULT STDMETHODCALLTYPE sink_OnNotify(
	IVdsAdviseSink *iface, LONG count, VDS_NOTIFICATION *list)
{
	struct fx_sink *self = impl(iface);

	pthread_mutex_lock(&self->lock);
	for (LONG i = 0; i < count && self->count < FX_NOTES_MAX; i++) {
		self->notes[self->count].group = self->groups;
		self->notes[self->count++].n = list[i];
	}
	self->groups++;
	pthread_mutex_unlock(&self->lock);
	CoTaskMemFree(list);
	return S_OK;
}

static const IVdsAdviseSinkVtbl sink_vtbl = {
	.QueryInterface = sink_QueryInterface,
	.AddRef = sink_AddRef,
	.Release = sink_Release,
	.OnNotify = sink_OnNotify,
};

struct fx_sink *fx_sink_new(void)
{
	struct fx_sink *self = calloc(1, sizeof(*self));

	assert_non_null(self);
	self->iface.lpVtbl = &sink_vtbl;
	self->refs = 1;
	pthread_mutex_init(&self->lock, NULL);
	return self;
}

void fx_sink_free(struct fx_sink *self)
{
	IVdsAdviseSink_Release(&self->iface);
}

IVdsAdviseSink *fx_sink_iface(struct fx_sink *self)
{
	return &self->iface;
}

/* ---- reading ------------------------------------------------------------------------------- */

ULONG fx_note_event(const VDS_NOTIFICATION *n)
{
	return n->SubSystem.ulEvent; /* comes first in every arm */
}

VDS_OBJECT_ID fx_note_id(const VDS_NOTIFICATION *n)
{
	return n->SubSystem.subSystemId; /* second in every arm about an array's object */
}

/* Notifications keep their order: when the one made here has come, all before it have. */
static void drain(struct fx *fx)
{
	WCHAR name[] = VDS_TEXT("marker 0000");
	struct fx_sink *s = fx->sink;
	unsigned before, mark = fx->marks++;

	pthread_mutex_lock(&s->lock);
	before = s->count;
	pthread_mutex_unlock(&s->lock);
	for (int i = 10; i > 6; i--, mark /= 10)
		name[i] = (WCHAR)('0' + mark % 10);
	if (!fx->marker || FAILED(IVdsSubSystemNaming_SetFriendlyName(fx->marker, name)))
		return; /* the cache is corrupt: take what is there */
	for (bool come = false; !come;) {
		uint64_t end = fx_now_ms() + 20000;
		pthread_mutex_lock(&s->lock);
		for (unsigned i = before; i < s->count && !come; i++) {
			if (fx_note_event(&s->notes[i].n) != VDS_NF_SUB_SYSTEM_MODIFY ||
				fx_same(fx_note_id(&s->notes[i].n), fx->sub_id))
				continue;
			come = true;
			memmove(&s->notes[i], &s->notes[i + 1],
				(s->count - i - 1) * sizeof(s->notes[0]));
			s->count--;
		}
		pthread_mutex_unlock(&s->lock);
		if (!come && fx_now_ms() > end)
			fail_msg("the sink hears nothing");
		if (!come)
			fx_pause();
	}
}

void fx_notes_reset(struct fx *fx)
{
	drain(fx);
	pthread_mutex_lock(&fx->sink->lock);
	fx->sink->count = 0;
	pthread_mutex_unlock(&fx->sink->lock);
}

unsigned fx_notes(struct fx *fx, const struct fx_note **list)
{
	drain(fx);
	if (list)
		*list = fx->sink->notes;
	return fx->sink->count;
}

int fx_note_group(struct fx *fx, ULONG event, VDS_OBJECT_ID id)
{
	static const VDS_OBJECT_ID any;
	struct fx_sink *s = fx->sink;
	int group = -1;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->count && group < 0; i++)
		if (fx_note_event(&s->notes[i].n) == event &&
			(fx_same(id, any) || fx_same(fx_note_id(&s->notes[i].n), id)))
			group = (int)s->notes[i].group;
	pthread_mutex_unlock(&s->lock);
	return group;
}

unsigned fx_count_notes(struct fx *fx, ULONG event, VDS_OBJECT_ID id)
{
	static const VDS_OBJECT_ID any;
	struct fx_sink *s = fx->sink;
	unsigned n = 0;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->count; i++)
		n += fx_note_event(&s->notes[i].n) == event &&
		     (fx_same(id, any) || fx_same(fx_note_id(&s->notes[i].n), id));
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* ---- maintenance --------------------------------------------------------------------------- */

static IVdsxMaintenance *xmaint(void *object)
{
	IVdsxMaintenance *x = NULL;

	assert_ok(IUnknown_QueryInterface((IUnknown *)object, &IID_IVdsxMaintenance, (void **)&x));
	return x;
}

VDSX_MAINTENANCE_STATE fx_maint_state(void *object, VDS_MAINTENANCE_OPERATION op)
{
	IVdsxMaintenance *x = xmaint(object);
	VDSX_MAINTENANCE_STATE *states, found = {0};
	LONG count;

	assert_ok(IVdsxMaintenance_QueryState(x, &states, &count));
	IVdsxMaintenance_Release(x);
	for (LONG i = 0; i < count; i++)
		if (states[i].operation == op)
			found = states[i];
	CoTaskMemFree(states);
	assert_int_equal(found.operation, op);
	return found;
}

VDSX_MAINTENANCE_MODE fx_maint_mode(void *object, VDS_MAINTENANCE_OPERATION op)
{
	return fx_maint_state(object, op).mode;
}

unsigned fx_pulses(void *object, VDS_MAINTENANCE_OPERATION op, ULONGLONG since)
{
	IVdsxMaintenance *x = xmaint(object);
	VDSX_MAINTENANCE_EVENT *events;
	LONG count;
	unsigned pulses = 0;

	assert_ok(IVdsxMaintenance_QueryLog(x, since, &events, &count));
	IVdsxMaintenance_Release(x);
	for (LONG i = 0; i < count; i++)
		pulses += events[i].operation == op && events[i].kind == VDSX_MAINTENANCE_PULSE;
	CoTaskMemFree(events);
	return pulses;
}

/* ---- snapshots ----------------------------------------------------------------------------- */

static void add_wide(FILE *f, WCHAR *text)
{
	for (const WCHAR *p = text; p && *p; p++)
		fputc((char)*p, f);
	fputc('|', f);
	CoTaskMemFree(text);
}

static void add_id(FILE *f, VDS_OBJECT_ID id)
{
	fprintf(f, "%08x%04x%04x", id.Data1, id.Data2, id.Data3);
	for (int i = 0; i < 8; i++)
		fprintf(f, "%02x", id.Data4[i]);
	fputc(' ', f);
}

static void add_maint(FILE *f, IUnknown *unk)
{
	IVdsxMaintenance *x = NULL;
	VDSX_MAINTENANCE_STATE *states = NULL;
	LONG count = 0;

	if (FAILED(IUnknown_QueryInterface(unk, &IID_IVdsxMaintenance, (void **)&x)))
		return;
	fprintf(f, " maint %#x:", (unsigned)IVdsxMaintenance_QueryState(x, &states, &count));
	for (LONG i = 0; i < count; i++)
		fprintf(f, " %d=%d,%d,%u", states[i].operation, states[i].mode,
			states[i].bEffective, states[i].ulPulsesLeft);
	fputc('\n', f);
	CoTaskMemFree(states);
	IVdsxMaintenance_Release(x);
}

static void add_drive(FILE *f, IUnknown *unk)
{
	IVdsDrive *drive = NULL;
	VDS_DRIVE_PROP p;
	VDS_DRIVE_EXTENT *extents = NULL;
	LONG count = 0;

	IUnknown_QueryInterface(unk, &IID_IVdsDrive, (void **)&drive);
	HRESULT hr = IVdsDrive_GetProperties(drive, &p);
	fprintf(f, "drive %#x ", (unsigned)hr);
	if (SUCCEEDED(hr)) {
		add_id(f, p.id);
		fprintf(f, "%llu flags %#x status %d health %d at %d.%d ", p.ullSize, p.ulFlags,
			p.status, p.health, p.sInternalBusNumber, p.sSlotNumber);
		add_wide(f, p.pwszFriendlyName);
		add_wide(f, p.pwszIdentification);
	}
	fprintf(f, " extents %#x", (unsigned)IVdsDrive_QueryExtents(drive, &extents, &count));
	for (LONG i = 0; i < count; i++) {
		fprintf(f, " %llu%s ", extents[i].ullSize, extents[i].bUsed ? "+" : "-");
		add_id(f, extents[i].LunId);
	}
	CoTaskMemFree(extents);
	add_maint(f, unk);
	IVdsDrive_Release(drive);
}

static void add_lun(FILE *f, IUnknown *unk)
{
	IVdsLun *lun = NULL;
	VDS_LUN_PROP p;
	VDS_HINTS hints = {0};
	IEnumVdsObject *plexes = NULL;
	IUnknown *one;
	ULONG got;

	IUnknown_QueryInterface(unk, &IID_IVdsLun, (void **)&lun);
	HRESULT hr = IVdsLun_GetProperties(lun, &p);
	fprintf(f, "lun %#x ", (unsigned)hr);
	if (SUCCEEDED(hr)) {
		add_id(f, p.id);
		fprintf(f, "%llu flags %#x type %d status %d health %d ts %d prio %d ", p.ullSize,
			p.ulFlags, p.type, p.status, p.health, p.TransitionState,
			p.sRebuildPriority);
		add_wide(f, p.pwszFriendlyName);
		add_wide(f, p.pwszIdentification);
		add_wide(f, p.pwszUnmaskingList);
	}
	hr = IVdsLun_QueryHints(lun, &hints);
	fprintf(f, " hints %#x %llx %u %d", (unsigned)hr, hints.ullHintMask, hints.ulStripeSize,
		hints.sRebuildPriority);
	if (SUCCEEDED(IVdsLun_QueryPlexes(lun, &plexes))) {
		while (IEnumVdsObject_Next(plexes, 1, &one, &got) == S_OK) {
			IVdsLunPlex *plex = NULL;
			VDS_LUN_PLEX_PROP pp;
			IUnknown_QueryInterface(one, &IID_IVdsLunPlex, (void **)&plex);
			hr = IVdsLunPlex_GetProperties(plex, &pp);
			fprintf(f, " plex %#x %llu %d %d %d", (unsigned)hr, pp.ullSize, pp.type,
				pp.status, pp.health);
			IVdsLunPlex_Release(plex);
			IUnknown_Release(one);
		}
		IEnumVdsObject_Release(plexes);
	}
	add_maint(f, unk);
	IVdsLun_Release(lun);
}

static void add_all(FILE *f, HRESULT hr, IEnumVdsObject *list, void (*add)(FILE *, IUnknown *))
{
	IUnknown *unk;
	ULONG got;

	if (FAILED(hr)) {
		fprintf(f, "list %#x\n", (unsigned)hr);
		return;
	}
	while (IEnumVdsObject_Next(list, 1, &unk, &got) == S_OK) {
		add(f, unk);
		IUnknown_Release(unk);
	}
	IEnumVdsObject_Release(list);
}

static void add_controller(FILE *f, struct fx *fx)
{
	VDS_CONTROLLER_PROP c;
	VDS_PORT_PROP p;
	HRESULT hr = IVdsController_GetProperties(fx->controller, &c);

	fprintf(f, "controller %#x ", (unsigned)hr);
	if (SUCCEEDED(hr)) {
		fprintf(f, "status %d health %d ", c.status, c.health);
		add_wide(f, c.pwszFriendlyName);
		add_wide(f, c.pwszIdentification);
	}
	hr = IVdsControllerPort_GetProperties(fx->port, &p);
	fprintf(f, "port %#x ", (unsigned)hr);
	if (SUCCEEDED(hr)) {
		fprintf(f, "status %d ", p.status);
		add_wide(f, p.pwszFriendlyName);
		add_wide(f, p.pwszIdentification);
	}
	add_maint(f, (IUnknown *)(void *)fx->controller);
	add_maint(f, (IUnknown *)(void *)fx->port);
}

char *fx_snapshot(struct fx *fx)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	VDS_SUB_SYSTEM_PROP p;
	IEnumVdsObject *list = NULL;

	assert_non_null(f);
	HRESULT hr = IVdsSubSystem_GetProperties(fx->sub, &p);
	fprintf(f, "subsystem %#x ", (unsigned)hr);
	if (SUCCEEDED(hr)) {
		add_id(f, p.id);
		fprintf(f, "status %d health %d flags %#x ", p.status, p.health, p.ulFlags);
		add_wide(f, p.pwszFriendlyName);
		add_wide(f, p.pwszIdentification);
	}
	add_maint(f, (IUnknown *)(void *)fx->sub);
	add_controller(f, fx);
	hr = IVdsSubSystem_QueryDrives(fx->sub, &list);
	add_all(f, hr, list, add_drive);
	hr = IVdsSubSystem_QueryLuns(fx->sub, &list);
	add_all(f, hr, list, add_lun);
	fclose(f);
	return text;
}

void fx_unchanged(struct fx *fx, char *before)
{
	char *after = fx_snapshot(fx);
	const struct fx_note *list;

	assert_string_equal(after, before);
	if (fx_notes(fx, &list))
		fail_msg("a notification came: event %u", fx_note_event(&list[0].n));
	free(after);
	free(before);
}
