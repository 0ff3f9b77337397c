# METADATA
# title: Signed calls of cells
# description: |
#   The same rules for every plugin that takes calls: `input.facts.caller` says who signed (formats/call), and here stands why that does not
#   count. `refusal` is the first reason; undefined where nobody signed, or where the call holds. `cell` is who calls, if it holds.
package assay.lib.call

# Seconds that a call's time may be away from the kernel's, to both sides. A nonce is kept for longer than that.
max_skew := 30

caller := input.facts.caller

refusal := {
	"code": "caller_unknown",
	"message": "no cell of this name is enrolled",
	"rule": "assay.lib.call.refusal",
} if {
	caller.check == "cell_unknown"
} else := {
	"code": "caller_invalid",
	"message": "the call is not signed by the cell that it names",
	"rule": "assay.lib.call.refusal",
} if {
	not caller.check in {"absent", "valid"}
} else := {
	"code": "caller_key_revoked",
	"message": "the key that signed the call is not in force any more",
	"rule": "assay.lib.call.refusal",
} if {
	caller.check == "valid"
	not caller.key_state in {"active", "grace"}
} else := {
	"code": "caller_stale",
	"message": "the call was signed too long ago, or for later",
	"rule": "assay.lib.call.refusal",
} if {
	caller.check == "valid"
	abs(input.now - caller.time) > max_skew
} else := {
	"code": "caller_replayed",
	"message": "this call was heard before",
	"rule": "assay.lib.call.refusal",
} if {
	caller.nonce_state == "seen"
} else := {
	"code": "caller_busy",
	"message": "the cell calls more often than its nonces can be kept",
	"rule": "assay.lib.call.refusal",
} if {
	caller.nonce_state == "full"
}

cell := caller.cell if {
	caller.check == "valid"
	not refusal
}
