# SPDX-License-Identifier: MIT
# From headers to the list of the functions that they declare, as the linker reads it (--dynamic-list).
BEGIN { print "{" }
/^\/\*/ { comment = 1 }
!comment && /^[a-z]/ && !/^typedef/ && /\(/ {
	sub(/\(.*/, "")
	sub(/.*[ *]/, "")
	print "\t" $0 ";"
}
/\*\// { comment = 0 }
END { print "};" }
