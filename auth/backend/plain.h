/* plain.h - the auth line of the backend `plain`, for its two halves. */
#ifndef AUTH_BACKEND_PLAIN_H
#define AUTH_BACKEND_PLAIN_H

#include "auth/backend/backend.h"

/* The sub-options of the auth line. */
struct plain {
	const char *passwd; /* file of ocpasswd; NULL: only codes are asked for */
	const char *otp;    /* users file of the OATH toolkit; NULL: no codes */
};

#endif /* AUTH_BACKEND_PLAIN_H */
