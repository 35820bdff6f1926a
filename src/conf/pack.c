/* pack.c - rows as protobuf, in messages and in sealed memory files. */
#include "conf/pack.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "ipc/msg.h"

/* protobuf-c's fields are not const; packing only reads them. */
static char *text_of(const char *text)
{
	union {
		const char *in;
		char *out;
	} u = { .in = text ? text : "" };

	return u.out;
}

/* MSG borrows ROW's texts. */
static void fill(ConfRow *msg, const struct conf_row *row)
{
	conf_row__init(msg);
	msg->vhost = text_of(row->vhost);
	msg->name = text_of(row->option);
	msg->value = text_of(row->value);
	msg->file = text_of(row->file);
	msg->line = row->line;
}

enum err conf_rows_to_msg(TALLOC_CTX *ctx, const struct conf_rows *rows, ConfRow ***out, size_t *n)
{
	ConfRow **list = talloc_array(ctx, ConfRow *, (unsigned)rows->n + 1);
	ConfRow *msgs = list ? talloc_array(list, ConfRow, (unsigned)rows->n + 1) : NULL;

	if (!msgs) {
		talloc_free(list);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < rows->n; i++) {
		fill(&msgs[i], &rows->item[i]);
		list[i] = &msgs[i];
	}
	*out = list;
	*n = rows->n;
	return ERR_OK;
}

enum err conf_rows_from_msg(TALLOC_CTX *ctx, ConfRow *const *row, size_t n, struct conf_rows *out)
{
	struct conf_rows rows = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct conf_row r = { .vhost = *row[i]->vhost ? row[i]->vhost : NULL,
					    .option = row[i]->name,
					    .value = row[i]->value,
					    .file = row[i]->file,
					    .line = row[i]->line };

		if (conf_rows_add(ctx, &rows, &r)) {
			talloc_free(rows.item);
			return ERR_NOMEM;
		}
	}
	*out = rows;
	return ERR_OK;
}

enum err conf_pack(TALLOC_CTX *ctx, const struct conf_rows *rows, uint8_t **out, size_t *len)
{
	ConfRows msg = CONF_ROWS__INIT;
	uint8_t *data = NULL;
	enum err err = conf_rows_to_msg(ctx, rows, &msg.row, &msg.n_row);

	if (err)
		return err;
	*len = conf_rows__get_packed_size(&msg);
	if (*len > CONF_PACK_MAX)
		err = ERR_TOO_LONG;
	else
		data = talloc_size(ctx, *len + 1);
	if (!err && !data)
		err = ERR_NOMEM;
	if (!err) {
		secret_mark(data);
		conf_rows__pack(&msg, data);
		*out = data;
	}
	talloc_free(msg.row);
	return err;
}

enum err conf_unpack(TALLOC_CTX *ctx, const uint8_t *data, size_t len, struct conf_rows *out)
{
	TALLOC_CTX *tmp;
	ProtobufCMessage *msg;
	enum err err = ERR_SYNTAX;

	if (len > CONF_PACK_MAX)
		return ERR_TOO_LONG;
	tmp = talloc_new(NULL);
	if (!ipc_unpack(tmp, &conf_rows__descriptor, data, len, &msg)) {
		const ConfRows *rows = (const ConfRows *)msg;

		err = conf_rows_from_msg(ctx, rows->row, rows->n_row, out);
	}
	talloc_free(tmp);
	return err;
}

enum err conf_pack_fd(const struct conf_rows *rows, unsigned to, int *fd)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct conf_rows share;
	uint8_t *data;
	size_t len;
	enum err err = conf_rows_filter(tmp, rows, to, &share);

	if (!err)
		err = conf_pack(tmp, &share, &data, &len);
	if (!err)
		err = file_sealed("conf", data, len, fd);
	talloc_free(tmp);
	return err;
}

/* Reads the whole file; unsealed ones could change under the reader. */
static enum err read_sealed(TALLOC_CTX *ctx, int fd, uint8_t **out, size_t *len)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	size_t got = 0;

	if (seals < 0 || (seals & FILE_SEALS) != FILE_SEALS)
		return ERR_DENIED;
	if (fstat(fd, &st) < 0)
		return ERR_SYS;
	if (st.st_size > CONF_PACK_MAX)
		return ERR_TOO_LONG;
	*len = (size_t)st.st_size;
	*out = talloc_size(ctx, *len + 1);
	if (!*out)
		return ERR_NOMEM;
	secret_mark(*out);
	while (got < *len) {
		ssize_t n = pread(fd, *out + got, *len - got, (off_t)got);

		if (n <= 0)
			return ERR_SYS;
		got += (size_t)n;
	}
	return ERR_OK;
}

enum err conf_unpack_fd(TALLOC_CTX *ctx, int fd, struct conf_rows *out)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t *data;
	size_t len;
	enum err err = read_sealed(tmp, fd, &data, &len);

	if (!err)
		err = conf_unpack(ctx, data, len, out);
	talloc_free(tmp);
	return err;
}
