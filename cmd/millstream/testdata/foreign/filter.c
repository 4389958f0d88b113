/*
 * A filter on libmilter. What it does with a message is told by the sender:
 *
 *   <changes@...>     all changes there are, at the end of the message
 *   <macros@...>      a header for each macro it asked for, and some it did not
 *   <flawed@...>      refused at the end of the message, with a text of two lines
 *   <later@...>       refused for now at DATA
 *   others            a header that tells what it has seen
 *
 * Recipients whose address begins with "refused" are refused, the command
 * NONSENSE is, and bodies are skipped after a chunk that begins with "enough". It
 * answers no header where the MTA agrees to that.
 *
 * usage: filter SOCKET
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <libmilter/mfapi.h>

struct seen {
	char client[100], helo[100], sender[100];
	int headers, bytes, commands, aborts;
};

/* seen makes room at the first event: connect may be left out. */
static struct seen *seen(SMFICTX *ctx)
{
	struct seen *s = smfi_getpriv(ctx);

	if (s == NULL) {
		if ((s = calloc(1, sizeof *s)) == NULL)
			abort();
		smfi_setpriv(ctx, s);
	}
	return s;
}

static int from(SMFICTX *ctx, const char *who)
{
	return strncasecmp(seen(ctx)->sender + 1, who, strlen(who)) == 0;
}

static sfsistat negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
	unsigned long f2, unsigned long f3, unsigned long *want_actions,
	unsigned long *want_steps, unsigned long *want2, unsigned long *want3)
{
	(void)f2, (void)f3;
	if (actions & SMFIF_SETSYMLIST) {
		smfi_setsymlist(ctx, SMFIM_CONNECT, "j {daemon_name}");
		smfi_setsymlist(ctx, SMFIM_ENVRCPT, "{rcpt_addr}");
		smfi_setsymlist(ctx, SMFIM_EOM, "i");
	}
	*want_actions = actions;
	*want_steps = steps & (SMFIP_SKIP | SMFIP_NR_HDR);
	*want2 = *want3 = 0;
	return SMFIS_CONTINUE;
}

static sfsistat connected(SMFICTX *ctx, char *host, _SOCK_ADDR *addr)
{
	struct seen *s = seen(ctx);

	snprintf(s->client, sizeof s->client, "%s/%s", host,
		addr == NULL ? "unknown" : addr->sa_family == AF_INET ? "inet" : "other");
	return SMFIS_CONTINUE;
}

static sfsistat helo(SMFICTX *ctx, char *name)
{
	snprintf(seen(ctx)->helo, sizeof seen(ctx)->helo, "%s", name);
	return SMFIS_CONTINUE;
}

static sfsistat envelope_from(SMFICTX *ctx, char **argv)
{
	struct seen *s = seen(ctx);

	s->headers = s->bytes = 0;
	snprintf(s->sender, sizeof s->sender, "%s%s%s", argv[0],
		argv[1] ? " " : "", argv[1] ? argv[1] : "");
	return SMFIS_CONTINUE;
}

static sfsistat envelope_recipient(SMFICTX *ctx, char **argv)
{
	if (strncmp(argv[0], "<refused", 8) != 0)
		return SMFIS_CONTINUE;
	smfi_setreply(ctx, "550", "5.7.1", "not for you, 100%% sure");
	return SMFIS_REJECT;
}

static sfsistat data(SMFICTX *ctx)
{
	if (!from(ctx, "later"))
		return SMFIS_CONTINUE;
	smfi_setreply(ctx, "451", "4.7.1", "come again");
	return SMFIS_TEMPFAIL;
}

static sfsistat unknown(SMFICTX *ctx, const char *command)
{
	seen(ctx)->commands++;
	return strncmp(command, "NONSENSE", 8) == 0 ? SMFIS_REJECT : SMFIS_CONTINUE;
}

static sfsistat header(SMFICTX *ctx, char *name, char *value)
{
	(void)name, (void)value;
	seen(ctx)->headers++;
	return SMFIS_NOREPLY;
}

static sfsistat end_of_header(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

static sfsistat body(SMFICTX *ctx, unsigned char *chunk, size_t size)
{
	seen(ctx)->bytes += size;
	return size >= 6 && memcmp(chunk, "enough", 6) == 0 ? SMFIS_SKIP : SMFIS_CONTINUE;
}

static void add(SMFICTX *ctx, char *name, const char *value)
{
	smfi_addheader(ctx, name, (char *)value);
}

static void change(SMFICTX *ctx)
{
	static unsigned char text[] = "another body\r\n";

	add(ctx, "X-Added", "yes");
	smfi_insheader(ctx, 0, "X-Inserted", "first\n\tand folded");
	smfi_chgheader(ctx, "Subject", 1, "[changed]");
	smfi_chgheader(ctx, "X-Deleted", 2, NULL);
	smfi_chgfrom(ctx, "<bounces@example.com>", "RET=HDRS");
	smfi_addrcpt(ctx, "<archive@example.com>");
	smfi_addrcpt_par(ctx, "<copy@example.com>", "NOTIFY=NEVER");
	smfi_delrcpt(ctx, "<b@example.net>");
	smfi_replacebody(ctx, text, sizeof text - 1);
	smfi_progress(ctx);
	smfi_quarantine(ctx, "to be looked at");
}

static void tell_macros(SMFICTX *ctx)
{
	static char *const names[] = {"j", "{daemon_name}", "{rcpt_addr}", "i", "{i}", "rcpt_mailer", NULL};
	char line[200];

	for (int n = 0; names[n] != NULL; n++) {
		char *value = smfi_getsymval(ctx, names[n]);

		snprintf(line, sizeof line, "%s %s", names[n], value ? value : "is not known");
		add(ctx, "X-Macro", line);
	}
}

static sfsistat end_of_message(SMFICTX *ctx)
{
	struct seen *s = seen(ctx);
	char line[500];

	if (from(ctx, "flawed")) {
		smfi_setmlreply(ctx, "554", "5.6.0", "first line", "second line", NULL);
		return SMFIS_REJECT;
	}
	if (from(ctx, "changes")) {
		change(ctx);
		return SMFIS_ACCEPT;
	}
	if (from(ctx, "macros"))
		tell_macros(ctx);
	snprintf(line, sizeof line, "%s %s %s headers=%d bytes=%d commands=%d aborts=%d",
		s->client, s->helo, s->sender, s->headers, s->bytes, s->commands, s->aborts);
	add(ctx, "X-Seen", line);
	return SMFIS_CONTINUE;
}

static sfsistat aborted(SMFICTX *ctx)
{
	seen(ctx)->aborts++;
	return SMFIS_CONTINUE;
}

static sfsistat closed(SMFICTX *ctx)
{
	free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
	struct smfiDesc filter = {"filter", SMFI_VERSION, SMFIF_NONE, connected, helo,
		envelope_from, envelope_recipient, header, end_of_header, body, end_of_message,
		aborted, closed, unknown, data, negotiate};

	if (argc != 2 || smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS)
		return 2;
	return smfi_main() == MI_SUCCESS ? 0 : 1;
}
