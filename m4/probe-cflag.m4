dnl SPDX-License-Identifier: MIT
dnl MCP_PROBE_CFLAG(VARIABLE, FLAG): append FLAG to VARIABLE when the compiler and linker take it.
AC_DEFUN([MCP_PROBE_CFLAG], [
  AS_VAR_PUSHDEF([cachevar], [mcp_cv_flag_$2])
  AC_CACHE_CHECK([whether $CC takes $2], [cachevar], [
    mcp_saved_cflags=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cachevar], [yes])], [AS_VAR_SET([cachevar], [no])])
    CFLAGS=$mcp_saved_cflags])
  AS_VAR_IF([cachevar], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([cachevar])])
