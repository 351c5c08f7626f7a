/* A generation on its way into a worker. */
#include "worker/staging.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "ipc/message.h"
#include "worker/build.h"
#include "worker/generation.h"

/* With room for more than a section header can hold. */
#define LISTENER_NAME_MAX 256

void
staging_init(struct staging *staging)
{
	*staging = (struct staging){.public_fd = -1, .secret_fd = -1};
}

void
staging_done(struct staging *staging)
{
	generation_free(&staging->generation);
	free(staging->path);
	fd_close(&staging->public_fd);
	fd_close(&staging->secret_fd);
	staging_init(staging);
}

void
staging_begin(struct staging *staging, struct message *m)
{
	char path[MESSAGE_MAX];
	uint64_t number = message_get_u64(m);

	message_get_text(m, path, sizeof path);
	staging_done(staging);
	staging->generation = generation_new(number);
	staging->path = xstrdup(path);
	staging->public_fd = message_take_fd(m);
	staging->secret_fd = message_take_fd(m);
}

bool
staging_is_of(const struct staging *staging, uint64_t number)
{
	return staging->generation != NULL &&
	       generation_number(staging->generation) == number;
}

void
staging_add_socket(struct staging *staging, struct message *m)
{
	uint64_t number = message_get_u64(m);
	char name[LISTENER_NAME_MAX];
	int fd;

	message_get_text(m, name, sizeof name);
	if (!staging_is_of(staging, number))
		return;
	fd = message_take_fd(m);
	if (fd >= 0)
		generation_add_socket(staging->generation, name, fd);
}

void
staging_add_output(struct staging *staging, struct message *m)
{
	uint64_t number = message_get_u64(m);
	char path[MESSAGE_MAX];
	int fd;

	message_get_text(m, path, sizeof path);
	if (!staging_is_of(staging, number))
		return;
	fd = message_take_fd(m);
	if (fd >= 0)
		generation_add_output(staging->generation, path, fd);
}

struct build *
staging_end(struct staging *staging, struct proxy *proxy,
	const struct generation *before)
{
	const struct build_parts parts = {
		staging->path, staging->public_fd, staging->secret_fd, before};
	struct build *build = build_new(staging->generation, proxy, &parts);

	staging->generation = NULL;
	staging->public_fd = -1;
	staging->secret_fd = -1;
	staging_done(staging);
	return build;
}
