#pragma once

struct event_base;
struct pulse;
struct workers;

/*
 * Signs of life: asks the workers for theirs every few seconds and passes on
 * to the service manager that all are well (WATCHDOG=1, sd_notify(3)), and
 * how many connections there are (STATUS=).
 */
struct pulse *pulse_new(struct event_base *base, struct workers *workers);
void pulse_free(struct pulse **pulse);

/* From now on it is said how many connections are left, as often as that
 * changes. */
void pulse_set_draining(struct pulse *pulse);
