/* The kinds of sections that a configuration may have. */
#include "conf/section_kind.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "conf/options.h"

static const struct section_kind kinds[] = {
	{"sallyport", false, IN_PROCESS, process_options, "[sallyport]"},
	{"listener", true, IN_LISTENER, listener_options, "[listener NAME]"},
	{"defaults", false, IN_DEFAULTS, listener_options, "[defaults]"},
	{"server_name", true, IN_SERVER_NAME, listener_options,
		"[server_name NAME]"},
	{"policy", true, IN_POLICY, listener_options, "[policy NAME]"},
};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

const struct section_kind *
section_kind_find(const char *type)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	}
	return NULL;
}

const struct section_kind *
section_kind_nearest(const char *type)
{
	const char *types[N_KINDS + 1] = {NULL};
	const char *nearest;

	for (size_t i = 0; i < N_KINDS; i++)
		types[i] = kinds[i].type;
	nearest = text_nearest(type, types);
	return nearest == NULL ? NULL : section_kind_find(nearest);
}

const struct section_kind *
section_kind_of_key(const char *key)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		const struct option *option = option_find(kinds[i].table, key);

		if (option != NULL && (option->sections & kinds[i].in) != 0)
			return &kinds[i];
	}
	return NULL;
}
