/* json.h - jansson objects as admin.md 6.6 wants them: empty strings left out, lists always there,
 * text that is no UTF-8 made so (user agents and host names come from clients). */
#ifndef CTL_JSON_H
#define CTL_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

void js_text(json_t *object, const char *key, const char *text);
void js_int(json_t *object, const char *key, int64_t n);

/* N as a string, which some keys are. */
void js_int_text(json_t *object, const char *key, uint64_t n);

void js_list(json_t *object, const char *key, char *const *item, size_t n);

/* Prints ROOT and gives it up.  Nothing in it can steer a terminal. */
void js_print(FILE *out, json_t *root);

/* An array that is printed while it is made; begin with { .out = FILE }. */
struct js_array {
	FILE *out;
	size_t n; /* elements so far */
};

void js_array_add(struct js_array *a, json_t *element); /* gives ELEMENT up */
void js_array_end(struct js_array *a);

#endif /* CTL_JSON_H */
