#pragma once

#include <stdbool.h>

struct file_source;
struct report;
struct settings;

/*
 * The settings of a file, loaded piece by piece, for who has others to serve in
 * between. What settings_load() gives, but for settings_check(): to be left out
 * only where somebody else did it.
 */
struct settings_loader;

/* PATH is copied; SOURCE and REPORT are borrowed up to the end. */
struct settings_loader *settings_loader_new(
	const char *path, struct file_source *source, struct report *report);

/* Reads one more section, or loads one; false: there is no more. */
bool settings_loader_step(struct settings_loader *loader);

/* The settings as far as they were loaded: the caller's. */
struct settings *settings_loader_end(struct settings_loader **loader);
