/* err.h - the error codes every module returns.  Used by all processes. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_USE __attribute__((warn_unused_result))

/* Zero is success; results leave through a last **out that is set only on success. */
enum err {
	ERR_OK = 0,
#define ERR(name, text) name,
#include "base/err.def"
	ERR_COUNT
};

/* Text of ERR, static. */
const char *err_text(enum err err);

/* The same for people: with ERR_SYS, what errno says. */
const char *err_reason(enum err err);

#endif /* BASE_ERR_H */
