/* pam.h - the auth line of the backend `pam`, for its two halves. */
#ifndef AUTH_BACKEND_PAM_H
#define AUTH_BACKEND_PAM_H

#include <stdint.h>

#include "auth/backend/backend.h"

/* The sub-options of the auth line. */
struct pam {
	const char *service; /* the file in /etc/pam.d */
	uint32_t gid_min;    /* groups below it are not offered */
};

#endif /* AUTH_BACKEND_PAM_H */
