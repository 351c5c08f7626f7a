#include "conf/admin_socket.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/settings.h"

#define DEFAULT_DIRECTORY "/run/sallyport"

char *
admin_socket_path(const struct process_settings *process)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");

	if (process->admin_socket != NULL)
		return strcmp(process->admin_socket, ADMIN_SOCKET_NONE) == 0
			       ? NULL
			       : xstrdup(process->admin_socket);
	if (directory == NULL || *directory == '\0')
		directory = DEFAULT_DIRECTORY;
	/* Several stand with colons between them. */
	return xasprintf(
		"%.*s/admin.sock", (int)strcspn(directory, ":"), directory);
}
