/* SPDX-License-Identifier: Apache-2.0 */
/* read lun, write lun: the bytes of a LUN, in pieces of 1 MiB. */
#include "cli/common.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static uint64_t number_of(const struct cli_line *line, const char *option, uint64_t otherwise)
{
	const struct cli_value *v = cli_line_value(line, option);

	return v ? v->number : otherwise;
}

static int beyond_end(struct cli_ctx *ctx, const struct cli_object *lun, uint64_t offset)
{
	cli_fail(ctx, E_INVALIDARG, lun, "the offset %llu lies beyond the end of LUN %u",
		(unsigned long long)offset, lun->number);
	cli_diag_cause(&ctx->outcome.diag, "LUN %u has %lld bytes", lun->number,
		(long long)cli_object_int(lun, "size_bytes"));
	cli_diag_fix(&ctx->outcome.diag, "detail lun %u", lun->number);
	return ctx->outcome.diag.status;
}

/* ---- write ---- */

/* Fills the buffer unless the input ends; -errno on failure. */
static ssize_t read_full(int fd, void *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)buf + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int open_input(struct cli_ctx *ctx, const struct cli_line *line, int *fd)
{
	const struct cli_value *file = cli_line_value(line, "file");
	struct cli_diag *d = &ctx->outcome.diag;

	if (file) {
		*fd = open(file->text, O_RDONLY | O_CLOEXEC);
		if (*fd >= 0)
			return CLI_OK;
		return cli_diag_set(d, CLI_CANNOT_OPEN, strerror(errno), NULL,
			"%s cannot be opened", file->text);
	}
	if (ctx->stdin_is_script)
		return cli_diag_set(d, CLI_SYNTAX, "standard input is the script",
			"write lun N file=FILE", "there is no input to write");
	if (isatty(STDIN_FILENO))
		return cli_diag_set(d, CLI_SYNTAX, "standard input is the terminal",
			"write lun N < FILE ; write lun N file=FILE", "there is no input to write");
	*fd = STDIN_FILENO;
	return CLI_OK;
}

static int input_too_long(
	struct cli_ctx *ctx, const struct cli_object *lun, uint64_t offset, uint64_t written)
{
	cli_fail(ctx, E_INVALIDARG, lun,
		"the input is longer than the space in LUN %u; %llu bytes "
		"were written",
		lun->number, (unsigned long long)written);
	cli_diag_cause(&ctx->outcome.diag, "from offset %llu LUN %u has room for %llu bytes",
		(unsigned long long)offset, lun->number, (unsigned long long)written);
	cli_diag_fix(&ctx->outcome.diag, "extend lun %u size=SIZE", lun->number);
	return ctx->outcome.diag.status;
}

struct copy {
	struct cli_ctx *ctx;
	const struct cli_object *lun;
	IVdsxLun *data;
	uint64_t offset, size; /* where in the LUN; how much at most */
	uint64_t done;
	int fd;
	BYTE *buf;
};

static int write_loop(struct copy *c)
{
	for (;;) {
		uint64_t room = c->size - c->done;
		size_t want = room < PIECE ? (size_t)room : PIECE;
		/* With no room left one byte more tells whether the input ends here. */
		ssize_t n = read_full(c->fd, c->buf, want ? want : 1);
		HRESULT hr;

		if (n < 0)
			return cli_diag_set(&c->ctx->outcome.diag, CLI_CANNOT_OPEN,
				strerror((int)-n), NULL,
				"the input cannot be read; %llu bytes were written",
				(unsigned long long)c->done);
		if (!n)
			return CLI_OK;
		if (!want)
			return input_too_long(c->ctx, c->lun, c->offset, c->done);
		hr = IVdsxLun_Write(c->data, c->offset + c->done, (ULONG)n, c->buf);
		if (FAILED(hr))
			return cli_fail(c->ctx, hr, c->lun,
				"LUN %u was not written at offset %llu; %llu bytes before it were",
				c->lun->number, (unsigned long long)(c->offset + c->done),
				(unsigned long long)c->done);
		c->done += (uint64_t)n;
		c->ctx->outcome.changed = true;
	}
}

static int write_all(struct copy *c)
{
	int status = write_loop(c);
	HRESULT hr = c->done ? IVdsxLun_Flush(c->data) : S_OK;

	if (FAILED(hr))
		return cli_fail(c->ctx, hr, c->lun, "what was written to LUN %u may not be durable",
			c->lun->number);
	return status;
}

static void report(struct copy *c, const char *what)
{
	cli_result_set(c->ctx, "lun", json_integer(c->lun->number));
	cli_result_set(c->ctx, "offset_bytes", json_integer((json_int_t)c->offset));
	cli_result_set(c->ctx, what, json_integer((json_int_t)c->done));
}

