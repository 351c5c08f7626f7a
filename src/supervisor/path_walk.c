#include "config.h"

#include "supervisor/path_walk.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* As many as the kernel follows: path_resolution(7). */
#define LINKS_MAX 40

struct walk {
	char *at;   /* a directory, no symbolic link in it */
	char *rest; /* the components to come */
	unsigned links;
	path_step_fn on_step;
	void *arg;
};

static void
set(char **text, char *value)
{
	free(*text);
	*text = value;
}

static const char *
start_of(const char *path)
{
	return path[0] == '/' ? "/" : ".";
}

static char *
join(const char *dir, const char *name)
{
	return xasprintf("%s%s%s", dir, strcmp(dir, "/") == 0 ? "" : "/", name);
}

/* Cuts the first component off what is left; NULL at the end. */
static char *
take_component(struct walk *walk)
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	size_t len = strcspn(start, "/");
	char *name = len > 0 ? xstrndup(start, len) : NULL;

	set(&walk->rest, xstrdup(start + len));
	return name;
}

/* Goes on with what the link at PATH says. */
static bool
follow(struct walk *walk, const char *path)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof target - 1);

	if (len <= 0 || ++walk->links > LINKS_MAX)
		return false;
	target[len] = '\0';
	set(&walk->rest, xasprintf("%s/%s", target, walk->rest));
	if (target[0] == '/')
		set(&walk->at, xstrdup("/"));
	return true;
}

/* False: the walk ends here. */
static bool
enter(struct walk *walk, const char *name)
{
	char *next = join(walk->at, name);
	bool goes_on = false;
	struct stat st;

	if (strcmp(name, "..") != 0)
		walk->on_step(PATH_ENTRY, walk->at, name, walk->arg);
	if (lstat(next, &st) == 0) {
		if (S_ISLNK(st.st_mode)) {
			goes_on = follow(walk, next);
		} else if (S_ISDIR(st.st_mode)) {
			set(&walk->at, next);
			return true;
		} else {
			walk->on_step(PATH_FILE, next, NULL, walk->arg);
		}
	}
	free(next);
	return goes_on;
}

void
path_walk(const char *path, path_step_fn on_step, void *arg)
{
	struct walk walk = {
		.at = xstrdup(start_of(path)),
		.rest = xstrdup(path),
		.on_step = on_step,
		.arg = arg,
	};
	bool goes_on = true;
	char *name = NULL;

	while (goes_on && (name = take_component(&walk)) != NULL) {
		if (strcmp(name, ".") != 0)
			goes_on = enter(&walk, name);
		free(name);
	}
	if (goes_on)
		on_step(PATH_DIR, walk.at, NULL, arg);
	free(walk.at);
	free(walk.rest);
}
