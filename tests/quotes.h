/* SPDX-License-Identifier: MIT */
#ifndef MCP_TESTS_QUOTES_H
#define MCP_TESTS_QUOTES_H

/*
 * JSON in C strings without backslashes: a copy of "text" in which every single quote is a double one. The copy lives
 * until the eighth call after it; a text of more than 32 KiB ends the program.
 */
const char *q(const char *text);

#endif
