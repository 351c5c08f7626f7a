/* The generations of a worker. */
#include "worker/generations.h"

#include "conf/report.h"
#include "ipc/message.h"
#include "proxy/proxy.h"
#include "tls/tls_verify.h"
#include "worker/build.h"
#include "worker/conn_room.h"
#include "worker/generation.h"
#include "worker/resolved.h"

/* ---- on its way ---- */

static void
drop_build(struct generations *all)
{
	background_remove(&all->proxy->background, &all->building);
	build_free(&all->build);
}

static void
hand_in(struct generations *all)
{
	uint64_t number = build_number(all->build);

	all->staged = build_take(all->build);
	all->on_built(number, all->staged != NULL, build_report(all->build),
		all->arg);
	build_free(&all->build);
}

/* A background step. */
static bool
build_some(void *arg)
{
	struct generations *all = arg;

	if (build_step(all->build))
		return true;
	hand_in(all);
	return false;
}

static void
on_stage_end(struct generations *all, struct message *m)
{
	uint64_t number = message_get_u64(m);

	if (!staging_is_of(&all->staging, number))
		return;
	drop_build(all);
	generation_free(&all->staged);
	all->build = staging_end(&all->staging, all->proxy, all->running);
	background_add(&all->proxy->background, &all->building);
}

static void
on_abort(struct generations *all, struct message *m)
{
	uint64_t number = message_get_u64(m);

	staging_done(&all->staging);
	if (all->build != NULL && build_number(all->build) == number)
		drop_build(all);
	if (all->staged != NULL && generation_number(all->staged) == number)
		generation_free(&all->staged);
}

/* ---- there ---- */

static void
make_room(struct generations *all, size_t wanted)
{
	struct conn_room *room = all->room;
	size_t size;

	room->wanted = wanted;
	size = conn_room_size(room, generation_sockets(all->staged));
	all->proxy->max_conns = size;
	if (conn_room_is_short(room, size))
		conn_room_log_short(room, size);
}

static void
on_commit(struct generations *all, struct message *m)
{
	uint64_t number = message_get_u64(m);
	uint64_t max_conns = message_get_u64(m);

	if (all->staged == NULL || generation_number(all->staged) != number)
		return;
	make_room(all, (size_t)max_conns);
	/* First in, then out: no moment without a listener. */
	if (!all->is_stopped)
		generation_start(all->staged);
	if (all->running != NULL)
		generation_replace(all->running, all->staged);
	generation_free(&all->running);
	all->running = all->staged;
	all->staged = NULL;
	tls_verify_forget(NULL);
	proxy_recheck_all(all->proxy);
}

/* The supervisor says it again to what is still in the making. */
static void
on_resolved(struct generations *all, struct message *m)
{
	struct resolved resolved;

	if (!resolved_read(m, &resolved))
		return;
	if (all->running != NULL)
		generation_resolved(all->running, resolved.host, resolved.port,
			resolved.addresses, resolved.n);
	if (all->staged != NULL)
		generation_resolved(all->staged, resolved.host, resolved.port,
			resolved.addresses, resolved.n);
}

bool
generations_take(struct generations *all, struct message *m)
{
	switch (m->type) {
	case MESSAGE_STAGE:
		staging_begin(&all->staging, m);
		return true;
	case MESSAGE_SOCKET:
		staging_add_socket(&all->staging, m);
		return true;
	case MESSAGE_OUTPUT:
		staging_add_output(&all->staging, m);
		return true;
	case MESSAGE_STAGE_END:
		on_stage_end(all, m);
		return true;
	case MESSAGE_COMMIT:
		on_commit(all, m);
		return true;
	case MESSAGE_ABORT:
		on_abort(all, m);
		return true;
	case MESSAGE_RESOLVED:
		on_resolved(all, m);
		return true;
	case MESSAGE_NONE:
	case MESSAGE_READY:
	case MESSAGE_STAGED:
	case MESSAGE_DRAIN:
	case MESSAGE_LEAVE:
	case MESSAGE_DRAINED:
	case MESSAGE_PING:
	case MESSAGE_PONG:
	case MESSAGE_RESOLVE:
	case MESSAGE_N_TYPES:
		return false;
	}
	return false;
}

bool
generations_readmit(const struct generations *all, struct conn *conn)
{
	return generation_readmit(all->running, conn);
}

/* ---- life ---- */

void
generations_init(struct generations *all, struct proxy *proxy,
	struct conn_room *room, generations_built_fn on_built, void *arg)
{
	*all = (struct generations){.proxy = proxy,
		.room = room,
		.building = {.step = build_some, .arg = all},
		.on_built = on_built,
		.arg = arg};
	staging_init(&all->staging);
}

void
generations_stop(struct generations *all)
{
	all->is_stopped = true;
	if (all->running != NULL)
		generation_stop(all->running);
}

void
generations_done(struct generations *all)
{
	generations_stop(all);
	staging_done(&all->staging);
	drop_build(all);
	generation_free(&all->staged);
	generation_free(&all->running);
}
