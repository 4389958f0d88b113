/*
 * Command libmilter is the peer on libmilter, the library of Sendmail that most
 * milters are built on: every event, one header. It has a thread for each
 * connection.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include <libmilter/mfapi.h>

/* What is not to be answered: all but the end of the message. */
static const unsigned long no_reply = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT |
	SMFIP_NR_DATA | SMFIP_NR_UNKN | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY;

/* Enough for all connections to come at once; the system has a limit of its own. */
static const int backlog = 4096;

static bool stream; /* answer nothing before the end of the message */

/* negotiate takes every event. libmilter answers in our place if the MTA waits
 * for answers that we mean not to give. */
static sfsistat negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
	unsigned long u2, unsigned long u3, unsigned long *want_actions,
	unsigned long *want_steps, unsigned long *want_u2, unsigned long *want_u3)
{
	*want_actions = SMFIF_ADDHDRS;
	*want_steps = stream ? no_reply : 0;
	*want_u2 = *want_u3 = 0;
	return SMFIS_CONTINUE;
}

/* taken is the answer to every event but the last. */
static sfsistat taken(void)
{
	return stream ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *addr) { return taken(); }
static sfsistat on_helo(SMFICTX *ctx, char *name) { return taken(); }
static sfsistat on_mail(SMFICTX *ctx, char **args) { return taken(); }
static sfsistat on_rcpt(SMFICTX *ctx, char **args) { return taken(); }
static sfsistat on_data(SMFICTX *ctx) { return taken(); }
static sfsistat on_unknown(SMFICTX *ctx, const char *line) { return taken(); }
static sfsistat on_header(SMFICTX *ctx, char *name, char *value) { return taken(); }
static sfsistat on_end_of_header(SMFICTX *ctx) { return taken(); }
static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t size) { return taken(); }

static sfsistat on_end_of_message(SMFICTX *ctx)
{
	if (smfi_addheader(ctx, "X-Peer", "libmilter") != MI_SUCCESS)
		return SMFIS_TEMPFAIL;
	return SMFIS_CONTINUE;
}

static struct smfiDesc filter = {
	.xxfi_name = "libmilter",
	.xxfi_version = SMFI_VERSION,
	.xxfi_flags = SMFIF_ADDHDRS,
	.xxfi_negotiate = negotiate,
	.xxfi_connect = on_connect,
	.xxfi_helo = on_helo,
	.xxfi_envfrom = on_mail,
	.xxfi_envrcpt = on_rcpt,
	.xxfi_data = on_data,
	.xxfi_unknown = on_unknown,
	.xxfi_header = on_header,
	.xxfi_eoh = on_end_of_header,
	.xxfi_body = on_body,
	.xxfi_eom = on_end_of_message,
};

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"addr", required_argument, NULL, 'a'},
		{"stream", no_argument, NULL, 's'},
		{0},
	};
	char *addr = NULL;
	int option;

	while ((option = getopt_long_only(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'a':
			addr = optarg;
			break;
		case 's':
			stream = true;
			break;
		default:
			return EXIT_FAILURE;
		}
	}
	if (addr == NULL || optind < argc) {
		fprintf(stderr, "usage: %s -addr unix:path|inet:port@host [-stream]\n", argv[0]);
		return EXIT_FAILURE;
	}
	/* true: a socket that is left over is removed */
	if (smfi_register(filter) != MI_SUCCESS || smfi_setconn(addr) != MI_SUCCESS ||
		smfi_setbacklog(backlog) != MI_SUCCESS || smfi_opensocket(true) != MI_SUCCESS) {
		fprintf(stderr, "libmilter: no socket: %s\n", addr);
		return EXIT_FAILURE;
	}
	return smfi_main() == MI_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}
