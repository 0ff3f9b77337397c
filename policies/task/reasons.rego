# METADATA
# title: Reasons of the plugin task
# description: Every code that a decision of this plugin gives of its own, in one place; plugins/task/README.md lists the same.
package assay.task.reasons

texts := [
	{"code": "accepted", "message": "the task is for this node, now, and for the first time"},
	{"code": "activated_without_publication", "message": "a key became active that no set published before, and nobody says that it is an emergency"},
	{"code": "audience_mismatch", "message": "the task is for another node"},
	{"code": "closed", "message": "the node has said what became of the task"},
	{"code": "equivocation", "message": "another set of the same version was taken before: somebody with a root key says two things"},
	{"code": "grace_without_end", "message": "a key is in grace, and nobody says until when"},
	{"code": "key_grace_over", "message": "the grace of the key that signed is over"},
	{"code": "key_not_active", "message": "the key that signed is not active yet"},
	{"code": "key_not_managed", "message": "the plugin signer does not know the key: only managed keys sign tasks"},
	{"code": "key_retired", "message": "the key that signed is retired"},
	{"code": "key_revoked", "message": "the key that signed is revoked"},
	{"code": "key_unknown", "message": "no key of this name may sign this"},
	{"code": "keyid_missing", "message": "the signature does not say which key made it"},
	{"code": "kid_mismatch", "message": "a key has a name that does not follow from it"},
	{"code": "malformed", "message": "the envelope, or what is in it, is not of the form that it has to be"},
	{"code": "malformed_request", "message": "the payload is not what this action expects"},
	{"code": "more_than_one_active", "message": "more than one key of the set is active"},
	{"code": "no_active_key", "message": "no key of the set is active"},
	{"code": "not_allowed_here", "message": "nobody permits this peer to do this"},
	{"code": "not_newer", "message": "this very set was taken before"},
	{"code": "not_yet_valid", "message": "the task was issued too far in the future"},
	{"code": "params_mismatch", "message": "the parameters are not what tasks of this type have"},
	{"code": "payload_type_not_allowed", "message": "the envelope holds something else, validly signed"},
	{"code": "replayed", "message": "the node has taken this task before"},
	{"code": "revoked_key_reactivated", "message": "a key comes back that was revoked"},
	{"code": "root_count", "message": "at least one root and at most a few are trusted at a time"},
	{"code": "scope_mismatch", "message": "the set is about keys for something else"},
	{"code": "sender_not_permitted", "message": "nobody permits this peer to send such tasks to this node"},
	{"code": "set_taken", "message": "the set is newer, and in order"},
	{"code": "signature_invalid", "message": "the key that it names did not sign this"},
	{"code": "signature_missing", "message": "nobody has signed this"},
	{"code": "signed", "message": "the platform asks the node to do this"},
	{"code": "task_expired", "message": "the task is over"},
	{"code": "task_type_unknown", "message": "there is no such type of task, or no such version of it"},
	{"code": "task_unknown", "message": "no such task of this node waits for a report"},
	{"code": "trust_changed", "message": "the roots of verifier sets are these from now on"},
	{"code": "ttl_exceeds_max", "message": "the task lives for longer than any may, or not at all"},
	{"code": "verifier_set_rollback", "message": "a newer set was taken before"},
	{"code": "weak_key", "message": "anyone can sign for this key, or verifiers would not agree on it: make a new one"},
]

by_code := {text.code: text | some text in texts}

named(code, rule) := object.union(by_code[code], {"rule": rule})
