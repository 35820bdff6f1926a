/* test_conf_index.c - options.def against tests/data/config-index.txt, which is config.md's index:
 * so an option that is missing, misspelled, in another scope or with another default is told at
 * once. */
#include <ctype.h>
#include <stdlib.h>

#include "tests/unit/conf_help.h"

enum { LINES_MAX = 400, WORDS_MAX = 5 };

struct entry {
	char *word[WORDS_MAX]; /* missing ones are "" */
};

/* The lines of the file, in words; comments and blank lines are left out. */
struct list {
	struct entry entry[LINES_MAX];
	size_t n;
};

static struct entry split(char *line)
{
	static char empty[1];
	struct entry e;
	char *save = NULL, *word = strtok_r(line, " \t", &save);

	for (size_t i = 0; i < WORDS_MAX; i++) {
		e.word[i] = word ? word : empty;
		word = word ? strtok_r(NULL, " \t", &save) : NULL;
	}
	return e;
}

static struct list *read_index(void)
{
	struct list *list = talloc_zero(NULL, struct list);
	const char *dir = getenv("srcdir") ? getenv("srcdir") : SRCDIR;
	FILE *in = fopen(talloc_asprintf(list, "%s/tests/data/config-index.txt", dir), "r");
	char line[400];

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || !line[0])
			continue;
		assert_true(list->n < LINES_MAX);
		list->entry[list->n++] = split(talloc_strdup(list, line));
	}
	fclose(in);
	assert_true(list->n > 100);
	return list;
}

/* NAME SCOPE RELOAD DEFAULT, perhaps behind a '+'; NULL: E is another kind of line. */
static char *const *option_of(const struct entry *e)
{
	char *const *w = strcmp(e->word[0], "+") == 0 ? e->word + 1 : e->word;

	return strcmp(w[0], "!") != 0 && strlen(w[1]) == 1 && isupper((unsigned char)w[1][0])
		       ? w
		       : NULL;
}

/* Where we differ on purpose: "! NAME FIELD VALUE: reason". */
static const char *difference(const struct list *list, const char *name, const char *field)
{
	for (size_t i = 0; i < list->n; i++) {
		char *const *w = list->entry[i].word;

		if (strcmp(w[0], "!") == 0 && strcmp(w[1], name) == 0 && strcmp(w[2], field) == 0)
			return talloc_strndup(list, w[3], strcspn(w[3], ":"));
	}
	return NULL;
}

static void expect(const struct list *list, const char *name, const char *field, const char *want,
		   const char *is)
{
	const char *other = difference(list, name, field);

	want = other ? other : want;
	if (strcmp(want, is) != 0)
		print_message("%s: %s is %s, not %s\n", name, field, is, want);
	assert_string_equal(is, want);
}

static void the_table_is_the_specifications_index(void **state)
{
	struct list *list = read_index();
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < list->n; i++) {
		char *const *w = option_of(&list->entry[i]);
		const struct conf_option *o = w ? conf_option_find(w[0]) : NULL;

		if (!w)
			continue;
		if (!o)
			print_message("missing: %s\n", w[0]);
		assert_non_null(o);
		expect(list, o->name, "scope", w[1], (char[]){ "GLVUP"[o->scope], '\0' });
		expect(list, o->name, "reload", w[2], o->flags & CONF_RELOAD ? "R" : "S");
		expect(list, o->name, "default", w[3], o->def ? o->def : "-");
		n++;
	}
	assert_int_equal(n, CONF_OPT_COUNT);
	talloc_free(list);
}

static void old_names_stand_for_what_the_index_says(void **state)
{
	struct list *list = read_index();
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < list->n; i++) {
		char *const *w = list->entry[i].word;
		const struct conf_alias *a = conf_alias_find(w[0]);

		if (strcmp(w[1], "=") != 0 && strcmp(w[1], "obsolete") != 0 &&
		    strcmp(w[1], "removed") != 0)
			continue;
		assert_non_null(a);
		assert_null(conf_option_find(w[0]));
		if (strcmp(w[1], "=") == 0)
			assert_string_equal(conf_options[a->to].name, w[2]);
		else
			assert_int_equal(a->kind, strcmp(w[1], "removed") == 0
							  ? CONF_ALIAS_REMOVED
							  : CONF_ALIAS_DEPRECATED);
		n++;
	}
	assert_int_equal(n, conf_n_aliases);
	talloc_free(list);
}

/* A difference that is none any more would hide the next one. */
static void differences_are_real(void **state)
{
	struct list *list = read_index();

	(void)state;
	for (size_t i = 0; i < list->n; i++) {
		char *const *d = list->entry[i].word;

		for (size_t k = 0; strcmp(d[0], "!") == 0 && k < list->n; k++) {
			char *const *w = option_of(&list->entry[k]);

			if (w && strcmp(w[0], d[1]) == 0 && strcmp(d[2], "default") == 0)
				assert_string_not_equal(difference(list, d[1], "default"), w[3]);
		}
	}
	talloc_free(list);
}

static char *read_document(TALLOC_CTX *ctx, const char *name)
{
	const char *dir = getenv("srcdir") ? getenv("srcdir") : SRCDIR;
	FILE *in = fopen(talloc_asprintf(ctx, "%s/doc/%s", dir, name), "r");
	char *text = talloc_zero_size(ctx, 256 * 1024);

	assert_non_null(in);
	assert_true(fread(text, 1, 256 * 1024 - 1, in) > 0);
	fclose(in);
	return text;
}

/* Whoever comes from ocserv must find what is new and what does nothing any more. */
static void the_migration_guide_names_new_and_idle_options(void **state)
{
	struct list *list = read_index();
	char *guide = read_document(list, "migrating-from-ocserv.md");

	(void)state;
	for (size_t i = 0; i < list->n; i++) {
		char *const *w = list->entry[i].word;
		const struct conf_option *o = conf_option_find(w[0]);
		bool is_new = strcmp(w[0], "+") == 0, idle = o && (o->flags & CONF_NOOP);
		const char *name = is_new ? w[1] : w[0];

		if ((is_new || idle) && !strstr(guide, talloc_asprintf(list, "| `%s` |", name)))
			fail_msg("%s is not in the guide", name);
	}
	talloc_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_the_specifications_index),
		cmocka_unit_test(old_names_stand_for_what_the_index_says),
		cmocka_unit_test(differences_are_real),
		cmocka_unit_test(the_migration_guide_names_new_and_idle_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
