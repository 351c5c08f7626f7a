#pragma once

/*
 * Everything on the way to a file that can make its path mean another one:
 * the entry of each directory that the path goes through, symbolic links
 * followed by hand, as far as it exists.
 *
 * For /etc/tls/tls.crt -> ..data/tls.crt, ..data -> ..2026, it says:
 * "etc" in /, "tls" in /etc, "tls.crt" and "..data" in /etc/tls, "..2026"
 * there too, "tls.crt" in /etc/tls/..2026, and then that file.
 */
enum path_step {
	PATH_ENTRY, /* NAME in directory DIR, there or not */
	PATH_DIR,   /* the path ends in directory DIR; NAME is NULL */
	PATH_FILE   /* it ends in DIR, which is something else; NAME is NULL */
};

/* DIR has no symbolic link in it. Said before NAME is looked up: who begins
 * to watch DIR here misses nothing. */
typedef void (*path_step_fn)(
	enum path_step step, const char *dir, const char *name, void *arg);

/* Relative paths start in the working directory. More links than the kernel
 * would follow end the walk. */
void path_walk(const char *path, path_step_fn on_step, void *arg);
