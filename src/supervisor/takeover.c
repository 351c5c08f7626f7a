/* In the place of another binary. */
#include "supervisor/takeover.h"

#include <stddef.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/systemd.h"
#include "supervisor/handover.h"

int
takeover_read(struct handover *out)
{
	struct error err;
	int fd = handover_find(), rc;

	if (fd < 0)
		return 1;
	rc = handover_read(fd, out, &err);
	fd_close(&fd);
	if (rc < 0)
		log_msg(LOG_LEVEL_ERROR, "%s", err.text);
	else
		(void)handover_set_cloexec(out, true);
	return rc;
}

void
takeover_hand_over_inherited(struct handover *handover)
{
	const char *name;
	size_t i;
	int fd;

	for (i = 0; (name = systemd_inherited(i, &fd)) != NULL; i++)
		if (fd >= 0)
			handover_add(
				handover, HANDOVER_INHERITED, name, "", fd);
}

void
takeover_inherit(struct handover *handover)
{
	const struct handover_item *item;

	while ((item = handover_take(handover, HANDOVER_INHERITED)) != NULL)
		systemd_inherit(item->name, item->fd);
}
