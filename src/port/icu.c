/* ICU as it is inside Node: its C functions are exported with ICU's major version in their names (ucol_open_78), which
 * is found here by trying. They are looked up at the first call. Texts come and go as UTF-16, sort keys as one
 * character per byte. A call that fails gives ICU's name of the error, a string; where there is no ICU, all do. */
#define _GNU_SOURCE
#include <node_api.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#define OLDEST 50
#define NEWEST 200
#define NAME_LIMIT 256
#define BUFFER_OVERFLOW 15
#define FAILED(status) ((status) > 0)

typedef struct Collator Collator;
typedef uint8_t Version[4];

#define FUNCTIONS(F) \
	F(Collator *, ucol_open, (const char *, int *)) \
	F(int, ucol_strcoll, (const Collator *, const char16_t *, int32_t, const char16_t *, int32_t)) \
	F(int32_t, ucol_getSortKey, (const Collator *, const char16_t *, int32_t, uint8_t *, int32_t)) \
	F(void, ucol_getVersion, (const Collator *, Version)) \
	F(int32_t, uloc_countAvailable, (void)) \
	F(const char *, uloc_getAvailable, (int32_t)) \
	F(int32_t, uloc_toLanguageTag, (const char *, char *, int32_t, int8_t, int *)) \
	F(int32_t, uloc_getDisplayName, (const char *, const char *, char16_t *, int32_t, int *)) \
	F(int32_t, u_strToUpper, (char16_t *, int32_t, const char16_t *, int32_t, const char *, int *)) \
	F(int32_t, u_strToLower, (char16_t *, int32_t, const char16_t *, int32_t, const char *, int *)) \
	F(int32_t, u_strToTitle, (char16_t *, int32_t, const char16_t *, int32_t, void *, const char *, int *)) \
	F(const char *, u_errorName, (int)) \
	F(void, u_versionToString, (const Version, char *)) \
	F(void, u_getVersion, (Version))

#define DECLARE(result, name, arguments) static result (*name) arguments;
FUNCTIONS(DECLARE)

static bool present(void)
{
	static int state; /* 0: not looked for yet, 1: there, -1: not there */
	char name[40];
	if (state != 0) return state > 0;
	state = -1;
	for (int version = NEWEST; version >= OLDEST; version--) {
		snprintf(name, sizeof name, "ucol_open_%d", version);
		if (dlsym(RTLD_DEFAULT, name) == NULL) continue;
#define FIND(result, call, arguments) \
		snprintf(name, sizeof name, #call "_%d", version); \
		*(void **) &call = dlsym(RTLD_DEFAULT, name); \
		if (call == NULL) return false;
		FUNCTIONS(FIND)
		state = 1;
		return true;
	}
	return false;
}

/* ---- arguments and results ---- */

#define ARGUMENTS(n) \
	size_t argc = (n); \
	napi_value args[(n)]; \
	if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok) return NULL; \
	if (argc < (n)) return bad_argument(env, __func__); \
	if (!present()) return text_value(env, "U_UNSUPPORTED_ERROR")

