#include "config.h"

#include "conf/settings_resolve.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/file_source.h"
#include "conf/option_value.h"
#include "conf/options.h"
#include "conf/settings.h"

bool
settings_has_ca(const struct tls_settings *tls)
{
	return tls->cafile.n > 0 || tls->capath != NULL ||
	       tls->cadata != NULL || tls->load_default_certs;
}

uint64_t
settings_crl_flag(const struct tls_settings *tls)
{
	switch ((enum crl_check)tls->crl_check) {
	case CRL_CHECK_LEAF:
		return TLS_VERIFY_CRL_CHECK_LEAF;
	case CRL_CHECK_CHAIN:
		return TLS_VERIFY_CRL_CHECK_CHAIN;
	case CRL_CHECK_NONE:
	case CRL_CHECK_AUTO:
		break;
	}
	return 0;
}

/* Each of the two ways to say it from the other; where they contradict each
 * other, settings_check() says so. */
static void
resolve_crl_check(struct tls_settings *tls)
{
	const uint64_t both =
		TLS_VERIFY_CRL_CHECK_LEAF | TLS_VERIFY_CRL_CHECK_CHAIN;

	if (tls->crl_check == CRL_CHECK_AUTO) {
		if ((tls->verify_flags & TLS_VERIFY_CRL_CHECK_CHAIN) != 0)
			tls->crl_check = CRL_CHECK_CHAIN;
		else if ((tls->verify_flags & TLS_VERIFY_CRL_CHECK_LEAF) != 0 ||
			 tls->crlfile.n > 0)
			tls->crl_check = CRL_CHECK_LEAF;
		else
			tls->crl_check = CRL_CHECK_NONE;
		tls->verify_flags &= ~both;
	}
	if ((tls->verify_flags & both) == 0)
		tls->verify_flags |= settings_crl_flag(tls);
}

bool
settings_has_admission(const struct rule_settings *rules)
{
	for (size_t i = 0; i < RULE_N_KINDS; i++) {
		if (rules->allow[i].n > 0)
			return true;
	}
	return rules->authorize.n > 0;
}

bool
settings_has_rules(const struct rule_settings *rules)
{
	return settings_has_admission(rules) || rules->deny_serial.n > 0 ||
	       rules->deny_cert_sha256.n > 0;
}

/*
 * A server name that asks for no certificate has no use for the rules of its
 * listener, which nobody could meet, and no other way to get rid of them.
 */
static void
drop_inherited_rules(struct listener_settings *listener)
{
	if (listener->listener == NULL ||
		listener->tls.verify_mode != VERIFY_NONE ||
		settings_origin(listener, "verify_mode") != ORIGIN_SECTION)
		return;
	for (const struct option *o = listener_options; o->name != NULL; o++) {
		if (o->effect != EFFECT_NONE &&
			settings_origin(listener, o->name) != ORIGIN_SECTION)
			option_clear(o, listener);
	}
}

static void
resolve_verify_mode(struct listener_settings *listener)
{
	struct tls_settings *tls = &listener->tls;

	drop_inherited_rules(listener);
	if (tls->verify_mode != VERIFY_AUTO)
		return;
	tls->verify_mode = VERIFY_NONE;
	if (settings_has_ca(tls) || settings_has_rules(&listener->rules))
		tls->verify_mode = VERIFY_REQUIRED;
}

static void
resolve_proxy_tlvs(struct listener_settings *listener)
{
	const uint64_t inside = SEND_TLV_CN | SEND_TLV_CIPHER |
				SEND_TLV_SIG_ALG | SEND_TLV_KEY_ALG |
				SEND_TLV_GROUP | SEND_TLV_SIG_SCHEME |
				SEND_TLV_CERT;

	if (listener->proxy_protocol != PROXY_PROTOCOL_V2)
		listener->proxy_tlvs = 0;
	else if ((listener->proxy_tlvs & inside) != 0)
		listener->proxy_tlvs |= SEND_TLV_SSL;
}

/* Those of [defaults] are not for who does not ask them. */
static void
resolve_trusted_proxies(struct listener_settings *listener)
{
	if (!listener->accept_proxy_protocol)
		option_clear(option_find(listener_options, "trusted_proxies"),
			listener);
}

static void
resolve_keylog(struct tls_settings *tls, struct file_source *source)
{
	const char *path = NULL;
	size_t len;

	if (tls->keylog_filename == NULL &&
		file_source_read(source, FILE_SOURCE_KEYLOG, FILE_PUBLIC, &path,
			&len, NULL) == 0)
		tls->keylog_filename = xstrdup(path);
}

void
settings_resolve(struct listener_settings *listener, struct file_source *source)
{
	struct tls_settings *tls = &listener->tls;

	resolve_verify_mode(listener);
	if (tls->sni_mismatch == SNI_MISMATCH_AUTO)
		tls->sni_mismatch = tls->certfile.n > 0 ? SNI_MISMATCH_DEFAULT
							: SNI_MISMATCH_REJECT;
	resolve_crl_check(tls);
	resolve_proxy_tlvs(listener);
	resolve_trusted_proxies(listener);
	resolve_keylog(tls, source);
}
