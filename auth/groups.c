/* groups.c - the rules of config.md 11. */
#include "auth/groups.h"

#include <string.h>

const char *group_find(const struct group_list *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->item[i].name, text) == 0)
			return list->item[i].name;
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->item[i].label, text) == 0)
			return list->item[i].name;
	return NULL;
}

enum group_choice group_select(const struct group_list *list, const char *text, const char **name)
{
	const char *listed;

	if (!*text)
		return GROUP_UNSELECTED;
	if (list->none && strcmp(list->none, text) == 0)
		return GROUP_NONE;
	/* A name that is not listed may still be a group of the user (config.md 11, rule 4). */
	listed = group_find(list, text);
	*name = listed ? listed : text;
	return GROUP_NAMED;
}

enum group_verdict group_of_member(enum group_choice choice, const char *name,
				   const struct strv *member, const char **out)
{
	if (choice == GROUP_NAMED && !strv_has(member, name))
		return GROUP_REFUSE;
	if (choice == GROUP_NAMED)
		*out = name;
	else if (choice == GROUP_UNSELECTED && member->n)
		*out = member->item[0];
	else
		*out = "";
	return GROUP_OK;
}

enum group_verdict group_of_certificate(const struct group_list *list, enum group_choice choice,
					const char *name, const struct strv *cert, const char **out)
{
	const char *only = "";
	size_t eligible = 0;

	if (choice != GROUP_UNSELECTED)
		return group_of_member(choice, name, cert, out);
	for (size_t i = 0; i < cert->n; i++) {
		if (list->n && !group_find(list, cert->item[i]))
			continue;
		eligible++;
		only = cert->item[i];
	}
	if (eligible != 1 && cert->n)
		return GROUP_ASK;
	*out = only;
	return GROUP_OK;
}
