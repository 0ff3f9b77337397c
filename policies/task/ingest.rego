# METADATA
# title: Which verifier sets are taken
# description: |
#   Sets that a root key has signed, of a version that was not there before, with one active key that some earlier set has published. What
#   was once revoked stays so. node-agent/set-rule.ts says the same for nodes; a test holds the two together.
package assay.task.ingest

facts := input.facts

set_ := facts.set

problem := "malformed" if {
	facts.envelope.check != "valid"
} else := "key_unknown" if {
	facts.signature.check == "unknown"
} else := "signature_invalid" if {
	facts.signature.check != "valid"
} else := "malformed" if {
	set_.check != "valid"
} else := "scope_mismatch" if {
	set_.scope != "node-task-signing"
} else := "kid_mismatch" if {
	count(set_.misnamed) > 0
} else := "weak_key" if {
	count(set_.weak) > 0
} else := of_newness[set_.newness] if {
	set_.newness in object.keys(of_newness)
} else := "no_active_key" if {
	count(set_.active) == 0
} else := "more_than_one_active" if {
	count(set_.active) > 1
} else := "activated_without_publication" if {
	# Where sets were skipped, one of those may have published the key.
	set_.newness == "next"
	not set_.emergency
	count(set_.unpublished) > 0
} else := "grace_without_end" if {
	count(set_.endless) > 0
} else := "revoked_key_reactivated" if {
	count(set_.reactivated) > 0
} else := "ok"

of_newness := {
	"different": "equivocation",
	"older": "verifier_set_rollback",
	"same": "not_newer",
}

effects := [{"digest": set_.digest, "document": set_.document, "kind": "task.take"}]
