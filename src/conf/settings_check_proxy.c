#include "config.h"

#include "conf/settings_check_proxy.h"

#include <stdbool.h>
#include <stddef.h>

#include "conf/settings.h"

/* Of no use to LISTENER: is KEY there for others, who share [defaults] or the
 * listener's section? */
static bool
is_for_others(const struct listener_settings *listener, const char *key,
	const char *needed)
{
	enum settings_origin origin = settings_origin(listener, key);

	return origin != ORIGIN_SECTION &&
	       origin != settings_origin(listener, needed);
}

static void
check_sent(const struct listener_settings *listener, struct report *report)
{
	if (listener->proxy_protocol == PROXY_PROTOCOL_V2 ||
		is_for_others(listener, "proxy_tlvs", "proxy_protocol") ||
		settings_origin(listener, "proxy_tlvs") == ORIGIN_DEFAULT)
		return;
	settings_report(listener, "proxy_tlvs", 0, REPORT_ERROR, report,
		"proxy_tlvs is of no use without proxy_protocol = v2");
}

static void
check_accepted(const struct listener_settings *listener, struct report *report)
{
	bool is_named =
		settings_origin(listener, "trusted_proxies") != ORIGIN_DEFAULT;

	if (listener->accept_proxy_protocol && !is_named)
		settings_report(listener, "accept_proxy_protocol", 0,
			REPORT_ERROR, report,
			"accept_proxy_protocol needs trusted_proxies: anybody "
			"else could claim any address");
	if (!listener->accept_proxy_protocol && is_named &&
		!is_for_others(
			listener, "trusted_proxies", "accept_proxy_protocol"))
		settings_report(listener, "trusted_proxies", 0, REPORT_ERROR,
			report,
			"trusted_proxies is of no use without "
			"accept_proxy_protocol = yes");
}

static void
check_trust(const struct listener_settings *listener, struct report *report)
{
	for (size_t i = 0; i < listener->trusted_proxies.n; i++) {
		const struct cidr *cidr = &listener->trusted_proxies.items[i];

		if (cidr->prefix == 0)
			settings_report(listener, "trusted_proxies", i,
				REPORT_WARNING, report,
				"trusted_proxies \"%s\" lets anybody claim any "
				"address",
				cidr->family == AF_INET ? "0.0.0.0/0" : "::/0");
	}
}

void
settings_check_proxy(
	const struct listener_settings *listener, struct report *report)
{
	check_sent(listener, report);
	if (listener->listener != NULL)
		return;
	check_accepted(listener, report);
	check_trust(listener, report);
}
