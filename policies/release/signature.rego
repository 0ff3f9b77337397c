# METADATA
# title: When a signature counts
# description: |
#   The plugin says how a signature file and the key pinned under its key id go together. Here stands which pins count, and whether legacy
#   signatures do (`legacy` in data.json): those sign the file and not its digest, as minisign did before version 0.8.
package assay.release.signature

# A key that handed over counts until the end of its grace.
live(pin) if pin.state == "active"

live(pin) if {
	pin.state == "grace"
	input.now < pin.until
}

# The first problem in minisign's order, or "ok".
problem(signature) := "signature_missing" if {
	signature.check == "absent"
} else := signature.check if {
	signature.check in {"malformed_signature", "unsupported_algorithm"}
} else := "unsupported_algorithm" if {
	signature.algorithm == "legacy"
	not data.release.legacy
} else := "key_id_mismatch" if {
	not live(signature.pin)
} else := "unsupported_algorithm" if {
	# A legacy signature of a file that is too large to be sent along.
	signature.check == "content_missing"
} else := signature.check if {
	signature.check != "valid"
} else := "ok"
