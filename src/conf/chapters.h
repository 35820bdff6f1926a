/* chapters.h - the chapters of sallyport.conf(5) that are about the file and not about an option,
 * in mdoc, each beginning with its heading.  Used by man.c. */
#ifndef CONF_CHAPTERS_H
#define CONF_CHAPTERS_H

extern const char conf_chapter_head[];	  /* up to the description */
extern const char conf_chapter_grammar[]; /* lines, sections, values */
extern const char conf_chapter_hosts[];	  /* virtual hosts */
extern const char
	conf_chapter_users[]; /* group and user files; the list of their options follows */
extern const char conf_chapter_reload[];
extern const char conf_chapter_files[];

#endif /* CONF_CHAPTERS_H */