int cli_cmd_write_lun(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct cli_object lun = {0};
	struct copy c = {.ctx = ctx, .lun = &lun, .fd = -1};
	uint64_t lun_size;
	int status = cli_session_target(ctx, line, &lun);

	if (status || cli_plan(ctx, line, "LUN %u is overwritten", lun.number))
		goto out;
	c.offset = number_of(line, "offset", 0);
	lun_size = (uint64_t)cli_object_int(&lun, "size_bytes");
	if (c.offset > lun_size)
		status = beyond_end(ctx, &lun, c.offset);
	else
		status = open_input(ctx, line, &c.fd);
	if (status)
		goto out;
	c.size = lun_size - c.offset;
	c.data = cli_object_query(&lun, &IID_IVdsxLun);
	c.buf = malloc(PIECE);
	if (!c.buf)
		status = cli_diag_memory(&ctx->outcome.diag);
	else if (!c.data)
		status = cli_fail(ctx, E_NOINTERFACE, &lun, "LUN %u cannot be written", lun.number);
	else
		status = write_all(&c);
	report(&c, "bytes_written");
	if (!status)
		cli_say(ctx, "%llu bytes were written to LUN %u at offset %llu.",
			(unsigned long long)c.done, lun.number, (unsigned long long)c.offset);
out:
	free(c.buf);
	CLI_RELEASE(c.data);
	if (c.fd > STDIN_FILENO)
		close(c.fd);
	cli_object_release(&lun);
	return status;
}

/* ---- read ---- */

static int write_full(int fd, const BYTE *buf, size_t size)
{
	while (size) {
		ssize_t n = write(fd, buf, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		size -= (size_t)n;
	}
	return 0;
}

static int read_loop(struct copy *c)
{
	while (c->done < c->size) {
		uint64_t left = c->size - c->done;
		ULONG want = left < PIECE ? (ULONG)left : PIECE, got = 0;
		HRESULT hr = IVdsxLun_Read(c->data, c->offset + c->done, want, c->buf, &got);
		int error;

		if (FAILED(hr))
			return cli_fail(c->ctx, hr, c->lun,
				"LUN %u cannot be read at offset %llu; %llu bytes before it were",
				c->lun->number, (unsigned long long)(c->offset + c->done),
				(unsigned long long)c->done);
		if (!got)
			return CLI_OK; /* it was shrunk meanwhile */
		error = write_full(c->fd, c->buf, got);
		if (error == -EPIPE)
			return CLI_OK; /* the reader has enough */
		if (error)
			return cli_diag_set(&c->ctx->outcome.diag, CLI_CANNOT_OPEN,
				strerror(-error), NULL,
				"the output cannot be written after %llu bytes",
				(unsigned long long)c->done);
		c->done += got;
	}
	return CLI_OK;
}

static int open_output(struct cli_ctx *ctx, const struct cli_line *line, int *fd)
{
	const struct cli_value *file = cli_line_value(line, "file");

	if (file) {
		*fd = open(file->text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (*fd >= 0)
			return CLI_OK;
		return cli_diag_set(&ctx->outcome.diag, CLI_CANNOT_OPEN, strerror(errno), NULL,
			"%s cannot be written", file->text);
	}
	/* A piece somebody asked for may be text; a whole LUN hardly is. */
	if (isatty(STDOUT_FILENO) && !cli_line_value(line, "size"))
		return cli_diag_set(&ctx->outcome.diag, CLI_SYNTAX,
			"a whole LUN is not meant for a terminal",
			"read lun N > FILE ; read lun N size=BYTES",
			"standard output is the terminal");
	fflush(ctx->out);
	*fd = STDOUT_FILENO;
	return CLI_OK;
}

int cli_cmd_read_lun(struct cli_ctx *ctx, const struct cli_line *line)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
	struct cli_object lun = {0};
	struct copy c = {.ctx = ctx, .lun = &lun, .fd = -1};
	uint64_t lun_size;
	int status = cli_session_target(ctx, line, &lun);

	if (status)
		goto out;
	c.offset = number_of(line, "offset", 0);
	lun_size = (uint64_t)cli_object_int(&lun, "size_bytes");
	if (c.offset > lun_size) {
		status = beyond_end(ctx, &lun, c.offset);
		goto out;
	}
	c.size = number_of(line, "size", lun_size - c.offset);
	if (c.size > lun_size - c.offset)
		c.size = lun_size - c.offset;
	status = open_output(ctx, line, &c.fd);
	if (status)
		goto out;
	c.data = cli_object_query(&lun, &IID_IVdsxLun);
	c.buf = malloc(PIECE);
	sigaction(SIGPIPE, &ignore, &old);
	if (!c.buf)
		status = cli_diag_memory(&ctx->outcome.diag);
	else if (!c.data)
		status = cli_fail(ctx, E_NOINTERFACE, &lun, "LUN %u cannot be read", lun.number);
	else
		status = read_loop(&c);
	sigaction(SIGPIPE, &old, NULL);
	report(&c, "bytes_read");
out:
	free(c.buf);
	CLI_RELEASE(c.data);
	if (c.fd > STDOUT_FILENO && close(c.fd) && !status)
		status = cli_diag_set(&ctx->outcome.diag, CLI_CANNOT_OPEN, strerror(errno), NULL,
			"the file was not written completely");
	cli_object_release(&lun);
	return status;
}
