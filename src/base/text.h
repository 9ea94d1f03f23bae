/* Foreign text: the gate where it enters, and its width where it is drawn.
 *
 * text_clean is the only way a peer's bytes become a string of ours. Everything that a terminal
 * could act on is shown as an escape (\x1b, \u202e): C0, DEL, C1 (also UTF-8 encoded), bidi
 * controls, zero-width and line separators, and bytes that are not UTF-8. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cleans len bytes of src into dst (size bytes with the NUL, at least 1), cut at a character
 * boundary. Returns the bytes written without the NUL. Newlines and tabs become one space. */
size_t text_clean(char *dst, size_t size, const char *src, size_t len);

/* snprintf and vsnprintf of clean strings: a character that the end of dst or a precision ("%.20s")
 * cuts is left out whole. */
void text_format(char *dst, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void text_vformat(char *dst, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* Decodes one code point at *s and advances *s; 0 at the end; U+FFFD for a broken sequence
 * (advances one byte). */
uint32_t text_next(const char **s);
/* True when a terminal would act on the code point or show nothing for it. */
bool text_is_control(uint32_t code);
/* Columns on the screen; controls count as one (they are drawn as '?'). */
int text_width(const char *s);
int text_char_width(uint32_t code);
/* Bytes of the longest prefix of s that takes at most `columns` columns. */
size_t text_fit(const char *s, int columns);
/* True when needle is in s, ASCII case ignored; an empty needle is everywhere. */
bool text_contains(const char *s, const char *needle);

/* Changes a text's bytes in place, not how many they are. */
typedef void text_edit(void *owner, char *text, size_t len);

#endif