#define LOCALE(i, name) \
	char name[NAME_LIMIT]; \
	size_t name##_length; \
	if (napi_get_value_string_utf8(env, args[i], name, sizeof name, &name##_length) != napi_ok) \
		return bad_argument(env, __func__)

#define COLLATOR(i, name) \
	int32_t name##_number; \
	if (napi_get_value_int32(env, args[i], &name##_number) != napi_ok || name##_number < 0 || name##_number >= collator_count) \
		return bad_argument(env, __func__); \
	Collator *name = collators[name##_number]

static napi_value bad_argument(napi_env env, const char *call)
{
	char text[100];
	snprintf(text, sizeof text, "port.icu.%s: bad argument", call);
	napi_throw_type_error(env, NULL, text);
	return NULL;
}

static napi_value text_value(napi_env env, const char *text)
{
	napi_value v;
	return napi_create_string_latin1(env, text, NAPI_AUTO_LENGTH, &v) == napi_ok ? v : NULL;
}

static napi_value int_value(napi_env env, int32_t i)
{
	napi_value v;
	return napi_create_int32(env, i, &v) == napi_ok ? v : NULL;
}

static napi_value no_memory(napi_env env)
{
	napi_throw_error(env, NULL, "out of memory");
	return NULL;
}

/* Memory for texts, used again by every call; what a long one took is given back. */
#define KEPT 4096
struct buffer { void *memory; size_t size; };
static struct buffer left, right, result;

static bool reserve(struct buffer *b, size_t size)
{
	if (size <= b->size && (b->size <= KEPT || size > KEPT)) return true;
	if (size < KEPT) size = KEPT;
	void *memory = malloc(size);
	if (memory == NULL) return false;
	free(b->memory);
	b->memory = memory;
	b->size = size;
	return true;
}

/* The units of a text; -1: it is none, or there is no memory. A short one is fetched by one call. */
static int32_t fetch(napi_env env, napi_value value, struct buffer *b)
{
	size_t length;
	if (!reserve(b, KEPT)) return -1;
	if (napi_get_value_string_utf16(env, value, b->memory, b->size / 2, &length) != napi_ok) return -1;
	if (length < b->size / 2 - 1) return (int32_t) length;
	if (napi_get_value_string_utf16(env, value, NULL, 0, &length) != napi_ok || !reserve(b, (length + 1) * 2)) return -1;
	if (napi_get_value_string_utf16(env, value, b->memory, length + 1, &length) != napi_ok) return -1;
	return (int32_t) length;
}

/* ---- collators: numbered, kept for good ---- */

static Collator **collators;
static int32_t collator_count;

static napi_value openCollator(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	LOCALE(0, locale);
	int status = 0;
	Collator *collator = ucol_open(locale, &status);
	if (FAILED(status)) return text_value(env, u_errorName(status));
	Collator **grown = realloc(collators, (size_t) (collator_count + 1) * sizeof *collators);
	if (grown == NULL) return no_memory(env);
	collators = grown;
	collators[collator_count] = collator;
	return int_value(env, collator_count++);
}

static napi_value collatorVersion(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	COLLATOR(0, collator);
	Version version;
	char text[40];
	ucol_getVersion(collator, version);
	u_versionToString(version, text);
	return text_value(env, text);
}

static napi_value compare(napi_env env, napi_callback_info info)
{
	ARGUMENTS(3);
	COLLATOR(0, collator);
	int32_t a = fetch(env, args[1], &left), b = fetch(env, args[2], &right);
	if (a < 0 || b < 0) return bad_argument(env, __func__);
	return int_value(env, ucol_strcoll(collator, left.memory, a, right.memory, b));
}

/* Without the zero at its end. */
static napi_value sortKey(napi_env env, napi_callback_info info)
{
	ARGUMENTS(2);
	COLLATOR(0, collator);
	int32_t length = fetch(env, args[1], &left);
	if (length < 0) return bad_argument(env, __func__);
	if (!reserve(&result, (size_t) length * 4 + 64)) return no_memory(env);
	int32_t size = ucol_getSortKey(collator, left.memory, length, result.memory, (int32_t) result.size);
	if ((size_t) size > result.size) {
		if (!reserve(&result, (size_t) size)) return no_memory(env);
		size = ucol_getSortKey(collator, left.memory, length, result.memory, (int32_t) result.size);
	}
	napi_value v;
	return napi_create_string_latin1(env, result.memory, (size_t) size - 1, &v) == napi_ok ? v : NULL;
}

/* putSortKey(collator, text, bytes, at, room): how many bytes it has put there, -1 when there is no room. */
static napi_value putSortKey(napi_env env, napi_callback_info info)
{
	ARGUMENTS(5);
	COLLATOR(0, collator);
	int32_t at, room;
	void *bytes;
	size_t size;
	napi_typedarray_type type;
	if (napi_get_typedarray_info(env, args[2], &type, &size, &bytes, NULL, NULL) != napi_ok || type != napi_uint8_array ||
		napi_get_value_int32(env, args[3], &at) != napi_ok || napi_get_value_int32(env, args[4], &room) != napi_ok ||
		at < 0 || room < 0 || (size_t) at + (size_t) room > size) return bad_argument(env, __func__);
	int32_t length = fetch(env, args[1], &left);
	if (length < 0) return bad_argument(env, __func__);
	int32_t written = ucol_getSortKey(collator, left.memory, length, (uint8_t *) bytes + at, room);
	return int_value(env, written > room ? -1 : written - 1);
}

/* ---- letters ---- */

enum { UPPER, LOWER, TITLE };

static int32_t change(int how, const char *locale, int32_t length, int *status)
{
	int32_t room = (int32_t) (result.size / 2);
	switch (how) {
		case UPPER: return u_strToUpper(result.memory, room, left.memory, length, locale, status);
		case LOWER: return u_strToLower(result.memory, room, left.memory, length, locale, status);
		default: return u_strToTitle(result.memory, room, left.memory, length, NULL, locale, status);
	}
}

/* changeCase(how, locale, text): 0 to upper case, 1 to lower case, 2 the first letter of each word to upper case. An error has
 * a zero in front of its name, which no text can have. */
static napi_value changeCase(napi_env env, napi_callback_info info)
{
	ARGUMENTS(3);
	int32_t how;
	if (napi_get_value_int32(env, args[0], &how) != napi_ok) return bad_argument(env, __func__);
	LOCALE(1, locale);
	int32_t length = fetch(env, args[2], &left);
	if (length < 0) return bad_argument(env, __func__);
	int status = 0;
	if (!reserve(&result, (size_t) length * 2 + 64)) return no_memory(env);
	int32_t size = change(how, locale, length, &status);
	if (status == BUFFER_OVERFLOW) {
		status = 0;
		if (!reserve(&result, (size_t) size * 2 + 2)) return no_memory(env);
		size = change(how, locale, length, &status);
	}
	napi_value v;
	if (FAILED(status)) {
		char text[NAME_LIMIT];
		int written = snprintf(text + 1, sizeof text - 1, "%s", u_errorName(status));
		text[0] = 0;
		return napi_create_string_latin1(env, text, (size_t) written + 1, &v) == napi_ok ? v : NULL;
	}
	return napi_create_string_utf16(env, result.memory, (size_t) size, &v) == napi_ok ? v : NULL;
}

/* ---- what there is ---- */

/* The version of ICU; '' without it. */
static napi_value icuVersion(napi_env env, napi_callback_info info)
{
	(void) info;
	if (!present()) return text_value(env, "");
	Version version;
	char text[40];
	u_getVersion(version);
	u_versionToString(version, text);
	return text_value(env, text);
}

/* Language tag and English name, one after the other, of the root locale and all others. */
static napi_value locales(napi_env env, napi_callback_info info)
{
	(void) info;
	napi_value list, v;
	if (napi_create_array(env, &list) != napi_ok || !present()) return list;
	uint32_t at = 0;
	for (int32_t i = -1, count = uloc_countAvailable(); i < count; i++) {
		const char *name = i < 0 ? "" : uloc_getAvailable(i);
		char tag[NAME_LIMIT];
		char16_t shown[NAME_LIMIT];
		int status = 0;
		uloc_toLanguageTag(name, tag, sizeof tag, 1, &status);
		if (FAILED(status)) continue;
		int32_t length = uloc_getDisplayName(name, "en", shown, NAME_LIMIT, &status);
		if (FAILED(status) || length > NAME_LIMIT) length = 0;
		napi_set_element(env, list, at++, text_value(env, tag));
		if (napi_create_string_utf16(env, shown, (size_t) length, &v) == napi_ok) napi_set_element(env, list, at++, v);
	}
	return list;
}

/* port.icu */
napi_value icu_exports(napi_env env)
{
	static const struct { const char *name; napi_callback call; } all[] = {
		{ "version", icuVersion }, { "locales", locales }, { "openCollator", openCollator }, { "collatorVersion", collatorVersion },
		{ "compare", compare }, { "sortKey", sortKey }, { "putSortKey", putSortKey }, { "changeCase", changeCase },
	};
	napi_value icu, call;
	if (napi_create_object(env, &icu) != napi_ok) return NULL;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (napi_create_function(env, all[i].name, NAPI_AUTO_LENGTH, all[i].call, NULL, &call) == napi_ok)
			napi_set_named_property(env, icu, all[i].name, call);
	return icu;
}
