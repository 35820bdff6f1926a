/* test_index.c - the intrusive hash index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "main/index.h"

enum { MANY = 1000 };

struct item {
	uint32_t key;
	struct index_node node;
};

static size_t count(const struct index *ix, uint32_t key)
{
	size_t n = 0;

	for (struct index_node *i = index_first(ix, &key, sizeof key); i; i = index_next(i)) {
		const struct item *item = i->item;
		n += item->key == key;
	}
	return n;
}

static void an_empty_index_finds_nothing(void **state)
{
	struct index *ix;

	(void)state;
	assert_int_equal(index_new(NULL, &ix), ERR_OK);
	assert_int_equal(count(ix, 1), 0);
	talloc_free(ix);
}

static void many_items_are_found_after_the_index_has_grown(void **state)
{
	struct item item[MANY] = { 0 };
	struct index *ix;

	(void)state;
	assert_int_equal(index_new(NULL, &ix), ERR_OK);
	for (uint32_t i = 0; i < MANY; i++) {
		item[i].key = i;
		index_add(ix, &item[i].node, &item[i].key, sizeof item[i].key, &item[i]);
	}
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(count(ix, i), 1);
	assert_int_equal(count(ix, MANY), 0);
	for (uint32_t i = 0; i < MANY; i += 2)
		index_remove(&item[i].node);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(count(ix, i), i % 2);
	talloc_free(ix);
}

static void several_items_may_have_one_key(void **state)
{
	struct item item[3] = { { .key = 7 }, { .key = 7 }, { .key = 7 } };
	struct index *ix;

	(void)state;
	assert_int_equal(index_new(NULL, &ix), ERR_OK);
	for (size_t i = 0; i < 3; i++)
		index_add(ix, &item[i].node, &item[i].key, sizeof item[i].key, &item[i]);
	assert_int_equal(count(ix, 7), 3);
	index_remove(&item[1].node);
	index_remove(&item[1].node); /* twice does no harm */
	assert_int_equal(count(ix, 7), 2);
	talloc_free(ix);
}

static void adding_again_moves_an_item_to_its_new_key(void **state)
{
	struct item item = { .key = 1 };
	struct index *ix;

	(void)state;
	assert_int_equal(index_new(NULL, &ix), ERR_OK);
	index_add(ix, &item.node, &item.key, sizeof item.key, &item);
	item.key = 2;
	index_add(ix, &item.node, &item.key, sizeof item.key, &item);
	assert_int_equal(count(ix, 1), 0);
	assert_int_equal(count(ix, 2), 1);
	talloc_free(ix);
}

static void keys_of_any_length_are_told_apart(void **state)
{
	static const char text[] = "a session id of odd length";
	struct index_node node[sizeof text] = { 0 };
	struct index *ix;

	(void)state;
	assert_int_equal(index_new(NULL, &ix), ERR_OK);
	for (size_t i = 0; i < sizeof text; i++)
		index_add(ix, &node[i], text, i, &node[i]);
	for (size_t i = 0; i < sizeof text; i++) {
		struct index_node *found = index_first(ix, text, i);
		assert_non_null(found);
		assert_ptr_equal(found->item, &node[i]);
		assert_null(index_next(found));
	}
	talloc_free(ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_index_finds_nothing),
		cmocka_unit_test(many_items_are_found_after_the_index_has_grown),
		cmocka_unit_test(several_items_may_have_one_key),
		cmocka_unit_test(adding_again_moves_an_item_to_its_new_key),
		cmocka_unit_test(keys_of_any_length_are_told_apart),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
