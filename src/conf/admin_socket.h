#pragma once

struct process_settings;

/* What `admin_socket = none` turns off. */
#define ADMIN_SOCKET_NONE "none"

/*
 * The path of the admin socket: as set, or where a start without a setting
 * makes it: admin.sock in the first of $RUNTIME_DIRECTORY (systemd.exec(5)),
 * else in /run/sallyport. NULL: there is to be none. The caller frees.
 */
char *admin_socket_path(const struct process_settings *process);
