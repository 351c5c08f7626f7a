/* Do our certificates hold the names that we serve? */
#include "tls/tls_cover.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "conf/settings.h"
#include "tls/tls_load.h"

#define NAMES_SIZE 512

/* What a certificate is for, as text that is cut where it gets long. */
struct names {
	char text[NAMES_SIZE];
	size_t len;
	bool is_cut;
};

static void
put(struct names *names, const char *name)
{
	const size_t room = sizeof names->text - sizeof ", ...";
	int n;

	if (names->is_cut || names->len + strlen(name) + 2 > room) {
		if (!names->is_cut)
			(void)snprintf(names->text + names->len,
				sizeof names->text - names->len, ", ...");
		names->is_cut = true;
		return;
	}
	n = snprintf(names->text + names->len, sizeof names->text - names->len,
		"%s%s", names->len > 0 ? ", " : "", name);
	names->len += n > 0 ? (size_t)n : 0;
}

/* An IA5String may hold any byte. */
static void
put_dns(struct names *names, const ASN1_STRING *value)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(value);
	size_t len = (size_t)ASN1_STRING_length(value);
	char name[256];

	if (len >= sizeof name)
		len = sizeof name - 1;
	for (size_t i = 0; i < len; i++)
		name[i] = bytes[i] > ' ' && bytes[i] < 0x7f ? (char)bytes[i]
							    : '?';
	name[len] = '\0';
	put(names, name);
}

static void
put_address(struct names *names, const ASN1_OCTET_STRING *value)
{
	int family = ASN1_STRING_length(value) == 4 ? AF_INET : AF_INET6;
	char text[INET6_ADDRSTRLEN];

	if (family == AF_INET6 && ASN1_STRING_length(value) != 16)
		return;
	if (inet_ntop(family, ASN1_STRING_get0_data(value), text,
		    sizeof text) != NULL)
		put(names, text);
}

static void
list_names(X509 *cert, struct names *names)
{
	GENERAL_NAMES *all =
		X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
		int type = 0;
		void *value = GENERAL_NAME_get0_value(name, &type);

		if (type == GEN_DNS)
			put_dns(names, value);
		else if (type == GEN_IPADD)
			put_address(names, value);
	}
	GENERAL_NAMES_free(all);
	if (names->len == 0)
		put(names, "no server name at all");
}

/* A "*.x" is covered by the same wildcard only: OpenSSL lets the asterisk of a
 * certificate stand for itself. */
static bool
is_covered(X509 *leaf, const char *name)
{
	return X509_check_host(leaf, name, strlen(name),
		       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
			       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
		       NULL) == 1;
}

static void
check_leaf(const struct tls_load *load, const char *path, X509 *leaf)
{
	const struct text_list *wanted = &load->listener->server_names;
	struct names names = {.len = 0};

	list_names(leaf, &names);
	for (size_t i = 0; i < wanted->n; i++) {
		if (!is_covered(leaf, wanted->items[i]))
			settings_report(load->listener, "server_name", i,
				REPORT_WARNING, load->report,
				"server_name \"%s\" is not covered by certfile "
				"\"%s\", which is for %s",
				wanted->items[i], path, names.text);
	}
	ERR_clear_error();
}

void
tls_cover_check(const struct listener_settings *listener,
	struct file_source *files, struct report *report)
{
	const struct tls_load load = {listener, files, report};
	STACK_OF(X509) * certs;

	if (listener->server_names.n == 0)
		return;
	for (size_t i = 0; i < listener->tls.certfile.n; i++) {
		const struct tls_item item = {
			"certfile", i, listener->tls.certfile.items[i]};

		certs = tls_load_certs(&load, &item);
		if (certs != NULL)
			check_leaf(&load, item.path, sk_X509_value(certs, 0));
		sk_X509_pop_free(certs, X509_free);
	}
}
