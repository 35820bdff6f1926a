/* types.h - the option types and the checks named in options.def.  Used inside src/conf. */
#ifndef CONF_TYPES_H
#define CONF_TYPES_H

#include "conf/option.h"

/* One per word in the first column of options.def. */
extern const struct conf_type conf_type_flag, conf_type_u32, conf_type_secs, conf_type_ms,
	conf_type_prefix, conf_type_bytes, conf_type_rate, conf_type_str, conf_type_path,
	conf_type_secret, conf_type_list, conf_type_facility, conf_type_format, conf_type_rekey,
	conf_type_prio, conf_type_net4, conf_type_mask4, conf_type_net6, conf_type_addr4,
	conf_type_addr6, conf_type_nets, conf_type_routes, conf_type_ports, conf_type_groups,
	conf_type_auth, conf_type_acct, conf_type_kkdcp, conf_type_algos, conf_type_datapath;

/* What is printed in the place of a secret that is set. */
#define CONF_HIDDEN "(set, not shown)"

/* {item, n}: what every list field looks like from here. */
struct conf_any_list {
	void *item;
	size_t n;
};

/* Parses TEXT as the option's type and stores it in FIELD; a list grows by one element (or several,
 * for ports).  Limits and checks included.  False: reported, FIELD is as before. */
bool conf_set_field(struct conf_set *s, const char *text, void *field);

/* Copies FROM into TO so that either can change without the other: strings are shared, the arrays
 * of lists are not.  New arrays are children of CTX.  ERR_NOMEM. */
MUST_USE enum err conf_copy_field(TALLOC_CTX *ctx, const struct conf_type *type, const void *from,
				  void *to);

/* Appends the elements of the list FROM to the list TO (child of CTX).  ERR_NOMEM. */
MUST_USE enum err conf_append_field(TALLOC_CTX *ctx, const struct conf_type *type, const void *from,
				    void *to);

/* Adds an error about S's option. */
void conf_set_error(struct conf_set *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void conf_set_warning(struct conf_set *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "strtol style" (config.md 2.1): leading digits count, the rest is ignored, no digits give 0,
 * negative numbers wrap at MAX, larger ones stop there.  *ODD: TEXT is anything but digits. */
uint64_t conf_number(const char *text, uint64_t max, bool *odd);

/* The only two words that mean true, in any case. */
bool conf_is_true(const char *text);

/* Checks of options.def: TEXT is the cleaned value. */
bool conf_check_tcp_port(struct conf_set *s, const char *text);
bool conf_check_device(struct conf_set *s, const char *text);
bool conf_check_ipv6_prefix(struct conf_set *s, const char *text);
bool conf_check_ipv6_subnet(struct conf_set *s, const char *text);
bool conf_check_dns(struct conf_set *s, const char *text);
bool conf_check_banner(struct conf_set *s, const char *text);

#endif /* CONF_TYPES_H */
