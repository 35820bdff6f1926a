/* err.c - one text per error code. */
#include "base/err.h"

#include <errno.h>
#include <string.h>

const char *err_text(enum err err)
{
	static const char *const texts[ERR_COUNT] = {
		[ERR_OK] = "success",
#define ERR(name, text) [name] = text,
#include "base/err.def"
	};

	if ((unsigned)err >= ERR_COUNT)
		return "unknown error";
	return texts[err];
}

const char *err_reason(enum err err)
{
	return err == ERR_SYS ? strerror(errno) : err_text(err);
}
