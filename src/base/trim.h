/* trim.h - gives back memory that only the start of a process needed.  Used by all processes. */
#ifndef BASE_TRIM_H
#define BASE_TRIM_H

/* Returns free heap to the kernel, and the code and constants that start-up touched: those are
 * mapped from the page cache again when they are needed, which for most of them is never.  Needs no
 * /proc. */
void trim_after_start(void);

#endif /* BASE_TRIM_H */
