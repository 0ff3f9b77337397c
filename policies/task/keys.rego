# METADATA
# title: Whether a key that may has signed
# description: |
#   Each signature of a task on its own: one by a usable key is enough, whatever the others are, so that a platform may sign with the old
#   and the new key while nodes change over. Where none is, the problem that says most about the keys is the reason.
package assay.task.keys

each := input.facts.signature.each

problems := [problem(signature) | some signature in each]

usable if "ok" in problems

told := [problems[i] | some i, signature in each; signature.check == "valid"]

refusal := "signature_missing" if {
	count(each) == 0
} else := told[0] if {
	not usable
	count(told) > 0
} else := "signature_invalid" if {
	not usable
	"signature_invalid" in problems
} else := problems[0] if {
	not usable
}

problem(signature) := "keyid_missing" if {
	data.task.require_keyid
	not signature.hinted
} else := "signature_invalid" if {
	signature.check == "invalid"
} else := "key_revoked" if {
	# A later set need not list it any more.
	signature.revoked
} else := "key_unknown" if {
	signature.check == "unknown"
} else := of_state[signature.state] if {
	signature.state in object.keys(of_state)
} else := "key_grace_over" if {
	# By the clock, whether or not a newer set has come; without an end, at once.
	signature.state == "grace"
	object.get(signature, "grace_until", 0) <= input.now
} else := "key_not_active" if {
	signature.state == "active"
	signature.not_before > input.now + data.task.max_clock_ahead
} else := "ok"

of_state := {
	"pre-active": "key_not_active",
	"retired": "key_retired",
	"revoked": "key_revoked",
}
