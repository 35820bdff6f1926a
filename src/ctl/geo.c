/* geo.c - lookups with libmaxminddb. */
#include "ctl/geo.h"

#include <stdbool.h>
#include <stdio.h>

#include <maxminddb.h>

static const char unknown[] = "unknown";

struct geo {
	const char *file;
	bool tried, open;
	MMDB_s db;
};

static int geo_destroy(struct geo *g)
{
	if (g->open)
		MMDB_close(&g->db);
	return 0;
}

struct geo *geo_new(TALLOC_CTX *ctx, const char *file)
{
	struct geo *g = talloc_zero(ctx, struct geo);

	if (!g)
		return NULL;
	g->file = file ? talloc_strdup(g, file) : NULL;
	talloc_set_destructor(g, geo_destroy);
	return g;
}

static bool try_open(struct geo *g, const char *file)
{
	g->open = MMDB_open(file, MMDB_MODE_MMAP, &g->db) == MMDB_SUCCESS;
	return g->open;
}

/* Where the GeoLite2 packages and geoipupdate(1) put their files; a city says more. */
static void open_usual(struct geo *g)
{
	static const char *const file[] = {
		"/usr/share/GeoIP/GeoLite2-City.mmdb",
		"/var/lib/GeoIP/GeoLite2-City.mmdb",
		"/usr/share/GeoIP/GeoLite2-Country.mmdb",
		"/var/lib/GeoIP/GeoLite2-Country.mmdb",
	};

	for (size_t i = 0; i < sizeof file / sizeof file[0]; i++)
		if (try_open(g, file[i]))
			return;
}

static void open_once(struct geo *g)
{
	if (g->tried)
		return;
	g->tried = true;
	if (!g->file)
		open_usual(g);
	else if (*g->file && !try_open(g, g->file))
		fprintf(stderr, "'%s' is no GeoIP database that can be read (OCCTL_GEOIP)\n",
			g->file);
}

/* The English name of WHAT ("city", "country"), a child of CTX; NULL: there is none. */
static char *read_name(TALLOC_CTX *ctx, MMDB_entry_s *entry, const char *what)
{
	MMDB_entry_data_s data;

	if (MMDB_get_value(entry, &data, what, "names", "en", NULL) != MMDB_SUCCESS ||
	    !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size == 0)
		return NULL;
	return talloc_strndup(ctx, data.utf8_string, data.data_size);
}

const char *geo_location(TALLOC_CTX *ctx, struct geo *g, const char *ip)
{
	int not_an_ip, error;
	MMDB_lookup_result_s found;
	char *country, *city;

	if (g)
		open_once(g);
	if (!g || !g->open)
		return unknown;
	found = MMDB_lookup_string(&g->db, ip, &not_an_ip, &error);
	if (not_an_ip || error != MMDB_SUCCESS || !found.found_entry)
		return unknown;
	country = read_name(ctx, &found.entry, "country");
	city = read_name(ctx, &found.entry, "city");
	if (country && city)
		country = talloc_asprintf_append(country, ", %s", city);
	return country ? country : city ? city : unknown;
}
