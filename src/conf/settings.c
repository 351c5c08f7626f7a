#include "config.h"

#include "conf/settings.h"

#include <stdlib.h>

#include "conf/option_value.h"
#include "conf/options.h"
#include "conf/section.h"
#include "conf/settings_check.h"
#include "conf/settings_loader.h"

struct settings *
settings_load(
	const char *path, struct file_source *source, struct report *report)
{
	struct settings_loader *loader =
		settings_loader_new(path, source, report);
	struct settings *settings;

	while (settings_loader_step(loader))
		continue;
	settings = settings_loader_end(&loader);
	if (settings->is_read)
		settings_check(settings, report);
	return settings;
}

/* Without its overlays. */
static void
listener_done(struct listener_settings *listener)
{
	free(listener->overlays);
	option_clear_all(listener_options, listener);
	free(listener->name);
}

static void
policy_done(struct policy_settings *policy)
{
	for (size_t i = 0; i < RULE_N_KINDS; i++)
		text_list_done(&policy->allow[i]);
	free(policy->name);
}

bool
settings_free_some(struct settings *settings)
{
	struct listener_settings *last;

	if (settings->n_listeners == 0)
		return section_list_free_last(settings->sections);
	last = &settings->listeners[settings->n_listeners - 1];
	if (last->n_overlays > 0) {
		listener_done(&last->overlays[--last->n_overlays]);
	} else {
		listener_done(last);
		settings->n_listeners--;
	}
	return true;
}

void
settings_free(struct settings **settings)
{
	struct settings *set = *settings;

	if (set == NULL)
		return;
	while (settings_free_some(set))
		continue;
	free(set->listeners);
	for (size_t i = 0; i < set->n_policies; i++)
		policy_done(&set->policies[i]);
	free(set->policies);
	option_clear_all(process_options, &set->process);
	section_list_done(set->sections);
	free(set->sections);
	free(set->path);
	free(set);
	*settings = NULL;
}
