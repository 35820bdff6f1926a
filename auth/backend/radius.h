/* radius.h - the auth line of the backend `radius`, for its two halves (config.md 6.2). */
#ifndef AUTH_BACKEND_RADIUS_H
#define AUTH_BACKEND_RADIUS_H

#include <stdbool.h>

#include "auth/backend/backend.h"
#include "auth/backend/radius_conf.h"

/* The sub-options of the auth line, and the client file that they name. */
struct radius {
	const char *config;	    /* path of the client file */
	const char *nas_identifier; /* NULL: none is sent */
	bool groupconfig;	    /* network settings come from the Access-Accept */
	char separator;		    /* between groups of one Class */
	struct radius_conf client;
};

#endif /* AUTH_BACKEND_RADIUS_H */
